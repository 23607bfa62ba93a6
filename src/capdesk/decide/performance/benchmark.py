"""Returns beside a benchmark's: alpha, beta, tracking error, capture."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.performance.ratios import spread

Array = NDArray[np.float64]
Figures = dict[str, float | None]


def against(returns: Array, benchmark: Array, risk_free: float, per_year: float) -> Figures:
    """The figures of returns (T,) beside a benchmark's (T,); None where they are not defined.

    Alpha is Jensen's (1968), beta x excess of the benchmark taken from the excess of the
    returns, times the periods of a year. Capture ratios compare the geometric mean growth in
    the periods in which the benchmark rose, or fell.
    """
    difference = returns - benchmark
    error = spread(difference)
    figures: Figures = {
        "alpha": None,
        "beta": None,
        "correlation": None,
        "tracking_error": error * sqrt(per_year),
        "information_ratio": None if error == 0 else float(difference.mean()) / error * sqrt(per_year),
        "up_capture": _capture(returns, benchmark, benchmark > 0),
        "down_capture": _capture(returns, benchmark, benchmark < 0),
    }
    own, market = spread(returns), spread(benchmark)
    if market > 0:
        covariance = float(np.cov(returns, benchmark)[0, 1])
        beta = covariance / market**2
        excess = float(returns.mean()) - risk_free - beta * (float(benchmark.mean()) - risk_free)
        figures |= {"alpha": excess * per_year, "beta": beta}
        figures["correlation"] = None if own == 0 else covariance / (own * market)
    return figures


def _capture(returns: Array, benchmark: Array, chosen: NDArray[np.bool_]) -> float | None:
    count = int(np.count_nonzero(chosen))
    if not count:
        return None
    ours, theirs = (float(np.prod(1 + each[chosen])) ** (1 / count) - 1 for each in (returns, benchmark))
    return ours / theirs if theirs else None
