"""A solver's weights as whole millionths that add up exactly and break no limit.

The spare millionths go to the largest remainders. Where rows (groups, exposures, turnover) are
broken by that, or leave room that has a price, `mending` moves single millionths between names.
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.mending import Prices, mended
from capdesk.decide.weights.problem import Array
from capdesk.model.money import MICRO

_NEARLY = 1e-4


def whole(weights: Array, limits: Limits, total: int, prices: Prices | None = None) -> Whole:
    """The weights in millionths.

    Parameters
    ----------
    weights
        (n,), fractions that meet the limits but for a solver's tolerance.
    total
        What they add up to, in millionths.
    prices
        What room at rows and moves of names cost, where there is an objective.
    """
    exact = weights * MICRO
    units = np.floor(exact + _NEARLY).astype(np.int64)
    units = np.minimum(np.maximum(units, limits.lower), limits.upper)
    units = _spread(units, exact, limits.lower, limits.upper, total)
    return units if limits.simple else mended(units, exact, limits, prices)


def _spread(units: Whole, exact: Array, lower: Whole, upper: Whole, total: int) -> Whole:
    """Give the spare units to the largest remainders that have room."""
    spare = total - int(np.add.reduce(units))
    while spare:
        step = 1 if spare > 0 else -1
        room = units < upper if step > 0 else units > lower
        order = np.argsort(step * (units - exact), kind="stable")
        order = order[room[order]][: abs(spare)]
        if not len(order):
            break
        units[order] += step
        spare -= step * len(order)
    return units
