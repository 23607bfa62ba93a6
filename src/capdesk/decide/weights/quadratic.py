"""The door of the quadratic solvers: it chooses a method, and lets no inaccurate answer out."""

from __future__ import annotations

from capdesk.decide.weights import active_set, interior_point, linear
from capdesk.decide.weights.optimality import ACCURATE, flaw
from capdesk.decide.weights.polish import polish
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

_SMALL = 150


class NotSolved(Exception):
    """No solver found an accurate point; the message says what was tried."""


def solve(problem: QuadraticProblem, start: Array | None = None) -> Solution:
    """Minimise a convex quadratic problem to a relative gap of 1e-9.

    Parameters
    ----------
    problem
        A feasible problem.
    start
        (m,), a point near the answer, if one is known.

    Raises
    ------
    NotSolved
        Where no solver finds an accurate point; an infeasible or unbounded problem ends so too.
    """
    if problem.curvature == 0:
        candidates = [linear.solve]
    else:
        candidates = (
            [active_set.solve, interior_point.solve]
            if len(problem.linear) <= _SMALL
            else [interior_point.solve]
        )
    tried: list[str] = []
    for method in candidates:
        found = method(problem)
        if found is None:
            tried.append(f"{method.__module__}: no optimum")
            continue
        error = flaw(problem, found)
        if error > ACCURATE:
            found, error = polish(problem, found)
        if error <= ACCURATE:
            return found
        tried.append(f"{found.solver}: {found.iterations} steps, left {error:.1e}")
    raise NotSolved("no accurate point was found (" + "; ".join(tried) + ")")
