"""Seed 000's risk-adjusted example as it stands there, and the states it names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk import Amount, CapitalAllocator, InvalidInput, allocate_risk_adjusted_capital

WEIGHTS = {"scroll": Decimal("0.5"), "zksync": Decimal("0.3"), "eigenlayer": Decimal("0.2")}

EXAMPLE = """
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


def test_the_example_runs_as_it_stands_in_the_seed() -> None:
    names: dict[str, Any] = {"Decimal": Decimal, "allocator": CapitalAllocator(), "allocation": WEIGHTS}
    exec(EXAMPLE, names)

    # Medium volatility is 0.8, gas above 50 gwei 0.9: 72 % of each share.
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
