"""Large problems whose answer holds many names: guess which limits bind, solve, guess again.

The primal-dual active-set method (Hintermuller, Ito & Kunisch 2003; Bergounioux et al. 1999):
a semismooth Newton method, so it ends in a handful of steps where it ends. It may cycle, which
is why it has a limit and a caller that judges the answer. Each step costs one Cholesky
factorisation of the covariance of the free names, or a small one where it is given as factors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.dense import LU, SingularMatrix
from capdesk.decide.weights.inverse import inverse_of
from capdesk.decide.weights.optimality import reduced_costs, size_of_costs
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

Flags = NDArray[np.bool_]

_MOST_STEPS = 25


def solve(problem: QuadraticProblem, start: Array | None = None) -> Solution | None:
    """The optimum, or None where the guesses do not settle.

    Notes
    -----
    All variables have to be weights, with curvature in every direction.
    """
    if len(problem.linear) > problem.names:
        return None
    rows, limits = problem.inequalities
    at_lower, at_upper = _first_guess(problem, start)
    binding = np.zeros(len(limits), dtype=np.bool_)
    scale = size_of_costs(problem)
    for step in range(_MOST_STEPS):
        try:
            found = _solved(problem, at_lower, at_upper, binding, step)
        except SingularMatrix:
            return None
        x, z = found.x, found.inequality_multipliers
        costs = reduced_costs(problem, x, found.equality_multipliers, z) / scale
        fixed = at_lower | at_upper
        slack = 1e-12
        lower = np.where(fixed, at_lower & (costs > -slack), x < problem.lower - slack)
        upper = np.where(fixed, at_upper & (costs < slack), x > problem.upper + slack)
        held = problem.lower == problem.upper
        lower |= held
        upper &= ~held
        now = np.where(binding, z > -slack * scale, rows @ x > limits + slack)
        if (lower == at_lower).all() and (upper == at_upper).all() and (now == binding).all():
            return found
        at_lower, at_upper, binding = lower, upper, now
    return None


def _first_guess(problem: QuadraticProblem, start: Array | None) -> tuple[Flags, Flags]:
    if start is None:
        return problem.lower == problem.upper, np.zeros(len(problem.lower), dtype=np.bool_)
    at_lower = start <= problem.lower
    return at_lower, (start >= problem.upper) & ~at_lower


def _solved(
    problem: QuadraticProblem, at_lower: Flags, at_upper: Flags, binding: Flags, step: int
) -> Solution:
    """The optimum of the free names with the others at their bounds and the binding rows exact."""
    x = np.where(at_lower, problem.lower, np.where(at_upper, problem.upper, 0.0))
    free = np.flatnonzero(~(at_lower | at_upper))
    if not len(free):
        raise SingularMatrix
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    held = np.vstack([equal, at_most[binding]])
    needed = np.concatenate([aims, limits[binding]]) - held @ x
    apply = inverse_of(problem.covariance.of(free), problem.curvature)
    right = np.column_stack([-problem.gradient(x)[free], held[:, free].T])
    inner = apply(right)
    unheld, spread = inner[:, 0], inner[:, 1:]
    multipliers = LU(held[:, free] @ spread).solve(held[:, free] @ unheld - needed)
    x[free] = unheld - spread @ multipliers
    z = np.zeros(len(limits))
    z[binding] = multipliers[len(aims) :]
    return Solution(x, multipliers[: len(aims)], z, "primal-dual active set", step + 1)
