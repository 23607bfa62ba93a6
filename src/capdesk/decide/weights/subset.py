"""Large problems whose answer holds few names: solve for some, price all, let more in.

Column generation for a quadratic objective (the active-set view of Perold, Large-scale
portfolio optimization, Management Science 1984). Names outside rest at the bounds of a
feasible vertex; whoever's reduced cost says that it should move is let in. It ends with the
reduced costs of all names on the right side, so the answer is optimal for the whole problem.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import active_set
from capdesk.decide.weights.optimality import size_of_costs
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution
from capdesk.decide.weights.vertex import vertex

Flags = NDArray[np.bool_]

_FIRST = 64
_MORE = 24
# Where limits spread the weights over more names than this, the answer holds many.
_MOST_AT_FIRST = 32
_MOST = 192
_PRICE_TOLERANCE = 1e-11


def solve(problem: QuadraticProblem, start: Array | None = None) -> tuple[Solution | None, Array | None]:
    """The optimum where it holds few names; else no solution, but a guess at which names it holds."""
    x = vertex(problem) if start is None else np.clip(start, problem.lower, problem.upper)
    if x is None or (start is None and np.count_nonzero(x > problem.lower) > _MOST_AT_FIRST):
        return None, None
    movable = problem.lower < problem.upper
    pool = _Pool(problem, x)
    gains = np.where(x <= problem.lower, -pool.resting, pool.resting)
    between = (x > problem.lower) & (x < problem.upper)
    gains[between] = np.inf
    tolerance = _PRICE_TOLERANCE * size_of_costs(problem)
    count = int(between.sum()) + (_FIRST if start is None else _MORE)
    wrong, steps = movable, 0
    if count > _MOST:
        return None, x
    while len(pool.chosen) + count <= _MOST:
        pool.let_in(_best(gains, wrong, count))
        chosen = pool.problem()
        found = active_set.solve(chosen) or active_set.solve_scaled(chosen)
        if found is None:
            return None, None
        steps += found.iterations
        x, costs = pool.priced(found)
        gains = np.where(x <= problem.lower, -costs, costs)
        wrong = (gains > tolerance) & movable
        wrong[pool.chosen] = False
        count = min(int(wrong.sum()), max(_FIRST, len(pool.chosen)) // 2)
        if not count:
            y, z = found.equality_multipliers, found.inequality_multipliers
            return Solution(x, y, z, "DAQP on a subset", steps), x
        if 2 * int(wrong.sum()) > len(x) - len(pool.chosen):
            break
    return None, np.where(wrong, _between(problem), x)


def _between(problem: QuadraticProblem) -> Array:
    """A value off both bounds."""
    lower = np.maximum(problem.lower, np.minimum(problem.upper, 0.0) - 1.0)
    return (lower + np.minimum(problem.upper, lower + 1.0)) / 2


def _best(gains: Array, among: Flags, count: int) -> NDArray[np.intp]:
    """The names, of some, that gain most by leaving their bound."""
    names = np.flatnonzero(among)
    if len(names) <= count:
        return names
    return names[np.argpartition(gains[names], -count)[-count:]]


class _Pool:
    """The variables let in, with their rows of the Hessian, each read once."""

    def __init__(self, problem: QuadraticProblem, x: Array) -> None:
        self._problem = problem
        self._rest = x
        self.chosen = np.zeros(0, dtype=np.intp)
        self._rows = np.zeros((0, len(x)))
        self.resting = _gradient(problem, x)
        self._chosen_rest = np.zeros(0)

    def let_in(self, more: NDArray[np.intp]) -> None:
        """Let variables move; what remains outside keeps its place."""
        self.chosen = np.concatenate([self.chosen, more])
        self._rows = np.vstack([self._rows, _hessian_rows(self._problem, more)])
        self.resting = self.resting - self._rest[more] @ self._rows[-len(more) :]
        self._rest[more] = 0.0

    def problem(self) -> QuadraticProblem:
        """The problem of the chosen variables."""
        whole, chosen = self._problem, self.chosen
        (equal, aims), (at_most, limits) = whole.equalities, whole.inequalities
        return QuadraticProblem(
            covariance=Covariance(matrix=self._rows[:, chosen]),
            curvature=1.0,
            linear=self.resting[chosen],
            equalities=(equal[:, chosen], aims - equal @ self._rest),
            inequalities=(at_most[:, chosen], limits - at_most @ self._rest),
            lower=whole.lower[chosen],
            upper=whole.upper[chosen],
        )

    def priced(self, found: Solution) -> tuple[Array, Array]:
        """The whole point, and the reduced costs of all variables."""
        x = self._rest.copy()
        x[self.chosen] = found.x
        costs = self.resting + found.x @ self._rows
        costs += found.equality_multipliers @ self._problem.equalities[0]
        costs += found.inequality_multipliers @ self._problem.inequalities[0]
        return x, costs


def _gradient(problem: QuadraticProblem, x: Array) -> Array:
    """The gradient at a point where few variables are not zero."""
    held = np.flatnonzero(x)
    return problem.linear + x[held] @ _hessian_rows(problem, held)


def _hessian_rows(problem: QuadraticProblem, chosen: NDArray[np.intp]) -> Array:
    """Rows of the Hessian over all variables, (k, m)."""
    names, covariance = problem.names, problem.covariance
    rows = np.zeros((len(chosen), len(problem.linear)))
    inside = np.flatnonzero(chosen < names)
    of = chosen[inside]
    if covariance.matrix is not None:
        rows[inside, :names] = covariance.matrix[of]
    else:
        loadings, specific = covariance.factors()
        rows[inside, :names] = loadings[of] @ loadings.T
        rows[inside, of] += specific[of]
    rows *= problem.curvature
    return rows
