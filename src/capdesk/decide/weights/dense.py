"""Dense factorisations by LAPACK itself: on small matrices its wrappers cost more than its work."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas, lapack  # pyright: ignore[reportMissingTypeStubs]

from capdesk.decide.weights.problem import Array

_blas: Any = blas
_lapack: Any = lapack


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


def gram(rows: Array, weights: Array) -> Array:
    """R' diag(w) R for rows (t, n) and weights (t,) >= 0: (n, n), of which the upper triangle is filled."""
    scaled = rows * np.sqrt(weights)[:, None]
    return _blas.dsyrk(1.0, scaled.T, lower=1).T
