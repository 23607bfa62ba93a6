"""The evidence of a plan: the problem as it was stated, and multipliers that prove its answer.

    minimise    (curvature / 2) w' Sigma w + c' x        x = (w, parts)
    subject to  E x = f,  A x <= b,  lower <= x <= upper

The first n entries of x are the weights; each further one is the positive part of a trade
or of a short, ``max(0, sign (w_i - offset))``, so the weights alone decide the whole point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]
# From so many names on, leaving out those without a weight is quicker than multiplying by 0.
_WORTH_SKIPPING = 200


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The further variables: ``x[n + j] = max(0, sign[j] (w[index[j]] - offset[j]))``."""

    index: NDArray[np.intp]
    sign: Array
    offset: Array

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.index)

    def of(self, weights: Array) -> Array:
        """Their values at weights (n,)."""
        return np.maximum(self.sign * (weights[self.index] - self.offset), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """Which limit a row stands for, so that it can be named to people.

    Attributes
    ----------
    limit
        ``budget``, ``group_max``, ``exposure_min``, ``turnover`` ...; empty for the rows that
        define the parts.
    name
        The group, exposure or name it is about; empty where it is about all.
    value
        The limit as it was given.
    sign
        1 where a larger value gives the weights more room, -1 where it gives them less.
    """

    limit: str
    name: str
    value: float
    sign: int = 1


class Evidence(Struct, frozen=True, eq=False):
    """A problem, a point and multipliers; enough to check a plan without its solver.

    Attributes
    ----------
    kind
        As in the certificate.
    names
        In the order of the weights.
    weights
        (n,), whole units.
    per_one
        How many units make 1: 10^9, and 10^6 in plans of the first format.
    matrix, loadings, specific
        The covariance: (n, n), or (n, k) and (n,); None where the problem has none.
    curvature, linear, equalities, inequalities, lower, upper
        The problem, as above. For ``sharpe`` the linear term is minus the excess return.
    parts
        What the entries of x after the weights are.
    point
        (m,), where the tangent is taken: the solver's answer before it was rounded.
    equality_multipliers, inequality_multipliers
        (p,) and (q,), the latter 0 or more.
    slope
        For ``sharpe``: the multiple of the tangent that lies above every excess return.
    anchor, anchor_equal, anchor_most
        For ``sharpe``: weights (n,) and multipliers of the rows, (p,) and (q,), that show how
        small a feasible variance can be at most.
    budgets
        For ``contributions``: the shares of risk, (n,); their multiple is in `slope`.
    scenarios, tail, chances
        For ``tail``: returns (T, n), the share of them that is the tail, and the worst mixture of
        scenarios (T,), each at most 1 / (tail T), summing to 1.
    exponent, drawdown_price
        For ``growth`` bounded in drawdown: lambda, and the multiplier of log E Z^-lambda <= 0; else 0.
    fixed, search_bound
        For ``search``: the fixed costs of the choice, and what the search says no choice is below.
    equality_labels, inequality_labels
        What each row is called.
    lower_limit, upper_limit
        Which limit each weight's bound is: one text for all, or one for each.
    """

    kind: str
    names: tuple[str, ...]
    weights: NDArray[np.int64]
    per_one: int
    matrix: Array | None
    loadings: Array | None
    specific: Array | None
    curvature: float
    linear: Array
    equalities: tuple[Array, Array]
    inequalities: tuple[Array, Array]
    lower: Array
    upper: Array
    parts: Parts
    point: Array
    equality_multipliers: Array
    inequality_multipliers: Array
    slope: float
    anchor: Array | None
    anchor_equal: Array | None
    anchor_most: Array | None
    budgets: Array | None
    scenarios: Array | None
    tail: float
    chances: Array | None
    exponent: float
    drawdown_price: float
    fixed: float
    search_bound: float
    equality_labels: tuple[Label, ...]
    inequality_labels: tuple[Label, ...]
    lower_limit: str | tuple[str, ...]
    upper_limit: str | tuple[str, ...]

    def full_point(self) -> Array:
        """x (m,) at the plan's weights."""
        weights = self.weights / self.per_one
        return np.concatenate([weights, self.parts.of(weights)]) if self.parts.count else weights

    def times(self, weights: Array) -> Array:
        """Sigma w, (n,); of a matrix only the rows of names that have a weight are read."""
        matrix = self.matrix
        if matrix is not None:
            if len(weights) < _WORTH_SKIPPING:
                return matrix.dot(weights)
            held = weights.nonzero()[0]
            return weights[held] @ matrix[held] if 4 * len(held) < len(weights) else matrix @ weights
        if self.loadings is None or self.specific is None:
            return np.zeros(len(weights))
        return self.loadings @ (weights @ self.loadings) + self.specific * weights

    def variances(self) -> Array:
        """The diagonal of Sigma, (n,)."""
        if self.matrix is not None:
            return self.matrix.diagonal()
        if self.loadings is None or self.specific is None:
            return np.zeros(len(self.names))
        return np.einsum("ij,ij->i", self.loadings, self.loadings) + self.specific

    def gradient(self) -> Array:
        """The tangent's slope at the point, (m,)."""
        gradient, count = self.linear.copy(), len(self.names)
        if self.scenarios is not None and self.chances is not None:
            gradient[:count] -= self.chances @ self.scenarios
        steepness = self.slope if self.kind == "sharpe" else self.curvature
        if steepness:
            gradient[:count] += steepness * self.times(self.point[:count])
        return gradient

    def priced(self, gradient: Array, y: Array | None = None, z: Array | None = None) -> tuple[Array, float]:
        """The reduced costs ``gradient + E'y + A'z`` and the constant ``f'y + b'z``, of other multipliers if given."""
        costs, constant = gradient, 0.0
        for (rows, limits), multipliers in (
            (self.equalities, self.equality_multipliers if y is None else y),
            (self.inequalities, self.inequality_multipliers if z is None else z),
        ):
            if len(limits):
                costs = costs + multipliers.dot(rows)
                constant += float(multipliers.dot(limits))
        return costs, constant
