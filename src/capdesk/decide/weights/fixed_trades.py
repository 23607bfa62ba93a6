"""Which names to trade when every trade has a fixed cost: exact, by branch and bound.

A name is traded or stays where it is. Until that is decided its fixed cost is charged in
proportion to the trade, cost / largest trade, which is never more than the cost itself; so
every node's optimum is a bound for all choices below it (Land & Doig 1960).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

_GAP = 1e-8
_NODES = 2_000
_NOTHING = 1e-9
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """The best choice of trades.

    Attributes
    ----------
    solution, problem
        The optimum, and the problem in which who is not traded is held where it is.
    objective, bound
        With the fixed costs; no choice is better than the bound.
    held
        (n,), who is traded.
    proven
        Whether the bound was reached before the limit of nodes.
    """

    solution: Solution
    problem: QuadraticProblem
    objective: float
    bound: float
    held: Flags
    proven: bool


def solve(problem: QuadraticProblem, fixed: Array, start: Array) -> Traded:
    """Minimise the objective and the fixed cost of every name whose weight is not its start.

    Parameters
    ----------
    problem
        With finite bounds of the weights.
    fixed, start
        (n,), the cost of any trade, and the weights now.

    Raises
    ------
    quadratic.NotSolved
        Where no choice meets the limits.
    """
    count = problem.names
    away = (start < problem.lower[:count]) | (start > problem.upper[:count])
    undecided = (fixed > 0) & ~away
    best: Traded | None = None
    nodes: list[tuple[float, int, Flags, Flags]] = [
        (-np.inf, 0, away | (fixed <= 0), np.zeros(count, np.bool_))
    ]
    opened = 0
    while nodes and opened < _NODES:
        bound, _, traded, stays = heapq.heappop(nodes)
        if best is not None and bound >= best.objective - _GAP * abs(best.objective):
            nodes.clear()
            break
        opened += 1
        try:
            x, bound = _relaxed(problem, fixed, start, traded, stays)
        except quadratic.NotSolved:
            continue
        moving = np.abs(x[:count] - start) > _NOTHING
        offered = _held(problem, fixed, start, ~(moving | away | (fixed <= 0)))
        if offered is not None and (best is None or offered.objective < best.objective):
            best = offered
        if best is not None and bound >= best.objective - _GAP * abs(best.objective):
            continue
        open_names = np.flatnonzero(undecided & ~traded & ~stays & moving)
        if not len(open_names):
            continue
        name = open_names[np.argmax(fixed[open_names])]
        for choice in (traded, stays):
            more = choice.copy()
            more[name] = True
            pair = (more, stays) if choice is traded else (traded, more)
            heapq.heappush(nodes, (bound, opened * 2 + (choice is traded), *pair))
    if best is None:
        raise quadratic.NotSolved(f"no choice of trades within the limits was found in {opened} nodes")
    least = min([best.objective, *(node[0] for node in nodes)])
    return replace(best, bound=least, proven=not nodes)


def _relaxed(
    problem: QuadraticProblem, fixed: Array, start: Array, traded: Flags, stays: Flags
) -> tuple[Array, float]:
    """A node's optimum with undecided costs in proportion, and the bound that it gives."""
    count = problem.names
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[:count][stays] = upper[:count][stays] = start[stays]
    lower, upper = _widths(lower, upper, problem)
    largest = np.maximum(upper[:count] - start, start - lower[:count])
    open_names = np.flatnonzero(~traded & ~stays & (fixed > 0))
    rate = fixed[open_names] / np.maximum(largest[open_names], _NOTHING)
    wide = _with_trades(problem, open_names, rate, start, (lower, upper))
    found = quadratic.solve(wide)
    paid = float(fixed[traded].sum())
    return found.x[: len(problem.linear)], wide.objective(found.x) + paid


def _widths(lower: Array, upper: Array, problem: QuadraticProblem) -> tuple[Array, Array]:
    return np.maximum(lower, problem.lower), np.minimum(upper, problem.upper)


def _with_trades(
    problem: QuadraticProblem, names: NDArray[np.intp], rate: Array, start: Array, bounds: tuple[Array, Array]
) -> QuadraticProblem:
    """The problem with a variable for the size of each of these names' trades, at a rate."""
    width, extra = len(problem.linear), len(names)
    lower, upper = bounds
    wider = [
        np.hstack([rows, np.zeros((len(rows), extra))])
        for rows in (problem.equalities[0], problem.inequalities[0])
    ]
    sizes = np.zeros((2 * extra, width + extra))
    for place, name in enumerate(names):
        sizes[2 * place, name], sizes[2 * place + 1, name] = 1.0, -1.0
        sizes[2 * place : 2 * place + 2, width + place] = -1.0
    signed = np.stack([start[names], -start[names]], axis=1).reshape(-1)
    return replace(
        problem,
        linear=np.concatenate([problem.linear, rate]),
        equalities=(wider[0], problem.equalities[1]),
        inequalities=(np.vstack([wider[1], sizes]), np.concatenate([problem.inequalities[1], signed])),
        lower=np.concatenate([lower, np.zeros(extra)]),
        upper=np.concatenate(
            [upper, np.full(extra, 2.0 * float(np.abs(upper[: problem.names]).max()) + 1.0)]
        ),
    )


def _held(problem: QuadraticProblem, fixed: Array, start: Array, stays: Flags) -> Traded | None:
    """The optimum for one choice of trades; None where it does not meet the limits."""
    count = problem.names
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[:count][stays] = upper[:count][stays] = start[stays]
    stated = replace(problem, lower=lower, upper=upper)
    try:
        found = quadratic.solve(stated)
    except quadratic.NotSolved:
        return None
    value = stated.objective(found.x) + float(fixed[~stays].sum())
    return Traded(found, stated, value, -np.inf, ~stays, proven=False)
