"""Which names to hold at all: a limit on their number, a least holding, fixed costs. Exact.

Branch and bound (Land & Doig 1960) on who is in and who is out, the most promising node first,
with the bound of `perspective`. A name that may be long or short and has a least holding is in
as one or as the other. Every node also rounds its own relaxation to a choice that can be held,
so there is an answer from the first node on; where the search is cut short, the answer says
what bound is left.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.perspective import Choice, Flags, Holding, Relaxed, holding, relaxed
from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution

GAP = 1e-7

# A tenth of a weight's unit: above what floating point leaves, below what a solver takes for met.
_NOTHING = 1e-10
_DROPS = 8


class Unbounded(ValueError):
    """Weights have no bound, and the covariance gives none either."""


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
    constant: float = 0.0,
    strict: bool = True,
    node_limit: int = 20_000,
) -> Chosen:
    """Minimise the objective and the fixed costs over who is held and how much.

    Parameters
    ----------
    problem
        A name whose bounds leave out 0 is always held. Weights without a bound need a
        covariance that is positive definite.
    max_names
        How many names may be held.
    min_if_held, fixed_costs
        (n,), the least size of a weight that is held, and what holding it costs.
    constant
        What belongs to the objective beside the problem's own: the gap is a part of all of it.
    strict
        Whether a choice is none whose bounds let an equality lack what a solver does not see;
        what exceeds it by that is never a choice.
    node_limit
        How many nodes may be opened.

    Raises
    ------
    Unbounded
        For weights without a bound where the covariance is singular.
    quadratic.NotSolved
        Where no choice within the limits was found.
    """
    count = problem.names
    least = np.zeros(count) if min_if_held is None else min_if_held
    fixed = np.zeros(count) if fixed_costs is None else fixed_costs
    costs = holding(problem.covariance, fixed, least, count if max_names is None else max_names)
    bounded = np.isfinite(problem.lower[:count]) & np.isfinite(problem.upper[:count])
    if not (bounded | (problem.curvature * costs.own > 0)).all():
        raise Unbounded("choosing names by a singular covariance needs both bounds of every weight")
    return _Search(problem, costs, constant, strict=strict).run(node_limit)


class _Search:
    """The best choice so far and the nodes that are open."""

    def __init__(self, problem: QuadraticProblem, costs: Holding, constant: float, *, strict: bool) -> None:
        self._problem, self._costs, self._constant, self._strict = problem, costs, constant, strict
        self._best: Chosen | None = None
        self._value = np.inf
        self._tried: set[bytes] = set()
        self._open: list[tuple[float, int, Choice, Relaxed]] = []
        self._nodes = 0
        # The least bound of choices that have weights which no solver finds accurately.
        self._left = np.inf

    def run(self, node_limit: int) -> Chosen:
        """Open nodes until the bound meets the best value, or the limit."""
        self._bound(self._root())
        while self._open and self._open[0][0] < self._cut() and self._nodes < node_limit:
            _, _, choice, node = heapq.heappop(self._open)
            choice = self._settled(choice, node)
            undecided = np.flatnonzero(~(choice.must | choice.out))
            if len(undecided):
                name = int(undecided[np.minimum(node.held, 1.0 - node.held)[undecided].argmax()])
                self._bound(_without(choice, name))
                for child in self._with(choice, name):
                    self._bound(child)
            else:
                self._bound(choice)
        if self._best is None:
            raise quadratic.NotSolved(
                f"no choice of names within the limits was found in {self._nodes} nodes"
            )
        bound = min(self._left, self._value, *(node[0] for node in self._open[:1]))
        proven = bound >= self._cut()
        return replace(self._best, bound=bound + self._constant, nodes=self._nodes, proven=proven)

    def _root(self) -> Choice:
        """What the limits have decided already."""
        count, least = self._problem.names, self._costs.least
        lower, upper = self._problem.lower[:count].copy(), self._problem.upper[:count].copy()
        long, short = lower > 0, upper < 0
        lower[long] = np.maximum(lower, least)[long]
        upper[short] = np.minimum(upper, -least)[short]
        must = long | short
        if self._costs.places >= count:
            must |= (self._costs.fixed <= 0) & (least <= 0)
        out = ~must & (np.maximum(least, _NOTHING) > np.maximum(upper, -lower))
        return Choice(must, out, lower, upper)

    def _with(self, choice: Choice, name: int) -> list[Choice]:
        """The choices in which a name is held: long, short, or either where that makes no difference."""
        least = float(self._costs.least[name])
        if least <= 0:
            return [_bounded(choice, name, float(choice.lower[name]), float(choice.upper[name]))]
        sides = [
            (max(float(choice.lower[name]), least), float(choice.upper[name])),
            (float(choice.lower[name]), min(float(choice.upper[name]), -least)),
        ]
        return [_bounded(choice, name, low, high) for low, high in sides if low <= high]

    def _settled(self, choice: Choice, node: Relaxed) -> Choice:
        """Decide the names of which one side is no better than what is known."""
        cut = self._cut()
        undecided = ~(choice.must | choice.out)
        out = undecided & (node.entering >= cut)
        both = (self._costs.least > 0) & (choice.lower < 0) & (choice.upper > 0)
        must = undecided & (node.leaving >= cut) & ~out & ~both
        least, long, short = self._costs.least, must & (choice.lower >= 0), must & (choice.upper <= 0)
        lower = np.where(long, np.maximum(choice.lower, least), choice.lower)
        upper = np.where(short, np.minimum(choice.upper, -least), choice.upper)
        return Choice(choice.must | must, choice.out | out, lower, upper)

    def _cut(self) -> float:
        if not np.isfinite(self._value):
            return np.inf
        return self._value - GAP * abs(self._value + self._constant)

    def _bound(self, choice: Choice) -> None:
        """Bound a node, try the choice it suggests, and keep it where it may lead to a better one."""
        places = self._costs.places
        if choice.must.sum() > places:
            return
        if choice.must.sum() == places:
            choice = replace(choice, out=~choice.must)
        self._nodes += 1
        if _breaks(choice.of(self._problem), strict=self._strict):
            return
        if (choice.must | choice.out).all() and self._offer(choice):
            return
        node = relaxed(self._problem, self._costs, choice, self._cut())
        if node is None:
            return
        if (choice.must | choice.out).all():
            self._left = min(self._left, node.bound)
            return
        self._try(node, choice)
        if node.bound < self._cut():
            heapq.heappush(self._open, (node.bound, self._nodes, choice, node))

    def _try(self, node: Relaxed, choice: Choice) -> None:
        """Hold the names that the node holds most; let the smallest go while it is below its least."""
        must, out, least = choice.must, choice.out, self._costs.least
        weights = node.x[: len(must)]
        order = np.argsort(
            -np.where(must, np.inf, np.where(out, -1.0, node.held + np.abs(weights))), kind="stable"
        )
        held = np.zeros(len(must), dtype=np.bool_)
        held[order[: self._costs.places]] = True
        held &= must | ((np.abs(weights) > _NOTHING) & ~out)
        for _ in range(_DROPS):
            if held.tobytes() in self._tried:
                return
            self._tried.add(held.tobytes())
            within = replace(choice, out=~held)
            try:
                weights = quadratic.solve(within.of(self._problem), node.x).x[: len(must)]
            except quadratic.NotSolved:
                return
            sizes = np.abs(weights)
            held &= must | (sizes > _NOTHING)
            short = np.flatnonzero(held & ~must & (sizes < least))
            if not len(short):
                break
            held[short[(sizes / np.maximum(least, _NOTHING))[short].argmin()]] = False
        entered, apart = held & ~must, least > 0
        lower = np.where(entered & apart & (weights >= 0), np.maximum(choice.lower, least), choice.lower)
        upper = np.where(entered & apart & (weights < 0), np.minimum(choice.upper, -least), choice.upper)
        self._offer(Choice(held, ~held, lower, upper))

    def _offer(self, choice: Choice) -> bool:
        """Hold just these names, and remember it if nothing better is known; whether it was solved."""
        problem = choice.of(self._problem)
        if _breaks(problem, strict=self._strict):
            return False
        try:
            solution = quadratic.solve(problem)
        except quadratic.NotSolved:
            return False
        value = problem.objective(solution.x) + float(self._costs.fixed[choice.must].sum())
        if value < self._value:
            self._value, held = value, choice.must
            whole = value + self._constant
            self._best = Chosen(solution, problem, whole, -np.inf, held, self._nodes, False)
        return True


def _breaks(problem: QuadraticProblem, *, strict: bool) -> bool:
    """Whether the bounds alone break a row, be it by less than a solver's tolerance."""
    (equal, aims), others = problem.equalities, problem.inequalities
    for rows, limits in ((equal, aims), others, *([(-equal, -aims)] if strict else [])):
        ends = np.where(rows > 0, problem.lower, np.where(rows < 0, problem.upper, 0.0))
        least, size = (rows * ends).sum(axis=1), np.abs(rows).max(axis=1, initial=0.0)
        if (least - limits > _NOTHING * size).any():
            return True
    return False


def _without(choice: Choice, name: int) -> Choice:
    out = choice.out.copy()
    out[name] = True
    return replace(choice, out=out)


def _bounded(choice: Choice, name: int, low: float, high: float) -> Choice:
    """The choice in which a name is held, between these."""
    must, lower, upper = choice.must.copy(), choice.lower.copy(), choice.upper.copy()
    must[name], lower[name], upper[name] = True, low, high
    return Choice(must, choice.out, lower, upper)
