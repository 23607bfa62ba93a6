"""The problem that every optimising strategy states, and what a solver answers.

    minimise    (curvature / 2) w' Sigma w + c' x        x = (w, further variables)
    subject to  E x = f,  A x <= b,  lower <= x <= upper

`w` are the first n entries of x, the weights; what follows them (trades, tail losses) is
linear. A certificate is computed from this statement and an answer's multipliers alone,
so a solver need not be believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# From so many names on, leaving out those without a weight is quicker than multiplying by 0.
_WORTH_SKIPPING = 200


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """The covariance of n names, dense or as factors: Sigma = B B' + diag(d).

    Parameters
    ----------
    matrix
        (n, n), symmetric and positive semidefinite; None where factors are given.
    loadings
        (n, k), the factors' covariance already in them (B = loadings chol(F)).
    specific
        (n,), specific variances, 0 or more.
    """

    matrix: Array | None = None
    loadings: Array | None = None
    specific: Array | None = None

    @property
    def size(self) -> int:
        """The number of names."""
        return len(self.matrix) if self.matrix is not None else len(self.factors()[1])

    def times(self, vector: Array) -> Array:
        """Sigma v, (n,) or (n, m)."""
        if self.matrix is not None:
            if vector.ndim > 1 or len(vector) < _WORTH_SKIPPING:
                return self.matrix.dot(vector)
            held = vector.nonzero()[0]
            return (
                vector[held].dot(self.matrix[held])
                if 4 * len(held) < len(vector)
                else self.matrix.dot(vector)
            )
        loadings, specific = self.factors()
        own = specific * vector if vector.ndim == 1 else specific[:, None] * vector
        return loadings @ (loadings.T @ vector) + own

    def diagonal(self) -> Array:
        """The variances, (n,)."""
        if self.matrix is not None:
            return self.matrix.diagonal()
        loadings, specific = self.factors()
        return np.einsum("ij,ij->i", loadings, loadings) + specific

    def dense(self) -> Array:
        """The matrix, (n, n)."""
        if self.matrix is not None:
            return self.matrix
        loadings, specific = self.factors()
        return loadings @ loadings.T + np.diag(specific)

    def of(self, chosen: NDArray[np.intp]) -> Covariance:
        """The covariance of some of the names."""
        if self.matrix is not None:
            return Covariance(matrix=self.matrix.take(chosen, axis=0).take(chosen, axis=1))
        loadings, specific = self.factors()
        return Covariance(loadings=loadings[chosen], specific=specific[chosen])

    def factors(self) -> tuple[Array, Array]:
        """The loadings (n, k) and specific variances (n,).

        Raises
        ------
        ValueError
            Where the covariance is a dense matrix.
        """
        if self.loadings is None or self.specific is None:
            raise ValueError("a covariance has a matrix, or loadings and specific variances")
        return self.loadings, self.specific


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticProblem:
    """A convex quadratic problem over weights and further linear variables.

    Parameters
    ----------
    covariance
        Of the n weights.
    curvature
        The factor of w' Sigma w / 2; 0 makes the problem linear.
    linear
        c, (m,) with m >= n.
    equalities, inequalities
        ``(E, f)`` with shapes (p, m), (p,) and ``(A, b)`` with shapes (q, m), (q,).
    lower, upper
        (m,); infinite where there is no bound.
    """

    covariance: Covariance
    curvature: float
    linear: Array
    equalities: tuple[Array, Array]
    inequalities: tuple[Array, Array]
    lower: Array
    upper: Array

    @property
    def names(self) -> int:
        """How many of the variables are weights."""
        return self.covariance.size

    def objective(self, x: Array) -> float:
        """The value that is minimised, at x (m,)."""
        weights = x[: self.names]
        quadratic = self.curvature / 2 * float(weights @ self.covariance.times(weights))
        return quadratic + float(self.linear @ x)

    def gradient(self, x: Array) -> Array:
        """Its gradient at x, (m,)."""
        names = self.names
        if len(x) == names:
            gradient = self.covariance.times(x)
            gradient *= self.curvature
            gradient += self.linear
            return gradient
        gradient = self.linear.copy()
        gradient[:names] += self.curvature * self.covariance.times(x[:names])
        return gradient


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What a solver answers: a point and multipliers, none of which need be believed.

    Parameters
    ----------
    x
        (m,).
    equality_multipliers, inequality_multipliers
        y (p,) and z (q,), z >= 0: the reduced costs ``gradient + E'y + A'z`` are 0 where x
        lies between its bounds, positive at a lower and negative at an upper one.
    solver, iterations
        Which solver, and how many steps it took.
    """

    x: Array
    equality_multipliers: Array
    inequality_multipliers: Array
    solver: str
    iterations: int
