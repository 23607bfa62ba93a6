"""A statistical factor model: a few principal components, and each name's own variance beside them.

    Sigma = B B' + diag(d)

The components are those of the correlations, so that a name in other units gives the same
model; d is what they leave of each variance, so the diagonal is the sample's (T - 1).
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput


def of_returns(returns: Array, factors: int | None = None) -> Covariance:
    """The model of returns, as loadings (n, k) and specific variances (n,).

    Parameters
    ----------
    returns
        (T, n), no column constant.
    factors
        k; by default the number of eigenvalues of the correlations above (1 + sqrt(n / T))^2,
        the largest that noise alone would give, and at least one.

    Raises
    ------
    InvalidInput
        For fewer than one factor, or more than the returns have components.

    Notes
    -----
    Principal components as factors: Connor & Korajczyk, J. Financial Economics 15 (1986).
    The edge of the noise: Marchenko & Pastur 1967; Laloux et al., Phys. Rev. Lett. 83 (1999).
    """
    rows, names = returns.shape
    most = min(rows - 1, names)
    if factors is not None and not 1 <= factors <= most:
        raise InvalidInput(f"factors is from 1 to {most} for {rows} rows of {names} names, got {factors}")
    deviation = returns.std(axis=0, ddof=1)
    standard = (returns - returns.mean(axis=0)) / deviation / np.sqrt(rows - 1)
    _, singular, directions = np.linalg.svd(standard, full_matrices=False)
    kept = factors or _above_noise(singular[:most] ** 2, names / rows)
    loadings = (directions[:kept] * singular[:kept, None]).T * deviation[:, None]
    # Rounding can leave a variance that the factors explain in full just below zero.
    specific = np.maximum(deviation**2 - np.einsum("ij,ij->i", loadings, loadings), 0.0)
    return Covariance(loadings=loadings, specific=specific)


def _above_noise(eigenvalues: Array, names_per_row: float) -> int:
    return max(1, int(np.count_nonzero(eigenvalues > (1 + np.sqrt(names_per_row)) ** 2)))
