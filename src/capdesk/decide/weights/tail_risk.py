"""Minimum conditional value at risk, alone or beside a mean and a variance, within any limits.

CVaR is the mean loss of the worst share of the scenarios, minimised as a linear problem
(Rockafellar & Uryasev, Optimization of Conditional Value-at-Risk, 2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse as _scipy_sparse  # pyright: ignore[reportMissingTypeStubs]

from capdesk.decide.weights import linear, quadratic, tail_interior
from capdesk.decide.weights.optimality import ACCEPTABLE, ACCURATE, flaw, gap_of, violation
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution
from capdesk.decide.weights.restriction import restricted

_sparse: Any = _scipy_sparse
_TYPICAL = 0.01
_LAST = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class TailSolution(Solution):
    """A solution over x = (w, further variables), with the chances that bound it from below.

    Parameters
    ----------
    chances
        q (T,), each between 0 and 1 / (tail T), summing to 1: the worst mixture of scenarios.
        For any such q, CVaR(w) >= -q' R w, so the smallest value of ``(curvature / 2) w' Sigma w
        + (c - R'q)' x`` within the limits is a bound, and the multipliers prove it for ``linear``
        replaced by that.
    """

    chances: Array


def cvar(returns: Array, tail: float) -> float:
    """The mean loss of the worst `tail` of the returns (T,), the boundary one counted in part."""
    worst = np.sort(returns)
    count = tail * len(worst)
    whole = int(count)
    total = float(worst[:whole].sum())
    if whole < len(worst):
        total += (count - whole) * float(worst[whole])
    return -total / count


def stated(scenarios: Array, chances: Array, problem: QuadraticProblem) -> QuadraticProblem:
    """The problem whose optimum is the bound that chances give."""
    linear = problem.linear.copy()
    linear[: scenarios.shape[1]] -= chances @ scenarios
    return replace(problem, linear=linear)


def solve(scenarios: Array, tail: float, problem: QuadraticProblem) -> TailSolution:
    """Minimise CVaR of the losses -R w plus the problem's own objective within its limits.

    Parameters
    ----------
    scenarios
        R, (T, n), returns of equally likely scenarios.
    tail
        The share of the scenarios that is the tail, 0.05 for CVaR 95 %; between 0 and 1.
    problem
        Its curvature and linear part are added to the CVaR (both 0 for CVaR alone).

    Raises
    ------
    quadratic.NotSolved
        Where no accurate point was found, which is how an infeasible problem ends.
    """
    size = _size(scenarios)
    if size != 1.0:
        scaled = replace(problem, linear=problem.linear / size, curvature=problem.curvature / size)
        found = _solved(scenarios / size, tail, scaled)
        return replace(
            found,
            equality_multipliers=found.equality_multipliers * size,
            inequality_multipliers=found.inequality_multipliers * size,
        )
    return _solved(scenarios, tail, problem)


def _size(scenarios: Array) -> float:
    """By which power of two returns are divided, so that they move by about a hundredth."""
    typical = float(np.abs(scenarios).mean())
    return 2.0 ** round(np.log2(typical / _TYPICAL)) if typical > 0 else 1.0


def _solved(scenarios: Array, tail: float, problem: QuadraticProblem) -> TailSolution:
    weight = 1.0 / (tail * len(scenarios))
    whole = _by_quadratic if problem.curvature else _by_simplex
    best, least = None, _LAST
    for attempt, enough in ((_dropping, ACCURATE), (_keeping, ACCURATE), (whole, ACCEPTABLE)):
        found = attempt(scenarios, weight, problem)
        if found is None:
            continue
        off = _flaw(scenarios, tail, problem, found)
        if off <= enough:
            return found
        if off <= least:
            best, least = found, off
    if best is not None:
        return best
    raise quadratic.NotSolved(
        "no accurate point was found by the interior point method or with every scenario as a row"
    )


def _dropping(scenarios: Array, weight: float, problem: QuadraticProblem) -> TailSolution | None:
    return _by_interior_point(scenarios, weight, problem, dropping=True)


def _keeping(scenarios: Array, weight: float, problem: QuadraticProblem) -> TailSolution | None:
    return _by_interior_point(scenarios, weight, problem, dropping=False)


def _by_interior_point(
    scenarios: Array, weight: float, problem: QuadraticProblem, *, dropping: bool
) -> TailSolution | None:
    moving = np.flatnonzero(problem.lower < problem.upper)
    x = np.where(problem.lower < problem.upper, 0.0, problem.lower)
    inner, names = problem, scenarios.shape[1]
    moved, resting = scenarios, np.zeros(len(scenarios))
    if len(moving) < len(x):
        inner = restricted(problem, moving, x)
        moved, resting = scenarios[:, moving[moving < names]], scenarios @ x[:names]
    ready = tail_interior.TailProblem(moved, resting, weight, inner)
    ended = tail_interior.solve(ready, dropping=dropping)
    if ended is None:
        return None
    x[moving] = np.clip(ended.x, inner.lower, inner.upper)
    chances = _chances(ended.chances, weight)
    return TailSolution(x, ended.y, ended.z, "interior point for tails", ended.steps, chances)


def _by_simplex(scenarios: Array, weight: float, problem: QuadraticProblem) -> TailSolution | None:
    """The linear problem whole, by HiGHS."""
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    (count, names), width = scenarios.shape, len(problem.linear)
    slack = np.hstack([scenarios, np.zeros((count, width - names)), np.ones((count, 1))])
    own = np.vstack([equal, at_most])
    rows = _sparse.block_array(
        [[np.hstack([own, np.zeros((len(own), 1))]), None], [slack, _sparse.eye_array(count)]], format="csc"
    )
    highs = linear.optimise(
        np.concatenate([problem.linear, [1.0], np.full(count, weight)]),
        rows,
        (
            np.concatenate([aims, np.full(len(limits), -np.inf), np.zeros(count)]),
            np.concatenate([aims, limits, np.full(count, np.inf)]),
        ),
        (
            np.concatenate([problem.lower, [-np.inf], np.zeros(count)]),
            np.concatenate([problem.upper, np.full(count + 1, np.inf)]),
        ),
    )
    if not linear.is_optimal(highs):
        return None
    found = highs.getSolution()
    duals = np.asarray(found.row_dual, dtype=np.float64)
    y, z = -duals[: len(aims)], np.maximum(-duals[len(aims) : len(own)], 0.0)
    x = np.clip(np.asarray(found.col_value[:width], dtype=np.float64), problem.lower, problem.upper)
    steps = int(highs.getInfo().simplex_iteration_count)
    return TailSolution(x, y, z, f"HiGHS {highs.version()}", steps, _chances(duals[len(own) :], weight))


def _by_quadratic(scenarios: Array, weight: float, problem: QuadraticProblem) -> TailSolution | None:
    """The problem whole, as a quadratic one with a row and a variable for each scenario."""
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    (count, names), width = scenarios.shape, len(problem.linear)
    more = np.zeros((len(equal), count + 1)), np.zeros((len(at_most), count + 1))
    losses = np.hstack(
        [-scenarios, np.zeros((count, width - names)), np.full((count, 1), -1.0), -np.eye(count)]
    )
    whole = replace(
        problem,
        linear=np.concatenate([problem.linear, [1.0], np.full(count, weight)]),
        equalities=(np.hstack([equal, more[0]]), aims),
        inequalities=(
            np.vstack([np.hstack([at_most, more[1]]), losses]),
            np.concatenate([limits, np.zeros(count)]),
        ),
        lower=np.concatenate([problem.lower, [-np.inf], np.zeros(count)]),
        upper=np.concatenate([problem.upper, np.full(count + 1, np.inf)]),
    )
    try:
        found = quadratic.solve(whole)
    except quadratic.NotSolved:
        return None
    z = found.inequality_multipliers
    return TailSolution(
        found.x[:width],
        found.equality_multipliers,
        z[: len(limits)],
        found.solver,
        found.iterations,
        _chances(z[len(limits) :], weight),
    )


def _chances(near: Array, weight: float) -> Array:
    """Chances within their bounds that sum to 1, next to those given."""
    chances = np.clip(near, 0.0, weight)
    missing = 1.0 - float(chances.sum())
    room = weight - chances if missing > 0 else chances
    return chances + missing * room / float(room.sum()) if missing else chances


def _flaw(scenarios: Array, tail: float, problem: QuadraticProblem, found: TailSolution) -> float:
    """The relative gap between the value reached and the bound that the chances prove."""
    bound = stated(scenarios, found.chances, problem)
    returns = scenarios @ found.x[: scenarios.shape[1]]
    short = cvar(returns, tail) + float(found.chances @ returns)
    size = (
        abs(float(found.chances @ returns))
        + float(np.abs(problem.linear) @ np.abs(found.x))
        + 1e-4 * float(np.abs(returns).max())
    )
    # A hedged tail has no loss in the end: a gap is a part of what moves before that.
    moves = float(found.chances @ (np.abs(scenarios) @ np.abs(found.x[: scenarios.shape[1]])))
    whole = max(size, moves, 1e-300)
    off = max(gap_of(bound, found) / whole, violation(bound, found.x)) if size < whole else flaw(bound, found)
    return max(off, short / whole)
