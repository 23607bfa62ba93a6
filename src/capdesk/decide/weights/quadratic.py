"""The door of the quadratic solvers: it chooses a method, and lets no inaccurate answer out.

| problem | method |
|---|---|
| no curvature | HiGHS |
| small | DAQP |
| moderate | primal-dual active set by Cholesky, then DAQP |
| large, the covariance as factors | primal-dual active set by Woodbury's identity |
| large, few names held | DAQP on a growing subset, priced against all names |
| large, many names held | primal-dual active set by Cholesky |
| whatever these leave: singular, degenerate, further variables | PIQP, then polished |
"""

from __future__ import annotations

from collections.abc import Iterator

from capdesk.decide.weights import active_set, free_set, interior_point, linear, subset
from capdesk.decide.weights.optimality import ACCEPTABLE, ACCURATE, flaw
from capdesk.decide.weights.polish import polish
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution
from capdesk.decide.weights.scaling import even_rows, even_variances

# Measured: up to so many weights DAQP is the quickest, with rows or further variables up to more,
# and the active sets up to so many.
_SMALL = 76
_SMALL_WITH_MORE = 110
_MODERATE = 150
_MOST_FOR_DAQP = 200


class NotSolved(Exception):
    """No solver found an accurate point; the message says what was tried."""


def solve(problem: QuadraticProblem, start: Array | None = None) -> Solution:
    """Minimise a convex quadratic problem to a relative gap of 1e-9, at worst 1e-8.

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
    alike = even_variances(problem)
    if alike is None:
        return _evenly(problem, start)
    try:
        best = alike.back(_solved(alike.problem, None), problem)
    except NotSolved:
        return _evenly(problem, start)
    try:
        plain = _evenly(problem, start)
    except NotSolved:
        return best
    return plain if flaw(problem, plain) < flaw(problem, best) else best


def _evenly(problem: QuadraticProblem, start: Array | None) -> Solution:
    even = even_rows(problem)
    return _solved(problem, start) if even is None else even.back(_solved(even.problem, start), problem)


def _solved(problem: QuadraticProblem, start: Array | None) -> Solution:
    exact = _at_once(problem, start)
    if exact is not None:
        return exact
    tried: list[str] = []
    best, least = None, ACCEPTABLE
    for answer in _attempts(problem, start):
        found, error = answer, flaw(problem, answer)
        if error > ACCURATE:
            found, error = polish(problem, answer)
        if error <= ACCURATE:
            return found
        if error <= least:
            best, least = found, error
        tried.append(f"{found.solver}: {found.iterations} steps, left {error:.1e}")
    if best is not None:
        return best
    raise NotSolved("no accurate point was found (" + ("; ".join(tried) or "no solver ended") + ")")


def _at_once(problem: QuadraticProblem, start: Array | None) -> Solution | None:
    """The answer of a method that knows it to be exact; None where the others have to try."""
    if len(problem.linear) > _MODERATE or not problem.curvature:
        return None
    return active_set.solve(problem) if _is_small(problem) else free_set.solve(problem, start)


def _is_small(problem: QuadraticProblem) -> bool:
    count = len(problem.linear)
    if count <= _SMALL:
        return True
    more = count > problem.names or len(problem.inequalities[1]) > 0
    return more and count <= _SMALL_WITH_MORE


def _attempts(problem: QuadraticProblem, start: Array | None) -> Iterator[Solution]:
    """Answers for the caller to judge, the quickest method first."""
    methods = _methods(problem, start) if problem.curvature else iter((linear.solve(problem),))
    return (found for found in methods if found is not None)


def _methods(problem: QuadraticProblem, start: Array | None) -> Iterator[Solution | None]:
    count = len(problem.linear)
    small = _is_small(problem)
    if small:
        yield active_set.solve_scaled(problem)
    if count > _MODERATE:
        if problem.covariance.matrix is None:
            yield free_set.solve(problem, start)
        found, near = subset.solve(problem, start)
        yield found
        yield free_set.solve(problem, near)
    yield interior_point.solve(problem)
    if not small and count <= _MOST_FOR_DAQP:
        yield active_set.solve_scaled(problem)
