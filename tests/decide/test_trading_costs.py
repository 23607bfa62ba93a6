"""Rebalancing after costs, against closed forms and a second solver over every choice of names."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from capdesk.decide.rebalance import rebalance_portfolio
from capdesk.model.portfolio import Rebalancing


def moved(orders: Rebalancing) -> dict[str, float]:
    signs = {"increase": 1, "decrease": -1}
    return {order.protocol: signs[order.action] * float(order.amount) for order in orders}


@pytest.mark.parametrize("start", [0.0, 0.2, 0.75, 0.9])
def test_one_name_is_traded_to_the_edge_of_its_no_trade_region(start: float) -> None:
    # Utility gamma t sigma^2 w - gamma / 2 sigma^2 w^2: the marginal gain at w is gamma sigma^2 (t - w) a
    # year, which is the cost k at w = t -+ k / (gamma sigma^2).
    orders = rebalance_portfolio(
        {"a": start},
        {"a": 0.5},
        10**6,
        costs={"a": {"proportional": 0.002}},
        covariance=[[0.04]],
        risk_aversion=2,
    )
    edge = 0.5 - np.sign(0.5 - start) * 0.002 / (2 * 0.04)

    assert moved(orders)["a"] == pytest.approx((edge - start) * 1e6, abs=0.02)
    assert orders.left_out[0].reason.startswith("traded to the edge of its no-trade region")
    assert float(abs(orders.left_out[0].deviation)) == pytest.approx(0.025, abs=1e-8)


@pytest.mark.parametrize("start", [0.476, 0.5, 0.524])
def test_inside_the_no_trade_region_nothing_is_traded(start: float) -> None:
    orders = rebalance_portfolio(
        {"a": start},
        {"a": 0.5},
        10**6,
        costs={"a": {"proportional": 0.002}},
        covariance=[[0.04]],
        risk_aversion=2,
    )

    assert orders == []


def test_the_region_is_wider_for_a_shorter_horizon() -> None:
    orders = rebalance_portfolio(
        {"a": 0},
        {"a": 0.5},
        10**6,
        costs={"a": {"proportional": 0.002}},
        covariance=[[0.04]],
        risk_aversion=2,
        horizon_days=73,
    )

    assert moved(orders)["a"] == pytest.approx((0.5 - 0.025 * 5) * 1e6, abs=0.02)


@pytest.mark.parametrize(("fixed", "traded"), [("19.99", True), ("20.01", False)])
def test_a_fixed_cost_is_paid_where_it_is_earned(fixed: str, traded: bool) -> None:
    # 0.2 of 1000 dollars earns 10 % more than cash for a year: 20 dollars.
    orders = rebalance_portfolio(
        {"a": "0.3"},
        {"a": "0.5"},
        1000,
        costs={"a": {"fixed": fixed}},
        expected_returns={"a": "0.12"},
        cash_return="0.02",
    )

    assert moved(orders) == ({"a": 200.0} if traded else {})
    if not traded:
        assert orders.left_out[0].reason == (
            "its fixed cost of $20.01 is not earned: the best trade gains $20.00 over 365 days"
        )


def test_costs_are_paid_from_cash_that_does_not_fall_below_the_targets() -> None:
    orders = rebalance_portfolio(
        {"a": "0.4", "b": "0.6"},
        {"a": "0.3", "b": "0.7"},
        100_000,
        costs={"a": {"fixed": 5, "proportional": "0.001"}},
        expected_returns={"a": "0.02", "b": "0.05"},
    )

    assert [(str(order.action), str(order.amount)) for order in orders] == [
        ("decrease", "10000.00"),
        ("increase", "9985.00"),
    ]
    assert orders.cash_change == orders.costs == 15
    assert orders.left_out[0].reason == "there is no more cash for it, or other trades earn more with it"


def test_a_trade_is_at_least_the_minimum_or_none() -> None:
    arguments: Any = {"a": 0.45}, {"a": 0.5}, 10**4
    rest: Any = {"costs": {"a": {"proportional": 0.002}}, "covariance": [[0.04]], "risk_aversion": 2}

    # The edge is 250 dollars away; 300 still gain more than they cost, 600 would pass the target.
    assert moved(rebalance_portfolio(*arguments, **rest)) == pytest.approx({"a": 250}, abs=0.02)
    assert moved(rebalance_portfolio(*arguments, **rest, minimum_trade=300)) == {"a": 300.0}
    none = rebalance_portfolio(*arguments, **rest, minimum_trade=501)
    assert moved(none) == {}
    assert none.left_out[0].reason == "the best trade, $250.00, is under the minimum trade of $501.00"


@pytest.mark.parametrize("seed", range(12))
def test_the_orders_are_the_best_of_every_choice_of_names(seed: int) -> None:
    random = np.random.default_rng(seed)
    size, value, aversion, years = 5, 50_000.0, 3.0, 0.5
    now, then = random.dirichlet(np.ones(size)) * 0.95, random.dirichlet(np.ones(size))
    loadings = random.normal(size=(size, 3)) * 0.3
    covariance = loadings @ loadings.T + np.diag(random.uniform(0.01, 0.05, size))
    mean = random.uniform(0, 0.15, size) if seed % 2 else aversion * covariance @ then
    rates, fixed = random.uniform(0, 0.004, size), random.uniform(0, 60, size)
    now, then = np.round(now, 6), np.round(then, 6)
    names = [f"p{place}" for place in range(size)]
    orders = rebalance_portfolio(
        dict(zip(names, now.tolist(), strict=True)),
        dict(zip(names, then.tolist(), strict=True)),
        value,
        costs={
            name: {"fixed": round(f, 4), "proportional": round(r, 6)}
            for name, f, r in zip(names, fixed.tolist(), rates.tolist(), strict=True)
        },
        expected_returns=dict(zip(names, mean.tolist(), strict=True)),
        covariance=covariance.tolist(),
        risk_aversion=aversion,
        horizon_days=Decimal("182.5"),
    )

    def utility(weights: np.ndarray) -> float:
        held = years * (mean @ weights - aversion / 2 * weights @ covariance @ weights)
        traded = np.abs(weights - now)
        return float(held - np.round(rates, 6) @ traded - np.round(fixed, 4) @ (traded > 1e-7) / value)

    found = now + np.array([moved(orders).get(name, 0.0) for name in names]) / value
    best = utility(now)
    low, high = np.minimum(now, then), np.maximum(now, then)
    floor = min(0.0, 1 - now.sum(), 1 - then.sum())
    for chosen in product([False, True], repeat=size):
        used = np.array(chosen)
        weights, trades = cp.Variable(size), cp.Variable(size, nonneg=True)
        paid = float(np.round(fixed, 4) @ used) / value
        limits = [
            trades >= weights - now,
            trades >= now - weights,
            weights >= np.where(used, low, now),
            weights <= np.where(used, high, now),
            1 - cp.sum(weights) - np.round(rates, 6) @ trades - paid >= floor,
        ]
        gain = years * (mean @ weights - aversion / 2 * cp.quad_form(weights, cp.psd_wrap(covariance)))
        problem = cp.Problem(cp.Maximize(gain - np.round(rates, 6) @ trades), limits)
        problem.solve(solver=cp.CLARABEL)
        if problem.status == cp.OPTIMAL:
            best = max(best, float(problem.value) - paid)

    # A cent of 50,000 dollars is 2e-7, and five names are rounded down to it.
    assert utility(found) == pytest.approx(best, abs=2e-7)
    assert 1 - found.sum() - float(orders.costs) / value >= floor - 1e-9
