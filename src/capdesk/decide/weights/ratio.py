"""Maximum Sharpe ratio over any polyhedron: a few quadratic problems along the frontier.

The portfolio of the highest mean'w / sqrt(w' Sigma w) lies on the mean-variance frontier: it
minimises (a/2) w' Sigma w - mean'w for the risk aversion a = mean'w / w' Sigma w that it has
itself (Merton 1972; for a ratio of functions this is Dinkelbach's condition, 1967). Between
two changes of the binding limits the frontier is w = u + t v with t = 1/a (Markowitz's
critical lines), on which that condition is linear in t; so a secant step from two points of
one line ends on the answer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capdesk.decide.weights import quadratic, subset
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution
from capdesk.decide.weights.vertex import vertex

_MOST_STEPS = 60
_TOLERANCE = 1e-12
_NO_RISK = 1e-13


def solve(problem: QuadraticProblem, start: Array | None = None) -> tuple[Solution, QuadraticProblem]:
    """Maximise -linear'x / sqrt(w' Sigma w) over the problem's rows and bounds.

    Parameters
    ----------
    problem
        Its `linear` is minus the excess mean; its `curvature` is not read.
    start
        (m,), a feasible point near the answer, if one is known.

    Returns
    -------
    The solution, and the problem with the risk aversion for which it is optimal. In that
    problem the optimum satisfies mean'x = curvature w' Sigma w, and the multipliers show by
    the inequality of Cauchy and Schwarz that no ratio is higher: mean'x' <= curvature
    (Sigma w)'w' <= curvature sqrt(w' Sigma w) sqrt(w' ' Sigma w').

    Raises
    ------
    quadratic.NotSolved
        Where the highest mean is not positive, or a quadratic problem could not be solved.

    Notes
    -----
    Where a positive mean comes without risk there is no highest ratio: such weights are
    returned, for the caller to see that their variance is 0.
    """
    point = start
    if point is None or -float(problem.linear @ point) <= 0:
        point = vertex(replace(problem, curvature=0.0))
    if point is None or -float(problem.linear @ point) <= 0:
        raise quadratic.NotSolved("no feasible weights have a positive excess return")
    riskless = _NO_RISK * float(problem.covariance.diagonal().max()) / float(np.abs(problem.linear).max())
    inverse = max(_tolerance_of_risk(problem, point), riskless)
    before: tuple[float, float] | None = None
    for _ in range(_MOST_STEPS):
        stated = replace(problem, curvature=1.0 / inverse)
        found = quadratic.solve(stated, point)
        point = found.x
        gained = -float(problem.linear @ point)
        own = _tolerance_of_risk(problem, point)
        if own <= riskless or abs(own - inverse) <= _TOLERANCE * inverse:
            return found, stated
        following = own if before is None else _on_the_line(before, (inverse, gained), own)
        before = inverse, gained
        if abs(following - inverse) <= _TOLERANCE * inverse:
            return found, stated
        inverse = following
    raise quadratic.NotSolved(f"the risk aversion did not settle in {_MOST_STEPS} steps")


def among_few(problem: QuadraticProblem) -> Array | None:
    """A point near the answer to start from, if that holds few names, as a quick look tells.

    The aversion is that of positive means over variances, which would be the answer without correlations.
    """
    near = np.zeros(len(problem.linear))
    near[: problem.names] = np.maximum(-problem.linear[: problem.names], 0.0) / problem.covariance.diagonal()
    inverse = _tolerance_of_risk(problem, near / max(float(near.sum()), 1e-300))
    if not 0 < inverse < np.inf:
        return None
    found = subset.solve(replace(problem, curvature=1.0 / inverse))[0]
    return None if found is None else found.x


def _tolerance_of_risk(problem: QuadraticProblem, point: Array) -> float:
    """w' Sigma w / mean'w, which is 1/a; infinite where the mean is not positive."""
    weights = point[: problem.names]
    gained = -float(problem.linear @ point)
    return float(weights @ problem.covariance.times(weights)) / gained if gained > 0 else float("inf")


def _on_the_line(before: tuple[float, float], now: tuple[float, float], own: float) -> float:
    """The t with t mean'u = u' Sigma u, for the line through two points; else the plain step.

    On a line mean'w = s + t b and w' Sigma w = q + t^2 b with one slope b, so t = q / s.
    """
    (earlier, earlier_gain), (inverse, gain) = before, now
    slope = (gain - earlier_gain) / (inverse - earlier)
    base = gain - inverse * slope
    variance = own * gain - inverse * inverse * slope
    if base <= 0 or variance <= 0:
        return own
    return variance / base
