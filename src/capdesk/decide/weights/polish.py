"""The last digits: with the binding limits known, the optimum is one linear system.

The equality-constrained problem of an active set, with its system made regular and refined, so
that redundant rows and singular covariances do no harm (Stellato et al., OSQP: An Operator
Splitting Solver for Quadratic Programs, 2020, section 5.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.dense import LU, SingularMatrix
from capdesk.decide.weights.optimality import flaw, reduced_costs, size_of_costs
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

_ROUNDS = 4
_REGULAR = 1e-7
_REFINEMENTS = 6


def polish(problem: QuadraticProblem, rough: Solution) -> tuple[Solution, float]:
    """The best of a rough answer and of the points its binding limits lead to, with its flaw."""
    best, error = rough, flaw(problem, rough)
    current = rough
    for _ in range(_ROUNDS):
        try:
            current = _solved(problem, current)
        except SingularMatrix:
            break
        new = flaw(problem, current)
        if new >= error:
            break
        best, error = current, new
    return best, error


def _solved(problem: QuadraticProblem, near: Solution) -> Solution:
    """The optimum for the limits that bind at a point, as its multipliers and room tell."""
    x = near.x.copy()
    costs = reduced_costs(problem, x, near.equality_multipliers, near.inequality_multipliers)
    cost_size = size_of_costs(problem)
    at_lower = (x - problem.lower) * cost_size < costs
    at_upper = (problem.upper - x) * cost_size < -costs
    fixed = problem.lower == problem.upper
    x[at_lower | fixed] = problem.lower[at_lower | fixed]
    x[at_upper] = problem.upper[at_upper]
    free = np.flatnonzero(~(at_lower | at_upper | fixed))
    rows, limits = problem.inequalities
    binding = np.flatnonzero((limits - rows @ near.x) * cost_size < near.inequality_multipliers)
    held = np.vstack([problem.equalities[0], rows[binding]])
    aims = np.concatenate([problem.equalities[1], limits[binding]])
    step, multipliers = _equality_constrained(problem, x, free, held, aims)
    x[free] += step
    split = len(problem.equalities[1])
    z = np.zeros(len(limits))
    z[binding] = np.maximum(multipliers[split:], 0.0)
    return Solution(
        x=np.clip(x, problem.lower, problem.upper),
        equality_multipliers=multipliers[:split],
        inequality_multipliers=z,
        solver=near.solver,
        iterations=near.iterations,
    )


def _equality_constrained(
    problem: QuadraticProblem, x: Array, free: NDArray[np.intp], held: Array, aims: Array
) -> tuple[Array, Array]:
    """The step of the free variables and the rows' multipliers."""
    count, inside = len(free), free[free < problem.names]
    hessian = problem.curvature * problem.covariance.of(inside).dense()
    scale = float(np.abs(hessian).max(initial=0.0)) or 1.0
    system = np.zeros((count + len(aims), count + len(aims)))
    system[: len(inside), : len(inside)] = hessian / scale
    system[count:, :count] = held[:, free]
    system[:count, count:] = held[:, free].T
    right = np.concatenate([-problem.gradient(x)[free] / scale, aims - held @ x])
    answer = _refined(system, right, count)
    return answer[:count], scale * answer[count:]


def _refined(system: Array, right: Array, count: int) -> Array:
    """Solve a system that may be singular: a regular one near it, refined on its residuals."""
    signs = np.ones(len(right))
    signs[count:] = -1.0
    factor = LU(system + np.diag(_REGULAR * signs))
    answer = factor.solve(right)
    for _ in range(_REFINEMENTS):
        answer += factor.solve(right - system @ answer)
    return answer
