"""Forecasts by the models of statsforecast: exponential smoothing, theta, ARIMA, each chosen by its own criterion.

Hyndman, Koehler, Ord & Snyder (2008) for the first, Fiorucci et al. (2016) for theta, Hyndman &
Khandakar (2008) for ARIMA. They need some history: where a pool has less, or a model gives no
number, the weighted mean stands in.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.pools.weighted import weighted_mean
from capdesk.model.errors import InvalidInput

MODELS = {"ets": "AutoETS", "theta": "AutoTheta", "arima": "AutoARIMA"}
FEWEST_DAYS = 8
JUDGED_DAYS = 7
"""A model is fitted anew for each day that it is judged by."""

Values = NDArray[np.float64]


def predicted(values: Values, model: str, alpha: float) -> Values:
    """The next value of each row (p, d), the newest last and NaN before a row's first; (p,).

    Raises
    ------
    InvalidInput
        If statsforecast is not installed.
    """
    make = _maker(model)
    return np.array([_next(row[~np.isnan(row)], make, alpha) for row in values])


def judged(values: Values, model: str, alpha: float) -> tuple[Values, Values]:
    """The mean absolute errors over each row's last days, (p,), and those of the last value; NaN where none."""
    make = _maker(model)
    errors, naive = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for number, row in enumerate(values):
        known = row[~np.isnan(row)]
        days = range(max(len(known) - JUDGED_DAYS, 1), len(known))
        if days:
            errors[number] = np.mean([abs(known[day] - _next(known[:day], make, alpha)) for day in days])
            naive[number] = np.mean([abs(known[day] - known[day - 1]) for day in days])
    return errors, naive


def _next(known: Values, make: Any, alpha: float) -> float:
    if len(known) >= FEWEST_DAYS:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # A steady rate has no variance to divide by; what comes of it is judged below.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = float(make(season_length=1).forecast(y=known, h=1)["mean"][0])
        if np.isfinite(found):
            return found
    return float(weighted_mean(known[np.newaxis], alpha)[0])


def _maker(model: str) -> Any:
    try:
        models = import_module("statsforecast.models")
    except ModuleNotFoundError:
        raise InvalidInput(
            f"the forecast {model!r} needs statsforecast: install capdesk with its extra 'forecast'"
        ) from None
    return getattr(models, MODELS[model])
