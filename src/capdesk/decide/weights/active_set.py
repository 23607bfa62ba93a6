"""Small problems: DAQP, a dual active-set method, exact to rounding where it ends.

Arnstrom, Bemporad & Axehill, A Dual Active-Set Solver for Embedded Quadratic Programming
Using Recursive LDL' Updates (2022).
"""

from __future__ import annotations

from typing import Any

import daqp
import numpy as np

from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

_daqp: Any = daqp
_EQUALITY = 5
_MOST_STEPS = 10_000


def solve(problem: QuadraticProblem) -> Solution | None:
    """The optimum, or None where DAQP finds none (it wants curvature in every direction)."""
    scale, hessian = scaled_hessian(problem)
    equal, at_most = problem.equalities, problem.inequalities
    count, split = len(problem.linear), len(problem.linear) + len(equal[1])
    upper = np.concatenate([problem.upper, equal[1], at_most[1]])
    lower = np.full(len(upper), -np.inf)
    lower[:count], lower[count:split] = problem.lower, equal[1]
    sense = np.zeros(len(upper), dtype=np.int32)
    sense[count:split] = _EQUALITY
    rows = np.concatenate([equal[0], at_most[0]])
    x, _, flag, info = _daqp.solve(
        hessian, problem.linear / scale, rows, upper, lower, sense, primal_tol=1e-11
    )
    if flag != 1:
        return None
    multipliers = scale * np.asarray(info["lam"], dtype=np.float64)
    return Solution(
        x=np.minimum(np.maximum(x, problem.lower), problem.upper),
        equality_multipliers=multipliers[count:split],
        inequality_multipliers=np.maximum(multipliers[split:], 0.0),
        solver="DAQP",
        iterations=int(info["iterations"]),
    )


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
