"""What is asked of the desk and what it answers.

A bot asks with a `Request`; the desk looks at a `Room` under every limit and answers
with a `Verdict`. What is granted is open as an `Allocation` until it is released or
recycled (`RecycleEvent`). Integers here are micro-units and microseconds since 1970
(UTC); whatever a person touches is an `Amount` or a `datetime`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from msgspec import Struct

from capdesk.model.money import Amount, usd

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Priority = Literal["critical", "high", "normal"]
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "normal")


def moment(at: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


class AllocationResult(StrEnum):
    """What became of a request, in the order of precedence of its reasons."""

    SUCCESS = "success"
    HALTED = "halted"
    UNKNOWN_STRATEGY = "unknown_strategy"
    STRATEGY_DISABLED = "strategy_disabled"
    INVALID_AMOUNT = "invalid_amount"
    ALREADY_ALLOCATED = "already_allocated"
    NOT_ALLOCATED = "not_allocated"
    LEASE_EXPIRED = "lease_expired"
    INSUFFICIENT_CAPITAL = "insufficient_capital"
    TOTAL_LIMIT_EXCEEDED = "total_limit_exceeded"
    SLEEVE_LIMIT_EXCEEDED = "sleeve_limit_exceeded"
    GROUP_LIMIT_EXCEEDED = "group_limit_exceeded"
    MARKET_LIMIT_EXCEEDED = "market_limit_exceeded"


class AsOf(NamedTuple):
    """The entry of the journal that a report is true of."""

    sequence: int
    time: datetime


class Request(Struct, frozen=True, omit_defaults=True, gc=False, tag="request"):
    """A bot asks for capital in a market.

    Attributes
    ----------
    asked, min_amount
        Micro-units; a grant under `min_amount` is refused instead.
    all_or_none
        Refuse rather than cut.
    group
        The group of correlated markets; None: by the mandate's patterns.
    account
        Where the money lies; None: the mandate's first account.
    lease
        Microseconds for which the grant is only reserved; None: confirmed at once.
    increase
        Add to the allocation that is open already.
    """

    market: str
    asked: int
    strategy: str
    min_amount: int = 0
    all_or_none: bool = False
    group: str | None = None
    account: str | None = None
    priority: Priority = "normal"
    lease: int | None = None
    increase: bool = False


class RoomLeft(Struct, frozen=True, array_like=True, gc=False):
    """One limit that was looked at: its name, how much it allows and how much is used (micro-units)."""

    name: str
    limit: int
    used: int

    @property
    def left(self) -> int:
        """Micro-units that the limit still allows, never negative."""
        return max(0, self.limit - self.used)


class Granted(Struct, frozen=True, omit_defaults=True, gc=False, tag="granted"):
    """Capital was given to a market; `amount` is what this grant added."""

    market: str
    strategy: str
    amount: int
    account: str
    rooms: tuple[RoomLeft, ...]
    version: int
    sleeve: str | None = None
    group: str | None = None
    orders: tuple[int, ...] = ()
    bound_by: str | None = None
    lease_until: int | None = None
    increase: bool = False


class Refused(Struct, frozen=True, omit_defaults=True, gc=False, tag="refused"):
    """Nothing was given, with the reason."""

    market: str
    strategy: str
    code: AllocationResult
    version: int
    rooms: tuple[RoomLeft, ...] = ()
    bound_by: str | None = None
    detail: str = ""


class Room(NamedTuple):
    """The room under one limit, as a verdict shows it."""

    name: str
    limit: Amount
    used: Amount
    room: Amount


class Verdict(Struct, frozen=True, gc=False):
    """The desk's answer to one request; unpacks to ``(result, amount)``, prints as why."""

    request: Request
    outcome: Granted | Refused
    request_id: str
    sequence: int
    _sentence: str = ""

    def __iter__(self) -> Iterator[AllocationResult | Amount]:
        yield self.result
        yield self.amount

    def __str__(self) -> str:
        return self.why

    @property
    def result(self) -> AllocationResult:
        """SUCCESS for a grant, also a partial one; else the reason of the refusal."""
        return self.outcome.code if isinstance(self.outcome, Refused) else AllocationResult.SUCCESS

    @property
    def granted(self) -> bool:
        """Whether any capital was granted."""
        return isinstance(self.outcome, Granted)

    @property
    def amount(self) -> Amount:
        """What was granted; 0 for a refusal."""
        return Amount.from_micro(self.outcome.amount if isinstance(self.outcome, Granted) else 0)

    @property
    def asked(self) -> Amount:
        """What was asked for, rounded down to the micro-unit."""
        return Amount.from_micro(self.request.asked)

    @property
    def market_id(self) -> str:
        """The market."""
        return self.request.market

    @property
    def strategy(self) -> str:
        """The strategy that asked, or whose allocation was to be increased."""
        return self.outcome.strategy

    @property
    def orders(self) -> list[Amount]:
        """The sizes of the orders; empty when the grant is one order."""
        return [Amount.from_micro(order) for order in getattr(self.outcome, "orders", ())]

    @property
    def bound_by(self) -> str | None:
        """The name of the limit that cut or refused the request."""
        return self.outcome.bound_by

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Every limit that was looked at, with its room before this request."""
        return tuple(
            Room(
                room.name,
                Amount.from_micro(room.limit),
                Amount.from_micro(room.used),
                Amount.from_micro(room.left),
            )
            for room in self.outcome.rooms
        )

    @property
    def mandate_version(self) -> int:
        """The version of the rules this was decided under."""
        return self.outcome.version

    @property
    def why(self) -> str:
        """One sentence with the figures."""
        return self._sentence or explain_outcome(self.request, self.outcome)


def explain_outcome(request: Request, outcome: Granted | Refused) -> str:
    """Say in one sentence why a request got what it got."""
    if isinstance(outcome, Refused) and outcome.detail:
        return outcome.detail
    asked = usd(request.asked)
    if isinstance(outcome, Granted):
        done = f"granted {usd(outcome.amount)} of {asked} asked for {request.market}"
    else:
        done = f"refused {asked} asked for {request.market}"
    bound = next((room for room in outcome.rooms if room.name == outcome.bound_by), None)
    if bound is None:
        return f"{done}: every limit has room"
    reason = (
        f"the limit {bound.name} is {usd(bound.limit)}, {usd(bound.used)} of it in use, "
        f"so {usd(bound.left)} is left"
    )
    if isinstance(outcome, Refused) and request.all_or_none:
        reason += ", and all or none was asked"
    elif isinstance(outcome, Refused) and bound.left >= request.min_amount > 0:
        reason += ", below the minimum order"
    elif isinstance(outcome, Refused) and bound.left > 0:
        least = usd(request.min_amount) if request.min_amount else "the minimum order"
        reason += f", less than {least}"
    return f"{done}: {reason}"


class Allocation(Struct, frozen=True):
    """Capital that a market holds.

    Attributes
    ----------
    amount
        The principal, at cost.
    orders
        Sizes of the orders it was split into; empty when it is one order.
    confirmed
        False while it is reserved under a lease.
    held
        The lease ended unconfirmed: the order may be live at the venue.
    mark
        The last market value given for it.
    """

    market_id: str
    amount: Amount
    strategy: str
    timestamp: datetime
    orders: list[Amount]
    account: str
    group: str | None = None
    confirmed: bool = True
    lease_until: datetime | None = None
    held: bool = False
    mark: Amount | None = None

    def get_order_sizes(self) -> list[Amount]:
        """The order sizes; the whole amount when it was not split."""
        return self.orders or [self.amount]


class RecycleEvent(Struct, frozen=True):
    """A market's capital on its way back to the bankroll."""

    event_id: str
    market_id: str
    strategy: str
    amount: Amount
    pnl: Amount
    resolved_at: datetime
    recycled_at: datetime | None = None

    def is_pending(self) -> bool:
        """Whether the capital is still to be freed."""
        return self.recycled_at is None
