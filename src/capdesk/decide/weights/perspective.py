"""How good a choice of names could still be: a convex bound for holding or not holding each.

A name that is held costs `fixed` and takes one of the places. With held in [0, 1], part of its
own variance may be divided by it, since w^2 / held = w^2 where held is 1: the perspective
reformulation (Frangioni & Gentile, Perspective Cuts for a Class of Convex 0-1 Mixed Integer
Programs, 2006), far closer to the truth than |w| <= largest x held alone.

The relaxation is solved roughly, by quadratic problems in the weights only. The bound is then
exact for whatever was found: the rest of the variance is replaced by its tangent, limits by
their multipliers (weak duality), and what is left falls apart into the names. Of each the least
that it can cost, held or not, has a closed form, and the places go to those that gain most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import interior_point, quadratic
from capdesk.decide.weights.inverse import plus_diagonal
from capdesk.decide.weights.optimality import reduced_costs
from capdesk.decide.weights.polish import polish
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution
from capdesk.decide.weights.vertex import by_programme

Flags = NDArray[np.bool_]

_ROUNDS = 6
_ENOUGH = 1e-4
_SPLIT = 0.999
_TINY = 1e-9
_NEAR = 1e-4
_REACH = 10.0
_ZOOMS = 3
_GRID = np.linspace(0.0, 1.0, 24)


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """What holding names costs, and the covariance without the part of each variance taken out.

    Parameters
    ----------
    fixed
        (n,), the cost of holding a name at all, 0 or more.
    least
        (n,), the least size of a weight that is held, 0 or more.
    places
        How many names may be held.
    own
        (n,), the part of each variance taken out of the covariance.
    rest
        The covariance without it, positive semidefinite.
    """

    fixed: Array
    least: Array
    places: int
    own: Array
    rest: Covariance


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Who is in and who is out, (n,) each, and the bounds of the weights that this leaves."""

    must: Flags
    out: Flags
    lower: Array
    upper: Array

    def of(self, problem: QuadraticProblem) -> QuadraticProblem:
        """The problem with the choice in its bounds; who is undecided may have nothing."""
        count = problem.names
        lower, upper = problem.lower.copy(), problem.upper.copy()
        lower[:count] = np.where(self.must, self.lower, np.where(self.out, 0.0, np.minimum(self.lower, 0.0)))
        upper[:count] = np.where(self.must, self.upper, np.where(self.out, 0.0, np.maximum(self.upper, 0.0)))
        return replace(problem, lower=lower, upper=upper)


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A bound for all that a choice leaves open, and what it was found by.

    Parameters
    ----------
    x
        (m,), the point it was found at.
    held
        (n,), to what degree each name is held there.
    entering, leaving
        (n,), the bounds where the name is held, and where it is not.
    """

    bound: float
    x: Array
    held: Array
    entering: Array
    leaving: Array


def holding(covariance: Covariance, fixed: Array, least: Array, places: int) -> Holding:
    """Take out of every variance what the correlations' smallest eigenvalue allows."""
    matrix = covariance.dense()
    variances = np.diagonal(matrix)
    scale = 1.0 / np.sqrt(np.where(variances > 0, variances, 1.0))
    smallest = float(np.linalg.eigvalsh(matrix * scale[:, None] * scale)[0])
    own = _SPLIT * max(smallest, 0.0) * variances
    return Holding(fixed, least, places, own, Covariance(matrix=matrix - np.diag(own)))


def relaxed(problem: QuadraticProblem, costs: Holding, choice: Choice, cut: float) -> Relaxed | None:
    """The bound for some choice made; None where its limits allow nothing.

    Parameters
    ----------
    problem
        Without the choice in its bounds.
    cut
        A bound above it is as good as any other.
    """
    count = problem.names
    problem = choice.of(problem)
    x = _within(problem)
    if x is None:
        return None
    unknown = np.full(count, -np.inf)
    best = Relaxed(-np.inf, x, np.ones(count), unknown, unknown)
    for _ in range(_ROUNDS):
        _, bend, slope = _cheapest(problem, costs, choice, x[:count])
        near = replace(
            problem,
            covariance=plus_diagonal(costs.rest, bend / (problem.curvature or 1.0)),
            linear=_plus(problem.linear, slope - bend * x[:count]),
        )
        found = _rough(near, x)
        x = found.x
        held, _, _ = _cheapest(problem, costs, choice, x[:count])
        new = _bounded(problem, costs, choice, found, held)
        gained = new.bound - best.bound
        if gained > 0:
            best = new
        if best.bound >= cut or not gained > _ENOUGH * abs(new.bound):
            break
    return best


def _within(problem: QuadraticProblem) -> Array | None:
    """The optimum without any cost of holding, or where it is too hard any point within the limits."""
    try:
        return quadratic.solve(problem).x
    except quadratic.NotSolved:
        return by_programme(problem.linear, problem)


def _rough(problem: QuadraticProblem, start: Array) -> Solution:
    """A point near the optimum with its multipliers: the bound is right for any."""
    try:
        return quadratic.solve(problem, start)
    except quadratic.NotSolved:
        return polish(problem, interior_point.solve(problem))[0]


def _plus(linear: Array, of_weights: Array) -> Array:
    linear = linear.copy()
    linear[: len(of_weights)] += of_weights
    return linear


def _cheapest(
    problem: QuadraticProblem, costs: Holding, choice: Choice, weights: Array
) -> tuple[Array, Array, Array]:
    """The cheapest degrees of holding, and the bend and slope of a model of what names then cost."""
    count = len(weights)
    lower, upper = problem.lower[:count], problem.upper[:count]
    out, must, own = choice.out, choice.must, problem.curvature * costs.own
    signs = np.where(weights < 0, -1.0, 1.0)
    largest = np.where(weights < 0, -lower, upper)
    far = 2.0 * max(1.0, float(np.abs(weights).max(initial=0.0)))
    largest = np.where(out | (largest <= 0), 1.0, np.minimum(largest, far))
    both_ways = (lower < 0) & (upper > 0) & ~must
    sizes = np.maximum(np.abs(weights), np.where(both_ways, _NEAR, _TINY) * largest)
    least = np.minimum(sizes / largest, 1.0)
    charge = costs.fixed + _price(sizes, own, costs, must, least, ~out)
    held = _held(sizes, own, charge, must, least)
    steep = own * sizes / held
    pulled = np.where(held > least, 0.0, np.maximum(charge - steep * sizes / (2.0 * held), 0.0))
    slope = signs * (steep + np.where(must, 0.0, pulled / largest))
    bend = own / np.maximum(held, 1e-3)
    # Through 0 the cost of holding has a kink: a parabola that touches it at the size reached.
    slope = np.where(both_ways, slope / (signs * sizes) * weights, slope)
    bend = np.where(both_ways, np.abs(slope) / np.maximum(np.abs(weights), _TINY), bend)
    return np.where(out, 0.0, held), np.where(out, own, bend), np.where(out, 0.0, slope)


def _held(sizes: Array, own: Array, charge: Array, must: Flags, least: Array) -> Array:
    """The minimiser of own w^2 / (2 held) + charge held between |w| / largest and 1."""
    free = sizes * np.sqrt(own / (2.0 * np.maximum(charge, 1e-300)))
    return np.where(must, 1.0, np.clip(free, least, 1.0))


def _price(sizes: Array, own: Array, costs: Holding, must: Flags, least: Array, may: Flags) -> float:
    """The price at which the places suffice; 0 where they do without one."""

    def taken(prices: Array) -> Array:
        return (_held(sizes, own, costs.fixed + prices[:, None], must, least) * may).sum(axis=1)

    high = float((own * sizes * sizes / (2.0 * least * least)).max())
    if high <= 0 or taken(np.zeros(1))[0] <= costs.places:
        return 0.0
    low = 1e-10 * high
    for _ in range(_ZOOMS):
        prices = low * (high / low) ** _GRID
        last = int(np.argmax(taken(prices) <= costs.places))
        low, high = float(prices[max(last - 1, 0)]), float(prices[last])
    return high


def _bounded(
    problem: QuadraticProblem, costs: Holding, choice: Choice, found: Solution, held: Array
) -> Relaxed:
    """The bound by the tangent at a point and its multipliers, and by whom it is held up."""
    x, count = found.x, problem.names
    y, z = found.equality_multipliers, found.inequality_multipliers
    marginal = reduced_costs(replace(problem, covariance=costs.rest), x, y, z)
    weights = x[:count]
    bound = -problem.curvature / 2 * float(weights @ costs.rest.times(weights))
    bound -= float(y @ problem.equalities[1]) + float(z @ problem.inequalities[1])
    reach = _REACH * (1.0 + np.abs(x[count:]))
    ends = np.where(
        marginal[count:] > 0,
        np.maximum(problem.lower[count:], -reach),
        np.minimum(problem.upper[count:], reach),
    )
    bound += float(marginal[count:] @ ends)
    own, of_names = problem.curvature * costs.own, marginal[:count]
    low, high = problem.lower[:count], problem.upper[:count]
    either = np.minimum(
        _dip(own, of_names, np.maximum(low, costs.least), high),
        _dip(own, of_names, low, np.minimum(high, -costs.least)),
    )
    worth = costs.fixed + np.where(choice.must, _dip(own, of_names, low, high), either)
    bound += float(worth[choice.must].sum())
    return _placed(bound, x, held, worth, choice, costs.places - int(choice.must.sum()))


def _dip(own: Array, slope: Array, low: Array, high: Array) -> Array:
    """The least of own w^2 / 2 + slope w from low to high; infinite where there is nothing between."""
    curved = own > 0
    ends = np.where(slope > 0, -np.inf, np.where(slope < 0, np.inf, 0.0))
    bottom = np.where(curved, -slope / np.where(curved, own, 1.0), ends)
    at = np.minimum(np.maximum(bottom, low), high)
    finite = np.isfinite(at)
    at = np.where(finite, at, 0.0)
    value = np.where(finite, own / 2 * at * at + slope * at, -np.inf)
    return np.where(low > high, np.inf, value)


def _placed(bound: float, x: Array, held: Array, worth: Array, choice: Choice, places: int) -> Relaxed:
    """Give the places left to those that lower the bound most, and see what each name changes in it."""
    may = np.flatnonzero(~(choice.must | choice.out))
    order = may[np.argsort(worth[may], kind="stable")]
    order = order[worth[order] < 0]
    taken, next_one = order[:places], order[places : places + 1]
    bound += float(worth[taken].sum())
    entering, leaving = np.full(len(worth), np.inf), np.full(len(worth), np.inf)
    dearest = float(worth[taken[-1]]) if len(taken) == places and places else 0.0
    entering[may] = bound + worth[may] - dearest if places else np.inf
    entering[taken] = bound
    leaving[may] = bound
    leaving[taken] = bound - worth[taken] + float(worth[next_one].sum())
    entering[choice.must], leaving[choice.out] = bound, bound
    return Relaxed(bound, x, held, entering, leaving)
