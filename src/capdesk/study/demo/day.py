"""What happened in a replayed day: every ask with its verdict, every payout, the desk's level after each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult, Verdict
from capdesk.study.demo.bots import Bot, Wish
from capdesk.study.demo.crash import Failure
from capdesk.study.demo.markets import Side
from capdesk.study.demo.supervised import Supervised

Answer = Literal["full", "cut", "refused"]

LIMIT_NAMES = {
    "available": "available capital",
    "account": "account",
    "total": "all markets",
    "priority": "priority tier",
    "sleeve": "its sleeve",
    "group": "one direction",
    "market_percent": "one market",
    "market_absolute": "one market",
}
"""The demo's words for the desk's limits; what is left of a name after its colon says which one of several."""


REASON_NAMES = {
    AllocationResult.ALREADY_ALLOCATED: "already held",
    AllocationResult.INVALID_AMOUNT: "too small",
    AllocationResult.STRATEGY_DISABLED: "sleeve disabled",
    AllocationResult.UNKNOWN_STRATEGY: "no sleeve",
    AllocationResult.HALTED: "halted",
}
"""The demo's words for refusals that no limit is the reason of."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request and the desk's answer.

    Attributes
    ----------
    at
        Unix seconds, UTC.
    bot, strategy
        Who asked, and in whose name.
    cents
        The modelled price of a share when it asked.
    bound_by
        The desk's name for the limit that cut or refused it.
    """

    at: int
    market: str
    bot: str
    strategy: str
    side: Side
    cents: int
    asked: Amount
    granted: Amount
    result: AllocationResult
    bound_by: str | None

    @classmethod
    def of(cls, at: int, bot: Bot, wish: Wish, verdict: Verdict) -> Ask:
        """Record a verdict."""
        return cls(
            at,
            verdict.market_id,
            bot.name,
            bot.strategy,
            wish.side,
            wish.cents,
            verdict.asked,
            verdict.amount,
            verdict.result,
            verdict.bound_by,
        )

    @property
    def answer(self) -> Answer:
        """Granted in full, cut by a limit, or refused."""
        if self.result is not AllocationResult.SUCCESS:
            return "refused"
        return "full" if self.granted == self.asked else "cut"

    @property
    def obstacle(self) -> str | None:
        """What stood in the way of the whole amount, in the demo's words; None for a grant in full."""
        if self.bound_by is not None:
            return LIMIT_NAMES[self.bound_by.partition(":")[0]]
        return None if self.answer == "full" else REASON_NAMES.get(self.result, self.result.value)


@dataclass(frozen=True, slots=True)
class Position:
    """Shares that a strategy holds in a market.

    Attributes
    ----------
    opened_at
        Unix seconds, UTC.
    cents
        The price paid for each share.
    principal
        What they cost, with the fee: the desk's allocation.
    """

    market: str
    strategy: str
    opened_at: int
    side: Side
    shares: int
    cents: int
    principal: Amount


@dataclass(frozen=True, slots=True)
class Payout:
    """A position that the venue has settled.

    Attributes
    ----------
    at
        Unix seconds at which its capital was free again; until then, at which the venue paid.
    pnl
        Profit or loss before fees.
    fees
        The venue's fees, above zero.
    """

    position: Position
    at: int
    won: bool
    pnl: Amount
    fees: Amount

    @property
    def net(self) -> Amount:
        """Profit or loss after fees: what it did to the bankroll."""
        return self.pnl - self.fees


@dataclass(frozen=True, slots=True)
class Level:
    """The desk's own figures after something has changed.

    Attributes
    ----------
    at
        Unix seconds, UTC.
    limit
        Dollars that all markets together may have.
    drawdown
        Fraction of the highest unit value so far.
    """

    at: int
    bankroll: Amount
    allocated: Amount
    limit: Amount
    open_allocations: int
    drawdown: Amount

    @property
    def utilisation(self) -> Amount:
        """The fraction of the bankroll that is allocated."""
        return self.allocated / self.bankroll


@dataclass(frozen=True, slots=True)
class Day:
    """A replayed day.

    Attributes
    ----------
    starts_at, ends_at
        Unix seconds of the first open and the last close.
    slippage_ticks
        How many ticks more than quoted every share cost.
    bankroll
        The desk's own figure at the end.
    supervised
        What the heartbeat saw and did.
    failure
        When the venue failed; None for the day as it was.
    """

    seed: int
    slippage_ticks: int
    starts_at: int
    ends_at: int
    initial_bankroll: Amount
    bankroll: Amount
    asks: tuple[Ask, ...]
    payouts: tuple[Payout, ...]
    levels: tuple[Level, ...]
    supervised: Supervised = field(default_factory=Supervised)
    failure: Failure | None = None

    @property
    def pnl(self) -> Amount:
        """Profit or loss of the day after fees."""
        return self.bankroll - self.initial_bankroll
