"""Problems in even units: rows with coefficients near 1, variances that do not differ by millions.

A solver's tolerances are absolute, so a row whose coefficients are billionths is not seen by it,
and beside a variance of 100 one of 10^-10 is nothing. Rows are divided by their largest
coefficient; weights are counted in units in which their variances are alike, x = units x'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution

_SMALLEST_ROW = 0.05
_UNEVEN = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A problem in even units, and the units: of variables (m,), equalities (p,) and inequalities (q,)."""

    problem: QuadraticProblem
    units: Array | None
    equal: Array | None
    most: Array | None

    def back(self, found: Solution, original: QuadraticProblem) -> Solution:
        """A solution of it as one of the original."""
        x, y, z = found.x, found.equality_multipliers, found.inequality_multipliers
        if self.units is not None:
            x = np.clip(self.units * x, original.lower, original.upper)
        y = y if self.equal is None else y / self.equal
        z = z if self.most is None else z / self.most
        return replace(found, x=x, equality_multipliers=y, inequality_multipliers=z)


def even_rows(problem: QuadraticProblem) -> Scaled | None:
    """The problem with every row divided by its largest coefficient; None where all are near 1."""
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    of_equal, of_most = _sizes(equal), _sizes(at_most)
    if of_equal is None and of_most is None:
        return None
    if of_equal is not None:
        equal, aims = equal / of_equal[:, None], aims / of_equal
    if of_most is not None:
        at_most, limits = at_most / of_most[:, None], limits / of_most
    even = replace(problem, equalities=(equal, aims), inequalities=(at_most, limits))
    return Scaled(even, None, of_equal, of_most)


def even_variances(problem: QuadraticProblem) -> Scaled | None:
    """The problem in units in which no variance is above the least of them; None where they are alike."""
    variances = problem.covariance.diagonal()
    most, least = float(np.maximum.reduce(variances)), float(np.minimum.reduce(variances))
    if not problem.curvature or (least > 0 and most <= _UNEVEN * least):
        return None
    least = float(np.minimum.reduce(variances[variances > 0], initial=np.inf))
    if most <= _UNEVEN * least:
        return None
    units = np.ones(len(problem.linear))
    units[: problem.names] = np.sqrt(least / np.maximum(variances, least))
    own = units[: problem.names]
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    scaled = replace(
        problem,
        covariance=_in_units(problem.covariance, own),
        linear=problem.linear * units,
        equalities=(equal * units, aims),
        inequalities=(at_most * units, limits),
        lower=problem.lower / units,
        upper=problem.upper / units,
    )
    even = even_rows(scaled)
    return Scaled(scaled, units, None, None) if even is None else replace(even, units=units)


def _in_units(covariance: Covariance, own: Array) -> Covariance:
    if covariance.matrix is not None:
        return Covariance(matrix=covariance.matrix * own[:, None] * own)
    loadings, specific = covariance.factors()
    return Covariance(loadings=loadings * own[:, None], specific=specific * own * own)


def _sizes(rows: Array) -> Array | None:
    """The largest coefficient of each row; None where all are near enough to 1."""
    if not len(rows):
        return None
    # Mostly there is but the budget, a row of ones.
    if len(rows) == 1 and _SMALLEST_ROW <= abs(rows[0, 0]) <= 1 / _SMALLEST_ROW:
        return None
    sizes = np.maximum.reduce(np.abs(rows), axis=1, initial=0.0)
    least, most = float(np.minimum.reduce(sizes)), float(np.maximum.reduce(sizes))
    if least >= _SMALLEST_ROW and most <= 1 / _SMALLEST_ROW:
        return None
    far = (sizes > 0) & ((sizes < _SMALLEST_ROW) | (sizes > 1 / _SMALLEST_ROW))
    return np.where(far, sizes, 1.0) if far.any() else None
