"""Weights are whole billionths, add up exactly, and never pass a limit, whatever the limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capdesk import Amount, Constraints, Exposure, Group, InfeasibleError, plan_weights
from capdesk.decide.weights.verification import check
from capdesk.decide.weights.waterfill import waterfill
from tests.weights.support import covariance, names

UNIT = Decimal("0.000000001")
shares = st.lists(st.floats(0.01, 10), min_size=1, max_size=12)


def whole(plan: Any) -> bool:
    return all(weight % UNIT == 0 for weight in plan.weights.values())


@given(shares, st.integers(20_000, 1_000_000), st.integers(0, 1_000_000))
def test_inverse_risk_fills_like_water(scores: list[float], cap: int, budget: int) -> None:
    top = Amount.from_micro(cap)
    plan = plan_weights(
        names(len(scores)),
        "risk_parity",
        risk_scores=scores,
        constraints=Constraints(max_weight=top, budget=Amount.from_micro(budget)),
    )
    weights = list(plan.weights.values())
    assert sum(weights) + plan.cash == Amount.from_micro(budget)
    assert sum(weights) == min(Amount.from_micro(budget), len(scores) * min(top, Amount.from_micro(budget)))
    assert all(0 <= weight <= top for weight in weights)
    assert whole(plan)
    levels = [float(w) * score for w, score in zip(weights, scores, strict=True) if w < top]
    if levels:
        # Whoever is not at the cap has the same level, and nobody at the cap would have less by it.
        assert max(levels) - min(levels) <= 2.1e-9 * max(scores)
        at_cap = [float(w) * score for w, score in zip(weights, scores, strict=True) if w == top]
        assert all(level <= max(levels) + 2.1e-9 * max(scores) for level in at_cap)


@given(shares, st.data())
def test_waterfill_keeps_bounds_and_reaches_what_can_be_reached(given_shares: list[float], data: Any) -> None:
    count = len(given_shares)
    lower = np.array(data.draw(st.lists(st.floats(0, 0.2), min_size=count, max_size=count)))
    room = np.array(data.draw(st.lists(st.floats(0, 0.5), min_size=count, max_size=count)))
    total = data.draw(st.floats(float(lower.sum()), float(lower.sum()) + 2))
    weights = waterfill(np.array(given_shares), lower, lower + room, total)
    assert (weights >= lower - 1e-12).all()
    assert (weights <= lower + room + 1e-12).all()
    assert weights.sum() == pytest.approx(min(total, float((lower + room).sum())), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_every_limit_is_kept_to_the_billionth(seed: int, data: Any) -> None:
    rng = np.random.default_rng(seed)
    count = data.draw(st.integers(4, 15))
    called = names(count)
    cut = count // 2
    current = rng.dirichlet(np.ones(count)).round(6)
    limits = Constraints(
        max_weight=data.draw(st.sampled_from([0.35, "0.333333", "0.3333333337", 1 / 3, 1])),
        groups={
            "a": Group(called[:cut], max=data.draw(st.sampled_from([0.41, 0.7]))),
            "b": Group(called[1::2], min=data.draw(st.sampled_from([0.2, 0.333]))),
        },
        exposures={"e": Exposure(rng.normal(size=count), max=data.draw(st.sampled_from([0.3, 1.0])))},
        turnover=data.draw(st.sampled_from([None, 0.5, 1.2])),
    )
    strategy = data.draw(st.sampled_from(["min_variance", "max_sharpe", "mean_variance", "equal_weight"]))
    try:
        plan = plan_weights(
            called,
            strategy,
            mean=rng.normal(size=count) * 0.02 + 0.02,
            covariance=covariance(rng, count),
            risk_aversion=3,
            constraints=limits,
            current=dict(zip(called, current.tolist(), strict=True)),
        )
    except InfeasibleError:
        return
    weights = plan.weights
    assert sum(weights.values()) + plan.cash == 1
    assert whole(plan)
    assert max(weights.values()) <= Amount(limits.max_weight)
    assert sum(weights[name] for name in called[:cut]) <= limits.groups["a"].max
    assert sum(weights[name] for name in called[1::2]) >= limits.groups["b"].min
    exposure = limits.exposures["e"]
    assert np.dot(exposure.loadings, [float(weight) for weight in weights.values()]) <= exposure.max + 1e-12
    if limits.turnover is not None:
        moved = sum(abs(weights[name] - start) for name, start in zip(called, current.tolist(), strict=True))
        assert moved <= limits.turnover
    assert plan.certificate.violation <= 1e-12


def test_the_seed_s_three_protocols() -> None:
    plan = plan_weights(
        ["scroll", "zksync", "eigenlayer"], "equal_weight", constraints=Constraints(max_weight=Decimal("0.2"))
    )
    assert list(plan.weights.values()) == [Amount("0.2")] * 3
    assert plan.cash == Amount("0.4")


@pytest.mark.parametrize("strategy", ["equal_weight", "hierarchical_risk_parity", "risk_parity"])
def test_rules_do_not_mind_trading_costs(strategy: str) -> None:
    start = dict.fromkeys(names(4), 0.25)
    costly = Constraints(proportional_costs=0.01, max_weight=0.4)
    plan = plan_weights(
        names(4),
        strategy,
        covariance=covariance(np.random.default_rng(1), 4),
        constraints=costly,
        current=start,
    )
    assert sum(plan.weights.values()) == 1
    assert all(each.holds for each in check(plan.to_json()))


def test_thirds_add_up() -> None:
    plan = plan_weights(names(3), "equal_weight")
    assert [str(weight) for weight in plan.weights.values()] == ["0.333333334", "0.333333333", "0.333333333"]
    assert plan.cash == 0


def test_a_third_as_a_maximum_leaves_a_billionth() -> None:
    plan = plan_weights(names(3), "equal_weight", constraints=Constraints(max_weight=1 / 3))
    assert max(plan.weights.values()) == Amount("0.333333333")
    assert plan.cash == Amount("0.000000001")


def test_a_sum_that_limits_hold_is_the_limit_and_no_unit_less() -> None:
    """What a solver leaves of noise at 0.6 must not be rounded down to 0.599999999."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        count = int(rng.integers(4, 30))
        called = names(count)
        plan = plan_weights(
            called,
            "mean_variance",
            mean=rng.uniform(0.05, 0.1, count),
            covariance=covariance(rng, count),
            risk_aversion=0.1,
            constraints=Constraints(
                fully_invested=False,
                groups={
                    "a": Group(called[: count // 2], max=0.35),
                    "b": Group(called[count // 2 :], max=0.25),
                },
            ),
        )
        assert (sum(plan.weights.values()), plan.cash) == (Amount("0.6"), Amount("0.4"))


@pytest.mark.parametrize("strategy", ["min_variance", "max_sharpe", "risk_parity", "min_cvar"])
def test_caps_that_forbid_the_budget_leave_exactly_the_rest(strategy: str) -> None:
    rng = np.random.default_rng(7)
    for count in (3, 4):
        plan = plan_weights(
            names(count),
            strategy,
            mean=[0.05] * count,
            covariance=covariance(rng, count),
            returns=rng.normal(size=(200, count)) * 0.01,
            constraints=Constraints(max_weight=0.2),
        )
        assert set(plan.weights.values()) == {Amount("0.2")}
        assert plan.cash == 1 - Amount("0.2") * count
