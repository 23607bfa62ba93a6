"""Small problems: DAQP, a dual active-set method, exact to rounding where it ends.

Arnstrom, Bemporad & Axehill, A Dual Active-Set Solver for Embedded Quadratic Programming
Using Recursive LDL' Updates (2022).
"""

from __future__ import annotations

from typing import Any

import daqp
import numpy as np

from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

EXACT = 1e-14

_daqp: Any = daqp
_EQUALITY = 5
_FEASIBLE = 1e-11


def solve(problem: QuadraticProblem) -> tuple[Solution | None, float]:
    """The optimum where DAQP finds one, and how far it is from stationary.

    Notes
    -----
    The second figure is what the multipliers leave of the gradient, in units of the largest
    cost: below `EXACT` the answer needs no further judge. DAQP wants curvature in every
    direction. Without it, it adds some and repeats, and what it then calls optimal need not be.
    """
    scale, hessian = scaled_hessian(problem)
    costs = problem.linear / scale
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    count, split = len(costs), len(costs) + len(aims)
    rows, upper, lower = equal, (problem.upper, aims), (problem.lower, aims)
    if len(limits):
        rows = np.concatenate((equal, at_most))
        upper, lower = (*upper, limits), (*lower, np.full(len(limits), -np.inf))
    sense = np.zeros(split + len(limits), dtype=np.int32)
    sense[count:split] = _EQUALITY
    x, _, flag, info = _daqp.solve(
        hessian, costs, rows, np.concatenate(upper), np.concatenate(lower), sense, primal_tol=_FEASIBLE
    )
    if flag != 1:
        return None, np.inf
    multipliers: Array = info["lam"]
    own = multipliers[:count]
    left = hessian @ x
    left += costs
    left += own
    left += multipliers[count:] @ rows
    np.copyto(x, problem.lower, where=own < 0)
    np.copyto(x, problem.upper, where=own > 0)
    np.maximum(x, problem.lower, out=x)
    np.minimum(x, problem.upper, out=x)
    multipliers *= scale
    found = Solution(
        x=x,
        equality_multipliers=multipliers[count:split],
        inequality_multipliers=np.maximum(multipliers[split:], 0.0),
        solver="DAQP",
        iterations=info["iterations"],
    )
    return found, float(np.maximum.reduce(np.abs(left)))


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
