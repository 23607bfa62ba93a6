"""Moves of single billionths between names, until rounded weights meet every row and cost next to nothing.

To first order rounding changes an objective by what its multipliers say: the price of a row
times the room that is left at it, and the reduced cost of a name times what it is moved. Broken
rows count above all else. Single moves are tried first, then two at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.problem import Array
from capdesk.model.money import NANO

_NAMES = 96
_NAMES_OF_TWO = 14
_MOVES = 400
_BROKEN = 1e3
_ENOUGH = 2e-9
_LEAST = 1e-10
_FAR = 1e-11
# Of a unit: what floating point leaves of a row that is met exactly.
_NOISE = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What rounding costs, as parts of the objective.

    Attributes
    ----------
    rows
        For one unit of room at each of `limits.rows`, at turnover and at the gross limit.
    up, down
        (n,), for one unit more or less of each name.
    """

    rows: Array
    up: Array
    down: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows in billionths, `centre` not None in those that add up sizes of differences from it."""

    coefficients: Array
    low: Array
    high: Array
    size: Array
    centres: tuple[Whole | None, ...]

    @classmethod
    def of(cls, limits: Limits) -> _Rows:
        width = len(limits.names)
        coefficients = [row.coefficients for row in limits.rows]
        low = [row.low * NANO for row in limits.rows]
        high = [row.high * NANO for row in limits.rows]
        centres: list[Whole | None] = [None] * len(limits.rows)
        for size, centre in ((limits.turnover, limits.current), (limits.gross, np.zeros(width, np.int64))):
            if size is not None:
                coefficients.append(np.ones(width))
                low.append(-np.inf)
                high.append(float(size))
                centres.append(centre)
        matrix = np.array(coefficients)
        sizes = np.maximum(np.abs(matrix).max(axis=1, initial=0.0), 1e-12)
        return cls(matrix, np.array(low), np.array(high), sizes, tuple(centres))

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

    def cost(self, values: Array, prices: Array) -> Array:
        """What values (rows, ...) cost: the excess over limits, and room that has a price."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        # Room is measured to the nearer limit: that is the one that has the price.
        excess = np.maximum(values - self.high.reshape(shape), self.low.reshape(shape) - values)
        broken = _BROKEN * np.maximum(excess / self.size.reshape(shape) - _NOISE, 0.0)
        room = np.where(excess < 0, -excess, 0.0)
        return (broken + np.where(np.isfinite(room), room, 0.0) * prices.reshape(shape)).sum(axis=0)


def broken(units: Whole, limits: Limits) -> bool:
    """Whether units (n,) exceed a row of the limits."""
    rows = _Rows.of(limits)
    return float(rows.cost(rows.values(units), np.zeros(len(rows.low)))) > 0


def mended(units: Whole, exact: Array, limits: Limits, prices: Prices | None) -> Whole:
    """Units (n,) with the same sum that meet the rows of the limits, near to exact ones."""
    rows = _Rows.of(limits)
    nothing = np.zeros(len(units))
    given = prices or Prices(np.zeros(len(rows.low)), nothing, nothing)
    per_unit = Prices(given.rows / NANO, given.up / NANO, given.down / NANO)
    search = _Search(units.copy(), exact, limits, rows, per_unit)
    for _ in range(_MOVES):
        if search.now() <= _ENOUGH or not (search.move_once() or search.move_twice()):
            break
    return search.units


class _Search:
    """The units as they are moved."""

    def __init__(self, units: Whole, exact: Array, limits: Limits, rows: _Rows, prices: Prices) -> None:
        self.units = units
        self.exact = exact
        self.limits = limits
        self.rows = rows
        self.prices = prices

    def now(self) -> float:
        """What the rows cost as they are."""
        return float(self.rows.cost(self.rows.values(self.units), self.prices.rows))

    def move_once(self) -> bool:
        """Make the move that helps most; whether there was one."""
        now = self.now()
        givers, takers, effects, own = self._moves(_NAMES)
        if not own.size:
            return False
        after = self.rows.cost(self.rows.values(self.units)[:, None, None] + effects, self.prices.rows) + own
        best = int(after.argmin())
        if not after.flat[best] < now - _LEAST:
            return False
        giver, taker = divmod(best, len(takers))
        self._take(givers[giver], takers[taker])
        return True

    def move_twice(self) -> bool:
        """Make the two moves that help most together; whether there were any."""
        now = self.now()
        givers, takers, effects, own = self._moves(_NAMES_OF_TWO)
        flat, own = effects.reshape(len(effects), -1), own.reshape(-1)
        if not flat.size:
            return False
        values = self.rows.values(self.units)[:, None, None]
        after = self.rows.cost(values + flat[:, :, None] + flat[:, None, :], self.prices.rows)
        after = after + own[:, None] + own[None, :]
        best = int(after.argmin())
        if not after.flat[best] < now - _LEAST:
            return False
        before = self.units.copy()
        for move in divmod(best, flat.shape[1]):
            giver, taker = divmod(move, len(takers))
            self._take(givers[giver], takers[taker])
        # Two moves of one name may pass its bound, or a row bend between them.
        inside = (self.units >= self.limits.lower).all() and (self.units <= self.limits.upper).all()
        if inside and self.now() < now - _LEAST:
            return True
        self.units[:] = before
        return False

    def _take(self, giver: np.intp, taker: np.intp) -> None:
        self.units[giver] -= 1
        self.units[taker] += 1

    def _moves(self, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array]:
        """Names that may give and take, what each pair does to the rows, and what it costs itself."""
        off = self.units - self.exact
        givers = _cheapest(self.prices.down - _FAR * off, self.units > self.limits.lower, most)
        takers = _cheapest(self.prices.up + _FAR * off, self.units < self.limits.upper, most)
        less, more = (
            self.rows.effects(self.units, givers, -1),
            self.rows.effects(self.units, takers, 1),
        )
        own = (self.prices.down - _FAR * off)[givers][:, None] + (self.prices.up + _FAR * off)[takers][
            None, :
        ]
        own = np.where(givers[:, None] == takers[None, :], np.inf, own)
        return givers, takers, less[:, :, None] + more[:, None, :], own


def _cheapest(costs: Array, able: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    names = np.flatnonzero(able)
    return names[np.argsort(costs[names], kind="stable")][:most]
