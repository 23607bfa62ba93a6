"""A solver's weights as whole billionths that add up exactly and break no limit.

Each is rounded, and the billionths that make the sum exact go by the remainders. Where rows
(groups, exposures, turnover) are broken by that, or leave room that has a price, `mending` moves
single billionths between names.
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.mending import Prices, broken, mended
from capdesk.decide.weights.problem import Array
from capdesk.model.money import NANO


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
    if total is not None:
        return _of_sum(exact, limits, total, prices)
    nearest = min(limits.budget, round(float(np.add.reduce(exact))))
    units = _of_sum(exact, limits, nearest, prices)
    held = not limits.simple and broken(units, limits)
    return _of_sum(exact, limits, nearest - 1, prices) if held else units


def _of_sum(exact: Array, limits: Limits, total: int, prices: Prices | None) -> Whole:
    units = np.rint(exact).astype(np.int64)
    np.maximum(units, limits.lower, out=units)
    np.minimum(units, limits.upper, out=units)
    spare = total - int(np.add.reduce(units))
    if spare:
        units = _spread(units, exact, limits, spare)
    return units if limits.simple else mended(units, exact, limits, prices)


def _spread(units: Whole, exact: Array, limits: Limits, spare: int) -> Whole:
    """Give spare units to the largest remainders that have room, or take them from the smallest."""
    step, bounds = (1, limits.upper) if spare > 0 else (-1, limits.lower)
    while spare:
        room = (units != bounds).nonzero()[0]
        if not len(room):
            break
        off = units - exact
        # Next to a bound is at it: what is between them is a solver's noise.
        off[(units == limits.lower) | (units == limits.upper)] = 0.0
        order = room[np.argsort(step * off[room], kind="stable")][: abs(spare)]
        units[order] += step
        spare -= step * len(order)
    return units
