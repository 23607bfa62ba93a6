"""A solver's weights as whole millionths that add up exactly and break no limit.

The spare millionths go to the largest remainders. Where rows (groups, exposures, turnover)
are broken by that, or leave room that has a price, single millionths move between names
until they are met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.limits import NO_LIMIT, Limits, Whole
from capdesk.decide.weights.problem import Array
from capdesk.model.money import MICRO

_CANDIDATES = 96
_MOVES = 400
_BROKEN = 1e4
_FAR = 1e-3


def whole(weights: Array, limits: Limits, total: int, prices: Array | None = None) -> Whole:
    """The weights in millionths.

    Parameters
    ----------
    weights
        (n,), fractions that meet the limits but for a solver's tolerance.
    total
        What they add up to, in millionths.
    prices
        What one unit of each of `limits.rows`, of turnover and of the gross limit is worth,
        in this order; a row with a price is kept full.
    """
    exact = weights * MICRO
    units = np.clip(np.floor(exact + 1e-4), limits.lower, limits.upper).astype(np.int64)
    units = _spread(units, exact, limits.lower, limits.upper, total)
    if limits.simple:
        return units
    system = _Rows.of(limits)
    return _moved(units, exact, limits, system, np.zeros(system.count) if prices is None else prices)


def _spread(units: Whole, exact: Array, lower: Whole, upper: Whole, total: int) -> Whole:
    """Give the spare units to the largest remainders that have room."""
    spare = total - int(units.sum())
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


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows in millionths, `centre` not None in those that add up sizes of differences from it."""

    coefficients: Array
    low: Array
    high: Array
    centres: tuple[Whole | None, ...]

    @property
    def count(self) -> int:
        return len(self.low)

    @classmethod
    def of(cls, limits: Limits) -> _Rows:
        width = len(limits.names)
        coefficients = [row.coefficients for row in limits.rows]
        low = [row.low * MICRO for row in limits.rows]
        high = [row.high * MICRO for row in limits.rows]
        centres: list[Whole | None] = [None] * len(limits.rows)
        for size, centre in ((limits.turnover, limits.current), (limits.gross, np.zeros(width, np.int64))):
            if size is not None:
                coefficients.append(np.ones(width))
                low.append(-np.inf)
                high.append(float(size))
                centres.append(centre)
        return cls(np.array(coefficients), np.array(low), np.array(high), tuple(centres))

    def values(self, units: Whole) -> Array:
        values = self.coefficients @ units
        for place, centre in enumerate(self.centres):
            if centre is not None:
                values[place] = np.abs(units - centre).sum()
        return values

    def effects(self, units: Whole, names: NDArray[np.intp], step: int) -> Array:
        """What one unit more (or less) of each name does to each row, (rows, names)."""
        effects = step * self.coefficients[:, names]
        for place, centre in enumerate(self.centres):
            if centre is not None:
                away = step * (units[names] - centre[names]) >= 0
                effects[place] = np.where(away, 1.0, -1.0)
        return effects


def _moved(units: Whole, exact: Array, limits: Limits, rows: _Rows, prices: Array) -> Whole:
    """Move single millionths between names while that mends a row or fills one that has a price."""
    size = np.maximum(np.abs(rows.coefficients).max(axis=1, initial=0.0), 1e-12)
    priced = prices * size
    priced = priced / max(float(priced.sum()), 1e-300) if priced.any() else priced

    def cost(values: Array) -> Array:
        shape = (-1,) + (1,) * (values.ndim - 1)
        high, low = rows.high.reshape(shape), rows.low.reshape(shape)
        excess = np.maximum(values - high, low - values)
        # Room is measured to the nearer limit: that is the one that has the price.
        return (np.maximum(excess, 0) * _BROKEN - np.minimum(excess, 0) * priced.reshape(shape)).T @ (
            1 / size
        )

    for _ in range(_MOVES):
        values = rows.values(units)
        now = float(cost(values))
        if now <= _FAR:
            break
        givers = _nearest(exact - units, units > limits.lower)
        takers = _nearest(units - exact, units < limits.upper)
        less, more = rows.effects(units, givers, -1), rows.effects(units, takers, 1)
        after = cost(values[:, None, None] + less[:, :, None] + more[:, None, :]).T
        after += _FAR * ((exact - units)[givers][:, None] + (units - exact)[takers][None, :])
        after[givers[:, None] == takers[None, :]] = np.inf
        best = int(after.argmin())
        giver, taker = divmod(best, len(takers))
        if after.flat[best] >= now - _FAR:
            break
        units[givers[giver]] -= 1
        units[takers[taker]] += 1
    return units


def _nearest(remainders: Array, able: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The names that may move, those that are rounded worst first."""
    names = np.flatnonzero(able & (np.abs(remainders) < NO_LIMIT))
    return names[np.argsort(remainders[names], kind="stable")][:_CANDIDATES]
