"""The audit: its steps add up, each reduction is named once, and seed 003's metrics are what they are by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capdesk import Amount
from capdesk.decide.review import current_budgets
from capdesk.decide.waterfall import Audit, Step, audit
from capdesk.model import commands as c
from capdesk.model.money import PPM
from capdesk.model.requests import Request
from capdesk.model.rules import MarketState
from tests.desks import ROOMY, Fold, sleeve
from tests.random_desks import WORLDS, play, steps


def chains(found: Audit) -> list[list[Step]]:
    """The desk's steps, then those of each sleeve."""
    parts: list[list[Step]] = [[]]
    for step in found.steps:
        if step.level == 1 and step.name != "positions":
            parts.append([])
        parts[-1].append(step)
    return parts


def shown(desk: Fold, level: int | None = None) -> list[tuple[str, Amount, str]]:
    return [
        (step.name, step.change, step.cause)
        for step in audit(desk.state, desk.at).steps
        if level is None or step.level == level
    ]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=st.sampled_from(sorted(WORLDS)), steps=steps, later=st.sampled_from([0, 3_600, 10_000]))
def test_each_step_is_the_one_before_and_its_change_and_each_change_has_one_cause(
    world: str, steps: list[Any], later: int
) -> None:
    desk = Fold(WORLDS[world])
    play(desk, steps)
    found = audit(desk.state, desk.at + later * PPM)
    for chain in chains(found):
        names = [step.name for step in chain]
        assert len(set(names)) == len(names)
        for before, step in pairwise(chain):
            assert step.amount == before.amount + step.change, step
        for step in chain:
            assert step.cause or step.change == 0, step


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=st.sampled_from(sorted(WORLDS)), steps=steps)
def test_the_sleeves_add_up_to_the_desk_and_the_positions_to_what_is_allocated(
    world: str, steps: list[Any]
) -> None:
    desk = Fold(WORLDS[world])
    play(desk, steps)
    found = audit(desk.state, desk.at)
    of_desk, *of_sleeves = chains(found)
    granted = sum((step.amount for step in found.steps if step.name == "granted"), Amount(0))
    outside = sum((step.amount for step in found.steps if step.name == "outside the sleeves"), Amount(0))

    assert (granted + outside).micro == desk.state.allocated
    if desk.state.mandate.sleeves:
        budgets = current_budgets(desk.state, desk.at)
        after = [step for step in of_desk if step.name != "total limit"][-1]
        assert after.amount.micro == sum(budget.amount for budget in budgets)
        assert [chain[0].name for chain in of_sleeves] == [budget.sleeve for budget in budgets]
        assert [chain[0].amount.micro for chain in of_sleeves] == [budget.share for budget in budgets]
    assert found.sequence == desk.state.sequence


def test_every_reduction_stands_there_once_with_its_cause() -> None:
    desk = Fold(
        {
            **ROOMY,
            "max_total_exposure_percent": 50,
            "reserve_percent": 10,
            "compounding": "half",
            "sleeves": [sleeve("maker", 60, cap=40, pays_gas=True), sleeve("taker", 20, minimum=30)],
            "risk": {},
        }
    )
    desk.do(c.SyncWallet(120 * PPM))
    desk.do(c.Observe(MarketState(volatility_state="medium", gas_price=75 * PPM)))
    desk.do(Request("m", 20 * PPM, "maker"))
    desk.do(Request("n", 5 * PPM, "maker", lease=600 * PPM))
    desk.do(c.Mark("m", 30 * PPM))

    # Equity 130, of whose 30 of profit half is in the base; 40 is the cap, 28.8 what volatility and gas leave.
    assert shown(desk) == [
        ("bankroll", 0, ""),
        ("equity", 10, "open allocations at their marks"),
        ("compounding", -15, "compounding is half: profit kept out"),
        ("reserve", Amount("-11.5"), "10 % in reserve"),
        ("no sleeve's", Amount("-11.5"), "belongs to no sleeve"),
        ("caps and minimums", -52, "see the sleeves"),
        ("risk multiplier", Amount("-11.2"), "volatility medium: x 0.8; gas price in gwei above 50: x 0.9"),
        ("maker", 0, ""),
        ("cap", -29, "capped at $40.00"),
        ("risk multiplier", Amount("-11.2"), "x 0.72"),
        ("granted", Amount("-3.8"), "not in use"),
        ("positions", -5, "reserved, not confirmed"),
        ("taker", 0, ""),
        ("disabled", -23, "under its minimum of $30.00, or paused"),
        ("granted", 0, ""),
        ("positions", 0, ""),
    ]


def test_the_total_limit_is_named_where_it_is_less_than_the_budgets() -> None:
    desk = Fold(
        {**ROOMY, "max_total_exposure_percent": 95, "sleeves": [sleeve("maker", 78), sleeve("taker", 20)]}
    )

    assert shown(desk, 0)[-1] == ("total limit", -3, "95 % of equity may be at work")


def test_without_sleeves_the_total_limit_and_the_multiplier_are_what_reduces() -> None:
    desk = Fold({**ROOMY, "max_total_exposure_percent": 30, "risk": {}})
    desk.do(c.Observe(MarketState(volatility_state="high")))
    desk.do(Request("m", 10 * PPM, "s"))

    assert shown(desk) == [
        ("bankroll", 0, ""),
        ("total limit", -70, "30 % of equity may be at work"),
        ("risk multiplier", -12, "volatility high: x 0.6"),
        ("granted", 0, ""),
        ("positions", 0, ""),
    ]


@pytest.mark.parametrize("acts_on", ["budgets", "market_limits"])
def test_a_breaker_is_the_cause_of_what_it_stops(acts_on: str) -> None:
    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 100)], "risk": {"volatility_acts_on": acts_on}})
    desk.do(c.Observe(MarketState(volatility_state="low")))
    desk.do(c.TripBreaker("a rumour"))

    assert shown(desk, 0)[-1] == ("risk multiplier", -100, "x 0: a rumour")


def test_a_stale_market_is_the_cause_of_what_it_stops() -> None:
    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 100)], "risk": {}})

    assert shown(desk, 0)[-1] == (
        "risk multiplier",
        -70,
        "the market state is missing or stale: x 0.3, the lowest of the table",
    )


def test_a_multiplier_on_the_market_limits_reduces_no_sleeve() -> None:
    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 100)], "risk": {"volatility_acts_on": "market_limits"}})
    desk.do(c.Observe(MarketState(volatility_state="high")))

    assert [step.name for step in audit(desk.state, desk.at).steps] == [
        "bankroll",
        "a",
        "granted",
        "positions",
    ]


def test_a_sleeve_above_its_budget_shows_what_is_recalled() -> None:
    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 50)]})
    desk.do(Request("m", 50 * PPM, "a"))
    desk.do(c.SyncWallet(10 * PPM))

    assert ("granted", 20, "above the budget: to be given back") in shown(desk, 2)


def test_capital_of_no_sleeve_of_today_is_shown() -> None:
    from capdesk import CapitalConfig

    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 50), sleeve("b", 50)]})
    desk.do(Request("m", 30 * PPM, "a"))
    desk.do(c.UpdateMandate(CapitalConfig(**ROOMY, sleeves=[sleeve("b", 50)]).mandate(), "a retires"))

    (outside,) = [step for step in audit(desk.state, desk.at).steps if step.name == "outside the sleeves"]
    assert (outside.amount, outside.cause) == (30, "granted under earlier rules")


def test_the_metrics_by_hand() -> None:
    desk = Fold(
        {
            **ROOMY,
            "sleeves": [
                sleeve("good", 50, expected_return=10),
                sleeve("bad", 30, expected_return=5),
                sleeve("new", 20),
            ],
        },
        200 * PPM,
    )
    for strategy, pnl in (("good", 4), ("bad", -4)):
        desk.do(Request("m", 20 * PPM, strategy))
        desk.do(c.Release("m", strategy, pnl * PPM))
    desk.do(Request("m", 50 * PPM, "new", lease=None))
    found = audit(desk.state, desk.at)

    # 40 (its sleeve) of 200 at work; 4 of 100 is 4 % of the 10 % expected; -4 of 60 is -6.67 % of 5 %.
    assert found.capital_utilization == Amount("0.2")
    assert found.strategy_performance["good"] == Amount("0.4")
    assert round(found.strategy_performance["bad"], 6) == Amount("-1.333333")
    assert set(found.strategy_performance) == {"good", "bad"}
    # Budgets 100, 60 and 40 about 66.67: (33.33^2 + 6.67^2 + 26.67^2) / 3.
    assert round(found.strategy_capital_variance, 3) == Amount("622.222")


def test_an_empty_or_ruined_desk_has_no_utilisation() -> None:
    desk = Fold({**ROOMY, "sleeves": [sleeve("a", 100)]})
    desk.do(Request("m", 10 * PPM, "a"))
    desk.do(c.Release("m", pnl=-150 * PPM))
    found = audit(desk.state, desk.at)

    assert found.capital_utilization == 0
    assert [step.amount for step in found.steps][:2] == [-50, 0]
    assert "nobody's share" in found.steps[1].cause
