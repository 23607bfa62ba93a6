"""Tail risk by an interior point method whose step costs one small Cholesky factorisation.

Minimum conditional value at risk as Rockafellar & Uryasev (2000) state it, with an excess
for every scenario. Mehrotra's predictor and corrector (1992) on it; the excesses and their
multipliers are eliminated one by one, so that a step solves for the weights, the quantile and
the rows' multipliers only: O(scenarios x names^2), however many scenarios there are.

    minimise  (curvature / 2) w' Sigma w + c' x + v + k sum(u)
    s = u + R w + v >= 0,  u >= 0,  E x = f,  A x + a = b,  a >= 0,  lower <= x <= upper

with the multipliers q of s (q + p = k, p those of u), y, z, and of the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.dense import LU, SingularMatrix, cholesky, cholesky_solve, gram, rough_gram
from capdesk.decide.weights.problem import Array, QuadraticProblem

_MOST_STEPS = 100
_BACK_OFF = 0.995
_TOLERANCE = 5e-11
_ROUGH = 1e-2
_OUTSIDE = 1e-2
_DIVERGED = 1e20


@dataclass(slots=True, eq=False)
class Point:
    """An iterate: the weights, further variables and quantile, pairs of what stays positive, and what is free.

    A pair is a `room` and its multiplier, the `price`.
    """

    x: Array
    y: Array
    room: Array
    price: Array


class TailProblem:
    """The data of one problem, ready for steps.

    Parameters
    ----------
    scenarios
        R, (T, n), returns.
    fixed
        (T,), what every scenario returns in any case; it belongs to R w.
    weight
        k = 1 / (tail T).
    problem
        Every variable with lower < upper.
    """

    def __init__(self, scenarios: Array, fixed: Array, weight: float, problem: QuadraticProblem) -> None:
        count, names = scenarios.shape
        self.problem, self.weight, self.fixed = problem, weight, fixed
        self.losses = np.zeros((count, len(problem.linear) + 1))
        self.losses[:, :names] = scenarios
        self.losses[:, -1] = 1.0
        self.rough_losses = self.losses.astype(np.float32)
        self.below = np.flatnonzero(np.isfinite(problem.lower))
        self.above = np.flatnonzero(np.isfinite(problem.upper))
        rows = len(problem.inequalities[1])
        ends = np.cumsum([0, count, count, rows, len(self.below), len(self.above)])
        self.parts = [slice(first, last) for first, last in pairwise(ends.tolist())]
        self.size = float(np.abs(scenarios).max(initial=0.0))
        self.costs = np.append(problem.linear, 1.0)
        self.hessian = np.zeros((len(self.costs), len(self.costs)))
        if problem.curvature:
            self.hessian[:names, :names] = problem.curvature * problem.covariance.dense()
        pad = np.zeros((len(problem.equalities[1]), 1))
        self.equal = np.hstack([problem.equalities[0], pad])
        self.at_most = np.hstack([problem.inequalities[0], np.zeros((rows, 1))])

    def of(self, kept: NDArray[np.intp], point: Point) -> tuple[TailProblem, Point]:
        """The problem and a point of it with some of the scenarios only."""
        names = self.problem.names
        fewer = TailProblem(self.losses[kept, :names], self.fixed[kept], self.weight, self.problem)
        beyond = 2 * len(self.losses)
        index = np.concatenate([kept, len(self.losses) + kept, np.arange(beyond, len(point.room))])
        return fewer, Point(point.x, point.y, point.room[index], point.price[index])

    def split(self, values: Array) -> list[Array]:
        """The parts of the pairs: scenarios' slacks, excesses, rows, lower and upper bounds."""
        return [values[part] for part in self.parts]

    def first(self) -> Point:
        """A centred point inside the bounds, the scenarios' equations met."""
        problem = self.problem
        x = _inside(problem)
        returns = self.losses[:, :-1] @ x + self.fixed
        quantile = -float(np.quantile(returns, 1.0 / (self.weight * len(returns))))
        spread = float(returns.std()) + 1e-3 * float(np.abs(returns).max()) + 1e-300
        beyond = -(returns + quantile)
        excess = np.maximum(beyond, 0.0) + spread
        slack = excess - beyond
        chance = self.weight * excess / (excess + slack)
        mean = float(chance @ slack) / len(chance)
        rows = np.maximum(problem.inequalities[1] - problem.inequalities[0] @ x, 0.1)
        room = np.concatenate(
            [slack, excess, rows, (x - problem.lower)[self.below], (problem.upper - x)[self.above]]
        )
        price = mean / room
        price[: 2 * len(chance)] = np.concatenate([chance, self.weight - chance])
        return Point(np.append(x, quantile), np.zeros(len(problem.equalities[1])), room, price)

    def residuals(self, point: Point) -> tuple[Array, Array, Array]:
        """What is left of stationarity, of the equalities and of the inequality rows."""
        x = point.x
        chance, _, z, at_lower, at_upper = self.split(point.price)
        dual = chance.dot(self.losses)
        np.subtract(self.costs, dual, out=dual)
        if self.problem.curvature:
            dual += self.hessian.dot(x)
        dual += point.y.dot(self.equal)
        dual[self.below] -= at_lower
        dual[self.above] += at_upper
        rows = self.split(point.room)[2]
        if len(rows):
            dual += z.dot(self.at_most)
            rows = self.at_most.dot(x) + rows - self.problem.inequalities[1]
        return dual, self.equal.dot(x) - self.problem.equalities[1], rows


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The optimum's weights and multipliers y (p,), z (q,), every scenario's (T,), and the steps taken."""

    x: Array
    y: Array
    z: Array
    chances: Array
    steps: int


def solve(tail: TailProblem, *, dropping: bool) -> Ended | None:
    """The optimum, or None where it was not reached.

    With `dropping`, scenarios that are clearly outside the tail are left out of further steps.
    Their multiplier is 0 at the optimum if they were left out rightly, which the caller can
    tell from the value and the bound over all scenarios.
    """
    point, chosen = tail.first(), np.arange(len(tail.losses))
    count, size = len(tail.losses), 1.0 + float(np.abs(tail.costs).max())
    for step in range(_MOST_STEPS):
        residuals = tail.residuals(point)
        gap = float(point.room.dot(point.price))
        value = abs(float(tail.costs.dot(point.x))) + 1e-3 * tail.size
        infeasible = max(float(np.abs(part).max(initial=0.0)) for part in residuals[1:])
        if gap <= _TOLERANCE * value and infeasible <= 1e-11 and np.abs(residuals[0]).max() <= 1e-9 * size:
            chance, _, z, *_ = tail.split(point.price)
            chances = np.zeros(count)
            chances[chosen] = chance
            return Ended(point.x[:-1], point.y, z, chances, step)
        try:
            point = _Step(tail, point, residuals, rough=gap > _ROUGH * value).taken()
        except SingularMatrix:
            return None
        if not np.isfinite(point.x).all() or point.price.max() > _DIVERGED * size:
            return None
        kept = np.flatnonzero(tail.split(point.price)[0] > _OUTSIDE * tail.weight)
        if dropping and 2 * len(kept) < len(tail.losses):
            tail, point, chosen = *tail.of(kept, point), chosen[kept]
    return None


class _Step:
    """One step of Mehrotra's method: a factorisation, used for the predictor and the corrector."""

    def __init__(
        self, tail: TailProblem, point: Point, residuals: tuple[Array, Array, Array], *, rough: bool
    ) -> None:
        self._tail, self._point, self._residuals = tail, point, residuals
        ratio = point.price / point.room
        self._inverse_ratio = point.room / point.price
        by_slack, by_excess, *self._bends = tail.split(ratio)
        both = by_slack + by_excess
        self._of_slack, self._of_excess = by_excess / both, by_slack / both
        self._joint = by_slack * self._of_slack
        try:
            self._factor = cholesky(self._matrix(rough=rough), overwrite=True)
        except SingularMatrix:
            if not rough:
                raise
            self._factor = cholesky(self._matrix(rough=False), overwrite=True)
        self._spread = cholesky_solve(self._factor, tail.equal.T)
        self._held = LU(tail.equal @ self._spread) if len(tail.equal) else None

    def _matrix(self, *, rough: bool) -> Array:
        """The Hessian with what slacks and bounds add to it, its upper triangle.

        Far from the end single precision tells the way well enough: the residuals are not rounded.
        """
        tail, (by_row, by_lower, by_upper) = self._tail, self._bends
        matrix = rough_gram(tail.rough_losses, self._joint) if rough else gram(tail.losses, self._joint)
        matrix += tail.hessian
        if len(by_row):
            matrix += gram(tail.at_most, by_row)
        matrix[tail.below, tail.below] += by_lower
        matrix[tail.above, tail.above] += by_upper
        diagonal = np.arange(len(matrix))
        matrix[diagonal, diagonal] *= 1.0 + 1e-14
        return matrix

    def taken(self) -> Point:
        """The next point."""
        point = self._point
        complementarity = -point.room * point.price
        room, price = self._moves(complementarity)[2:]
        count = len(point.room)
        gap = -float(np.add.reduce(complementarity)) / count
        primal, dual = _longest(point.room, room), _longest(point.price, price)
        ahead = float((point.room + primal * room).dot(point.price + dual * price)) / count
        aim = gap * (ahead / gap) ** 3
        step, y, room, price = self._moves(complementarity - room * price + aim)
        primal, dual = _BACK_OFF * _longest(point.room, room), _BACK_OFF * _longest(point.price, price)
        if self._tail.problem.curvature:
            primal = dual = min(primal, dual)
        primal, dual = min(primal, 1.0), min(dual, 1.0)
        return Point(
            point.x + primal * step,
            point.y + dual * y,
            point.room + primal * room,
            point.price + dual * price,
        )

    def _moves(self, aim: Array) -> tuple[Array, Array, Array, Array]:
        """Newton's step towards room x price = room x price + aim, and feasibility."""
        tail, (dual, equal, at_most) = self._tail, self._residuals
        by_row, by_lower, by_upper = self._bends
        goal = aim / self._point.room
        slack, excess, rows, lower, upper = tail.split(goal)
        scenarios = self._of_slack * slack
        scenarios -= self._of_excess * excess
        right = scenarios.dot(tail.losses)
        right -= dual
        if len(rows):
            right -= (rows + by_row * at_most).dot(tail.at_most)
        right[tail.below] += lower
        right[tail.above] -= upper
        step = cholesky_solve(self._factor, right)
        y = np.zeros(0)
        if self._held is not None:
            y = self._held.solve(tail.equal.dot(step) + equal)
            step = step - self._spread.dot(y)
        price = np.empty(len(goal))
        chance, against, of_rows, at_lower, at_upper = tail.split(price)
        np.multiply(self._joint, tail.losses.dot(step), out=chance)
        np.subtract(scenarios, chance, out=chance)
        np.negative(chance, out=against)
        up, down = step[tail.below], step[tail.above]
        np.subtract(lower, by_lower * up, out=at_lower)
        np.add(upper, by_upper * down, out=at_upper)
        moved_rows = at_most
        if len(rows):
            moved_rows = -at_most - tail.at_most.dot(step)
            np.subtract(rows, by_row * moved_rows, out=of_rows)
        room = goal - price
        room *= self._inverse_ratio
        _, _, of_rows, at_lower, at_upper = tail.split(room)
        of_rows[:], at_lower[:] = moved_rows, up
        np.negative(down, out=at_upper)
        return step, y, room, price


def _longest(values: Array, moves: Array) -> float:
    """How far the moves can go before a value reaches 0, at most to 1 / 0.995."""
    worst = -float(np.minimum.reduce(moves / values))
    return 1.0 / max(worst, _BACK_OFF)


def _inside(problem: QuadraticProblem) -> Array:
    """A point between the bounds, near the first equality."""
    lower = np.where(np.isfinite(problem.lower), problem.lower, np.minimum(problem.upper - 1.0, -1.0))
    upper = np.where(np.isfinite(problem.upper), problem.upper, lower + 2.0)
    share = 0.5
    if len(problem.equalities[1]):
        row, aim = problem.equalities[0][0], float(problem.equalities[1][0])
        width = float(row @ (upper - lower))
        if width:
            share = float(np.clip((aim - float(row @ lower)) / width, 0.01, 0.99))
    return lower + share * (upper - lower)
