"""The limits of a plan as the program works with them: whole billionths, name by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from capdesk.model.evidence import Array
from capdesk.model.money import NANO

Whole = NDArray[np.int64]

NO_LIMIT = 2**52
"""Billionths that no weight reaches: where there is no bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A weighted sum of the weights between two limits, in fractions; infinite where there is none."""

    kind: str
    name: str
    coefficients: Array
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Trading:
    """The largest trades (n,), and the bounds that weights would have without them."""

    most: Whole
    lower: Whole
    upper: Whole
    lower_kinds: str | tuple[str, ...]
    upper_kinds: str | tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Limits:
    """What the weights of n names must obey, in billionths.

    Attributes
    ----------
    lower, upper
        (n,), at most `NO_LIMIT` in size.
    lower_kinds, upper_kinds
        Which limit each bound is: one text for all, or one for each.
    long_only
        Whether no weight may be below 0, whatever its lower bound would become.
    current
        (n,), where trades start from; None where nothing speaks of trades.
    trading
        What was given where the bounds are also those of the largest trades; None where they are not.
    min_if_held, fixed_costs
        (n,), 0 where there is none; None where no name has any.
    proportional_costs
        (n,), fractions of a trade's size.
    """

    names: tuple[str, ...]
    lower: Whole
    upper: Whole
    lower_kinds: str | tuple[str, ...]
    upper_kinds: str | tuple[str, ...]
    long_only: bool
    budget: int
    fully_invested: bool
    allow_cash: bool
    rows: tuple[Row, ...]
    gross: int | None
    turnover: int | None
    current: Whole | None
    trading: Trading | None
    max_names: int | None
    min_if_held: Whole | None
    proportional_costs: Array | None
    fixed_costs: Array | None

    @cached_property
    def least(self) -> int:
        """The sum of the minima."""
        return int(np.add.reduce(self.lower))

    @cached_property
    def most(self) -> int:
        """The sum of the maxima."""
        return int(np.add.reduce(self.upper))

    def bounds(self) -> tuple[Array, Array]:
        """The weights' bounds as fractions, infinite where there is none."""
        lower, upper = self._fractions
        return lower.copy(), upper.copy()

    @cached_property
    def _fractions(self) -> tuple[Array, Array]:
        return _fractions(self.lower), _fractions(self.upper)

    @cached_property
    def simple(self) -> bool:
        """Bounds and a budget, nothing else."""
        return not (self.rows or self.gross is not None or self.turnover is not None)

    def unbound(self, total: int) -> bool:
        """Whether positive weights that add up to a total meet every limit whatever they are."""
        within = np.maximum.reduce(self.lower, initial=0) <= 0
        return self.simple and bool(within and np.minimum.reduce(self.upper, initial=total) >= total)

    @property
    def discrete(self) -> bool:
        """Whether names must be chosen."""
        return self.max_names is not None or self.min_if_held is not None or self.fixed_costs is not None


def _fractions(units: Whole) -> Array:
    values = units / NANO
    if np.maximum.reduce(np.abs(units), initial=0) >= NO_LIMIT:
        values[units >= NO_LIMIT], values[units <= -NO_LIMIT] = np.inf, -np.inf
    return values
