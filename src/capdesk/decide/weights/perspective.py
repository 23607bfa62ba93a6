"""How good a choice of names could still be: a convex bound for holding or not holding each.

A name that is held costs `fixed` and takes one of the places. With held in [0, 1], part of its
own variance may be divided by it, since w^2 / held = w^2 where held is 1: the perspective
reformulation (Frangioni & Gentile, Perspective Cuts for a Class of Convex 0-1 Mixed Integer
Programs, 2006), far closer to the truth than w <= upper x held alone. For any price of a place
the cheapest `held` has a closed form, so the bound is found by quadratic problems in the
weights only; the tangent at any weights, for any price, is a valid bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.inverse import plus_diagonal
from capdesk.decide.weights.optimality import reduced_costs
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution

Flags = NDArray[np.bool_]

_ROUNDS = 6
_ENOUGH = 1e-4
_SPLIT = 0.999
_TINY = 1e-9
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
    places
        How many names may be held.
    own
        (n,), the part of each variance taken out of the covariance.
    rest
        The covariance without it, positive semidefinite.
    """

    fixed: Array
    places: int
    own: Array
    rest: Covariance


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A bound, the point it was found at, and to what degree each name is held there, (n,)."""

    bound: float
    x: Array
    held: Array


def holding(covariance: Covariance, fixed: Array, places: int) -> Holding:
    """Take out of every variance what the correlations' smallest eigenvalue allows."""
    matrix = covariance.dense()
    variances = np.diagonal(matrix)
    scale = 1.0 / np.sqrt(np.where(variances > 0, variances, 1.0))
    smallest = float(np.linalg.eigvalsh(matrix * scale[:, None] * scale)[0])
    own = _SPLIT * max(smallest, 0.0) * variances
    return Holding(fixed, places, own, Covariance(matrix=matrix - np.diag(own)))


def relaxed(problem: QuadraticProblem, costs: Holding, must: Flags, cut: float) -> Relaxed | None:
    """The bound for some choice made; None where its limits allow nothing.

    Parameters
    ----------
    problem
        With the choice in its bounds: upper 0 for who is out, the least holding for who is in.
    must
        (n,), who is in.
    cut
        A bound above it is as good as any other.
    """
    count = problem.names
    try:
        x = quadratic.solve(problem).x
    except quadratic.NotSolved:
        return None
    best = Relaxed(-np.inf, x, np.ones(count))
    for _ in range(_ROUNDS):
        held, _, slope = _cheapest(problem, costs, must, x[:count])
        bend = problem.curvature * costs.own / np.maximum(held, 1e-3)
        near = replace(
            problem,
            covariance=plus_diagonal(costs.rest, bend / (problem.curvature or 1.0)),
            linear=_plus(problem.linear, slope - bend * x[:count]),
        )
        found = quadratic.solve(near, x)
        x = found.x
        held, price, slope = _cheapest(problem, costs, must, x[:count])
        bound = _tangent(problem, costs, found, (held, price, slope))
        gained = bound - best.bound
        if gained > 0:
            best = Relaxed(bound, x, held)
        if best.bound >= cut or gained <= _ENOUGH * abs(bound):
            break
    return best


def _plus(linear: Array, of_weights: Array) -> Array:
    linear = linear.copy()
    linear[: len(of_weights)] += of_weights
    return linear


def _cheapest(
    problem: QuadraticProblem, costs: Holding, must: Flags, weights: Array
) -> tuple[Array, float, Array]:
    """The cheapest degrees of holding, the price of a place, and the slope of the cost in the weights."""
    upper, own = problem.upper[: len(weights)], problem.curvature * costs.own
    out = upper <= 0
    upper = np.where(out, 1.0, upper)
    weights = np.maximum(weights, _TINY * upper)
    least = np.minimum(weights / upper, 1.0)
    price = _price(weights, own, costs, must, least, ~out)
    held = _held(weights, own, costs.fixed + price, must, least)
    steep = own * weights / held
    pulled = np.where(
        held > least, 0.0, np.maximum(costs.fixed + price - steep * weights / (2.0 * held), 0.0)
    )
    slope = steep + np.where(must, 0.0, pulled / upper)
    return np.where(out, 0.0, held), price, np.where(out, 0.0, slope)


def _held(weights: Array, own: Array, charge: Array, must: Flags, least: Array) -> Array:
    """The minimiser of own w^2 / (2 held) + charge held between w / upper and 1."""
    free = weights * np.sqrt(own / (2.0 * np.maximum(charge, 1e-300)))
    return np.where(must, 1.0, np.clip(free, least, 1.0))


def _price(weights: Array, own: Array, costs: Holding, must: Flags, least: Array, may: Flags) -> float:
    """The price at which the places suffice; 0 where they do without one."""

    def taken(prices: Array) -> Array:
        return (_held(weights, own, costs.fixed + prices[:, None], must, least) * may).sum(axis=1)

    if taken(np.zeros(1))[0] <= costs.places:
        return 0.0
    high = float((own * weights * weights / (2.0 * least * least)).max())
    low = 1e-10 * high
    for _ in range(_ZOOMS):
        prices = low * (high / low) ** _GRID
        last = int(np.argmax(taken(prices) <= costs.places))
        low, high = float(prices[max(last - 1, 0)]), float(prices[last])
    return high


def _tangent(
    problem: QuadraticProblem, costs: Holding, found: Solution, cheapest: tuple[Array, float, Array]
) -> float:
    """The lower bound by the tangent at a point."""
    (held, price, slope), x, count = cheapest, found.x, problem.names
    out = problem.upper[:count] <= 0
    weights = np.where(out, 0.0, np.maximum(x[:count], _TINY * problem.upper[:count]))
    charged = problem.curvature * costs.own / 2.0 * weights * weights / np.where(out, 1.0, held)
    charged += (costs.fixed + price) * held
    rest = replace(problem, covariance=costs.rest)
    value = rest.objective(x) + float(charged.sum()) - price * costs.places
    value -= float(slope @ (weights - x[:count]))
    y, z = found.equality_multipliers, found.inequality_multipliers
    marginal = reduced_costs(rest, x, y, z) + _plus(np.zeros(len(x)), slope)
    reach = _REACH * (1.0 + np.abs(x))
    downward = np.minimum(x - problem.lower, reach)
    upward = np.minimum(problem.upper - x, reach)
    value -= float(np.where(marginal > 0, marginal * downward, -marginal * upward).sum())
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    value += float(y @ (equal @ x - aims)) - float(z @ (limits - at_most @ x))
    return value
