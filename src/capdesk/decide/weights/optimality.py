"""How far a point and its multipliers are from optimal, in one number that a solver is judged by.

For any multipliers y and z >= 0 the reduced costs r = gradient(x) + E'y + A'z bound the
objective from below (Boyd & Vandenberghe, Convex Optimization, section 5.5.3): the gap is
what the sign of r would still allow x to move, plus what z charges for room that is left.
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

ACCURATE = 1e-9
ACCEPTABLE = 1e-8


def reduced_costs(problem: QuadraticProblem, x: Array, y: Array, z: Array) -> Array:
    """gradient(x) + E'y + A'z, (m,)."""
    costs = problem.gradient(x)
    if len(y):
        costs += y @ problem.equalities[0]
    if len(z):
        costs += z @ problem.inequalities[0]
    return costs


def violation(problem: QuadraticProblem, x: Array) -> float:
    """The largest amount by which x breaks a bound or a row, the row scaled to its size."""
    worst = max(float((problem.lower - x).max()), float((x - problem.upper).max()), 0.0)
    for (rows, limits), exact in ((problem.equalities, True), (problem.inequalities, False)):
        if len(limits):
            excess = rows @ x - limits
            size = 1.0 + np.abs(limits)
            worst = max(worst, float(((np.abs(excess) if exact else excess) / size).max()))
    return worst


def flaw(problem: QuadraticProblem, solution: Solution) -> float:
    """The relative gap or the violation, whichever is larger; below `ACCURATE` it is optimal.

    Notes
    -----
    A variable without a bound on the side it wants to move to is charged |r| (1 + |x|): no
    finite bound follows from it, so it has to be small.
    """
    gap, worst = gap_of(problem, solution), violation(problem, solution.x)
    return float("inf") if not np.isfinite(gap) else max(gap / _size(problem, solution.x), worst)


def gap_of(problem: QuadraticProblem, solution: Solution) -> float:
    """The gap itself: by how much the objective is above what the multipliers prove."""
    x, y, z = solution.x, solution.equality_multipliers, solution.inequality_multipliers
    costs = reduced_costs(problem, x, y, z)
    room = np.where(costs > 0, x - problem.lower, problem.upper - x)
    room = np.where(np.isfinite(room), np.abs(room), 1.0 + np.abs(x))
    gap = float(np.abs(costs) @ room)
    if len(z):
        rows, limits = problem.inequalities
        gap += float(np.abs(z) @ np.abs(limits - rows @ x))
    return gap


def size_of_costs(problem: QuadraticProblem) -> float:
    """What a marginal cost can come to for weights of about 1: the yardstick for reduced costs."""
    costs = float(np.abs(problem.linear).max(initial=0.0))
    return costs + problem.curvature * float(problem.covariance.diagonal().max(initial=0.0)) + 1e-300


def _size(problem: QuadraticProblem, x: Array) -> float:
    """The size of the objective's parts, so that parts that cancel do not make a gap look large.

    Where they all vanish (a hedge without risk) the gap is judged by the costs instead.
    """
    weights = x[: problem.names]
    quadratic = problem.curvature / 2 * float(weights @ problem.covariance.times(weights))
    return max(quadratic + float(np.abs(problem.linear) @ np.abs(x)), 1e-4 * size_of_costs(problem))
