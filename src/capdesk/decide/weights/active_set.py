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
    equal, at_most = problem.equalities, problem.inequalities
    count, split = len(costs), len(costs) + len(equal[1])
    rows = np.concatenate([equal[0], at_most[0]])
    upper = np.concatenate([problem.upper, equal[1], at_most[1]])
    lower = np.full(len(upper), -np.inf)
    lower[:split] = upper[:split]
    lower[:count] = problem.lower
    sense = np.zeros(len(upper), dtype=np.int32)
    sense[count:split] = _EQUALITY
    x, _, flag, info = _daqp.solve(hessian, costs, rows, upper, lower, sense, primal_tol=_FEASIBLE)
    multipliers: Array = info["lam"]
    if flag != 1:
        return None, np.inf
    left = hessian @ x + costs + multipliers[:count] + multipliers[count:] @ rows
    x = np.where(multipliers[:count] < 0, problem.lower, np.where(multipliers[:count] > 0, problem.upper, x))
    x = np.minimum(np.maximum(x, problem.lower), problem.upper)
    multipliers *= scale
    found = Solution(
        x=x,
        equality_multipliers=multipliers[count:split],
        inequality_multipliers=np.maximum(multipliers[split:], 0.0),
        solver="DAQP",
        iterations=info["iterations"],
    )
    return found, float(np.abs(left).max())


def scaled_hessian(problem: QuadraticProblem) -> tuple[float, Array]:
    """The size of the objective's costs, and the Hessian over all variables divided by it."""
    names, count = problem.names, len(problem.linear)
    variance = problem.curvature * float(problem.covariance.diagonal().max())
    scale = max(variance, float(np.abs(problem.linear).max()), 1e-300)
    hessian = (problem.curvature / scale) * problem.covariance.dense()
    if count == names:
        return scale, hessian
    padded = np.zeros((count, count))
    padded[:names, :names] = hessian
    return scale, padded
