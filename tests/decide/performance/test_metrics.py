"""What the figures of a series of returns promise."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.performance import calculate_efficiency_metrics
from capdesk.model.errors import InvalidInput

RETURNS = [Decimal("0.10"), Decimal("-0.20"), Decimal("0.05"), Decimal("-0.10"), Decimal("0.40")]


def test_growth_is_exact() -> None:
    metrics = calculate_efficiency_metrics(RETURNS)

    assert (
        metrics.total_return
        == Decimal("1.10") * Decimal("0.80") * Decimal("1.05") * Decimal("0.90") * Decimal("1.40") - 1
    )


def test_no_returns_give_zeros_and_say_what_they_do_not_define() -> None:
    metrics = calculate_efficiency_metrics([])

    assert (metrics.total_return, metrics.sharpe_ratio, metrics.max_drawdown, metrics.volatility) == (
        0,
        0,
        0,
        0,
    )
    assert metrics.periods == 0
    assert {"sharpe_ratio", "annual_return", "total_value"} <= set(metrics.undefined)


@pytest.mark.parametrize("each", ["0.01", "0.0001", "0", "-0.003"])
def test_zero_volatility_has_no_sharpe_ratio(each: str) -> None:
    metrics = calculate_efficiency_metrics([Decimal(each)] * 7, benchmark=[0.01, 0.02] * 3 + [0])

    assert metrics.sharpe_ratio == 0
    assert metrics.volatility == 0
    assert "sharpe_ratio" in metrics.undefined
    assert "volatility" not in metrics.undefined


def test_one_return_has_no_volatility() -> None:
    assert {"volatility", "sharpe_ratio"} <= set(calculate_efficiency_metrics([0.1]).undefined)


def test_drawdown_is_measured_from_the_initial_capital_and_dated() -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(6)]
    from_start = calculate_efficiency_metrics(["-0.1", "-0.1", "0.3", "0", "0"], dates=days)

    assert from_start.max_drawdown == Decimal("0.19")
    assert (from_start.drawdown.peak_at, from_start.drawdown.trough_at) == (days[0], days[2])
    assert from_start.drawdown.recovered_at == days[3]


def test_a_drawdown_that_lasts_has_not_recovered() -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(5)]
    drawdown = calculate_efficiency_metrics(RETURNS[:4], dates=days[1:]).drawdown

    assert (drawdown.peak, drawdown.trough, drawdown.recovered) == (1, 4, None)
    assert drawdown.depth == 1 - Decimal("0.80") * Decimal("1.05") * Decimal("0.90")
    assert (drawdown.peak_at, drawdown.trough_at, drawdown.recovered_at) == (days[1], days[4], None)


@given(st.lists(st.integers(-90, 150), min_size=1, max_size=40))
def test_drawdown_is_that_of_pandas(percents: list[int]) -> None:
    metrics = calculate_efficiency_metrics([Decimal(percent) / 100 for percent in percents])
    path = pd.Series([1.0, *np.cumprod(1 + np.array(percents) / 100)])

    assert float(metrics.max_drawdown) == pytest.approx(float((1 - path / path.cummax()).max()), abs=1e-9)


def test_yearly_figures_are_those_of_numpy() -> None:
    metrics = calculate_efficiency_metrics(RETURNS, periods_per_year=12)
    values = np.array([float(each) for each in RETURNS])
    annual = np.prod(1 + values) ** (12 / 5) - 1

    assert float(metrics.volatility) == pytest.approx(values.std(ddof=1) * 12**0.5)
    assert float(metrics.annual_return) == pytest.approx(annual)
    assert float(metrics.calmar_ratio) == pytest.approx(annual / float(metrics.max_drawdown))
    assert float(metrics.skewness) == pytest.approx(
        ((values - values.mean()) ** 3).mean() / values.std() ** 3
    )
    assert float(metrics.kurtosis) == pytest.approx(
        ((values - values.mean()) ** 4).mean() / values.std() ** 4
    )


# The two ways to measure a return, as CFA Institute's curriculum works them: a share at 200, another
# at 225 a year later, five dollars of dividends each, both sold at 235.
def test_time_and_money_weighted_returns_are_the_textbooks() -> None:
    metrics = calculate_efficiency_metrics(
        [Decimal(30) / 200, Decimal(30) / 450], periods_per_year=1, initial_value=200, flows=[0, 220]
    )

    assert float(metrics.annual_return) == pytest.approx(0.1076, abs=0.0001)
    assert metrics.money_weighted_return is not None
    assert float(metrics.money_weighted_return) == pytest.approx(0.0939, abs=0.00005)
    assert round(metrics.total_value, 6) == 480


def test_flows_without_one_rate_have_no_money_weighted_return() -> None:
    metrics = calculate_efficiency_metrics([0.1, 0.1, 0.1], initial_value=100, flows=[0, -50, 80])

    assert metrics.money_weighted_return == 0
    assert "money_weighted_return" in metrics.undefined


def test_value_and_allocations_are_what_was_passed_in() -> None:
    unknown = calculate_efficiency_metrics(RETURNS)
    known = calculate_efficiency_metrics(
        RETURNS, total_value=1000, allocations={"scroll": 250, "zksync": "300.5"}
    )

    assert (unknown.total_value, unknown.capital_utilization, unknown.protocol_allocations) == (0, 0, {})
    assert {"total_value", "capital_utilization"} <= set(unknown.undefined)
    assert known.total_value == 1000
    assert known.capital_utilization == Decimal("0.5505")
    assert known.protocol_allocations == {"scroll": 250, "zksync": Decimal("300.5")}
    assert calculate_efficiency_metrics(["0.1", "0.1"], initial_value=100).total_value == 121


def test_a_benchmarks_own_returns_have_beta_one_and_no_alpha() -> None:
    metrics = calculate_efficiency_metrics(RETURNS, benchmark=RETURNS)
    beside = metrics.benchmark

    assert beside is not None
    assert (beside.beta, beside.up_capture, beside.down_capture) == pytest.approx((1, 1, 1))
    assert beside.alpha == pytest.approx(0, abs=1e-12)
    assert beside.total_return == metrics.total_return
    assert "benchmark.information_ratio" in metrics.undefined


def test_benchmark_figures_are_those_of_a_regression() -> None:
    market = np.array([0.02, -0.01, 0.03, -0.02, 0.01, 0.005])
    ours = 0.001 + 1.5 * market + np.array([1, -1, 1, -1, 1, -1]) * 1e-3
    metrics = calculate_efficiency_metrics(ours, benchmark=market, risk_free_rate=0, periods_per_year=12)
    slope, intercept = np.polyfit(market, ours, 1)
    beside = metrics.benchmark

    assert beside is not None
    assert float(beside.beta) == pytest.approx(slope)
    assert float(beside.alpha) == pytest.approx(intercept * 12)
    assert float(beside.correlation) == pytest.approx(np.corrcoef(ours, market)[0, 1])
    active = ours - market
    assert float(beside.tracking_error) == pytest.approx(active.std(ddof=1) * 12**0.5)
    assert float(beside.information_ratio) == pytest.approx(active.mean() / active.std(ddof=1) * 12**0.5)
    up = market > 0
    ratio = (np.prod(1 + ours[up]) ** 0.25 - 1) / (np.prod(1 + market[up]) ** 0.25 - 1)
    assert float(beside.up_capture) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"returns": [0.1, "-1.5"]}, r"-1 or more .* got -1.5 at \[1\]"),
        ({"returns": [0.1, float("nan")]}, r"returns\[1\] must be a finite number"),
        ({"returns": "0.1"}, "a series of numbers"),
        ({"returns": 5}, "a series of numbers, got int"),
        ({"returns": np.ones((2, 2))}, r"returns\[0\] must be one number, got ndarray"),
        ({"periods_per_year": 0}, "periods_per_year must lie above 0"),
        ({"risk_free_rate": 2}, "risk_free_rate must lie above -1 and below 1"),
        ({"dates": [date(2026, 1, 1)]}, "dates must be the ends of the 5 periods"),
        ({"dates": [date(2026, 1, 1)] * 5}, "dates must rise"),
        ({"benchmark": [0.1]}, "benchmark must have as many returns as there are, 5, got 1"),
        ({"flows": [0, 0, 0, 0, 0]}, "flows need an initial_value"),
        ({"flows": [1], "initial_value": 1}, "one for each of the 5 periods, got 1"),
        ({"flows": [0, -150, 0, 0, 0], "initial_value": 100}, r"flows\[1\] takes 150"),
        ({"allocations": {"scroll": -1}}, r"allocations\['scroll'\] must be 0 or more"),
        ({"autocorrelation_lags": 5}, "autocorrelation_lags must lie between"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        calculate_efficiency_metrics(**{"returns": RETURNS, **arguments})


def test_what_a_year_would_compound_to_beyond_all_numbers_is_undefined() -> None:
    metrics = calculate_efficiency_metrics([200, 100])
    assert metrics.annual_return == 0
    assert {"annual_return", "calmar_ratio"} <= set(metrics.undefined)


def test_a_benchmark_that_hardly_moves_is_captured_by_nothing() -> None:
    metrics = calculate_efficiency_metrics([0.01, -0.02], benchmark=[1e-17, -1e-17])
    assert {"benchmark.up_capture", "benchmark.down_capture"} <= set(metrics.undefined)
