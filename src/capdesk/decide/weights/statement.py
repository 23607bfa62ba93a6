"""Limits and an objective as one quadratic problem, with the name of each row.

Sizes (of trades, of shorts) are written with their positive parts alone:
``sum |d| = 2 sum max(0, d) - sum d``, and a part is only made where a name may go both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from capdesk.model.evidence import Label, Parts
from capdesk.model.money import NANO

NO_PARTS = Parts(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A problem with the names of its rows and the meaning of its further variables."""

    problem: QuadraticProblem
    parts: Parts
    equality_labels: tuple[Label, ...]
    inequality_labels: tuple[Label, ...]


def state(
    limits: Limits, covariance: Covariance, curvature: float, linear: Array, total: int, *, exact: bool = True
) -> Statement:
    """Write limits and ``(curvature / 2) w' Sigma w + linear' w`` as one problem.

    Parameters
    ----------
    total
        Billionths that the weights add up to; at most, where not `exact`.
    """
    if limits.simple and limits.proportional_costs is None:
        return _of_budget(limits, covariance, curvature, linear, total, exact=exact)
    lower, upper = limits.bounds()
    rows = _Rows(len(limits.names))
    rows.add(np.ones(len(limits.names)), total / NANO, _budget(limits.budget), exact=exact)
    for row in limits.rows:
        rows.add_between(row.coefficients, row.low, row.high, row.kind, row.name)
    trades = _Sizes.of_trades(limits, lower, upper)
    shorts = _Sizes.of_shorts(limits, lower, upper)
    parts = Parts(
        np.concatenate([trades.both_ways, shorts.both_ways]),
        np.concatenate([np.ones(len(trades.both_ways)), -np.ones(len(shorts.both_ways))]),
        np.concatenate([trades.offset[trades.both_ways], np.zeros(len(shorts.both_ways))]),
    )
    costs = np.concatenate([linear, np.zeros(parts.count)])
    if limits.proportional_costs is not None:
        costs += trades.row(limits.proportional_costs, 0, parts.count)
    if limits.turnover is not None:
        size = limits.turnover / NANO
        row = trades.row(np.ones(rows.count), 0, parts.count)
        rows.add(row, size + float(trades.plain @ trades.offset), Label("turnover", "", size))
    if limits.gross is not None:
        size = limits.gross / NANO
        row = shorts.row(np.ones(rows.count), len(trades.both_ways), parts.count)
        rows.add(row, size, Label("gross", "", size))
    for part in range(parts.count):
        row = np.zeros(rows.count + parts.count)
        row[parts.index[part]], row[rows.count + part] = parts.sign[part], -1.0
        rows.add(row, float(parts.sign[part] * parts.offset[part]), Label("", "", 0.0))
    return rows.statement(covariance, curvature, costs, lower, upper, parts)


def _of_budget(
    limits: Limits, covariance: Covariance, curvature: float, linear: Array, total: int, *, exact: bool
) -> Statement:
    """Bounds and a budget alone."""
    count = len(limits.names)
    none = np.zeros((0, count)), np.zeros(0)
    label, budget = (_budget(limits.budget),), (np.ones((1, count)), np.array([total / NANO]))
    equalities, inequalities = (budget, none) if exact else (none, budget)
    problem = QuadraticProblem(covariance, curvature, linear, equalities, inequalities, *limits.bounds())
    return Statement(problem, NO_PARTS, label, ()) if exact else Statement(problem, NO_PARTS, (), label)


@lru_cache(maxsize=8)
def _budget(units: int) -> Label:
    return Label("budget", "", units / NANO)


def no_risk(count: int) -> Covariance:
    """The covariance of a problem that has none."""
    return Covariance(loadings=np.zeros((count, 1)), specific=np.zeros(count))


@dataclass(frozen=True, slots=True, eq=False)
class _Sizes:
    """How ``sum |w - offset|`` is written: `plain` multiplies w - offset, and parts are added twice."""

    both_ways: NDArray[np.intp]
    plain: Array
    offset: Array

    @classmethod
    def of_trades(cls, limits: Limits, lower: Array, upper: Array) -> _Sizes:
        if limits.current is None or (limits.turnover is None and limits.proportional_costs is None):
            return cls(np.zeros(0, np.intp), np.zeros(len(lower)), np.zeros(len(lower)))
        start = limits.current / NANO
        both_ways = np.flatnonzero((lower < start) & (start < upper))
        return cls(both_ways, np.where(start <= lower, 1.0, -1.0), start)

    @classmethod
    def of_shorts(cls, limits: Limits, lower: Array, upper: Array) -> _Sizes:
        none = np.zeros(len(lower))
        if limits.gross is None:
            return cls(np.zeros(0, np.intp), none, none)
        both_ways = np.flatnonzero((lower < 0) & (upper > 0))
        # A short's part is max(0, -w), so |w| = w + 2 part.
        return cls(both_ways, np.where(upper <= 0, -1.0, 1.0), none)

    def row(self, rates: Array, first: int, parts: int) -> Array:
        """The coefficients of ``sum rates |w - offset|``, without its constant."""
        row = np.concatenate([rates * self.plain, np.zeros(parts)])
        place = len(rates) + first
        row[place : place + len(self.both_ways)] = 2 * rates[self.both_ways]
        return row


class _Rows:
    """Collects rows over the weights and, later, over the parts."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.equal: list[tuple[Array, float, Label]] = []
        self.at_most: list[tuple[Array, float, Label]] = []

    def add(self, row: Array, limit: float, label: Label, *, exact: bool = False) -> None:
        (self.equal if exact else self.at_most).append((row, limit, label))

    def add_between(self, row: Array, low: float, high: float, kind: str, name: str) -> None:
        if low == high:
            self.add(row, low, Label(kind, name, low), exact=True)
            return
        if high < np.inf:
            self.add(row, high, Label(f"{kind}_max", name, high))
        if low > -np.inf:
            self.add(-row, -low, Label(f"{kind}_min", name, low, sign=-1))

    def statement(
        self,
        covariance: Covariance,
        curvature: float,
        linear: Array,
        lower: Array,
        upper: Array,
        parts: Parts,
    ) -> Statement:
        if parts.count:
            most = parts.sign * (
                np.where(parts.sign > 0, upper[parts.index], lower[parts.index]) - parts.offset
            )
            lower, upper = np.concatenate([lower, np.zeros(parts.count)]), np.concatenate([upper, most])
        problem = QuadraticProblem(
            covariance=covariance,
            curvature=curvature,
            linear=linear,
            equalities=_stacked(self.equal, len(linear)),
            inequalities=_stacked(self.at_most, len(linear)),
            lower=lower,
            upper=upper,
        )
        return Statement(
            problem,
            parts,
            tuple(label for _, _, label in self.equal),
            tuple(label for _, _, label in self.at_most),
        )


def _stacked(rows: list[tuple[Array, float, Label]], width: int) -> tuple[Array, Array]:
    matrix = np.zeros((len(rows), width))
    for place, (row, _, _) in enumerate(rows):
        matrix[place, : len(row)] = row
    return matrix, np.array([limit for _, limit, _ in rows], float)
