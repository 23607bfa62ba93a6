"""Convex problems in which using a variable at all costs something: branch and bound.

    minimise  q(x) + sum charge_i [x_i > 0]   subject to  A x <= b,  0 <= x <= upper

and a variable that is used is used at least `least`. Each node relaxes the charges of what
it has not decided to ``charge_i x_i / upper_i``, which never exceeds them, so its optimum
is a bound on all that lies below it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.problem import Array, QuadraticProblem
from capdesk.decide.weights.quadratic import NotSolved, solve

Flags = NDArray[np.bool_]
_SAME = 1e-9
_Node = tuple[float, int, Flags, Flags]
"""Its bound, its number (which settles ties before arrays are compared), what is used and what is not."""


@dataclass(frozen=True, slots=True, eq=False)
class ChargedProblem:
    """The problem's first (and here only) variables carry charges.

    Parameters
    ----------
    base
        The problem without charges; its lower bounds are 0, its upper bounds finite.
    charges, least
        (n,), 0 or more.
    charge_rows
        (q, n): what using a variable takes from each inequality's right side.
    """

    base: QuadraticProblem
    charges: Array
    least: Array
    charge_rows: Array

    def cost(self, x: Array) -> float:
        """The objective with the charges of what is used."""
        return self.base.objective(x) + float(self.charges @ (x > 0))


def minimise(problem: ChargedProblem) -> Array:
    """The optimum, (n,).

    Best bound first; it ends when no node's bound is below the best point found by more
    than a relative 1e-9.
    """
    size = len(problem.charges)
    plain = (problem.charges == 0) & (problem.least == 0) & ~problem.charge_rows.any(axis=0)
    best = np.zeros(size)
    lowest = problem.cost(best)
    scale = max(1e-6, abs(lowest))
    nobody: Flags = np.zeros(size, dtype=np.bool_)
    open_nodes: list[_Node] = [(-np.inf, 0, plain, nobody)]
    made = 0
    while open_nodes:
        bound, _, used, unused = heappop(open_nodes)
        if bound >= lowest - _SAME * scale:
            break
        relaxed = _relaxed(problem, used, unused)
        if relaxed is None:
            continue
        point, bound = relaxed
        if bound >= lowest - _SAME * scale:
            continue
        chosen = point > 1e-12
        completed = _relaxed(problem, chosen | used, ~(chosen | used))
        if completed is not None:
            candidate = np.where(completed[0] > 1e-12, completed[0], 0.0)
            if (cost := problem.cost(candidate)) < lowest:
                best, lowest = candidate, cost
        undecided = ~(used | unused)
        if not undecided.any():
            continue
        fraction = point / np.where(problem.base.upper > 0, problem.base.upper, 1)
        missed = np.where(undecided, problem.charges * (1 - fraction) * (point > 1e-12), -1.0)
        place = int(np.argmax(missed + 1e-15 * undecided * (point > 1e-12)))
        flag = np.arange(size) == place
        for node in ((used | flag, unused), (used, unused | flag)):
            made += 1
            heappush(open_nodes, (bound, made, *node))  # pyright: ignore[reportArgumentType]
    return best


def _relaxed(problem: ChargedProblem, used: Flags, unused: Flags) -> tuple[Array, float] | None:
    """The relaxation of a node: its point and its bound; None where nothing is feasible."""
    base = problem.base
    undecided = ~(used | unused)
    share = np.where(undecided & (base.upper > 0), 1 / np.where(base.upper > 0, base.upper, 1), 0.0)
    rows, right = base.inequalities
    node = replace(
        base,
        linear=base.linear + problem.charges * share,
        inequalities=(rows + problem.charge_rows * share, right - problem.charge_rows @ used),
        lower=np.where(used, problem.least, 0.0),
        upper=np.where(unused, 0.0, base.upper),
    )
    if bool(np.any(node.lower > node.upper)):
        return None
    try:
        point = solve(node).x
    except NotSolved:
        if _feasible(node):
            raise
        return None
    point = np.clip(point, node.lower, node.upper)
    return point, node.objective(point) + float(problem.charges @ used)


def _feasible(node: QuadraticProblem) -> bool:
    """Whether any point obeys the rows: what takes least of each, its buys 0 and its sells whole, does."""
    linear = replace(node, curvature=0.0, linear=np.zeros_like(node.linear))
    try:
        solve(linear)
    except NotSolved:
        return False
    return True
