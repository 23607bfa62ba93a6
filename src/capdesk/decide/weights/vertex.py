"""A feasible vertex to start from: the cheapest by a linear guess of the costs.

With one budget it is a fractional knapsack (Dantzig 1957), else a linear programme.
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights import linear
from capdesk.decide.weights.problem import Array, QuadraticProblem


def vertex(problem: QuadraticProblem) -> Array | None:
    """A point of the feasible set with few variables between their bounds; None if HiGHS has none."""
    costs = problem.linear.copy()
    costs[: problem.names] += problem.curvature * problem.covariance.diagonal()
    rows, limits = problem.equalities
    if len(limits) == 1 and not len(problem.inequalities[1]) and np.isfinite(problem.lower).all():
        filled = _knapsack(costs, rows[0], float(limits[0]), problem)
        if filled is not None:
            return filled
    return by_programme(costs, problem)


def _knapsack(costs: Array, row: Array, budget: float, problem: QuadraticProblem) -> Array | None:
    """Fill the cheapest names first; None where the row is not positive or the budget not met."""
    left = budget - float(row @ problem.lower)
    if (row <= 0).any() or left < 0:
        return None
    room = np.minimum(row * (problem.upper - problem.lower), left)
    order = np.argsort(costs / row, kind="stable")
    before = np.cumsum(room[order]) - room[order]
    taken = np.clip(left - before, 0.0, room[order])
    x = problem.lower.copy()
    x[order] += taken / row[order]
    return x if abs(float(row @ x) - budget) <= 1e-12 * (1.0 + abs(budget)) else None


def by_programme(costs: Array, problem: QuadraticProblem) -> Array | None:
    """The feasible point with the least linear costs (m,), by HiGHS; None where it finds none."""
    rows = np.vstack([problem.equalities[0], problem.inequalities[0]])
    upper = np.concatenate([problem.equalities[1], problem.inequalities[1]])
    lower = upper.copy()
    lower[len(problem.equalities[1]) :] = -np.inf
    highs = linear.optimise(costs, rows, (lower, upper), (problem.lower, problem.upper))
    if not linear.is_optimal(highs):
        return None
    return np.clip(np.asarray(highs.getSolution().col_value, dtype=np.float64), problem.lower, problem.upper)
