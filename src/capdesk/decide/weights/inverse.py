"""(curvature Sigma)^-1 applied to vectors: by Cholesky, or by Woodbury's identity on factors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from capdesk.decide.weights.dense import SingularMatrix, cholesky, cholesky_solve, definite_solve
from capdesk.decide.weights.problem import Array, Covariance


def inverse_of(covariance: Covariance, curvature: float) -> Callable[[Array], Array]:
    """The function b (n, k) -> (curvature Sigma)^-1 b.

    Raises
    ------
    SingularMatrix
        Where the covariance has no inverse.

    Notes
    -----
    (B B' + D)^-1 = D^-1 - D^-1 B (I + B' D^-1 B)^-1 B' D^-1 (Woodbury 1950), O(n k^2).
    """
    if covariance.matrix is not None:
        factor = cholesky(covariance.matrix)
        return lambda right: cholesky_solve(factor, right) / curvature
    loadings, specific = covariance.factors()
    if (specific <= 0).any():
        raise SingularMatrix
    scaled = loadings / specific[:, None]
    core = cholesky(np.eye(loadings.shape[1]) + loadings.T @ scaled)

    def apply(right: Array) -> Array:
        return (right / specific[:, None] - scaled @ cholesky_solve(core, scaled.T @ right)) / curvature

    return apply


def solved(covariance: Covariance, right: Array) -> Array:
    """Sigma^-1 b for b (n, k), once; of a covariance of its own, whose matrix is used up.

    Raises
    ------
    SingularMatrix
        Where the covariance has no inverse.
    """
    if covariance.matrix is not None:
        return definite_solve(covariance.matrix, right)
    return inverse_of(covariance, 1.0)(right)


def plus_diagonal(covariance: Covariance, diagonal: Array) -> Covariance:
    """Sigma + diag(d)."""
    if covariance.matrix is not None:
        matrix = covariance.matrix.copy()
        matrix.flat[:: len(matrix) + 1] += diagonal
        return Covariance(matrix=matrix)
    loadings, specific = covariance.factors()
    return Covariance(loadings=loadings, specific=specific + diagonal)
