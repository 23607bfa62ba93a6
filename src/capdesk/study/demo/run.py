"""The whole demo: the day on a durable ledger, twice more in memory a tick apart, and the books compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from capdesk.desk import CapitalAllocator
from capdesk.ledger.tools import check
from capdesk.model.errors import InvariantBreach
from capdesk.model.money import Amount
from capdesk.recycler import CapitalRecycler
from capdesk.study.demo.crash import Failure
from capdesk.study.demo.day import Day
from capdesk.study.demo.heartbeat import Heartbeat
from capdesk.study.demo.mandate import demo_config
from capdesk.study.demo.markets import Market, Tape, load_markets
from capdesk.study.demo.replay import Replay, VirtualClock, Watch

WatchRun = Callable[[int], Watch]
"""Given the slippage of a run in ticks, gives what is told after each of its steps."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo found.

    Attributes
    ----------
    day
        The day as it is on the ledger.
    tick_better, tick_worse
        The same day on desks in memory, every share a tick cheaper or dearer than quoted.
    left_out
        The markets with gaps, which were not traded.
    entries
        How many entries the ledger has; all were checked.
    """

    ledger: Path
    day: Day
    tick_better: Day
    tick_worse: Day
    markets: int
    left_out: tuple[Market, ...]
    entries: int

    @property
    def traded(self) -> int:
        """How many markets the bots could trade."""
        return self.markets - len(self.left_out)


async def run(
    ledger: Path,
    *,
    seed: int = 0,
    bankroll: Amount,
    markets: tuple[Market, ...] | None = None,
    failure: Failure | None = None,
    watch: WatchRun | None = None,
) -> DemoResult:
    """Run the demo on a new ledger file.

    Parameters
    ----------
    bankroll
        Dollars to begin with.
    markets
        The day to replay; the one that the package carries when left out.
    failure
        When the venue pays nothing.

    Raises
    ------
    InvariantBreach
        If the desk, the ledger on disk and the bots' own books do not agree to the last digit.
    """
    markets = load_markets() if markets is None else markets
    config = demo_config()
    clock = VirtualClock(min(market.opens_at for market in markets))
    async with CapitalAllocator.open(ledger, config, initial_bankroll=bankroll, clock=clock) as desk:
        day = await replay(desk, clock, markets, seed=seed, failure=failure, watch=watch and watch(0))
    better, worse = [
        await in_memory(
            markets, seed=seed, bankroll=bankroll, slippage_ticks=ticks, failure=failure, watch=watch
        )
        for ticks in (-1, 1)
    ]
    return DemoResult(
        ledger=ledger,
        day=day,
        tick_better=better,
        tick_worse=worse,
        markets=len(markets),
        left_out=tuple(market for market in markets if market.gap),
        entries=await read_back(ledger, day),
    )


async def in_memory(
    markets: tuple[Market, ...],
    *,
    seed: int,
    bankroll: Amount,
    slippage_ticks: int = 0,
    failure: Failure | None = None,
    watch: WatchRun | None = None,
) -> Day:
    """Replay the day on a desk that keeps its ledger in memory."""
    clock = VirtualClock(min(market.opens_at for market in markets))
    desk = CapitalAllocator(demo_config(), initial_bankroll=bankroll, clock=clock)
    try:
        return await replay(
            desk,
            clock,
            markets,
            seed=seed,
            slippage_ticks=slippage_ticks,
            failure=failure,
            watch=watch and watch(slippage_ticks),
        )
    finally:
        await desk.close()


async def replay(
    desk: CapitalAllocator,
    clock: VirtualClock,
    markets: tuple[Market, ...],
    *,
    seed: int,
    slippage_ticks: int = 0,
    failure: Failure | None = None,
    watch: Watch | None = None,
) -> Day:
    """Replay the markets without gaps on a desk, and hold its books against the bots'."""
    tape = Tape.of(markets)
    day = await Replay(
        markets=tuple(market for market in markets if not market.gap),
        tape=tape,
        desk=desk,
        recycler=CapitalRecycler(desk.config, desk),
        clock=clock,
        seed=seed,
        heartbeat=Heartbeat(desk, tape),
        slippage_ticks=slippage_ticks,
        failure=failure,
    ).run(watch)
    reconcile(day, desk)
    return day


def reconcile(day: Day, desk: CapitalAllocator) -> None:
    """Hold the desk's books against the bots': the day's result, and nothing left in a market.

    Raises
    ------
    InvariantBreach
        If they differ by as little as a millionth.
    """
    earned = sum((payout.net for payout in day.payouts), Amount(0))
    expected = day.initial_bankroll + earned
    if desk.bankroll != expected:
        raise InvariantBreach(
            f"the desk's bankroll is {desk.bankroll}, the bots' books say "
            f"{day.initial_bankroll} + {earned} = {expected}"
        )
    left = desk.get_allocation_report()["total_allocated"]
    bought = sum(1 for ask in day.asks if ask.granted)
    if left or bought != len(day.payouts):
        raise InvariantBreach(
            f"all {bought} positions should be paid out: {len(day.payouts)} are, {left} is still allocated"
        )


async def read_back(ledger: Path, day: Day) -> int:
    """Check the ledger on disk, open it anew, and compare it with the day; give its number of entries.

    Raises
    ------
    InvariantBreach
        If the file is not sound, or does not say what the day says.
    """
    found = check(ledger)
    if found.problems:
        raise InvariantBreach(f"{ledger} is not sound: {'; '.join(found.problems)}")
    async with CapitalAllocator.open(ledger) as desk:
        reconcile(day, desk)
    return found.entries
