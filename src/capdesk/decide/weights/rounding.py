"""A solver's weights as whole billionths that add up exactly and break no limit.

The spare billionths go to the largest remainders. Where rows (groups, exposures, turnover) are
broken by that, or leave room that has a price, `mending` moves single billionths between names.
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.mending import Prices, broken, mended
from capdesk.decide.weights.problem import Array
from capdesk.model.money import NANO

_NEARLY = 1e-4


def whole(weights: Array, limits: Limits, total: int | None, prices: Prices | None = None) -> Whole:
    """The weights in billionths.

    Parameters
    ----------
    weights
        (n,), fractions that meet the limits but for a solver's tolerance.
    total
        What they add up to, in billionths; None where they may leave cash: then it is the sum
        that is nearest, or one less where the rows hold that.
    prices
        What room at rows and moves of names cost, where there is an objective.
    """
    exact = weights * NANO
    # Next to a bound is at it: what is between them is a solver's noise.
    exact = np.where(
        exact > limits.upper - 0.5, limits.upper, np.where(exact < limits.lower + 0.5, limits.lower, exact)
    )
    if total is not None:
        return _of_sum(exact, limits, total, prices)
    nearest = min(limits.budget, round(float(np.add.reduce(exact))))
    units = _of_sum(exact, limits, nearest, prices)
    held = not limits.simple and broken(units, limits)
    return _of_sum(exact, limits, nearest - 1, prices) if held else units


def _of_sum(exact: Array, limits: Limits, total: int, prices: Prices | None) -> Whole:
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
