"""Sharpe ratios and what may be believed of them, against the figures their papers print."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from capdesk.decide.performance import calculate_efficiency_metrics
from capdesk.decide.performance.ratios import (
    aggregation_factor,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_spread,
    sortino,
)

# Lo (2002), table 2: factors for AR(1) returns by rho in percent, for 2, 3, 4, 6, 12, 24 ... periods.
LO_PERIODS = (2, 3, 4, 6, 12, 24, 36, 48, 125, 250)
LO = {
    90: (1.03, 1.05, 1.07, 1.10, 1.21, 1.41, 1.60, 1.77, 2.67, 3.70),
    0: (1.41, 1.73, 2.00, 2.45, 3.46, 4.90, 6.00, 6.93, 11.18, 15.81),
}


@pytest.mark.parametrize("rho", LO)
def test_aggregation_factors_are_those_of_lo(rho: int) -> None:
    for periods, printed in zip(LO_PERIODS, LO[rho], strict=True):
        correlations = np.array([(rho / 100) ** lag for lag in range(1, periods)])
        assert aggregation_factor(correlations, periods) == pytest.approx(printed, abs=0.0051)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.2, 0.5, 0.8])
def test_aggregation_factors_are_lo_s_closed_form(rho: float) -> None:
    # Equation 22, the sum of an AR(1) process's autocorrelations worked out.
    for periods in LO_PERIODS:
        correlations = np.array([rho**lag for lag in range(1, periods)])
        summed = 1 + 2 * rho / (1 - rho) * (1 - (1 - rho**periods) / (periods * (1 - rho)))
        assert aggregation_factor(correlations, periods) == pytest.approx(sqrt(periods / summed))


# Bailey and Lopez de Prado (2012): years until an annual Sharpe ratio of 2 is known to exceed 1.
@pytest.mark.parametrize(
    ("per_year", "skewness", "kurtosis", "years"),
    [(250, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_records_are_those_of_bailey_and_lopez_de_prado(
    per_year: int, skewness: float, kurtosis: float, years: float
) -> None:
    year = sqrt(per_year)
    periods = minimum_track_record(2 / year, 1 / year, 0.95, skewness, kurtosis)

    assert periods is not None
    assert periods / per_year == pytest.approx(years, abs=0.005)


def test_a_hedge_funds_probabilistic_sharpe_is_the_printed_one() -> None:
    # The same paper: 24 months, monthly ratio 0.458 (1.59 a year), skewness -2.448, kurtosis 10.164.
    assert probabilistic_sharpe(0.458, 0, 24, 0, 3) == pytest.approx(0.982, abs=0.0006)
    assert probabilistic_sharpe(0.458, 0, 24, -2.448, 10.164) == pytest.approx(0.913, abs=0.0006)


def test_track_record_is_where_the_probabilistic_sharpe_reaches_the_confidence() -> None:
    periods = minimum_track_record(0.2, 0.05, 0.9, -0.5, 6)

    assert periods is not None
    error = sharpe_spread(0.2, -0.5, 6)
    assert NormalDist().cdf((0.2 - 0.05) * sqrt(periods - 1) / error) == pytest.approx(0.9, abs=1e-12)


def test_the_standard_error_of_normal_returns_is_lo_s() -> None:
    # Lo (2002), equation 9: sqrt((1 + SR^2 / 2) / T).
    assert sharpe_spread(0.5, 0, 3) == pytest.approx(sqrt(1 + 0.5**2 / 2))


def test_sortino_is_that_of_the_worked_example() -> None:
    # Rollinger and Hoffman (CME Group): eight years, target 0: 10 % / 2.264 % = 4.417.
    returns = np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04])

    assert sortino(returns, 0.0) == pytest.approx(4.417, abs=0.0005)


def test_the_risk_free_rate_of_a_year_is_turned_into_a_periods() -> None:
    monthly = [0.02, -0.01, 0.03, 0.01, 0.0, 0.015]
    metrics = calculate_efficiency_metrics(monthly, risk_free_rate="0.06", periods_per_year=12)
    excess = np.array(monthly) - (1.06 ** (1 / 12) - 1)

    assert metrics.sharpe_ratio == pytest.approx(excess.mean() / excess.std(ddof=1) * sqrt(12))


def test_correlated_returns_lower_the_sharpe_ratio() -> None:
    returns = [0.01, 0.012, 0.009, -0.004, -0.006, -0.002, 0.008, 0.011, 0.01, -0.003, -0.005, 0.004]
    metrics = calculate_efficiency_metrics(returns, periods_per_year=12, autocorrelation_lags=1)
    centred = np.array(returns) - np.mean(returns)
    rho = (centred[1:] @ centred[:-1]) / (centred @ centred)

    assert rho > 0.3
    assert metrics.autocorrelation_adjusted_sharpe / metrics.sharpe_ratio == pytest.approx(
        sqrt(12 / (12 + 22 * rho))
    )
