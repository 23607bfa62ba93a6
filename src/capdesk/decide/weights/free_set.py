"""Large problems whose answer holds many names: guess which limits bind, solve, guess again.

The primal-dual active-set method (Hintermuller, Ito & Kunisch 2003; Bergounioux et al. 1999):
a semismooth Newton method, so it ends in a handful of steps where it ends. It may cycle, which
is why it has a limit and a caller that judges the answer. Each step costs one Cholesky
factorisation of the covariance of the free names, or a small one where it is given as factors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.dense import SingularMatrix, small_solve
from capdesk.decide.weights.inverse import solved
from capdesk.decide.weights.optimality import size_of_costs
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

Flags = NDArray[np.bool_]

_MOST_STEPS = 40
_SLACK = 1e-12


def solve(problem: QuadraticProblem, start: Array | None = None) -> Solution | None:
    """The optimum, exact to rounding, or None where the guesses do not settle on one.

    Notes
    -----
    All variables have to be weights, with curvature in every direction, and some row to hold them.
    """
    if len(problem.linear) > problem.names or not len(problem.equalities[1]):
        return None
    rows, limits = problem.inequalities
    lowest, highest = problem.lower, problem.upper
    at_lower, at_upper = _first_guess(problem, start)
    binding = np.zeros(len(limits), dtype=np.bool_)
    held = lowest == highest
    slack = _SLACK * size_of_costs(problem)
    for step in range(_MOST_STEPS):
        fixed = at_lower | at_upper
        free = (~fixed).nonzero()[0]
        try:
            found, costs = _solved(problem, (at_lower, at_upper), free, binding, step)
        except SingularMatrix:
            return None
        x = found.x
        lower = np.where(fixed, at_lower & (costs > -slack), x < lowest - _SLACK)
        upper = np.where(fixed, at_upper & (costs < slack), x > highest + _SLACK)
        lower |= held
        upper &= ~held
        if (lower | upper).all():
            freed = _nearest_to_moving(problem, lower, upper, costs)
            if freed is None:
                return None
            lower[freed] = upper[freed] = False
        settled = not ((lower ^ at_lower) | (upper ^ at_upper)).any()
        if len(limits):
            now = np.where(binding, found.inequality_multipliers > -slack, rows @ x > limits + _SLACK)
            settled &= bool((now == binding).all())
            binding = now
        if settled:
            return _within_bounds(problem, found) if np.abs(costs[free]).max() <= slack else None
        at_lower, at_upper = lower, upper
    return None


def _nearest_to_moving(problem: QuadraticProblem, lower: Flags, upper: Flags, costs: Array) -> int | None:
    """Where every name would be at a bound: the one whose price lets it make up the sum first."""
    row, aim = problem.equalities[0][0], float(problem.equalities[1][0])
    short = aim - float(row @ np.where(lower, problem.lower, problem.upper))
    able = (lower if short > 0 else upper) & (problem.lower < problem.upper)
    return int(np.where(able, np.abs(costs), np.inf).argmin()) if able.any() else None


def _first_guess(problem: QuadraticProblem, start: Array | None) -> tuple[Flags, Flags]:
    if start is None:
        return problem.lower == problem.upper, np.zeros(len(problem.lower), dtype=np.bool_)
    at_lower = start <= problem.lower
    return at_lower, (start >= problem.upper) & ~at_lower


def _within_bounds(problem: QuadraticProblem, found: Solution) -> Solution:
    """Without what the slack has let pass."""
    np.maximum(found.x, problem.lower, out=found.x)
    np.minimum(found.x, problem.upper, out=found.x)
    np.maximum(found.inequality_multipliers, 0.0, out=found.inequality_multipliers)
    return found


def _solved(
    problem: QuadraticProblem, at: tuple[Flags, Flags], free: NDArray[np.intp], binding: Flags, step: int
) -> tuple[Solution, Array]:
    """The optimum of the free names with the others at their bounds and the binding rows exact.

    Returns
    -------
    It, and the reduced costs of all names.
    """
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    z = np.zeros(len(limits))
    if binding.any():
        equal, aims = np.vstack([equal, at_most[binding]]), np.concatenate([aims, limits[binding]])
    if not len(free):
        raise SingularMatrix
    x, gradient, needed = np.zeros(problem.names), problem.linear, aims
    if len(free) < len(x):
        np.copyto(x, problem.lower, where=at[0])
        np.copyto(x, problem.upper, where=at[1])
        gradient, needed = problem.gradient(x), aims - equal.dot(x)
    inside = equal.take(free, axis=1)
    right = np.concatenate((-gradient.take(free)[None, :], inside))
    inner = solved(problem.covariance.of(free), right.T)
    inner /= problem.curvature
    unheld, spread = inner[:, 0], inner[:, 1:]
    prices = small_solve(inside.dot(spread), inside.dot(unheld) - needed)
    x[free] = unheld - spread.dot(prices)
    costs = problem.gradient(x)
    costs += prices.dot(equal)
    split = len(problem.equalities[1])
    z[binding] = prices[split:]
    return Solution(x, prices[:split], z, "primal-dual active set", step + 1), costs
