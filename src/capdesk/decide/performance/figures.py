"""Groups of figures of a year; None stands for what the returns do not define."""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.performance.ratios import (
    aggregation_factor,
    autocorrelations,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe,
    sharpe_spread,
    spread,
)

Array = NDArray[np.float64]
Figures = dict[str, float | None]


def growth_figures(values: Array, growth: float, depth: float, per_year: float) -> Figures:
    """Growth and spread of a year, from the returns (T,) and what they compounded to."""
    if not len(values):
        return dict.fromkeys(("annual_return", "volatility", "calmar_ratio", "skewness", "kurtosis"))
    annual = _compounded(growth, per_year / len(values))
    skewness, kurtosis = moments(values)
    flat = spread(values) == 0
    return {
        "annual_return": annual,
        "volatility": None if len(values) < 2 else spread(values) * sqrt(per_year),
        "calmar_ratio": None if depth == 0 or annual is None else annual / depth,
        "skewness": None if flat else skewness,
        "kurtosis": None if flat else kurtosis,
    }


def _compounded(growth: float, times: float) -> float | None:
    """growth^times - 1; None where that is more than a number holds."""
    try:
        return growth**times - 1 if isfinite(growth) else None
    except OverflowError:
        return None


def sharpe_figures(
    values: Array, risk_free: float, per_year: float, threshold: float, confidence: float, lags: int
) -> Figures:
    """The annual Sharpe ratio, and what may be believed of it; the threshold is annual too."""
    ratio = sharpe(values - risk_free)
    if ratio is None:
        return dict.fromkeys(
            (
                "sharpe_ratio",
                "sharpe_standard_error",
                "autocorrelation_adjusted_sharpe",
                "probabilistic_sharpe",
                "minimum_track_record",
            )
        )
    year, count = sqrt(per_year), len(values)
    skewness, kurtosis = moments(values)
    factor = aggregation_factor(autocorrelations(values, lags), per_year)
    return {
        "sharpe_ratio": ratio * year,
        "sharpe_standard_error": sharpe_spread(ratio, skewness, kurtosis) * year / sqrt(count - 1),
        "autocorrelation_adjusted_sharpe": None if factor is None else ratio * factor,
        "probabilistic_sharpe": probabilistic_sharpe(ratio, threshold / year, count, skewness, kurtosis),
        "minimum_track_record": minimum_track_record(ratio, threshold / year, confidence, skewness, kurtosis),
    }
