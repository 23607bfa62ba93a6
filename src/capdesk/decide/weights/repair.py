"""A covariance that is none: refused with what is wrong with it, or repaired where that was asked for.

The repair keeps the variances and replaces the correlations by the nearest correlation
matrix in the Frobenius norm (Higham 2002). Clipping eigenvalues is quicker and moves the
matrix further.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from capdesk.decide.weights.dense import SingularMatrix, cholesky, is_clearly_definite
from capdesk.decide.weights.problem import Array
from capdesk.model.errors import InvalidInput

# Of the largest variance: what rounding leaves of an eigenvalue that is zero, and more.
TOLERANCE = 1e-10
_ROUNDS = 10_000
# Up to so many names a factor in double precision costs no more.
_WORTH_SINGLE = 100
_STRIP = 128


def checked(matrix: Array, names: Sequence[str], *, repair: bool = False) -> Array:
    """A covariance matrix as it was given, or an error; repaired where asked.

    Parameters
    ----------
    matrix
        (n, n).
    names
        The n names, for errors.
    repair
        Replace a matrix with a negative eigenvalue by the nearest one without.

    Returns
    -------
    Array
        (n, n), exactly symmetric.

    Raises
    ------
    InvalidInput
        For another shape, a value that is missing, a matrix that is not symmetric, a variance
        that is not positive (by name), or, unless repaired, a negative eigenvalue (which it names).
    """
    if _plainly_good(matrix, len(names)):
        return matrix.copy()
    _require_square(matrix, names)
    symmetric = (matrix + matrix.T) / 2
    variances = np.diagonal(symmetric)
    without: list[int] = np.flatnonzero(variances <= 0).tolist()
    if without:
        listed = ", ".join(f"{names[each]} ({variances[each]:g})" for each in without)
        raise InvalidInput(f"variances must be positive: {listed}. Hold such a name as cash, or leave it out")
    if _is_semidefinite(symmetric):
        return symmetric
    if repair:
        return nearest_covariance(symmetric)
    smallest = float(np.linalg.eigvalsh(symmetric)[0])
    raise InvalidInput(
        f"the covariance is not positive semidefinite: its smallest eigenvalue is {smallest:.6g}, "
        "so some portfolio would have a negative variance. Give a covariance estimated from complete "
        "rows, or ask for repair=True (the nearest correlation matrix, Higham 2002)"
    )


def nearest_covariance(matrix: Array) -> Array:
    """The matrix with its variances kept and its correlations replaced by the nearest possible."""
    deviation = np.sqrt(np.diagonal(matrix))
    return nearest_correlation(matrix / np.outer(deviation, deviation)) * np.outer(deviation, deviation)


def nearest_correlation(matrix: Array) -> Array:
    """The nearest correlation matrix in the Frobenius norm, (n, n).

    Parameters
    ----------
    matrix
        (n, n), symmetric.

    Notes
    -----
    Higham, "Computing the nearest correlation matrix", IMA J. Numerical Analysis 22 (2002),
    algorithm 3.3: alternating projections with Dykstra's correction.
    """
    current, correction = matrix, np.zeros_like(matrix)
    for _ in range(_ROUNDS):
        shifted = current - correction
        semidefinite = _without_negative(shifted)
        correction = semidefinite - shifted
        following = semidefinite.copy()
        np.fill_diagonal(following, 1.0)
        moved = float(np.max(np.abs(following - current)))
        current = following
        if moved <= 1e-13:
            break
    return _unit_diagonal(_without_negative(current))


def _without_negative(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T


def _unit_diagonal(matrix: Array) -> Array:
    """Scaled by congruence, which keeps a matrix semidefinite."""
    deviation = np.sqrt(np.diagonal(matrix))
    scaled = matrix / np.outer(deviation, deviation)
    np.fill_diagonal(scaled, 1.0)
    return (scaled + scaled.T) / 2


def _plainly_good(matrix: Array, count: int) -> bool:
    """Whether a matrix passes every check in one sweep; one that does not may still be good.

    A value that is missing differs from itself, and an infinite one leaves no finite factor.
    """
    if matrix.shape != (count, count) or not count:
        return False
    if not np.minimum.reduce(matrix.diagonal()) > 0:
        return False
    return _is_symmetric(matrix) and _is_semidefinite(matrix)


def _is_symmetric(matrix: Array) -> bool:
    """Whether it is exactly so, strip by strip: what is compared then stays near the processor."""
    strips = (slice(first, first + _STRIP) for first in range(0, len(matrix), _STRIP))
    return all((matrix[strip.start :, strip] == matrix[strip, strip.start :].T).all() for strip in strips)


def _is_semidefinite(matrix: Array) -> bool:
    if len(matrix) > _WORTH_SINGLE and is_clearly_definite(matrix):
        return True
    shifted = matrix.copy()
    diagonal = shifted.reshape(-1)[:: len(matrix) + 1]
    diagonal += TOLERANCE * np.maximum.reduce(diagonal)
    try:
        factor = cholesky(shifted, overwrite=True)
    except SingularMatrix:
        return False
    return isfinite(np.add.reduce(factor.diagonal()))


def _require_square(matrix: Array, names: Sequence[str]) -> None:
    if matrix.shape != (len(names), len(names)):
        raise InvalidInput(
            f"the covariance has shape {matrix.shape}: it must be ({len(names)}, {len(names)}), one row a name"
        )
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        row, column = bad[0]
        raise InvalidInput(
            f"the covariance must be finite: {names[row]}, {names[column]} is {matrix[row, column]}. "
            "Leave the name out, or estimate from complete rows"
        )
    apart = np.abs(matrix - matrix.T)
    row, column = divmod(int(np.argmax(apart)), len(apart))
    if apart[row, column] > 1e-8 * np.abs(matrix).max():
        raise InvalidInput(
            f"the covariance must be symmetric: {names[row]}, {names[column]} is {matrix[row, column]:g} "
            f"one way and {matrix[column, row]:g} the other"
        )
