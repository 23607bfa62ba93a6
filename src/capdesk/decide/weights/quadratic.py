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
from dataclasses import replace

import numpy as np

from capdesk.decide.weights import active_set, free_set, interior_point, linear, subset
from capdesk.decide.weights.optimality import ACCEPTABLE, ACCURATE, flaw
from capdesk.decide.weights.polish import polish
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

_SMALL = 110
_MODERATE = 200
_SMALLEST_ROW = 0.05


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
    sizes = [_sizes(rows) for rows, _ in (problem.equalities, problem.inequalities)]
    if all(size is None for size in sizes):
        return _solved(problem, start)
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    of_equal, of_most = (1.0 if size is None else size for size in sizes)
    even = replace(
        problem,
        equalities=((equal.T / of_equal).T, aims / of_equal),
        inequalities=((at_most.T / of_most).T, limits / of_most),
    )
    found = _solved(even, start)
    return replace(
        found,
        equality_multipliers=found.equality_multipliers / of_equal,
        inequality_multipliers=found.inequality_multipliers / of_most,
    )


def _sizes(rows: Array) -> Array | None:
    """The largest coefficient of each row; None where all are near enough to 1 for absolute tolerances."""
    sizes = np.abs(rows).max(axis=1, initial=0.0)
    far = (sizes > 0) & ((sizes < _SMALLEST_ROW) | (sizes > 1 / _SMALLEST_ROW))
    return np.where(far, sizes, 1.0) if far.any() else None


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
