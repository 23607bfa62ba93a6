"""The desk's state: the fold of its journal, with every total kept as it goes.

`State` is the only mutable value of the model: it is changed by `decide.transition.evolve`
alone, on a fork that is merged once its entries are on disk.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from msgspec import Struct

from capdesk.model.mandate import Mandate
from capdesk.model.rules import Breaker, Budget, Risk, Today
from capdesk.model.tables import Table

NEVER = 2**63 - 1

Key = tuple[str, str]
"""An allocation's key: market and strategy."""


class Position(Struct, frozen=True, omit_defaults=True, gc=False):
    """An open allocation in micro-units.

    `opened` is the number of the entry that opened it, `queued` the recycling that will free it.
    """

    market: str
    strategy: str
    amount: int
    account: str
    opened: int
    opened_at: int
    sleeve: str | None = None
    group: str | None = None
    orders: tuple[int, ...] = ()
    lease_until: int | None = None
    held: bool = False
    mark: int | None = None
    marked_at: int = 0
    queued: str | None = None


class MarketUse(Struct, frozen=True, gc=False):
    """What a market holds in all, and for which strategies."""

    used: int
    strategies: tuple[str, ...]


class Pending(Struct, frozen=True, omit_defaults=True):
    """A queued recycling; `opened` names the allocation it frees, `notify` says that it is to be told."""

    event_id: str
    market: str
    strategy: str
    resolved_at: int
    due_at: int
    amount: int = 0
    pnl: int = 0
    fees: int = 0
    opened: int | None = None
    notify: bool = False


class Untold(Struct, frozen=True):
    """A recycled event whose callback has not succeeded yet."""

    event_id: str
    market: str
    strategy: str
    amount: int
    pnl: int
    resolved_at: int
    recycled_at: int


class Transit(Struct, frozen=True):
    """Money on its way between accounts."""

    transfer: int
    amount: int
    source: str
    target: str
    arrives_at: int


class Day(Struct, frozen=True):
    """What was recycled on one day; `waited` sums the microseconds from resolution to recycling."""

    number: int = 0
    recycles: int = 0
    capital: int = 0
    pnl: int = 0
    waited: int = 0


class Halt(Struct, frozen=True):
    """Why no grant is made, and since when; `journaled` once the halt has an entry of its own."""

    at: int
    reason: str
    journaled: bool = True


class Recall(Struct, frozen=True):
    """A sleeve holds `amount` more than its budget, to be given back by `deadline`."""

    sleeve: str
    amount: int
    since: int
    deadline: int
    worst: int


EMPTY_MARKET = MarketUse(0, ())

_TABLES = (
    "positions",
    "markets",
    "by_account",
    "by_group",
    "by_strategy",
    "by_sleeve",
    "recalls",
    "breakers",
    "balances",
    "leases",
    "expired",
    "pending",
    "untold",
    "transits",
    "heard",
    "earned",
    "reversed",
)
_tables_of = attrgetter(*_TABLES)


class State:
    """Everything the desk knows.

    Attributes
    ----------
    sequence, at
        Number and time of the last entry.
    deposits, withdrawals, pnl, fees, allocated
        Micro-units; ``bankroll = deposits - withdrawals + pnl - fees``.
    units, peak_equity, peak_units
        The bankroll's unit value is ``equity / units``; its high-water mark is
        ``peak_equity / peak_units``.
    worst_ppb
        The largest drawdown of the unit value so far, in parts per 10^9.
    mark_excess
        Sum of mark minus cost over all allocations whose mark counts.
    stale_at
        No mark turns stale before this time.
    halt
        Set by the drawdown limit, a breaker or by hand; only `Resume` clears it.
    risk, paused, budget_version, published
        The multiplier in force with its reason, the sleeves that wait for their
        minimum with a margin, and the budgets last published, with their number.
    id_period, id_since
        The period in which request ids are kept now, and when it began; ids of this
        period and of the one before are known.
    """

    # The plain figures lie in the instance's dict, which a fork copies at one stroke.
    __slots__ = ("__dict__", *_TABLES)

    sequence: int
    at: int
    mandate: Mandate
    mandate_version: int
    deposits: int
    withdrawals: int
    pnl: int
    fees: int
    allocated: int
    units: int
    peak_equity: int
    peak_units: int
    worst_ppb: int
    mark_excess: int
    stale_at: int
    transit_total: int
    id_period: int
    id_since: int
    halt: Halt | None
    risk: Risk
    paused: tuple[str, ...]
    budget_version: int
    published: tuple[Budget, ...]
    today: Today
    gas_high_since: int
    day: Day
    positions: Table[Key, Position | None]
    markets: Table[str, MarketUse]
    by_account: Table[str, int]
    by_group: Table[str, int]
    by_strategy: Table[str, int]
    by_sleeve: Table[str, int]
    recalls: Table[str, Recall | None]
    breakers: Table[str, Breaker | None]
    balances: Table[str, int]
    leases: Table[Key, int]
    expired: Table[Key, int]
    pending: Table[str, Pending | None]
    untold: Table[str, Untold | None]
    transits: Table[int, Transit | None]
    heard: Table[str, int]
    earned: Table[str, int]
    reversed: Table[int, bool]

    def __init__(self) -> None:
        self.sequence = self.at = 0
        self.mandate = Mandate()
        self.mandate_version = 0
        self.deposits = self.withdrawals = self.pnl = self.fees = self.allocated = 0
        self.units = self.peak_equity = self.worst_ppb = 0
        self.peak_units = 1
        self.mark_excess = self.transit_total = self.id_period = self.id_since = 0
        self.stale_at = NEVER
        self.halt = None
        self.risk = Risk()
        self.paused = ()
        self.budget_version = 0
        self.published = ()
        self.today = Today()
        self.gas_high_since = 0
        self.day = Day()
        self.positions = Table(None)
        self.markets = Table(EMPTY_MARKET)
        self.by_account = Table(0)
        self.by_group = Table(0)
        self.by_strategy = Table(0)
        self.by_sleeve = Table(0)
        self.recalls = Table(None)
        self.breakers = Table(None)
        self.balances = Table(0)
        self.leases = Table(0)
        self.expired = Table(0)
        self.pending = Table(None)
        self.untold = Table(None)
        self.transits = Table(None)
        self.heard = Table(0)
        self.earned = Table(0)
        self.reversed = Table(False)

    @property
    def bankroll(self) -> int:
        """What belongs to the desk at cost: deposits - withdrawals + P&L - fees."""
        return self.deposits - self.withdrawals + self.pnl - self.fees

    @property
    def equity(self) -> int:
        """The bankroll with open allocations at their marks."""
        return self.deposits - self.withdrawals + self.pnl - self.fees + self.mark_excess

    @property
    def founded(self) -> bool:
        """Whether the ledger has begun."""
        return self.mandate_version > 0

    def fork(self) -> State:
        """A working copy; this state stays as it is until the copy is merged."""
        copy = State.__new__(State)
        copy.__dict__.update(self.__dict__)
        for name, table in zip(_TABLES, _tables_of(self), strict=True):
            setattr(copy, name, table.fork())
        return copy

    def merge(self, copy: State) -> None:
        """Take over a working copy's changes; see `refresh` to use the copy once more."""
        for table in _tables_of(copy):
            if table:
                table.merge()
                table.clear()
        self.__dict__.update(copy.__dict__)

    def refresh(self, copy: State) -> State:
        """Make a working copy of one that was merged: at less cost than a new one."""
        copy.__dict__.update(self.__dict__)
        return copy

    def scalars(self) -> dict[str, Any]:
        """The plain figures, by name."""
        return dict(self.__dict__)
