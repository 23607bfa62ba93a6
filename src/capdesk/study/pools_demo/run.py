"""The pools demo: eleven real days, one plan a day, beside what simpler treasuries would have done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from capdesk.decide.pools.breaches import breaches
from capdesk.decide.pools.building import state
from capdesk.decide.pools.eligibility import EligibilityRules, OnIce
from capdesk.decide.pools.reallocation import forced_exits
from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.model.money import Amount
from capdesk.model.pool_plans import PoolPlan
from capdesk.records import Records
from capdesk.study.pools_demo import setting
from capdesk.study.pools_demo.book import Book, overnight
from capdesk.study.pools_demo.result import Day, PoolsDemo, Rival
from capdesk.study.pools_demo.rivals import equal_weight, largest_pool
from capdesk.treasury import Surveyed, SurveyRules, fill_icebox, pool_names, write_forecasts
from capdesk.treasury_day import Situation, situation

Told = Callable[[str, int, int], None]
"""Called with what is done, and how much of it out of how much."""


class World:
    """The demo's records, and what the real days said."""

    def __init__(self, records: Records, *, depeg: bool) -> None:
        self.records = records
        self.days = setting.furnish(records)
        self.pools: dict[str, PoolFacts] = records.pools()
        if depeg:
            records.write(setting.depeg_prices(self.days, self.pools))
        self.figures: dict[dt.date, dict[str, PoolDay]] = {day: {} for day in self.days}
        for each in records.history():
            self.figures[each.day][each.pool_id] = each

    def last_seen(self, day: dt.date) -> dict[str, PoolDay]:
        """Each pool's figures of a day, or its last before."""
        seen: dict[str, PoolDay] = {}
        for each in self.days:
            if each <= day:
                seen.update(self.figures[each])
        return seen

    def prices(self, day: dt.date) -> dict[str, Decimal]:
        """Prices of a day, by token; what is not told is worth one dollar."""
        return {each.token.token_id: each.usd for each in self.records.prices(day, day)}


def run(
    records_path: Path, *, depeg: bool = False, on_ice: OnIce = "exit", told: Told | None = None
) -> PoolsDemo:
    """Replay the days on new records at a path.

    Parameters
    ----------
    depeg
        Lay USDC's real prices of March 2023 over the days.
    on_ice
        What becomes of positions in an iced coin.
    told
        Hears how far the demo is.
    """
    others: list[OnIce] = [each for each in ("exit", "reduce", "freeze") if depeg and each != on_ice]
    with Records(records_path, create=True) as records:
        world = World(records, depeg=depeg)
        steps = len(world.days) * (1 + len(others))
        days = _replay(world, on_ice, lambda done: told and told("planning", done, steps), store=True)
        choices: list[Rival] = []
        for number, choice in enumerate(others, 1):
            begun = number * len(world.days)

            def done(count: int, begun: int = begun) -> object:
                return told and told("planning", begun + count, steps)

            choices.append(_as_rival(choice, _replay(world, choice, done, store=False)))
        rivals = _rivals(world, days)
        tokens = records.tokens()
    chosen = on_ice if depeg else None
    return PoolsDemo(
        records=records_path,
        days=tuple(days),
        names=pool_names(world.pools),
        coins={name: each.symbol for name, each in tokens.items()},
        parameters=setting.parameters(),
        rivals=tuple(rivals),
        on_ice=chosen,
        choices=tuple(choices),
    )


def _replay(world: World, on_ice: OnIce, done: Callable[[int], object], *, store: bool) -> list[Day]:
    rules = SurveyRules(eligibility=EligibilityRules(on_ice=on_ice))
    book = Book({}, {setting.HOME: Amount(setting.TREASURY_USD)})
    days: list[Day] = []
    for number, day in enumerate(world.days):
        earned = Amount(0)
        if days:
            book, earned = night(world, book, days[-1].day, day)
        iced, returned = fill_icebox(world.records, day, rules.ice)
        standing = _situation(world, day, book, rules)
        plan, made = standing.plan()
        stored = 0
        if store:
            write_forecasts(world.records, day, standing.surveyed)
            stored = world.records.save_run(made).number
        before, book = book, book.after(plan)
        days.append(_day(day, standing.surveyed, before, book, plan, earned, stored, (iced, returned)))
        done(number + 1)
    return days


def night(world: World, book: Book, before: dt.date, day: dt.date) -> tuple[Book, Amount]:
    """From one day's figures to the next."""
    was, now = world.prices(before), world.prices(day)
    moves = {token: price / was[token] for token, price in now.items() if token in was}
    return overnight(book, world.pools, world.last_seen(day), day - before, moves)


def _situation(world: World, day: dt.date, book: Book, rules: SurveyRules) -> Situation:
    """The table knows nothing of our deposits: they are on paper."""
    return situation(
        world.records,
        day,
        {name: float(value) for name, value in book.places.items()},
        {token: float(value) for token, value in book.cash.items()},
        setting.parameters(),
        rules,
        at_peg=True,
        tvl_holds_ours=False,
    )


def _day(
    day: dt.date,
    surveyed: Sequence[Surveyed],
    before: Book,
    after: Book,
    plan: PoolPlan,
    earned: Amount,
    stored: int,
    ice: tuple[list[str], list[str]],
) -> Day:
    inside = [each for each in surveyed if each.eligibility.eligible]
    steady = [each.stability.group for each in inside if each.stability]
    return Day(
        day=day,
        universe=sum(1 for each in surveyed if each.day),
        eligible=len(inside),
        groups=(steady.count(1), steady.count(2), steady.count(3)),
        before=before,
        after=after,
        plan=plan,
        earned=earned,
        promised=sum(each.yield_usd for each in plan.positions) / plan.parameters.horizon_days,
        run=stored,
        iced=tuple(ice[0]),
        returned=tuple(ice[1]),
    )


def _rivals(world: World, days: Sequence[Day]) -> list[Rival]:
    empty = Book({}, {setting.HOME: Amount(setting.TREASURY_USD)})
    pools = _situation(world, world.days[0], empty, SurveyRules()).pools
    home = {setting.HOME: float(setting.TREASURY_USD)}
    plans = {
        "the first plan, never moved": days[0].plan,
        "equal weight": equal_weight(pools, home, setting.parameters()),
        "one large pool": largest_pool(pools, home, setting.parameters()),
    }
    return [_held(world, name, empty.after(plan), plan.costs.total) for name, plan in plans.items()]


def _held(world: World, name: str, book: Book, costs: Amount) -> Rival:
    values = [book.total]
    for before, day in zip(world.days, world.days[1:], strict=False):
        book, _ = night(world, book, before, day)
        values.append(book.total)
    return Rival(
        name, tuple(values), costs, _unlawful(_situation(world, world.days[-1], book, SurveyRules()))
    )


def _unlawful(standing: Situation) -> tuple[str, ...]:
    """Why what is held may not stay as it is."""
    desk = state(standing.pools, standing.held, standing.cash, standing.parameters)
    reasons = [(each.pool_id, each.reason) for each in (*forced_exits(desk), *breaches(desk))]
    return tuple(f"{pool}: {reason}" if pool else reason for pool, reason in reasons)


def _as_rival(choice: str, days: Sequence[Day]) -> Rival:
    costs = sum((each.plan.costs.total for each in days), Amount(0))
    return Rival(choice, tuple(each.after.total for each in days), costs, ())
