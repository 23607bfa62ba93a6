"""What the desk can be told to do: every change of its state begins as one of these.

Commands are journaled as they were given. Amounts are micro-units, times
microseconds since 1970 (UTC).
"""

from __future__ import annotations

from msgspec import Struct

from capdesk.model.mandate import Mandate
from capdesk.model.money import usd
from capdesk.model.requests import Request
from capdesk.model.rules import MarketState


class Found(Struct, frozen=True, omit_defaults=True, tag="found"):
    """Begin a ledger: its mandate and its first deposit."""

    mandate: Mandate
    bankroll: int


class RequestAll(Struct, frozen=True, omit_defaults=True, tag="request_all"):
    """Several requests decided as one: all are granted or none (the legs of an arbitrage)."""

    requests: tuple[Request, ...]


class Confirm(Struct, frozen=True, omit_defaults=True, tag="confirm"):
    """The order was filled: for `filled` micro-units, or in full."""

    market: str
    strategy: str | None = None
    filled: int | None = None


class Release(Struct, frozen=True, omit_defaults=True, tag="release"):
    """Give capital back with its profit or loss; `amount` releases a part."""

    market: str
    strategy: str | None = None
    pnl: int = 0
    fees: int = 0
    amount: int | None = None


class ReverseRelease(Struct, frozen=True, omit_defaults=True, tag="reverse_release"):
    """Undo a release: the entry with number `release` is taken back by a new one."""

    release: int
    released: Released
    reason: str


class Mark(Struct, frozen=True, omit_defaults=True, tag="mark"):
    """What an allocation is worth in the market."""

    market: str
    value: int
    at: int | None = None
    strategy: str | None = None


class MarkAll(Struct, frozen=True, tag="mark_all"):
    """What several allocations are worth at one moment, so that equity moves once."""

    marks: tuple[Mark, ...]


class Deposit(Struct, frozen=True, omit_defaults=True, tag="deposit"):
    """Money comes in: a flow, no profit."""

    amount: int
    account: str | None = None


class Withdraw(Struct, frozen=True, omit_defaults=True, tag="withdraw"):
    """Money goes out: a flow, no loss."""

    amount: int
    account: str | None = None


class SetBankroll(Struct, frozen=True, omit_defaults=True, tag="set_bankroll"):
    """The bankroll is `amount`; the difference is booked as a flow."""

    amount: int


class SyncWallet(Struct, frozen=True, omit_defaults=True, tag="sync_wallet"):
    """An account holds `cash` free; what nobody explained is booked as reconciliation.

    `expected` is what the books had free when the wallet was read: the reading speaks of those books only.
    """

    cash: int
    account: str | None = None
    expected: int | None = None


class Transfer(Struct, frozen=True, omit_defaults=True, tag="transfer"):
    """Move free cash between accounts; it arrives after `transit` microseconds."""

    amount: int
    source: str
    target: str
    transit: int = 0


class QueueRecycle(Struct, frozen=True, omit_defaults=True, tag="queue_recycle"):
    """A market has resolved: free its capital after `delay` (None: the mandate's)."""

    market: str
    strategy: str | None = None
    pnl: int = 0
    fees: int = 0
    delay: int | None = None


class AskToTell(Struct, frozen=True, tag="ask_to_tell"):
    """A callback is to be told of a queued event once it is carried out, by whomever."""

    event_id: str


class Recycle(Struct, frozen=True, tag="recycle"):
    """Free the capital of a queued event now."""

    event_id: str


class Delivered(Struct, frozen=True, omit_defaults=True, tag="delivered"):
    """The callback of a recycled event has succeeded."""

    event_id: str


class Expire(Struct, frozen=True, tag="expire"):
    """Leases whose time is over, told by the writer."""


class Arrive(Struct, frozen=True, tag="arrive"):
    """Transfers whose time in transit is over, told by the writer."""


class Observe(Struct, frozen=True, omit_defaults=True, tag="observe"):
    """The state of the market as it was seen."""

    seen: MarketState


class Review(Struct, frozen=True, tag="review"):
    """Look at the sleeves: publish budgets that changed, recall what is over them, pause and resume."""


class HaltDesk(Struct, frozen=True, tag="halt"):
    """Refuse every grant until resumed, by hand."""

    reason: str


class Trip(Struct, frozen=True, tag="trip"):
    """Journal what the drawdown or the daily loss limit has stopped, told by the writer."""


class Resume(Struct, frozen=True, tag="resume"):
    """End a halt; the high-water mark begins anew."""

    reason: str


class TripBreaker(Struct, frozen=True, tag="trip_breaker"):
    """Trip the manual breaker."""

    reason: str


class LiftBreaker(Struct, frozen=True, tag="lift_breaker"):
    """Lift the manual breaker."""

    reason: str


class UpdateMandate(Struct, frozen=True, omit_defaults=True, tag="update_mandate"):
    """Change the rules, for every process on this ledger."""

    mandate: Mandate
    reason: str


class Released(Struct, frozen=True, omit_defaults=True, tag="released"):
    """Capital came back: `amount` of principal with its P&L and fees.

    `opened` is the number of the entry that opened the allocation, `rest` what stays in it,
    `queued` the recycling that waits for it.
    """

    market: str
    strategy: str
    account: str
    amount: int
    opened: int
    opened_at: int
    pnl: int = 0
    fees: int = 0
    rest: int = 0
    sleeve: str | None = None
    group: str | None = None
    event_id: str | None = None
    queued: str | None = None


Command = (
    Found
    | Request
    | RequestAll
    | Confirm
    | Release
    | ReverseRelease
    | Mark
    | MarkAll
    | Deposit
    | Withdraw
    | SetBankroll
    | SyncWallet
    | Transfer
    | QueueRecycle
    | AskToTell
    | Recycle
    | Delivered
    | Expire
    | Arrive
    | UpdateMandate
    | Observe
    | Review
    | HaltDesk
    | Trip
    | Resume
    | TripBreaker
    | LiftBreaker
)

_DOLLARS = frozenset({"amount", "asked", "min_amount", "pnl", "fees", "filled", "value", "cash", "bankroll"})


_LONGEST_SHOWN = 60


def describe(command: Command) -> str:
    """A command in words: its kind, and the fields that say something, amounts in dollars, long ones cut."""
    parts: list[str] = []
    for name in command.__struct_fields__:
        value: object = getattr(command, name)
        if value is None or value is False:
            continue
        if isinstance(command, RequestAll | MarkAll):
            parts.append(
                f"{len(command.requests if isinstance(command, RequestAll) else command.marks)} {name}"
            )
            continue
        shown = usd(value) if name in _DOLLARS and isinstance(value, int) else str(value)
        if len(shown) > _LONGEST_SHOWN:
            shown = f"{shown[: _LONGEST_SHOWN - 3]}..."
        parts.append(f"{name} {shown}")
    return f"{command.__struct_config__.tag} ({', '.join(parts)})"
