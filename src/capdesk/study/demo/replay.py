"""The day, replayed against the real desk: looks, requests in flight together, fills, payouts, recycling.

Time is virtual: the desk's clock shows the second that the replay has come to. At each
second money comes back first, then all bots that act send their requests at once, in one
`asyncio.gather`, in an order drawn from the seed: a race, but the same one in every run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import groupby
from random import Random

from capdesk.desk import CapitalAllocator
from capdesk.model.errors import InvariantBreach
from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult, Verdict
from capdesk.recycler import CapitalRecycler
from capdesk.study.demo.bots import BOTS, Bot, Wish, sight
from capdesk.study.demo.crash import Failure
from capdesk.study.demo.day import Ask, Day, Level, Payout, Position
from capdesk.study.demo.heartbeat import Heartbeat
from capdesk.study.demo.mandate import direction_group
from capdesk.study.demo.markets import RETURN_SECONDS, Market, Tape
from capdesk.study.demo.venue import PAYOUT_DELAY_SECONDS, fill, payout_delay, settle

FILL_SECONDS = 30
"""How long a grant is reserved for its order; the fill is confirmed well before."""

Watch = Callable[[int, Amount], None]
"""Told after every step: unix seconds, bankroll."""


class Step(IntEnum):
    """What can happen at a second, in the order in which it does."""

    RECYCLE = 0
    PAYOUT = 1
    BEAT = 2
    LOOK = 3


@dataclass(slots=True)
class VirtualClock:
    """A clock for the desk that shows what it is told: unix seconds."""

    seconds: int

    def __call__(self) -> int:
        """Microseconds since 1970, UTC."""
        return self.seconds * 1_000_000


@dataclass(slots=True)
class Replay:
    """One run of the day against one desk.

    Attributes
    ----------
    markets
        Those that are traded, all without gaps.
    tape
        The bitcoin price of the day.
    heartbeat
        The desk's supervision.
    slippage_ticks
        Ticks that every share costs more than quoted; the bots do not know.
    failure
        When the venue pays nothing; the bots do not know either.
    """

    markets: tuple[Market, ...]
    tape: Tape
    desk: CapitalAllocator
    recycler: CapitalRecycler
    clock: VirtualClock
    seed: int
    heartbeat: Heartbeat
    slippage_ticks: int = 0
    failure: Failure | None = None
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    queued: dict[tuple[str, str], Payout] = field(default_factory=dict)
    payouts: list[Payout] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)

    async def run(self, watch: Watch | None = None) -> Day:
        """Replay the day to the last payout."""
        initial = self.desk.bankroll
        steps = sorted(self._agenda(), key=lambda each: (each[0], each[1], each[2].opens_at))
        for (second, step), due in groupby(steps, key=lambda each: each[:2]):
            self.clock.seconds = second
            if await self._take(step, [(market, left) for _, _, market, left in due]):
                self._note_level()
                self.heartbeat.note_stop()
            if watch is not None:
                watch(second, self.desk.bankroll)
        return Day(
            seed=self.seed,
            slippage_ticks=self.slippage_ticks,
            starts_at=min(market.opens_at for market in self.markets),
            ends_at=max(market.closes_at for market in self.markets),
            initial_bankroll=initial,
            bankroll=self.desk.bankroll,
            asks=tuple(self.asks),
            payouts=tuple(self.payouts),
            levels=tuple(self.levels),
            supervised=self.heartbeat.supervised,
            failure=self.failure,
        )

    def _agenda(self) -> Iterable[tuple[int, Step, Market, int]]:
        """Everything that will happen: second, step, market, seconds left to its close."""
        moments = sorted({moment for bot in BOTS for moment in bot.moments}, reverse=True)
        recycle_delay = int(self.desk.config.recycle_delay_seconds)
        for market in self.markets:
            for left in moments:
                yield market.closes_at - left, Step.LOOK, market, left
            paid_at = market.closes_at + payout_delay(self.seed, market.name)
            yield paid_at, Step.PAYOUT, market, 0
            yield paid_at + recycle_delay, Step.RECYCLE, market, 0
        first, last = self.markets[0], self.markets[-1]
        for at in range(first.opens_at, last.closes_at + PAYOUT_DELAY_SECONDS[1], RETURN_SECONDS):
            yield at, Step.BEAT, first, 0

    async def _take(self, step: Step, due: list[tuple[Market, int]]) -> bool:
        """Take one step for all markets that it is due for; say whether the desk's level may have changed."""
        if step is Step.RECYCLE:
            return await self._recycle()
        if step is Step.PAYOUT:
            return await self._pay_out([market for market, _ in due])
        if step is Step.BEAT:
            await self.heartbeat.beat(self.clock.seconds)
            return True
        return await self._look(due)

    async def _look(self, due: list[tuple[Market, int]]) -> bool:
        """Let every bot that acts now look, and send what they ask for at once."""
        wishes = [each for market, left in due for each in self._wishes(market, left)]
        verdicts = await asyncio.gather(*(self._request(*each) for each in wishes))
        granted = []
        for (market, bot, wish), verdict in zip(wishes, verdicts, strict=True):
            self.asks.append(Ask.of(self.clock.seconds, bot, wish, verdict))
            if verdict.granted:
                granted.append(self._buy(bot, wish, verdict))
            if verdict.granted or verdict.result is AllocationResult.ALREADY_ALLOCATED:
                self.done.add((market.name, bot.name))
        await asyncio.gather(*(self._confirm(position) for position in granted))
        return bool(wishes)

    def _wishes(self, market: Market, left: int) -> list[tuple[Market, Bot, Wish]]:
        """What the bots want from a market at this moment, in the order in which they reach the desk."""
        volatility = self.tape.volatility(self.clock.seconds)
        if volatility is None or market.strike is None:
            return []
        seen = sight(market.name, market.seen(left), market.strike, volatility, self.desk.bankroll)
        acting = [bot for bot in BOTS if left in bot.moments and (market.name, bot.name) not in self.done]
        Random(f"{self.seed} race {market.name} {left}").shuffle(acting)
        wishes = ((bot, bot.wish(seen)) for bot in acting)
        return [(market, bot, wish) for bot, wish in wishes if wish is not None]

    async def _request(self, market: Market, bot: Bot, wish: Wish) -> Verdict:
        return await self.desk.request_allocation(
            market.name,
            wish.asked,
            bot.strategy,
            all_or_none=bot.all_or_none,
            group=direction_group(wish.side),
            priority=bot.priority,
            lease_seconds=FILL_SECONDS,
            request_id=f"{market.name}/{bot.name}/{market.closes_at - self.clock.seconds}s",
        )

    def _buy(self, bot: Bot, wish: Wish, verdict: Verdict) -> Position:
        position = fill(self.clock.seconds, bot, wish, verdict, self.slippage_ticks)
        self.positions[position.market, position.strategy] = position
        return position

    async def _confirm(self, position: Position) -> None:
        """Tell the desk what was filled; the small change goes back.

        Raises
        ------
        InvariantBreach
            If the desk keeps another amount for it than was paid.
        """
        kept = await self.desk.confirm_allocation(
            position.market,
            position.principal,
            position.strategy,
            request_id=f"{position.market}/{position.strategy}/fill",
        )
        if kept.amount != position.principal:
            raise InvariantBreach(
                f"{position.strategy} paid {position.principal} in {position.market}, the desk keeps {kept.amount}"
            )

    async def _pay_out(self, markets: list[Market]) -> bool:
        """The venue pays: queue each position's capital for recycling with its profit or loss."""
        outcomes = {market.name: market.outcome for market in markets}
        now = self.clock.seconds
        lost = self.failure is not None and self.failure.takes(now)
        paid = {
            key: settle(position, position.side == outcomes[position.market] and not lost, now)
            for key, position in self.positions.items()
            if position.market in outcomes
        }
        await asyncio.gather(*(self._queue(payout) for payout in paid.values()))
        for key, payout in paid.items():
            del self.positions[key]
            self.queued[key] = payout
        return False

    async def _queue(self, payout: Payout) -> None:
        position = payout.position
        await self.recycler.queue_recycle(
            position.market,
            payout.pnl,
            fees=payout.fees,
            strategy=position.strategy,
            request_id=f"{position.market}/{position.strategy}/payout",
        )

    async def _recycle(self) -> bool:
        """Free what is due, and book what the desk says it freed."""
        if not self.queued:
            return False
        for event in await self.recycler.run_due():
            payout = self.queued.pop((event.market_id, event.strategy))
            self.payouts.append(replace(payout, at=self.clock.seconds))
        return True

    def _note_level(self) -> None:
        report = self.desk.get_allocation_report()
        self.levels.append(
            Level(
                self.clock.seconds,
                report["bankroll"],
                report["total_allocated"],
                report["max_total_allowed"],
                len(report["allocations"]),
                Amount(self.desk.drawdown),
            )
        )
