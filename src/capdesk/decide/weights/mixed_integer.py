"""Which names to hold at all: a limit on their number, a least holding, fixed costs. Exact.

Branch and bound (Land & Doig 1960) on who is in and who is out, the most promising node first,
with the bound of `perspective`. Every node also rounds its own relaxation to a choice that can
be held, so there is an answer from the first node on; where the search is cut short, the
answer says what bound is left.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.perspective import Holding, Relaxed, holding, relaxed
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

Flags = NDArray[np.bool_]

GAP = 1e-7

_NOTHING = 1e-9
_DROPS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The best choice found.

    Parameters
    ----------
    solution
        The optimum of `problem`, with multipliers for it.
    problem
        The problem with the choice in its bounds: 0 for who is out, the least holding for who is in.
    objective
        The objective with the fixed costs of who is held.
    bound
        No choice has an objective below it.
    held
        (n,), who is held.
    nodes
        How many choices were bounded.
    proven
        Whether the bound meets the objective to 1e-7 of it; else the node limit was reached.
    """

    solution: Solution
    problem: QuadraticProblem
    objective: float
    bound: float
    held: Flags
    nodes: int
    proven: bool


def solve(
    problem: QuadraticProblem,
    *,
    max_names: int | None = None,
    min_if_held: Array | None = None,
    fixed_costs: Array | None = None,
    node_limit: int = 20_000,
) -> Chosen:
    """Minimise the objective and the fixed costs over who is held and how much.

    Parameters
    ----------
    problem
        Long-only: lower bounds of weights are 0 or more, upper ones finite. A name with a
        positive lower bound is always held.
    max_names
        How many names may be held.
    min_if_held, fixed_costs
        (n,), the least weight of a name that is held, and what holding it costs.
    node_limit
        How many nodes may be opened.

    Raises
    ------
    ValueError
        For short positions, or weights without an upper bound.
    quadratic.NotSolved
        Where no choice within the limits was found.
    """
    count = problem.names
    if (problem.lower[:count] < 0).any() or not np.isfinite(problem.upper[:count]).all():
        raise ValueError("choosing names needs weights that are 0 or more, each with an upper bound")
    least = np.zeros(count) if min_if_held is None else min_if_held
    fixed = np.zeros(count) if fixed_costs is None else fixed_costs
    costs = holding(problem.covariance, fixed, count if max_names is None else max_names)
    return _Search(problem, costs, least).run(node_limit)


class _Search:
    """The best choice so far and the nodes that are open."""

    def __init__(self, problem: QuadraticProblem, costs: Holding, least: Array) -> None:
        self._problem, self._costs = problem, costs
        self._least = np.maximum(problem.lower[: problem.names], least)
        self._best: Chosen | None = None
        self._value = np.inf
        self._tried: set[bytes] = set()
        self._open: list[tuple[float, int, Flags, Flags, Relaxed]] = []
        self._nodes = 0

    def run(self, node_limit: int) -> Chosen:
        """Open nodes until the bound meets the best value, or the limit."""
        count = self._problem.names
        must = self._problem.lower[:count] > 0
        out = (self._problem.upper[:count] <= 0) | (self._least > self._problem.upper[:count])
        self._bound(must, out)
        while self._open and self._open[0][0] < self._cut() and self._nodes < node_limit:
            _, _, must, out, node = heapq.heappop(self._open)
            name = _undecided(node, must | out)
            self._bound(must, _with(out, name))
            self._bound(_with(must, name), out)
        if self._best is None:
            raise quadratic.NotSolved(
                f"no choice of names within the limits was found in {self._nodes} nodes"
            )
        bound = min(self._open[0][0], self._value) if self._open else self._value
        return replace(self._best, bound=bound, nodes=self._nodes, proven=bound >= self._cut())

    def _cut(self) -> float:
        return self._value - GAP * abs(self._value) if np.isfinite(self._value) else np.inf

    def _bound(self, must: Flags, out: Flags) -> None:
        """Bound a node, try the choice it suggests, and keep it where it may lead to a better one."""
        places = self._costs.places
        if must.sum() > places:
            return
        if must.sum() == places:
            out = ~must
        self._nodes += 1
        if (must | out).all():
            self._offer(must)
            return
        node = relaxed(self._chosen(must, out), self._costs, must, self._cut())
        if node is None:
            return
        self._try(node, must, out)
        if node.bound < self._cut():
            heapq.heappush(self._open, (node.bound, self._nodes, must, out, node))

    def _chosen(self, must: Flags, out: Flags) -> QuadraticProblem:
        problem, count = self._problem, self._problem.names
        lower, upper = problem.lower.copy(), problem.upper.copy()
        lower[:count] = np.where(must, self._least, 0.0)
        upper[:count] = np.where(out, 0.0, upper[:count])
        return replace(problem, lower=lower, upper=upper)

    def _try(self, node: Relaxed, must: Flags, out: Flags) -> None:
        """Hold the names that the node holds most; let the smallest go while it is below its least."""
        weights = node.x[: len(must)]
        order = np.argsort(-np.where(must, np.inf, np.where(out, -1.0, node.held + weights)), kind="stable")
        held = np.zeros(len(must), dtype=np.bool_)
        held[order[: self._costs.places]] = True
        held &= must | ((weights > _NOTHING) & ~out)
        for _ in range(_DROPS):
            if held.tobytes() in self._tried:
                return
            self._tried.add(held.tobytes())
            try:
                weights = quadratic.solve(self._chosen(must, ~held), node.x).x[: len(must)]
            except quadratic.NotSolved:
                return
            held &= must | (weights > _NOTHING)
            short = np.flatnonzero(held & ~must & (weights < self._least))
            if not len(short):
                break
            held[short[(weights / np.maximum(self._least, _NOTHING))[short].argmin()]] = False
        self._offer(held)

    def _offer(self, held: Flags) -> None:
        """Hold just these names, and remember it if nothing better is known."""
        problem = self._chosen(held, ~held)
        try:
            solution = quadratic.solve(problem)
        except quadratic.NotSolved:
            return
        value = problem.objective(solution.x) + float(self._costs.fixed[held].sum())
        if value < self._value:
            self._value = value
            self._best = Chosen(solution, problem, value, -np.inf, held, self._nodes, False)


def _with(flags: Flags, name: int) -> Flags:
    flags = flags.copy()
    flags[name] = True
    return flags


def _undecided(node: Relaxed, decided: Flags) -> int:
    """The name whose holding is least clear."""
    return int(np.where(decided, -1.0, np.minimum(node.held, 1.0 - node.held)).argmax())
