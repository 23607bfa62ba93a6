"""The exponentially weighted mean of histories, and how far it was off from day to day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weighted_mean(values: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """The exponentially weighted mean of each row (p, d), the newest value last; (p,).

    Rows are filled from the right; NaN stands to the left of a row's first value. The
    weights are normalised, so that a short history is not pulled towards zero.
    """
    weights: NDArray[np.float64] = (1 - alpha) ** np.arange(values.shape[1] - 1, -1, -1.0)
    known = ~np.isnan(values)
    total: NDArray[np.float64] = np.where(known, values, 0.0) @ weights
    mean: NDArray[np.float64] = total / (known @ weights)
    return mean


def next_day_errors(values: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """The mean absolute error of each row's forecasts of its own next value, (p,); NaN where none."""
    length = values.shape[1]
    if length < 2:
        return np.nan * np.ones(len(values))
    known = ~np.isnan(values)
    missed = np.zeros((len(values), length - 1))
    total, weight = np.zeros(len(values)), np.zeros(len(values))
    for day in range(length - 1):
        total = (1 - alpha) * total + np.where(known[:, day], values[:, day], 0.0)
        weight = (1 - alpha) * weight + known[:, day]
        with np.errstate(invalid="ignore"):
            missed[:, day] = np.abs(values[:, day + 1] - total / weight)
    counted = ~np.isnan(missed)
    with np.errstate(invalid="ignore"):
        return np.where(counted, missed, 0.0).sum(axis=1) / counted.sum(axis=1)
