"""The same optimum by another solver through another modelling layer, with every kind of limit binding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from capdesk import Constraints, Exposure, Group, Plan, plan_weights
from tests.weights.support import covariance, names, second_opinion, variance_of

COUNT = 12
NAMES = names(COUNT)
START = np.full(COUNT, 1 / COUNT).round(6)
START[0] += 1 - START.sum()
CURRENT = dict(zip(NAMES, START.round(6).tolist(), strict=True))
BETA = np.linspace(-1.0, 2.0, COUNT)

# Constraints as capdesk has them, the same for cvxpy, and the kind of limit that must bind.
Case = tuple[dict[str, Any], Callable[[Any], list[Any]], str]
CASES: dict[str, Case] = {
    "max_weight": ({"max_weight": 0.12}, lambda w: [w >= 0, w <= 0.12], "max_weight"),
    "min_weight": ({"min_weight": 0.05}, lambda w: [w >= 0.05], "min_weight"),
    "long_only": ({}, lambda w: [w >= 0], "long_only"),
    "group_max": (
        {"groups": {"g": Group(NAMES[:6], max=0.2)}},
        lambda w: [w >= 0, cp.sum(w[:6]) <= 0.2],
        "group_max",
    ),
    "group_min": (
        {"groups": {"g": Group(NAMES[6:9], min=0.7)}},
        lambda w: [w >= 0, cp.sum(w[6:9]) >= 0.7],
        "group_min",
    ),
    "overlapping groups": (
        {"groups": {"g": Group(NAMES[:6], max=0.3), "h": Group(NAMES[4:9], max=0.25)}},
        lambda w: [w >= 0, cp.sum(w[:6]) <= 0.3, cp.sum(w[4:9]) <= 0.25],
        "group_max",
    ),
    "exposure_max": (
        {"exposures": {"beta": Exposure(BETA, max=-0.2)}},
        lambda w: [w >= 0, BETA @ w <= -0.2],
        "exposure_max",
    ),
    "exposure_min": (
        {"exposures": {"beta": Exposure(dict(zip(NAMES, BETA.tolist(), strict=True)), min=1.5)}},
        lambda w: [w >= 0, BETA @ w >= 1.5],
        "exposure_min",
    ),
    "turnover": (
        {"turnover": 0.1},
        lambda w: [w >= 0, cp.norm1(w - START) <= 0.1],
        "turnover",
    ),
    "max_trade": (
        {"max_trade": 0.01},
        lambda w: [w >= 0, cp.abs(w - START) <= 0.01],
        "max_trade",
    ),
    "gross": (
        {"long_only": False, "gross": 1.1},
        lambda w: [cp.norm1(w) <= 1.1],
        "gross",
    ),
    "shorts": (
        {"long_only": False, "min_weight": -0.02},
        lambda w: [w >= -0.02],
        "min_weight",
    ),
    "several": (
        {
            "long_only": False,
            "gross": 1.3,
            "turnover": 0.6,
            "max_weight": 0.15,
            "groups": {"g": Group(NAMES[:5], max=0.3)},
            "exposures": {"beta": Exposure(BETA, min=0.45, max=0.6)},
        },
        lambda w: [
            cp.norm1(w) <= 1.3,
            cp.norm1(w - START) <= 0.6,
            w <= 0.15,
            cp.sum(w[:5]) <= 0.3,
            BETA @ w >= 0.45,
            BETA @ w <= 0.6,
        ],
        "",
    ),
}


def problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return covariance(rng, COUNT), rng.normal(size=COUNT) * 0.02 + 0.02


def agrees(plan: Plan, value: float, kind: str) -> None:
    """The proven bound is the other solver's optimum, and the weights are worth that but for their rounding."""
    assert plan.certificate.bound == pytest.approx(value, rel=2e-8)
    assert plan.certificate.objective == pytest.approx(value, rel=2e-8 + plan.certificate.tolerance)
    assert not kind or any(each.limit == kind and abs(each.shadow_price or 0) > 0 for each in plan.binding)
    assert sum(plan.weights.values()) == 1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_minimum_variance(case: str, seed: int) -> None:
    given, limits, kind = CASES[case]
    sigma, _ = problem(seed)
    plan = plan_weights(
        NAMES, "min_variance", covariance=sigma, constraints=Constraints(**given), current=CURRENT
    )
    w = cp.Variable(COUNT)
    value = second_opinion(variance_of(w, sigma), w, sigma, [cp.sum(w) == 1, *limits(w)])
    agrees(plan, value, "" if case in ("long_only", "gross", "shorts") else kind)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_utility(case: str, seed: int) -> None:
    given, limits, kind = CASES[case]
    sigma, mean = problem(seed)
    plan = plan_weights(
        NAMES,
        "mean_variance",
        covariance=sigma,
        mean=mean,
        risk_aversion=4,
        constraints=Constraints(**given),
        current=CURRENT,
    )
    w = cp.Variable(COUNT)
    value = second_opinion(2 * variance_of(w, sigma) - mean @ w, w, sigma, [cp.sum(w) == 1, *limits(w)])
    agrees(plan, value, kind)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_maximum_sharpe(case: str, seed: int) -> None:
    """The other solver finds no less variance at the same excess return, nor a better ratio along the frontier."""
    given, limits, _ = CASES[case]
    sigma, mean = problem(seed)
    plan = plan_weights(
        NAMES, "max_sharpe", covariance=sigma, mean=mean, constraints=Constraints(**given), current=CURRENT
    )
    weights = np.array([float(weight) for weight in plan.weights.values()])
    excess = float(mean @ weights)
    best = 0.0
    for reach in (0.98, 1.0, 1.02):
        w = cp.Variable(COUNT)
        try:
            value = second_opinion(
                variance_of(w, sigma), w, sigma, [cp.sum(w) == 1, mean @ w >= reach * excess, *limits(w)]
            )
        except AssertionError:
            continue
        best = max(best, reach * excess / np.sqrt(value))
    assert plan.certificate.objective == pytest.approx(best, rel=2e-6)
    assert plan.certificate.bound >= best * (1 - 1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_trading_costs_hold_weights_where_they_are(seed: int) -> None:
    sigma, mean = problem(seed)
    rates = np.linspace(0.001, 0.02, COUNT)
    plan = plan_weights(
        NAMES,
        "mean_variance",
        covariance=sigma,
        mean=mean,
        risk_aversion=4,
        constraints=Constraints(proportional_costs=dict(zip(NAMES, rates.tolist(), strict=True))),
        current=CURRENT,
    )
    w = cp.Variable(COUNT)
    costs = rates @ cp.abs(w - START)
    value = second_opinion(2 * variance_of(w, sigma) - mean @ w + costs, w, sigma, [cp.sum(w) == 1, w >= 0])
    weights = np.array([float(weight) for weight in plan.weights.values()])
    assert 2 * weights @ sigma @ weights - mean @ weights + rates @ np.abs(weights - START) == pytest.approx(
        value, rel=1e-7
    )
    assert any(float(plan.weights[name]) == CURRENT[name] for name in NAMES)


@pytest.mark.parametrize("limits", [{}, {"max_weight": 0.15}, {"groups": {"g": Group(NAMES[:6], max=0.3)}}])
def test_minimum_tail_loss(limits: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    returns = rng.standard_t(4, size=(400, COUNT)) * 0.01 + 0.0005
    plan = plan_weights(NAMES, "min_cvar", returns=returns, tail=0.07, constraints=Constraints(**limits))
    w, level, excess = cp.Variable(COUNT), cp.Variable(), cp.Variable(400)
    rows = [cp.sum(w) == 1, w >= 0, excess >= 0, excess >= -returns @ w - level]
    rows += [w <= limits["max_weight"]] if "max_weight" in limits else []
    rows += [cp.sum(w[:6]) <= 0.3] if "groups" in limits else []
    value = second_opinion(level + cp.sum(excess) / (0.07 * 400), w, np.eye(COUNT), rows)
    assert plan.certificate.bound == pytest.approx(value, rel=1e-7)
    assert plan.certificate.objective == pytest.approx(value, rel=1e-7 + plan.certificate.tolerance)


def test_factors_give_what_their_matrix_gives() -> None:
    rng = np.random.default_rng(5)
    loadings, specific = rng.normal(size=(COUNT, 2)), rng.uniform(0.01, 0.05, COUNT)
    between = np.array([[0.02, 0.004], [0.004, 0.01]])
    dense = loadings @ between @ loadings.T + np.diag(specific)
    capped = Constraints(max_weight=0.2)
    by_factors = plan_weights(
        NAMES, "min_variance", factors=(loadings, between, specific), constraints=capped
    )
    by_matrix = plan_weights(NAMES, "min_variance", covariance=dense, constraints=capped)
    assert by_factors.certificate.objective == pytest.approx(by_matrix.certificate.objective, rel=1e-9)
