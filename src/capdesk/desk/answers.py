"""Journal entries as the answers that callers get: the same for a fresh entry and a stored one."""

from __future__ import annotations

from typing import Any, cast

from capdesk.model import commands as c
from capdesk.model.journal import Confirmed, Entry, Marked
from capdesk.model.money import Amount, usd
from capdesk.model.requests import Granted, Refused, Request, Verdict


def verdict(entry: Entry) -> Verdict:
    """The verdict on one request."""
    request: Any = entry.command
    outcome: Any = entry.events[0]
    return Verdict(request, outcome, entry.request_id, entry.sequence)


def verdicts(entry: Entry) -> list[Verdict]:
    """The verdicts on several requests decided as one."""
    requests = cast(c.RequestAll, entry.command).requests
    return [
        Verdict(request, cast("Granted | Refused", event), entry.request_id, entry.sequence)
        for request, event in zip(requests, entry.events, strict=True)
    ]


def confirmation(entry: Entry) -> Verdict:
    """The verdict on a confirmation: what the market keeps."""
    command, event = cast(c.Confirm, entry.command), entry.events[0]
    if isinstance(event, Refused):
        request = Request(command.market, command.filled or 0, event.strategy)
        return Verdict(request, event, entry.request_id, entry.sequence)
    confirmed = cast(Confirmed, event)
    request = Request(command.market, confirmed.amount + confirmed.returned, confirmed.strategy)
    outcome = Granted(
        command.market,
        confirmed.strategy,
        confirmed.amount,
        "",
        (),
        confirmed.version,
        orders=confirmed.orders,
    )
    return Verdict(request, outcome, entry.request_id, entry.sequence, _of_confirmation(confirmed))


def _of_confirmation(confirmed: Confirmed) -> str:
    held = usd(confirmed.amount + confirmed.returned)
    if not confirmed.returned:
        return f"confirmed {held} of {confirmed.market}"
    return (
        f"confirmed {usd(confirmed.amount)} of the {held} that {confirmed.market} held: "
        f"{usd(confirmed.returned)} went back"
    )


def principal(entry: Entry) -> Amount:
    """The principal that came back."""
    return Amount.from_micro(sum(event.amount for event in entry.events if isinstance(event, c.Released)))


def bankroll_after(entry: Entry) -> Amount:
    """The bankroll that followed a flow; 0 where nothing was booked."""
    return Amount.from_micro(next((getattr(event, "bankroll", 0) for event in entry.events), 0))


def markets_of(entry: Entry) -> set[str | None]:
    """Every market an entry speaks of."""
    parts: tuple[Any, ...] = (entry.command, *getattr(entry.command, "requests", ()), *entry.events)
    named = {getattr(part, "market", None) for part in parts}
    return named | {part.released.market for part in parts if hasattr(part, "released")}


def equity_after(entry: Entry) -> Amount:
    """The equity that followed a mark."""
    return Amount.from_micro(next(event.equity for event in entry.events if isinstance(event, Marked)))
