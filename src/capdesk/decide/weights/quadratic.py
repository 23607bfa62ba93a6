"""The door of the quadratic solvers: it chooses a method, and lets no inaccurate answer out.

| problem | method |
|---|---|
| no curvature | HiGHS |
| small | DAQP |
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

_SMALL = 110
_MODERATE = 200


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
    tried: list[str] = []
    best, least = None, ACCEPTABLE
    for answer, exact in _attempts(problem, start):
        if exact:
            return answer
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


def _attempts(problem: QuadraticProblem, start: Array | None) -> Iterator[tuple[Solution, bool]]:
    """Answers, the quickest method first, and whether each is known to be exact."""
    if not problem.curvature:
        yield from _judged(linear.solve(problem))
        return
    count = len(problem.linear)
    if count <= _SMALL:
        found, left = active_set.solve(problem)
        if found is not None:
            yield found, left <= active_set.EXACT
    else:
        if problem.covariance.matrix is None:
            yield from _judged(free_set.solve(problem, start))
        found, near = subset.solve(problem, start)
        yield from _judged(found)
        yield from _judged(free_set.solve(problem, near))
    yield interior_point.solve(problem), False
    if _SMALL < count <= _MODERATE:
        yield from _judged(active_set.solve(problem)[0])


def _judged(found: Solution | None) -> Iterator[tuple[Solution, bool]]:
    if found is not None:
        yield found, False
