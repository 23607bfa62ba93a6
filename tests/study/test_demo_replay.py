"""The replayed day: the same in every run, without look-ahead, with books that agree to the last digit."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

import apsw
import pytest

from capdesk.desk import CapitalAllocator
from capdesk.ledger.tools import export
from capdesk.model.errors import InvariantBreach
from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult
from capdesk.study.demo import run as demo
from capdesk.study.demo.bots import STRATEGIES
from capdesk.study.demo.day import Day
from capdesk.study.demo.mandate import demo_config
from capdesk.study.demo.markets import Market, load_markets
from capdesk.study.demo.run import DemoResult

MORNING = load_markets()[:90]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    ledger = tmp_path_factory.mktemp("demo") / "demo.db"
    return asyncio.run(demo.run(ledger, seed=0, bankroll=Amount(200)))


async def morning(seed: int = 0, markets: tuple[Market, ...] = MORNING) -> Day:
    return await demo.in_memory(markets, seed=seed, bankroll=Amount(200))


async def test_two_runs_with_one_seed_are_the_same_to_the_last_digit(tmp_path: Path, result: DemoResult):
    again = await demo.run(tmp_path / "again.db", seed=0, bankroll=Amount(200))
    assert again.day == result.day
    assert (again.tick_better, again.tick_worse) == (result.tick_better, result.tick_worse)


async def test_a_desk_in_memory_decides_as_one_on_disk(result: DemoResult):
    assert await demo.in_memory(load_markets(), seed=0, bankroll=Amount(200)) == result.day


async def test_another_seed_is_another_day():
    assert (await morning(seed=0)).asks != (await morning(seed=1)).asks


@pytest.mark.parametrize("before_close", [240, 120, 60, 15, 5])
async def test_what_a_bot_asks_does_not_depend_on_what_comes_later(before_close: int):
    moment = MORNING[60].closes_at - before_close
    changed = await morning(markets=tuple(scrambled_after(market, moment) for market in MORNING))
    true = await morning()
    assert [ask for ask in changed.asks if ask.at <= moment] == [ask for ask in true.asks if ask.at <= moment]
    assert [paid for paid in changed.payouts if paid.at <= moment] == [
        paid for paid in true.payouts if paid.at <= moment
    ]
    assert [ask for ask in changed.asks if ask.at > moment] != [ask for ask in true.asks if ask.at > moment]


def scrambled_after(market: Market, moment: int) -> Market:
    """The market with everything that comes to be known after a moment made up."""
    chance = Random(market.name)
    prices = tuple(
        (before, price * chance.uniform(0.999, 1.001) if market.closes_at - before > moment else price)
        for before, price in market.prices
    )
    strike = market.strike
    if strike is not None and market.opens_at > moment:
        strike *= chance.uniform(0.999, 1.001)
    outcome = market.outcome
    if market.closes_at > moment:
        outcome = "down" if outcome == "up" else "up"
    return replace(market, prices=prices, strike=strike, outcome=outcome)


def test_the_bankroll_is_what_it_was_and_every_profit_and_loss(result: DemoResult):
    day = result.day
    assert day.bankroll == 200 + sum((payout.net for payout in day.payouts), Amount(0))
    assert day.bankroll != 200


async def test_books_that_do_not_agree_are_an_error(result: DemoResult):
    day = result.day
    with pytest.raises(InvariantBreach, match="the bots' books say"):
        await demo.read_back(result.ledger, replace(day, payouts=day.payouts[:-1]))
    with pytest.raises(InvariantBreach, match="should be paid out"):
        await demo.read_back(
            result.ledger, replace(day, asks=day.asks + tuple(a for a in day.asks if a.granted)[:1])
        )


async def test_an_unsound_ledger_is_an_error(result: DemoResult, tmp_path: Path):
    ledger = tmp_path / "changed.db"
    ledger.write_bytes(result.ledger.read_bytes())
    changing = apsw.Connection(str(ledger))
    changing.execute("UPDATE journal SET at = at + 1 WHERE sequence = 1000")
    changing.close()
    with pytest.raises(InvariantBreach, match="is not sound"):
        await demo.read_back(ledger, result.day)


def test_every_verdict_is_on_the_ledger_as_the_bots_were_told(result: DemoResult):
    told = [(ask.market, ask.strategy, ask.asked.micro, ask.granted.micro) for ask in result.day.asks]
    written = [
        (command["market"], command["strategy"], command["asked"], entry["events"][0].get("amount", 0))
        for entry in export(result.ledger)
        if (command := entry["command"])["type"] == "request"
    ]
    assert Counter(each for each in written if each[-1]) == Counter(each for each in told if each[-1])
    # The ledger counts the repeats of a refusal instead of writing each out.
    assert {each for each in written if not each[-1]} == {each for each in told if not each[-1]}


def test_several_limits_bind_and_answer_with_codes_of_their_own(result: DemoResult):
    asks = result.day.asks
    assert {ask.answer for ask in asks} == {"full", "cut", "refused"}
    bound_by = {ask.bound_by.partition(":")[0] for ask in asks if ask.bound_by}
    assert bound_by >= {"market_percent", "group", "total", "priority", "sleeve"}
    assert {ask.result for ask in asks} >= {
        AllocationResult.SUCCESS,
        AllocationResult.ALREADY_ALLOCATED,
        AllocationResult.MARKET_LIMIT_EXCEEDED,
        AllocationResult.GROUP_LIMIT_EXCEEDED,
        AllocationResult.TOTAL_LIMIT_EXCEEDED,
        AllocationResult.SLEEVE_LIMIT_EXCEEDED,
        AllocationResult.STRATEGY_DISABLED,
    }


def test_an_ask_in_full_meets_no_obstacle_and_every_other_one_does(result: DemoResult):
    assert all((ask.obstacle is None) == (ask.answer == "full") for ask in result.day.asks)


def test_dozens_of_allocations_overlap_and_stay_under_the_limit(result: DemoResult):
    levels = result.day.levels
    assert max(level.open_allocations for level in levels) >= 24
    grants = {ask.at for ask in result.day.asks if ask.granted}
    assert all(level.allocated <= level.limit for level in levels if level.at in grants)


def test_of_two_copies_in_flight_together_the_desk_lets_one_through(result: DemoResult):
    pairs = defaultdict(list)
    for ask in result.day.asks:
        if ask.strategy == "sniper":
            pairs[ask.market, ask.at].append(ask)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    assert {sum(bool(ask.granted) for ask in pair) for pair in both} <= {0, 1}
    assert {ask.bot for pair in both for ask in pair if ask.granted} == {"sniper", "sniper spare"}


def test_a_position_never_costs_more_than_was_granted(result: DemoResult):
    granted = {(ask.market, ask.strategy): ask.granted for ask in result.day.asks if ask.granted}
    for payout in result.day.payouts:
        position = payout.position
        assert position.shares > 0
        assert position.principal <= granted[position.market, position.strategy]


def test_capital_comes_back_twenty_to_forty_minutes_and_the_recycling_delay_after_the_close(
    result: DemoResult,
):
    closes = {market.name: market.closes_at for market in load_markets()}
    waits = {payout.at - closes[payout.position.market] for payout in result.day.payouts}
    assert min(waits) >= 20 * 60 + 5
    assert max(waits) <= 40 * 60 + 5
    assert len(waits) > 50


def test_markets_with_gaps_are_left_out_and_nowhere_traded(result: DemoResult):
    names = {market.name for market in result.left_out}
    assert len(names) == 55
    assert result.traded == 237
    assert names.isdisjoint(ask.market for ask in result.day.asks)


def test_a_tick_better_earns_more_and_a_tick_worse_less(result: DemoResult):
    assert result.tick_better.pnl > result.day.pnl > result.tick_worse.pnl


async def test_a_bankroll_too_small_for_any_grant_loses_nothing():
    day = await demo.in_memory(MORNING, seed=0, bankroll=Amount(10))
    assert day.asks
    assert not day.payouts
    assert day.bankroll == 10


async def test_a_larger_bankroll_meets_the_absolute_cap():
    day = await demo.in_memory(MORNING, seed=0, bankroll=Amount(20_000))
    assert "market_absolute" in {ask.bound_by for ask in day.asks}


def test_the_mandate_keeps_the_seed_s_limits_under_its_sleeves():
    config, defaults = demo_config(), CapitalAllocator().config
    changed = {name for name in type(config).model_fields if getattr(config, name) != getattr(defaults, name)}
    assert changed == {
        "share_markets",
        "priority_tiers",
        "groups",
        "sleeves",
        "resume_margin_percent",
        "recall_seconds",
        "max_drawdown_percent",
        "risk",
    }
    assert [sleeve.name for sleeve in config.sleeves] == list(STRATEGIES)
