"""Sharpe ratios and what may be believed of them; Sortino's ratio.

All take the returns of the periods and give the figure of one period, or None where the
returns do not define it.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NORMAL = NormalDist()


def sharpe(excess: Array) -> float | None:
    """Mean over standard deviation (ddof 1) of the returns above the risk-free one, (T,)."""
    deviation = spread(excess)
    return None if deviation == 0 else float(excess.mean()) / deviation


def spread(values: Array) -> float:
    """The standard deviation (ddof 1); exactly 0 where all values are one, or there is one."""
    if len(values) < 2 or bool(np.all(values == values[0])):
        return 0.0
    return float(values.std(ddof=1))


def moments(returns: Array) -> tuple[float, float]:
    """Skewness and kurtosis of the population (a normal one has 0 and 3)."""
    if spread(returns) == 0:
        return 0.0, 0.0
    centred: Array = returns - float(returns.mean())
    variance = float(np.mean(np.square(centred)))
    squares = np.square(centred)
    third, fourth = float(np.mean(squares * centred)), float(np.mean(np.square(squares)))
    return third / (variance * sqrt(variance)), fourth / (variance * variance)


def sharpe_spread(ratio: float, skewness: float, kurtosis: float) -> float:
    """The standard deviation of the Sharpe ratio's estimate, times sqrt(T - 1).

    Mertens (2002); Bailey and Lopez de Prado (2012), equation 6, for returns that are not normal.
    """
    return sqrt(max(0.0, 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2))


def probabilistic_sharpe(
    ratio: float, threshold: float, periods: int, skewness: float, kurtosis: float
) -> float | None:
    """The probability that the true ratio exceeds a threshold; both of one period.

    Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012), equation 8.
    """
    error = sharpe_spread(ratio, skewness, kurtosis)
    if periods < 2 or error == 0:
        return None
    return NORMAL.cdf((ratio - threshold) * sqrt(periods - 1) / error)


def minimum_track_record(
    ratio: float, threshold: float, confidence: float, skewness: float, kurtosis: float
) -> float | None:
    """How many periods it takes to say with confidence that the true ratio exceeds a threshold.

    Bailey and Lopez de Prado (2012), equation 11; None where the ratio does not exceed it.
    """
    if ratio <= threshold:
        return None
    error = sharpe_spread(ratio, skewness, kurtosis)
    return 1 + (error * NORMAL.inv_cdf(confidence) / (ratio - threshold)) ** 2


def aggregation_factor(autocorrelations: Array, periods: float) -> float | None:
    """By what a period's Sharpe ratio is multiplied for so many periods.

    Lo, "The Statistics of Sharpe Ratios" (2002), equation 20: q / sqrt(q + 2 sum (q - k) rho_k);
    sqrt(q) where nothing is correlated. `autocorrelations` are those of lags 1, 2, ...; what is
    not given counts as none. None where they leave no variance.
    """
    lags = np.arange(1, len(autocorrelations) + 1)
    variance = periods + 2 * float((periods - lags) @ autocorrelations)
    return None if variance <= 0 else periods / sqrt(variance)


def autocorrelations(returns: Array, lags: int) -> Array:
    """The sample autocorrelations of lags 1 to `lags`."""
    centred: Array = returns - float(returns.mean())
    total = float(centred @ centred)
    return np.array([float(centred[lag:] @ centred[:-lag]) / total for lag in range(1, lags + 1)])


def usual_lags(count: int, periods: int) -> int:
    """Newey and West's number of lags, floor(4 (T / 100)^(2/9)), below the periods and the returns."""
    return max(0, min(periods - 1, count - 1, int(4 * (count / 100) ** (2 / 9))))


def sortino(returns: Array, target: float) -> float | None:
    """Mean above a target over the root mean square of all shortfalls from it.

    Sortino and Price (1994): periods without a shortfall count as 0 in the mean.
    """
    shortfall = np.minimum(returns - target, 0.0)
    downside = sqrt(float(np.mean(shortfall**2))) if len(returns) else 0.0
    return None if downside == 0 else float(np.mean(returns - target)) / downside
