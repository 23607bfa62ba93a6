"""Seed 000's usage examples as they stand there, and the market states it names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk import Amount, CapitalAllocator, InvalidInput, allocate_risk_adjusted_capital

WEIGHTS = {"scroll": Decimal("0.5"), "zksync": Decimal("0.3"), "eigenlayer": Decimal("0.2")}

BASIC = """
# Initialize allocator
allocator = CapitalAllocator()

# Define available protocols and constraints
protocols = ["scroll", "zksync", "eigenlayer"]
risk_constraints = {
    "max_protocol_exposure_pct": Decimal("20"),
    "max_transaction_size_pct": Decimal("5")
}

# Optimize portfolio
allocation = allocator.optimize_portfolio(protocols, risk_constraints)
print(f"Optimal allocation: {allocation}")
"""

STRATEGIES = """
# Equal weight allocation
allocator = CapitalAllocator({"strategy": "equal_weight"})

# Risk parity allocation
allocator = CapitalAllocator({"strategy": "risk_parity"})

# Mean-variance optimization
allocator = CapitalAllocator({"strategy": "mean_variance"})
"""

RISK_ADJUSTED = """
# Get risk metrics from Risk Management System
risk_metrics = {
    "volatility_state": "medium",
    "gas_price_gwei": Decimal("75"),
    "circuit_breaker_triggered": False
}

# Allocate capital with risk adjustments
total_capital = Decimal("100000")
capital_amounts = allocator.allocate_risk_adjusted_capital(
    total_capital, allocation, risk_metrics
)
"""

REBALANCING = """
# Current and target allocations
current = {"scroll": Decimal("0.40"), "zksync": Decimal("0.60")}
target = {"scroll": Decimal("0.30"), "zksync": Decimal("0.70")}

# Generate rebalancing orders
orders = allocator.rebalance_portfolio(current, target, total_capital)

for order in orders:
    print(f"{order.action} {order.protocol} by ${order.amount}")
"""

PERFORMANCE = """
# Calculate portfolio metrics
portfolio_returns = [Decimal("0.02"), Decimal("0.01"), Decimal("-0.005")]
metrics = allocator.calculate_efficiency_metrics(portfolio_returns)

print(f"Total Return: {metrics.total_return:.2%}")
print(f"Sharpe Ratio: {metrics.sharpe_ratio:.3f}")
print(f"Max Drawdown: {metrics.max_drawdown:.2%}")
"""


def test_the_usage_examples_run_one_after_the_other_as_they_stand_in_the_seed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names: dict[str, Any] = {"Decimal": Decimal, "CapitalAllocator": CapitalAllocator}
    for example in (BASIC, RISK_ADJUSTED, REBALANCING, PERFORMANCE):
        exec(example, names)

    # Three names under a cap of 20 % leave 40 % in cash; medium volatility is 0.8, gas above 50 gwei 0.9.
    assert names["allocation"] == {"scroll": 0.2, "zksync": 0.2, "eigenlayer": 0.2}
    assert names["capital_amounts"] == {"scroll": 14_400, "zksync": 14_400, "eigenlayer": 14_400}
    # Mean excess 0.0083333 - 0.0000543 over 0.0125831, times the root of 365.
    assert capsys.readouterr().out == (
        "Optimal allocation: {'scroll': Amount('0.2'), 'zksync': Amount('0.2'), 'eigenlayer': Amount('0.2')}\n"
        "decrease scroll by $10000.00\n"
        "increase zksync by $10000.00\n"
        "Total Return: 2.50%\n"
        "Sharpe Ratio: 12.570\n"
        "Max Drawdown: 0.50%\n"
    )


def test_the_strategies_of_the_seed_plan() -> None:
    for line in STRATEGIES.split("\n\n"):
        names: dict[str, Any] = {"CapitalAllocator": CapitalAllocator}
        exec(line, names)
        allocation = names["allocator"].optimize_portfolio(
            list(WEIGHTS), {}, {"scroll": 0.1, "zksync": 0.2, "eigenlayer": 0.1}, dict.fromkeys(WEIGHTS, 1)
        )
        assert sum(allocation.values()) == 1
        if "mean_variance" in line:
            assert allocation["zksync"] > allocation["scroll"]
            # Of two equal weights one has the unit that makes the sum exact.
            assert abs(allocation["scroll"] - allocation["eigenlayer"]) <= 1e-9


def test_the_risk_adjusted_example_takes_any_weights() -> None:
    names: dict[str, Any] = {"Decimal": Decimal, "allocator": CapitalAllocator(), "allocation": WEIGHTS}
    exec(RISK_ADJUSTED, names)

    assert names["capital_amounts"] == {"scroll": 36_000, "zksync": 21_600, "eigenlayer": 14_400}


@pytest.mark.parametrize(
    ("state", "multiplier"), [("low", "1"), ("medium", "0.8"), ("high", "0.6"), ("extreme", "0.3")]
)
def test_each_state_scales_every_share(state: str, multiplier: str) -> None:
    amounts = allocate_risk_adjusted_capital(
        1000, WEIGHTS, {"volatility_state": state, "gas_price_gwei": 20, "circuit_breaker_triggered": False}
    )

    assert amounts == {name: 1000 * weight * Decimal(multiplier) for name, weight in WEIGHTS.items()}


def test_a_breaker_leaves_nothing() -> None:
    metrics = {"volatility_state": "low", "gas_price_gwei": 20, "circuit_breaker_triggered": True}

    assert allocate_risk_adjusted_capital(1000, WEIGHTS, metrics) == dict.fromkeys(WEIGHTS, 0)


@pytest.mark.parametrize("total", [0, -1, Decimal("-0.5"), "0"])
def test_a_total_that_is_not_positive_is_refused_in_the_seeds_words(total: object) -> None:
    with pytest.raises(ValueError, match=rf"^Total capital must be positive, got {total}$"):
        allocate_risk_adjusted_capital(total, WEIGHTS, {"volatility_state": "low"})


def test_an_unknown_state_is_named() -> None:
    with pytest.raises(InvalidInput, match="low, medium, high, extreme, got 'stormy'"):
        allocate_risk_adjusted_capital(1000, WEIGHTS, {"volatility_state": "stormy"})


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"got volatility$"):
        allocate_risk_adjusted_capital(1000, WEIGHTS, {"volatility": "low"})


@pytest.mark.parametrize(
    ("metric", "what"),
    [
        ({"gas_price_gwei": -1}, "gas_price_gwei must be 0 or more, got -1"),
        ({"circuit_breaker_triggered": "no"}, "circuit_breaker_triggered must be True or False, got 'no'"),
    ],
)
def test_a_metric_that_can_be_no_figure_is_refused(metric: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        allocate_risk_adjusted_capital(100, WEIGHTS, {"volatility_state": "low", **metric})


def test_a_missing_state_fails_closed() -> None:
    amounts = allocate_risk_adjusted_capital(1000, {"scroll": 1}, {"gas_price_gwei": 20})

    assert amounts == {"scroll": 300}


def test_the_desks_own_table_is_used() -> None:
    desk = CapitalAllocator({"risk": {"medium": 0.5}})

    assert desk.allocate_risk_adjusted_capital(
        1000, {"scroll": 1}, {"volatility_state": "medium", "gas_price_gwei": 20}
    ) == {"scroll": 500}


@pytest.mark.parametrize("weights", [{"a": "0.6", "b": "0.6"}, {"a": "-0.1"}])
def test_weights_beyond_one_or_below_zero_are_refused(weights: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="weights must be 0 or more and add up to 1 at most"):
        allocate_risk_adjusted_capital(1000, weights, {"volatility_state": "low"})


@given(
    total=st.integers(1, 10**15),
    parts=st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any),
    state=st.sampled_from(["low", "medium", "high", "extreme"]),
)
def test_parts_of_whole_weights_add_up_to_the_last_micro_unit(
    total: int, parts: list[int], state: str
) -> None:
    weights = {str(place): Decimal(part) / 1024 for place, part in enumerate(parts)}
    if (whole := sum(weights.values())) > 1:
        weights = {name: weight / 8 for name, weight in weights.items()}
        whole /= 8
    amounts = allocate_risk_adjusted_capital(
        Amount.from_micro(total), weights, {"volatility_state": state, "gas_price_gwei": 1}
    )
    multiplier = {"low": 10, "medium": 8, "high": 6, "extreme": 3}[state]

    assert sum(amounts.values()).micro == int(Decimal(total * multiplier // 10) * whole)
    for name, weight in weights.items():
        assert abs(amounts[name] * 10**6 - total * multiplier * weight / 10) < 2
