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

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.problem import QuadraticProblem, Solution
from capdesk.decide.weights.vertex import vertex

_MOST_STEPS = 60
_TOLERANCE = 1e-13


class NoRatio(Exception):
    """No weights have a positive mean, or some have a positive mean without risk."""


def solve(problem: QuadraticProblem) -> tuple[Solution, QuadraticProblem]:
    """Maximise -linear'x / sqrt(w' Sigma w) over the problem's rows and bounds.

    Parameters
    ----------
    problem
        Its `linear` is minus the excess mean; its `curvature` is not read.

    Returns
    -------
    The solution, and the problem with the risk aversion for which it is optimal. In that
    problem the optimum satisfies mean'x = curvature w' Sigma w, and the multipliers show by
    the inequality of Cauchy and Schwarz that no ratio is higher: mean'x' <= curvature
    (Sigma w)'w' <= curvature sqrt(w' Sigma w) sqrt(w' ' Sigma w').

    Raises
    ------
    NoRatio
        Where the highest mean is not positive, or a positive mean comes without risk.
    quadratic.NotSolved
        Where a quadratic problem could not be solved.
    """
    point = vertex(replace(problem, curvature=0.0))
    if point is None:
        raise quadratic.NotSolved("no feasible point was found for the ratio")
    if -float(problem.linear @ point) <= 0:
        raise NoRatio("no weights within the limits have a positive excess return")
    inverse = _tolerance_of_risk(problem, point)
    before: tuple[float, float] | None = None
    for _ in range(_MOST_STEPS):
        stated = replace(problem, curvature=1.0 / inverse)
        found = quadratic.solve(stated, point)
        point = found.x
        gained = -float(problem.linear @ point)
        own = _tolerance_of_risk(problem, point)
        if abs(own - inverse) <= _TOLERANCE * inverse:
            return found, stated
        following = own if before is None else _on_the_line(before, (inverse, gained), own)
        before = inverse, gained
        if abs(following - inverse) <= 4 * np.finfo(float).eps * inverse:
            return found, stated
        inverse = following
    raise quadratic.NotSolved(f"the risk aversion did not settle in {_MOST_STEPS} steps")


def _tolerance_of_risk(problem: QuadraticProblem, point: np.ndarray) -> float:
    """w' Sigma w / mean'w, which is 1/a."""
    weights = point[: problem.names]
    variance = float(weights @ problem.covariance.times(weights))
    gained = -float(problem.linear @ point)
    if gained <= 0:
        raise NoRatio("no weights within the limits have a positive excess return")
    if variance <= 1e-14 * gained * gained or not np.isfinite(variance):
        raise NoRatio("weights within the limits have a positive excess return and no risk")
    return variance / gained


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
