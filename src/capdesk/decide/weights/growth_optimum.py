"""The stakes that minimise a smooth convex cost, such as growth forgone, under linear limits.

    minimise  c'x + cost(v)        x = (v, further variables), limits on x

Newton's method with limits: each step is a quadratic problem of `quadratic` (sequential
quadratic programming; Nocedal & Wright, Numerical Optimization, chapter 18), and the tangent
and multipliers of the last prove how much better any point could be. An outcome of next to no
probability hardly shows in the growth and still may not ruin, so an outcome that a step would
ruin becomes a row too: every outcome leaves a millionth of the bankroll.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.weights import interior_point, quadratic
from capdesk.decide.weights.growth import Expansion, Wealth
from capdesk.decide.weights.polish import polish
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution

_MOST_STEPS = 100
_MOST_ROWS = 200
LEFT = 1e-6
"""What every outcome leaves of the bankroll."""
_GAP = 1e-11
# What rounding the stakes leaves in the gap: near ruin the slope is only known to that.
_ROUNDING = 2.0**-49
# Newton's last steps cost little and take the stakes from 6 digits to 12.
_SETTLED = 1e-10
_LAST_STEPS = 3
# Of the largest curvature: makes a step unique, and leaves the optimum where it is.
_PROXIMAL = 1e-9

Cost = Callable[[Array], Expansion]


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The point and multipliers, and how much lower the objective could be at most.

    After the multipliers of the limits' rows come those of outcomes that would ruin, whose losses
    (k, n) are in `ruinous`: ruinous @ v <= 1 keeps the bankroll.
    """

    solution: Solution
    gap: float
    ruinous: Array


def solve(wealth: Wealth, cost: Cost, limits: QuadraticProblem, start: Array | None = None) -> Optimum:
    """The optimum.

    Parameters
    ----------
    wealth
        The distribution of outcomes, for those that would ruin.
    cost
        Expands the cost of stakes (n,) about them; convex where no outcome ruins.
    limits
        Whose rows, bounds and linear costs are used.
    start
        (m,), a feasible point that does not ruin; by default the nearest to staking nothing.

    Raises
    ------
    NotSolved
        Where no accurate answer is found; growth without a bound ends so too.
    """
    names = wealth.names
    given = len(limits.inequalities[1])
    x = _start(wealth, limits) if start is None else start
    gap, settled = float("inf"), 0
    for step in range(_MOST_STEPS):
        here = cost(x[:names])
        move, limits = _solvent(wealth, limits, x, here, _best)
        gap = _gap(limits, x, here, move)
        stakes = np.abs(x[:names])
        told = _GAP + _ROUNDING * float(stakes @ np.abs(here.hessian) @ stakes)
        settled = settled + 1 if gap <= told else 0
        if settled > _LAST_STEPS or (settled and float(np.abs(move.x).max()) <= _SETTLED):
            solution = replace(move, x=x, iterations=step + 1, solver=f"sequential {move.solver}")
            return Optimum(solution, gap, limits.inequalities[0][given:, :names])
        x = _searched(wealth, cost, limits, x, move.x)
    raise quadratic.NotSolved(
        f"Kelly stakes: after {_MOST_STEPS} steps the growth could still be {gap:.1e} higher; "
        "a combination of bets that cannot lose has growth without bound: give limits"
    )


def _start(wealth: Wealth, limits: QuadraticProblem) -> Array:
    count = len(limits.linear)
    flat = Expansion(0.0, np.zeros(count), np.eye(count))
    nothing = np.zeros(count)
    try:
        return _solvent(wealth, replace(limits, linear=nothing), nothing, flat, quadratic.solve)[0].x
    except quadratic.NotSolved as error:
        raise quadratic.NotSolved(
            "Kelly stakes: none within the limits, which are taken 1 / fraction as wide, "
            f"leave something in every outcome ({error})"
        ) from error


def _solvent(
    wealth: Wealth,
    limits: QuadraticProblem,
    x: Array,
    here: Expansion,
    solver: Callable[[QuadraticProblem], Solution],
) -> tuple[Solution, QuadraticProblem]:
    """The next step, and the limits with a row for each outcome that would leave less than nothing."""
    for _ in range(_MOST_ROWS):
        move = solver(_model(limits, x, here))
        least, returns = wealth.worst((x + move.x)[: wealth.names])
        if least >= LEFT / 2:
            return move, limits
        row = np.zeros((1, len(x)))
        row[0, : wealth.names] = -returns
        rows, caps = limits.inequalities
        limits = replace(limits, inequalities=(np.vstack([rows, row]), np.append(caps, 1 - LEFT)))
    raise quadratic.NotSolved(f"Kelly stakes: more than {_MOST_ROWS} outcomes lose the whole bankroll")


def _model(limits: QuadraticProblem, x: Array, here: Expansion) -> QuadraticProblem:
    """The quadratic problem of the step: in the step, because about the origin its terms cancel."""
    curvature = (here.hessian + here.hessian.T) / 2
    names = len(curvature)
    curvature[np.diag_indices(names)] += _PROXIMAL * max(float(np.diagonal(curvature).max()), 1e-12)
    linear = limits.linear.copy()
    linear[:names] += here.gradient
    (rows, sums), (caps, most) = limits.equalities, limits.inequalities
    return QuadraticProblem(
        covariance=Covariance(matrix=curvature),
        curvature=1.0,
        linear=linear,
        equalities=(rows, sums - rows @ x),
        inequalities=(caps, most - caps @ x),
        lower=limits.lower - x,
        upper=limits.upper - x,
    )


def _best(model: QuadraticProblem) -> Solution:
    """The model's optimum, or near it: what a step is worth is judged by the gap in the end."""
    try:
        return quadratic.solve(model)
    except quadratic.NotSolved:
        return polish(model, interior_point.solve(model))[0]


def _gap(limits: QuadraticProblem, x: Array, here: Expansion, move: Solution) -> float:
    """What the objective could still fall by at most, from its tangent and multipliers (weak duality)."""
    y, z = move.equality_multipliers, move.inequality_multipliers
    (rows, _), (caps, most) = limits.equalities, limits.inequalities
    costs = limits.linear + y @ rows + z @ caps
    costs[: len(here.gradient)] += here.gradient
    room = np.where(costs > 0, x - limits.lower, limits.upper - x)
    room = np.where(np.isfinite(room), np.abs(room), 1.0 + np.abs(x))
    return float(np.abs(costs) @ room + z @ np.abs(most - caps @ x))


def _searched(wealth: Wealth, cost: Cost, limits: QuadraticProblem, x: Array, step: Array) -> Array:
    """The first of x + step, x + step / 2, ... that is no worse."""
    names = wealth.names

    def objective(at: Array) -> float:
        ruins = wealth.worst(at[:names])[0] <= 0
        return float("inf") if ruins else float(limits.linear @ at) + cost(at[:names]).value

    here, length = objective(x), 1.0
    while length > 1e-10:
        candidate = x + length * step
        if objective(candidate) < here + 1e-15:
            return candidate
        length /= 2
    return x
