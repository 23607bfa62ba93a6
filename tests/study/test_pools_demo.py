"""The pools demo: money reconciles, the coin on ice leaves and comes back, and two runs are one."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from capdesk import runs
from capdesk.model.money import Amount, usd
from capdesk.records import Records
from capdesk.records.comparing import Sameness
from capdesk.study.pools_demo import pool_table
from capdesk.study.pools_demo.record import contest, paid_of_promised, record, verdicts
from capdesk.study.pools_demo.result import PoolsDemo
from capdesk.study.pools_demo.run import run
from capdesk.study.pools_demo.setting import TREASURY_USD


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> PoolsDemo:
    return run(tmp_path_factory.mktemp("pools") / "demo.db")


@pytest.fixture(scope="module")
def depeg(tmp_path_factory: pytest.TempPathFactory) -> PoolsDemo:
    return run(tmp_path_factory.mktemp("pools") / "depeg.db", depeg=True)


@pytest.mark.parametrize("which", ["demo", "depeg"])
def test_every_day_reconciles_to_the_micro_unit(which: str, request: pytest.FixtureRequest) -> None:
    told: PoolsDemo = request.getfixturevalue(which)
    assert told.days[0].before.total == TREASURY_USD
    for day in told.days:
        plan = day.plan
        assert day.before.total == day.after.total + plan.costs.total
        assert plan.costs.total == sum((step.gas + step.fee for step in plan.transactions), Amount(0))
        assert sum(day.after.cash.values(), Amount(0)) == plan.cash
        assert day.after.places == plan.allocations
    if which == "demo":
        for before, day in zip(told.days, told.days[1:], strict=False):
            assert day.before.total == before.after.total + day.earned


def test_every_plan_is_proven_and_within_the_limits_that_depend_on_no_history(demo: PoolsDemo) -> None:
    limits = demo.parameters
    for day in demo.days:
        assert day.plan.certificate.proof == "tree"
        assert day.plan.gap <= 1e-6
    first = demo.days[0]
    total = float(first.after.total + first.plan.costs.total)
    assert len(first.after.places) >= limits.min_pools
    for each in first.plan.positions:
        assert float(each.amount) <= total * limits.position_max_pct_total_assets + 0.01
        assert float(each.amount) <= float(each.tvl) * limits.position_max_pct_pool_tvl + 0.01


def test_what_was_promised_until_the_last_day_is_set_beside_what_was_paid(demo: PoolsDemo) -> None:
    paid, promised = paid_of_promised(demo)
    assert paid == sum((day.earned for day in demo.days), Amount(0))
    gaps = [(b.day - a.day).days for a, b in zip(demo.days, demo.days[1:], strict=False)]
    assert sum(gaps) == 11  # one day of the twelve has no figures
    assert promised == pytest.approx(sum(d.promised * gap for d, gap in zip(demo.days, gaps, strict=False)))
    first = demo.days[0].plan
    assert demo.days[0].promised * demo.parameters.horizon_days == pytest.approx(
        sum(each.yield_usd for each in first.positions)
    )


def test_rivals_begin_with_the_same_money_and_pay_their_own_costs(demo: PoolsDemo) -> None:
    assert [each.name for each in demo.rivals] == [
        "the first plan, never moved",
        "equal weight",
        "one large pool",
    ]
    for each in contest(demo):
        assert len(each.values) == len(demo.days)
    for rival in demo.rivals:
        assert rival.values[0] == TREASURY_USD - rival.costs
        assert rival.costs > 0


def test_a_rival_that_ends_higher_is_said_to_plainly(demo: PoolsDemo) -> None:
    ours = demo.values[-1]
    for rival, said in zip(demo.rivals, verdicts(demo), strict=True):
        assert ("does NOT beat" in said) == (rival.values[-1] >= ours)
        assert rival.name in said


def test_a_rival_that_ends_higher_is_set_against_what_it_was_paid_and_the_rules_it_breaks(
    demo: PoolsDemo,
) -> None:
    (never_moved, *_), (said, *_) = demo.rivals, verdicts(demo)
    its_pay = never_moved.values[-1] + never_moved.costs - TREASURY_USD
    paid, spent = demo.earned - its_pay, demo.costs - never_moved.costs
    assert paid - spent == demo.values[-1] - never_moved.values[-1]
    if demo.values[-1] <= never_moved.values[-1]:
        for difference in (paid, spent):
            assert f"{usd(abs(difference.micro))} {'more' if difference >= 0 else 'less'}" in said
        assert "TVL without our own deposit is" in said
    assert len(never_moved.unlawful) > 1


def test_days_are_forced_by_what_may_not_be_held_and_by_nothing_else(demo: PoolsDemo) -> None:
    kinds = [day.plan.decision.kind for day in demo.days]
    assert kinds[0] == "reallocate"
    assert kinds.count("place_yield") > len(kinds) / 2
    for day in demo.days[1:]:
        decision = day.plan.decision
        assert (decision.kind == "forced") == bool(decision.forced)
        wins = decision.net_new > decision.net_stay + decision.margin
        assert decision.kind == "forced" or (decision.kind == "reallocate") == wins
        assert decision.margin == pytest.approx(0.02 * decision.net_stay)


def test_pools_that_shrank_are_trimmed_to_their_limit_whichever_way_a_day_is_decided(demo: PoolsDemo) -> None:
    trims = 0
    for day in demo.days:
        decision, limits = day.plan.decision, demo.parameters
        over = {each.pool_id for each in decision.breaches}
        assert {each.pool_id for each in decision.trimmed} <= over
        trims += len(decision.trimmed)
        for each in day.plan.positions:
            others = float(each.tvl) - float(each.before)
            most = limits.position_max_pct_pool_tvl * others * (1 + limits.growth_tolerance)
            assert float(each.amount) <= most + float(each.stuck) + 0.02
            if each.pool_id in over:
                assert float(each.amount) <= limits.position_max_pct_pool_tvl * others + 0.02
        if decision.kind == "place_yield":
            out = {step.pool_id for step in day.plan.transactions if step.verb == "withdraw"}
            assert out == {each.pool_id for each in decision.trimmed}
    assert trims > 5


def test_two_runs_give_the_same_to_the_last_digit(demo: PoolsDemo, tmp_path: Path) -> None:
    again = run(tmp_path / "again.db")
    first, second = (record(each) | {"records": ""} for each in (demo, again))
    assert first == second
    with Records(demo.records) as ours, Records(again.records) as theirs:
        assert [each.hash for each in ours.runs()] == [each.hash for each in theirs.runs()]


def test_a_stored_day_computed_again_is_identical(demo: PoolsDemo) -> None:
    with Records(demo.records) as records:
        stored = records.run(demo.days[3].run)
    assert runs.replay(stored.run).sameness == Sameness.IDENTICAL


def closes() -> dict[dt.date, Decimal]:
    """USDC's closes of 2023, by the day of the demo that they are laid over."""
    shift = dt.date(2026, 2, 16) - dt.date(2023, 3, 7)
    with (pool_table().parent / "usdc_2023-03.csv").open() as file:
        return {
            dt.date.fromisoformat(row["date"]) + shift: Decimal(row["close"]) for row in csv.DictReader(file)
        }


def test_usdc_leaves_on_the_day_it_closes_a_percent_below_and_is_back_after_seven_days_at_the_peg(
    depeg: PoolsDemo,
) -> None:
    prices = closes()
    left = min(day for day, close in prices.items() if day >= depeg.days[0].day and close <= Decimal("0.99"))
    last_low = max(
        day for day, close in prices.items() if day <= depeg.days[-1].day and close <= Decimal("0.99")
    )
    back = last_low + dt.timedelta(days=7)
    by_day = {day.day: day for day in depeg.days}
    assert {depeg.coins[each] for each in by_day[left].iced} == {"USDC"}
    assert {depeg.coins[each] for each in by_day[back].returned} == {"USDC"}
    for day in depeg.days:
        in_usdc = [pool for pool in day.after.places if "USDC" in depeg.names[pool].split()[0]]
        assert bool(in_usdc) == (not left <= day.day < back)


def test_the_other_choices_keep_the_coin_and_its_loss_comes_back_with_it(depeg: PoolsDemo) -> None:
    assert depeg.on_ice == "exit"
    assert [each.name for each in depeg.choices] == ["reduce", "freeze"]
    price = closes()
    low = min(price[day.day] for day in depeg.days)
    for each in depeg.choices:
        # About two thirds of the treasury is USDC, so its worst day takes no more than that share of the fall.
        assert min(each.values) > TREASURY_USD * low
        assert each.values[-1] > depeg.values[-1]


def test_without_a_depeg_no_coin_goes_on_ice(demo: PoolsDemo) -> None:
    assert not any(day.iced or day.returned for day in demo.days)
    assert demo.on_ice is None
    assert demo.choices == ()
