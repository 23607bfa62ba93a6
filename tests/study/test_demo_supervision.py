"""The demo's supervision: the day's own volatility, sleeves, recalls, and the day on which the kill switch fires."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from math import log
from pathlib import Path

import pytest

from capdesk.decide.risk.volatility import ewma_volatility, to_ppm, volatility_state
from capdesk.desk import CapitalAllocator
from capdesk.ledger import tools
from capdesk.model.journal import BudgetsPublished, Confirmed, Granted, Halted, Released
from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult
from capdesk.study.demo import run as demo
from capdesk.study.demo.crash import VENUE_FAILS, Failure
from capdesk.study.demo.heartbeat import RETURNS_PER_YEAR
from capdesk.study.demo.mandate import demo_config
from capdesk.study.demo.markets import Tape, load_markets
from capdesk.study.demo.run import DemoResult
from capdesk.study.demo.supervised_figures import (
    paused_seconds,
    recall_figures,
    risk_figures,
    sampled_volatility,
    since_stop,
)

MORNING = load_markets()[:90]
THREE = next(
    three
    for three in zip(MORNING, MORNING[1:], MORNING[2:], strict=False)
    if not any(market.gap for market in three)
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return asyncio.run(demo.run(tmp_path_factory.mktemp("demo") / "d.db", bankroll=Amount(200)))


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    ledger = tmp_path_factory.mktemp("demo") / "crash.db"
    return asyncio.run(demo.run(ledger, bankroll=Amount(200), failure=VENUE_FAILS))


def test_returns_are_of_five_minutes_and_skip_what_was_not_seen():
    closes = [market.closes_at for market in THREE]
    prices = [dict(market.prices)[1] for market in THREE]
    tape = Tape.of(THREE)
    assert tape.returns(closes[-1]) == pytest.approx([log(prices[1] / prices[0]), log(prices[2] / prices[1])])
    assert tape.returns(closes[-1] - 1) == pytest.approx([log(prices[1] / prices[0])])
    silent = replace(THREE[1], prices=())
    assert Tape.of((THREE[0], silent, THREE[2])).returns(closes[-1]) == ()


def test_a_price_is_seen_for_a_minute():
    tape = Tape.of(THREE[:1])
    assert tape.price(tape.times[-1] + 60) == tape.prices[-1]
    assert tape.price(tape.times[-1] + 61) is None
    assert tape.price(tape.times[0] - 1) is None


def test_each_heartbeat_sees_the_ewma_volatility_of_the_day_so_far(result: DemoResult):
    tape = Tape.of(load_markets())
    for sighting in result.day.supervised.sightings[::29]:
        if sighting.volatility is not None:
            expected = ewma_volatility(tape.returns(sighting.at), RETURNS_PER_YEAR)
            assert sighting.volatility == pytest.approx(expected, abs=1e-6)


def test_the_multiplier_follows_from_the_volatility_by_the_mandate_s_table(result: DemoResult):
    rules = demo_config().mandate().risk
    assert rules is not None
    factors = {"low": Amount(1), "medium": Amount("0.8"), "high": Amount("0.6")}
    sightings = result.day.supervised.sightings
    states = set()
    for sighting in sightings:
        if sighting.volatility is not None:
            state = volatility_state(to_ppm(sighting.volatility), rules)
            states.add(state)
            assert sighting.multiplier == factors[state]
    assert states == {"low", "medium", "high"}


def test_a_market_that_is_not_seen_fails_closed(result: DemoResult):
    sightings = result.day.supervised.sightings
    assert sightings[0].volatility is None
    assert sightings[0].multiplier == Amount("0.3")
    last = [sighting for sighting in sightings if sighting.volatility is None][-1]
    assert last.multiplier == Amount("0.3")


async def test_volatility_does_not_know_later_prices():
    moment = MORNING[60].closes_at
    truth = await demo.in_memory(MORNING, seed=0, bankroll=Amount(200))
    fewer = await demo.in_memory(MORNING[:61], seed=0, bankroll=Amount(200))
    known = [each for each in truth.supervised.sightings if each.at <= moment]
    assert [each for each in fewer.supervised.sightings if each.at <= moment] == known


def test_no_grant_lifts_a_sleeve_above_its_budget(result: DemoResult):
    used: dict[str, int] = defaultdict(int)
    for entry in tools.journal(result.ledger):
        for event in entry.events:
            if isinstance(event, Granted):
                room = next(room for room in event.rooms if room.name == f"sleeve:{event.sleeve}")
                assert room.used == used[event.strategy]
                assert event.amount <= room.left
                used[event.strategy] += event.amount
            elif isinstance(event, Confirmed):
                used[event.strategy] -= event.returned
            elif isinstance(event, Released):
                used[event.strategy] -= event.amount


def test_recalls_are_met_and_told(result: DemoResult):
    recalls, figures = result.day.supervised.recalls, recall_figures(result.day)
    assert figures.count == len(recalls) >= 3
    assert figures.worst == max(recall.worst for recall in recalls)
    assert all(recall.deadline - recall.at == 1800 for recall in recalls)
    assert figures.overdue == sum(recall.overdue for recall in recalls)


def test_a_strategy_is_disabled_while_it_is_paused(result: DemoResult):
    day = result.day
    (pause,) = day.supervised.pauses
    assert pause.strategy == "cautious"
    assert paused_seconds(day) == {"cautious": pause.ended_at - pause.at}
    refused = [ask.at for ask in day.asks if ask.result is AllocationResult.STRATEGY_DISABLED]
    assert refused
    granted = [ask.at for ask in day.asks if ask.strategy == "cautious" and ask.granted]
    assert not [at for at in granted if pause.at <= at < pause.ended_at]


def test_every_second_of_the_day_has_a_multiplier(result: DemoResult):
    figures = risk_figures(result.day)
    sightings = result.day.supervised.sightings
    assert sum(figures.seconds_at.values()) == sightings[-1].at + 300 - sightings[0].at
    assert figures.lowest is not None
    assert figures.highest is not None
    assert 0 < figures.lowest < 0.3 < 0.5 < figures.highest < 0.8
    assert max(sampled_volatility(result.day, 500)) == Amount(figures.highest)


def test_the_day_as_it_was_does_not_fire_the_kill_switch(result: DemoResult):
    for day in (result.day, result.tick_better, result.tick_worse):
        assert day.supervised.stop is None
    assert since_stop(result.day) is None


async def test_two_crashes_with_one_seed_are_the_same_to_the_last_digit(tmp_path: Path, crash: DemoResult):
    again = await demo.run(tmp_path / "again.db", bankroll=Amount(200), failure=VENUE_FAILS)
    assert again.day == crash.day


def test_until_the_venue_fails_the_crash_is_the_day_as_it_was(result: DemoResult, crash: DemoResult):
    before = VENUE_FAILS.begins_at
    for true, broken in zip(result.day.asks, crash.day.asks, strict=False):
        if true.at < before:
            assert true == broken
    lost = [paid for paid in crash.day.payouts if VENUE_FAILS.takes(paid.at - 5)]
    assert lost
    assert not any(paid.won for paid in lost)


def test_the_kill_switch_fires_above_its_limit_and_refuses_every_ask_since(crash: DemoResult):
    day, stop = crash.day, crash.day.supervised.stop
    assert stop is not None
    assert VENUE_FAILS.begins_at < stop.at < VENUE_FAILS.ends_at
    assert Amount("0.35") < stop.drawdown < Amount("0.40")
    assert all(level.drawdown <= Amount("0.35") for level in day.levels if level.at < stop.at)
    later = [ask for ask in day.asks if ask.at > stop.at]
    assert {ask.result for ask in later} == {AllocationResult.HALTED}
    since = since_stop(day)
    assert since is not None
    assert (since.refused, since.asked) == (len(later), sum((ask.asked for ask in later), Amount(0)))


def test_releases_and_recycling_go_on_after_the_kill_switch(crash: DemoResult):
    since = since_stop(crash.day)
    assert since is not None
    assert since.returned > 5
    assert since.principal > 0
    assert crash.day.levels[-1].allocated == 0
    assert crash.day.bankroll == 200 + sum((payout.net for payout in crash.day.payouts), Amount(0))


async def test_the_halt_is_on_the_ledger_and_outlives_the_process(crash: DemoResult):
    async with CapitalAllocator.open(crash.ledger) as desk:
        assert desk.halted is not None
        assert "exceeds the limit of 35.00%" in desk.halted.reason
    events = [event for entry in tools.journal(crash.ledger) for event in entry.events]
    assert sum(isinstance(event, Halted) for event in events) == 1
    after = next(number for number, event in enumerate(events) if isinstance(event, Halted))
    assert not any(isinstance(event, Granted) for event in events[after:])
    assert any(isinstance(event, BudgetsPublished) for event in events[after:])


async def test_a_venue_that_fails_before_anything_is_paid_takes_it_all():
    failure = Failure(MORNING[0].opens_at, MORNING[-1].closes_at + 86_400)
    day = await demo.in_memory(MORNING, seed=0, bankroll=Amount(200), failure=failure)
    assert day.payouts
    assert not any(payout.won for payout in day.payouts)
    assert day.supervised.stop is not None
