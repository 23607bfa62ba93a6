"""The story of one market: what the journal says about it, told step by step."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from capdesk.model.commands import Released, Request, RequestAll
from capdesk.model.journal import Confirmed, LeaseEnded, Marked, Queued, Recycled, Restored
from capdesk.model.money import Amount, usd
from capdesk.model.requests import AllocationResult, Granted, Refused, Room, explain_outcome, moment

if TYPE_CHECKING:
    from capdesk.model.journal import Entry

Told = tuple[str, str, dict[str, object]]
"""What a step was, its sentence, and the figures of its JSON form."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a market."""

    sequence: int
    time: datetime
    request_id: str
    what: str
    sentence: str
    figures: dict[str, object] = field(default_factory=dict)
    rooms: tuple[Room, ...] = ()
    bound_by: str | None = None
    repeats: int = 0

    def record(self) -> dict[str, object]:
        """Give the step as the JSON object that `explain --json` prints."""
        return {
            "sequence": self.sequence,
            "time": self.time,
            "request_id": self.request_id,
            "what": self.what,
            "sentence": self.sentence,
            "repeats": self.repeats,
            **self.figures,
        }


def of_market(market: str, entries: "Iterable[Entry]", repeats: Mapping[int, int]) -> list[Step]:
    """Tell what the entries say about a market, oldest first.

    Parameters
    ----------
    repeats
        How often the refusal of an entry was repeated, by the entry's number.
    """
    return [
        replace(step(entry, event), repeats=repeats.get(entry.sequence, 0))
        for entry in entries
        for event in entry.events
        if getattr(event, "market", getattr(getattr(event, "released", None), "market", None)) == market
        and not (isinstance(event, Recycled) and event.amount)
    ]


def step(entry: "Entry", event: Any) -> Step:
    """Tell one event of an entry.

    A recycling that freed capital is told by its release, which has the fees too.
    """
    at = {"sequence": entry.sequence, "time": entry.time, "request_id": entry.request_id}
    if isinstance(event, (Granted, Refused)):
        return decision(entry.command, event, at)
    what, sentence, figures = TELLERS[type(event)](event)
    return Step(what=what, sentence=sentence, figures=figures, **at)


def decision(command: Any, outcome: Granted | Refused, at: dict[str, Any]) -> Step:
    """Tell a grant or a refusal, with the room under every limit."""
    request = request_of(command, outcome)
    rooms = tuple(
        Room(room.name, *(Amount.from_micro(each) for each in (room.limit, room.used, room.left)))
        for room in outcome.rooms
    )
    figures: dict[str, object] = {
        "result": AllocationResult.SUCCESS,
        "strategy": outcome.strategy,
        "asked": None if request is None else Amount.from_micro(request.asked),
        "amount": Amount(0),
        "bound_by": outcome.bound_by,
        "rooms": rooms,
        "mandate_version": outcome.version,
    }
    if isinstance(outcome, Refused):
        what, figures["result"] = "refused", outcome.code
        sentence = outcome.detail if request is None else explain_outcome(request, outcome)
    else:
        assert request is not None
        what, sentence = word_for(request, outcome), explain_outcome(request, outcome)
        figures["amount"] = Amount.from_micro(outcome.amount)
        figures["orders"] = [Amount.from_micro(size) for size in outcome.orders]
        figures["lease_until"] = None if outcome.lease_until is None else moment(outcome.lease_until)
    return Step(what=what, sentence=sentence, figures=figures, rooms=rooms, bound_by=outcome.bound_by, **at)


def word_for(request: Request, granted: Granted) -> str:
    """Name a grant: in full, cut by a limit, or only reserved."""
    if granted.lease_until is not None:
        return "reserved"
    return "cut" if granted.amount < request.asked else "granted"


def request_of(command: Any, outcome: Granted | Refused) -> Request | None:
    """Find the request that an outcome answers; a refused confirmation answers none."""
    if isinstance(command, Request):
        return command
    if isinstance(command, RequestAll):
        return next(
            each
            for each in command.requests
            if (each.market, each.strategy) == (outcome.market, outcome.strategy)
        )
    return None


def tell_confirmed(event: Confirmed) -> Told:
    """Tell what was filled and what came back."""
    back = f", {usd(event.returned)} unfilled went back" if event.returned else ""
    return (
        "confirmed",
        f"{usd(event.amount)} stays{back}",
        {
            "strategy": event.strategy,
            "amount": Amount.from_micro(event.amount),
            "returned": Amount.from_micro(event.returned),
        },
    )


def tell_released(event: Released) -> Told:
    """Tell what came back, and with which result."""
    parts = [f"{usd(event.amount)} came back", f"P&L {signed(event.pnl)}"]
    if event.fees:
        parts.append(f"fees {usd(event.fees)}")
    if event.rest:
        parts.append(f"{usd(event.rest)} stays")
    return (
        "recycled" if event.event_id else "released",
        ", ".join(parts),
        {
            "strategy": event.strategy,
            "amount": Amount.from_micro(event.amount),
            "pnl": Amount.from_micro(event.pnl),
            "fees": Amount.from_micro(event.fees),
            "rest": Amount.from_micro(event.rest),
            "event_id": event.event_id,
        },
    )


def tell_restored(event: Restored) -> Told:
    """Tell that a release was undone."""
    amount = event.released.amount
    return (
        "reversed",
        f"the release of entry {event.release} was undone, {usd(amount)} is open again: {event.reason}",
        {"release": event.release, "amount": Amount.from_micro(amount), "reason": event.reason},
    )


def tell_marked(event: Marked) -> Told:
    """Tell what an allocation was worth."""
    return (
        "marked",
        f"worth {usd(event.value)}",
        {
            "strategy": event.strategy,
            "value": Amount.from_micro(event.value),
            "valued_at": moment(event.valued_at),
        },
    )


def tell_queued(event: Queued) -> Told:
    """Tell that a market has resolved."""
    due = moment(event.due_at)
    holds = usd(event.amount) if event.amount else "nothing"
    return (
        "queued",
        f"resolved holding {holds}, P&L {signed(event.pnl)}, to be recycled at {due:%H:%M:%S} UTC",
        {
            "strategy": event.strategy,
            "event_id": event.event_id,
            "amount": Amount.from_micro(event.amount),
            "pnl": Amount.from_micro(event.pnl),
            "fees": Amount.from_micro(event.fees),
            "due_at": due,
        },
    )


def tell_recycled(event: Recycled) -> Told:
    """Tell a recycling that found nothing to free."""
    return (
        "recycled",
        "nothing was left to free",
        {"event_id": event.event_id, "amount": Amount(0), "pnl": Amount(0)},
    )


def tell_lease_ended(event: LeaseEnded) -> Told:
    """Tell that a reservation was not confirmed in time."""
    sentence = (
        f"{usd(event.freed)} went back: the lease ended unconfirmed"
        if event.freed
        else "the lease ended unconfirmed; held, its order may be live at the venue"
    )
    return "lease ended", sentence, {"strategy": event.strategy, "freed": Amount.from_micro(event.freed)}


def signed(micro: int) -> str:
    """Show a profit or loss with its sign."""
    return f"+{usd(micro)}" if micro > 0 else usd(micro)


TELLERS: dict[type, Callable[[Any], Told]] = {
    Confirmed: tell_confirmed,
    Released: tell_released,
    Restored: tell_restored,
    Marked: tell_marked,
    Queued: tell_queued,
    Recycled: tell_recycled,
    LeaseEnded: tell_lease_ended,
}
