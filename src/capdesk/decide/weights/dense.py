"""Dense factorisations by LAPACK itself: on small matrices its wrappers cost more than its work."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack  # pyright: ignore[reportMissingTypeStubs]

from capdesk.decide.weights.problem import Array

_blas: Any = blas
_lapack: Any = lapack

# Its unit roundoff, and a variance whose products with any other stay far from its limits.
_SINGLE = 2.0**-24
_LEAST_SINGLE = 1e-15
_MOST_LOST = 0.25


class SingularMatrix(Exception):
    """A matrix that should have a factorisation has none."""


def cholesky(matrix: Array, *, overwrite: bool = False) -> Array:
    """The factor of a symmetric positive definite matrix (n, n), for `cholesky_solve`.

    Only its upper triangle is read, and with `overwrite` the factor takes its place.

    Raises
    ------
    SingularMatrix
        Where the matrix is not positive definite.
    """
    factor, failed = _lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=overwrite)
    if failed:
        raise SingularMatrix
    return factor


def cholesky_solve(factor: Array, right: Array) -> Array:
    """M^-1 b for b (n,) or (n, k)."""
    answer, _ = _lapack.dpotrs(factor, right, lower=1)
    return answer


def definite_solve(matrix: Array, right: Array) -> Array:
    """M^-1 b for a symmetric positive definite matrix (n, n), both overwritten where LAPACK can.

    Raises
    ------
    SingularMatrix
        Where the matrix is not positive definite.
    """
    _, answer, failed = _lapack.dposv(matrix.T, right, lower=1, overwrite_a=True, overwrite_b=True)
    if failed:
        raise SingularMatrix
    return answer


def is_clearly_definite(matrix: Array) -> bool:
    """Whether single precision proves a symmetric matrix (n, n) positive definite; if not, it may still be so.

    Only its upper triangle is read.

    Notes
    -----
    A Cholesky factorisation that runs to its end is exact for a matrix that differs by at most
    g / (1 - g) d_i d_j from the one it was given, where d_i^2 is the diagonal and g = m u / (1 - m u)
    with m = n + 1 (Higham, Accuracy and Stability of Numerical Algorithms, theorem 10.3 and what
    follows it; theorem 10.7 has the same bound as a condition); rounding the matrix to single
    precision adds u d_i d_j. Scaled to a unit diagonal that is less than n (m + 1) u' in norm, u'
    a little above u. So where the matrix less twice that share of its diagonal has a factor, the
    matrix itself is positive definite.
    """
    count = len(matrix)
    variances = matrix.diagonal()
    lost = 2.0 * count * (count + 2) * _SINGLE
    if lost > _MOST_LOST or not (variances.min() > _LEAST_SINGLE and variances.max() < 1 / _LEAST_SINGLE):
        return False
    single = matrix.astype(np.float32)
    single.flat[:: count + 1] = variances * (1.0 - lost)
    factor, failed = _lapack.spotrf(single.T, lower=1, clean=0, overwrite_a=True)
    return not failed and bool(np.isfinite(factor.diagonal()).all())


class LU:
    """The factors of a square matrix."""

    def __init__(self, matrix: Array) -> None:
        if not matrix.size:  # LAPACK would complain of it on standard output.
            raise SingularMatrix
        self._factors, self._pivots, failed = _lapack.dgetrf(matrix)
        if failed:
            raise SingularMatrix

    def solve(self, right: Array) -> Array:
        """M^-1 b for b (n,) or (n, k)."""
        answer, _ = _lapack.dgetrs(self._factors, self._pivots, right)
        return np.asarray(answer, dtype=np.float64)


def small_solve(matrix: Array, right: Array) -> Array:
    """M^-1 b for a matrix of a few rows, most often of one.

    Raises
    ------
    SingularMatrix
        Where it has no inverse.
    """
    if len(right) != 1:
        return LU(matrix).solve(right)
    if not matrix[0, 0]:
        raise SingularMatrix
    return right / matrix[0, 0]


def gram(rows: Array, weights: Array | None = None) -> Array:
    """R' diag(w) R for rows (t, n) and weights (t,) >= 0: (n, n), of which the upper triangle is filled."""
    scaled = rows if weights is None else rows * np.sqrt(weights)[:, None]
    return _blas.dsyrk(1.0, scaled.T, lower=1).T


def rough_gram(rows: NDArray[np.float32], weights: Array) -> Array:
    """`gram` in single precision, in half the time."""
    scaled = rows * np.sqrt(weights).astype(np.float32)[:, None]
    return _blas.ssyrk(1.0, scaled.T, lower=1).T.astype(np.float64)
