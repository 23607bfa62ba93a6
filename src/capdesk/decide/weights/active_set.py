"""Small problems: DAQP, a dual active-set method, exact to rounding where it ends.

Arnstrom, Bemporad & Axehill, A Dual Active-Set Solver for Embedded Quadratic Programming
Using Recursive LDL' Updates (2022).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import daqp
import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

EXACT = 1e-12

_daqp: Any = daqp
_EQUALITY = 5
_FEASIBLE = 1e-11
_SIGNED = 1e-14


def solve(problem: QuadraticProblem) -> Solution | None:
    """The optimum, if DAQP ends at a stationary point of the problem as it is stated.

    Notes
    -----
    DAQP wants curvature in every direction. Without it, it adds some and repeats, and what it
    then calls optimal need not be. So what its multipliers leave of the gradient has to be
    rounding: less than `EXACT` of the costs.
    """
    matrix, count = problem.covariance.matrix, len(problem.linear)
    if matrix is None or len(matrix) != count or not matrix.flags.carray:
        return None
    costs = problem.linear
    if problem.curvature != 1.0 or not costs.flags.carray:
        costs = costs / problem.curvature
    found, left = _called(problem, matrix, costs, problem.curvature)
    return found if left <= EXACT else None


def solve_scaled(problem: QuadraticProblem) -> Solution | None:
    """DAQP's answer with costs of about 1, which its tolerances are meant for; the caller judges it."""
    scale, hessian = scaled_hessian(problem)
    return _called(problem, hessian, problem.linear / scale, scale)[0]


def scaled_hessian(problem: QuadraticProblem) -> tuple[float, Array]:
    """The size of the objective's costs, and the Hessian over all variables divided by it."""
    names, count = problem.names, len(problem.linear)
    variance = problem.curvature * float(np.maximum.reduce(problem.covariance.diagonal()))
    scale = max(variance, float(np.maximum.reduce(np.abs(problem.linear))), 1e-300)
    hessian = (problem.curvature / scale) * problem.covariance.dense()
    if count == names:
        return scale, hessian
    padded = np.zeros((count, count))
    padded[:names, :names] = hessian
    return scale, padded


def _called(
    problem: QuadraticProblem, hessian: Array, costs: Array, scale: float
) -> tuple[Solution | None, float]:
    """The answer for costs divided by a scale, and what it leaves of the gradient, as a part of the costs.

    DAQP reads arrays as they lie in memory, so they must be contiguous.
    """
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    count, split = len(costs), len(costs) + len(aims)
    if len(limits):
        rows = np.concatenate((equal, at_most))
        upper = np.concatenate((problem.upper, aims, limits))
        lower = np.concatenate((problem.lower, aims, np.full(len(limits), -np.inf)))
    else:
        rows = equal
        upper, lower = np.concatenate((problem.upper, aims)), np.concatenate((problem.lower, aims))
    x, _, flag, info = _daqp.solve(
        hessian,
        costs,
        rows,
        upper,
        lower,
        _senses(count, split, len(upper)),
        primal_tol=_FEASIBLE,
        dual_tol=_SIGNED,
    )
    if flag != 1:
        return None, np.inf
    multipliers: Array = info["lam"]
    left = hessian.dot(x)
    size = left.dot(left) + costs.dot(costs)
    left += costs
    left += multipliers[:count]
    left += multipliers[count:].dot(rows)
    np.maximum(x, problem.lower, out=x)
    np.minimum(x, problem.upper, out=x)
    if scale != 1.0:
        multipliers *= scale
    z = multipliers[split:]
    found = Solution(
        x, multipliers[count:split], np.maximum(z, 0.0) if len(limits) else z, "DAQP", info["iterations"]
    )
    return found, float(left.dot(left) / size) ** 0.5 if size else np.inf


@lru_cache(maxsize=256)
def _senses(count: int, split: int, every: int) -> NDArray[np.int32]:
    """DAQP's marks of bounds and rows: which are equalities. It does not write to them."""
    senses = np.zeros(every, dtype=np.int32)
    senses[count:split] = _EQUALITY
    return senses
