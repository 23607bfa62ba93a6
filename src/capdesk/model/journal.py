"""What the ledger records: events, and the entry that holds a command with what followed.

The state of a desk is the fold of its entries, see `state.py` and `decide/transition.py`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from capdesk.model.commands import Command, Released
from capdesk.model.mandate import Mandate
from capdesk.model.requests import Granted, Refused, moment
from capdesk.model.rules import Budget, Risk


class Founded(Struct, frozen=True, omit_defaults=True, tag="founded"):
    """The ledger began with this mandate and this much money in its first account."""

    mandate: Mandate
    account: str
    bankroll: int


class Confirmed(Struct, frozen=True, omit_defaults=True, tag="confirmed"):
    """A lease became an allocation of `amount`; `returned` went back unfilled."""

    market: str
    strategy: str
    amount: int
    version: int
    returned: int = 0
    orders: tuple[int, ...] = ()


class Restored(Struct, frozen=True, omit_defaults=True, tag="restored"):
    """A release was undone: its P&L and fees are taken back, its principal is open again."""

    release: int
    released: Released
    reason: str


class Marked(Struct, frozen=True, omit_defaults=True, tag="marked"):
    """An allocation's market value at a time, and the equity that followed; `more` of the same moment follow."""

    market: str
    strategy: str
    value: int
    valued_at: int
    equity: int
    more: bool = False


class Flowed(Struct, frozen=True, omit_defaults=True, tag="flowed"):
    """Money came in (positive) or went out (negative); `bankroll` is what it is since."""

    account: str
    amount: int
    bankroll: int


class Reconciled(Struct, frozen=True, omit_defaults=True, tag="reconciled"):
    """An account held `amount` more (or less) than the desk believed; booked as P&L."""

    account: str
    amount: int
    bankroll: int


class Departed(Struct, frozen=True, omit_defaults=True, tag="departed"):
    """A transfer left its source; `transfer` is the number of its entry."""

    transfer: int
    amount: int
    source: str
    target: str
    arrives_at: int


class Arrived(Struct, frozen=True, omit_defaults=True, tag="arrived"):
    """A transfer reached its target."""

    transfer: int
    target: str
    amount: int


class Queued(Struct, frozen=True, omit_defaults=True, tag="queued"):
    """A recycling was queued for the allocation opened by entry `opened` (None: it held nothing)."""

    event_id: str
    market: str
    strategy: str
    amount: int
    due_at: int
    opened: int | None = None
    pnl: int = 0
    fees: int = 0


class ToBeTold(Struct, frozen=True, tag="to_be_told"):
    """A callback waits to be told of a queued recycling."""

    event_id: str


class Recycled(Struct, frozen=True, omit_defaults=True, tag="recycled"):
    """A queued recycling was carried out; `amount` of principal was freed, and is to be told if `notify`."""

    event_id: str
    market: str
    strategy: str
    amount: int
    resolved_at: int
    pnl: int = 0
    notify: bool = False


class Told(Struct, frozen=True, tag="told"):
    """The callback of a recycled event succeeded."""

    event_id: str


class LeaseEnded(Struct, frozen=True, omit_defaults=True, tag="lease_ended"):
    """A lease ended unconfirmed; `freed` of its principal went back (0: it is held)."""

    market: str
    strategy: str
    freed: int = 0


class MandateChanged(Struct, frozen=True, omit_defaults=True, tag="mandate_changed"):
    """The rules changed; `version` numbers the new ones."""

    mandate: Mandate
    version: int
    reason: str


class MarketObserved(Struct, frozen=True, tag="market_observed"):
    """The market was seen, and this is what it makes of the budgets."""

    risk: Risk


class BudgetsPublished(Struct, frozen=True, omit_defaults=True, tag="budgets_published"):
    """The sleeves' budgets changed; `paused` wait for their minimum with its margin."""

    version: int
    budgets: tuple[Budget, ...]
    reason: str
    paused: tuple[str, ...] = ()


class Recalled(Struct, frozen=True, tag="recalled"):
    """A sleeve holds `amount` more than its budget, to be given back by `deadline`; 0: it does no more."""

    sleeve: str
    amount: int
    deadline: int


class Halted(Struct, frozen=True, tag="halted"):
    """No grant is made from here on."""

    reason: str
    drawdown_ppb: int


class Resumed(Struct, frozen=True, tag="resumed"):
    """Grants are made again; the high-water mark is the unit value of this moment."""

    reason: str


class BreakerTripped(Struct, frozen=True, tag="breaker_tripped"):
    """A breaker stops grants by a multiplier of 0, with what triggered it."""

    name: str
    reason: str


class BreakerLifted(Struct, frozen=True, tag="breaker_lifted"):
    """A breaker no longer stops grants."""

    name: str
    reason: str


Event = (
    Founded
    | Granted
    | Refused
    | Confirmed
    | Released
    | Restored
    | Marked
    | Flowed
    | Reconciled
    | Departed
    | Arrived
    | Queued
    | ToBeTold
    | Recycled
    | Told
    | LeaseEnded
    | MandateChanged
    | MarketObserved
    | BudgetsPublished
    | Recalled
    | Halted
    | Resumed
    | BreakerTripped
    | BreakerLifted
)


class Body(Struct, frozen=True, gc=False):
    """What one row of the journal says: the command as given, and what followed from it."""

    command: Command
    events: tuple[Event, ...]


class Entry(Struct, frozen=True, gc=False):
    """One entry of the journal: its number, its time, its request id and its body."""

    sequence: int
    at: int
    request_id: str
    command: Command
    events: tuple[Event, ...]

    @property
    def time(self) -> datetime:
        """When it was decided (UTC)."""
        return moment(self.at)
