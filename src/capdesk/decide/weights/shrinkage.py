"""Ledoit and Wolf's shrinkage: a sample covariance pulled towards a structured target, by the optimal amount.

    shrunk = intensity * target + (1 - intensity) * S,        S divided by T, as in the papers

The intensity minimises the expected squared Frobenius distance to the true covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.weights.problem import Array


@dataclass(frozen=True, slots=True, eq=False)
class Shrunk:
    """A shrunk covariance, (n, n), and how far it was shrunk (0 the sample, 1 the target)."""

    matrix: Array
    intensity: float


def towards_identity(returns: Array) -> Shrunk:
    """Towards the mean variance times the identity.

    Parameters
    ----------
    returns
        (T, n).

    Notes
    -----
    Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    J. Multivariate Analysis 88 (2004), section 3.3: intensity = b^2 / d^2.
    """
    rows, names = returns.shape
    deviations = returns - returns.mean(axis=0)
    sample = deviations.T @ deviations / rows
    target = np.trace(sample) / names * np.eye(names)
    dispersion = float(np.sum((sample - target) ** 2))
    norms = np.einsum("ti,ti->t", deviations, deviations)
    error = float(norms @ norms / rows - np.sum(sample**2)) / rows
    return _mixed(sample, target, error, dispersion)


def towards_constant_correlation(returns: Array) -> Shrunk:
    """Towards the sample's variances with one correlation, the mean of all.

    Parameters
    ----------
    returns
        (T, n), no column constant.

    Notes
    -----
    Ledoit & Wolf, "Honey, I shrunk the sample covariance matrix", J. Portfolio Management
    30(4) (2004), appendix B: intensity = (pi - rho) / gamma / T.
    """
    rows, names = returns.shape
    deviations = returns - returns.mean(axis=0)
    sample = deviations.T @ deviations / rows
    if names == 1:
        return Shrunk(sample, 0.0)
    deviation = np.sqrt(np.diagonal(sample))
    correlations = sample / np.outer(deviation, deviation)
    mean_correlation = float(correlations.sum() - names) / (names * (names - 1))
    target = mean_correlation * np.outer(deviation, deviation)
    np.fill_diagonal(target, deviation**2)

    squares = deviations**2
    variances = squares.T @ squares / rows - sample**2
    cross = (squares * deviations).T @ deviations / rows - deviation[:, None] ** 2 * sample
    of_target = mean_correlation * np.outer(1 / deviation, deviation) * cross
    np.fill_diagonal(of_target, np.diagonal(variances))
    error = float(variances.sum() - of_target.sum()) / rows
    return _mixed(sample, target, error, float(np.sum((sample - target) ** 2)))


def _mixed(sample: Array, target: Array, error: float, distance: float) -> Shrunk:
    """A sample that is its own target needs no shrinking."""
    intensity = min(1.0, max(0.0, error / distance)) if distance > 0 else 0.0
    return Shrunk(intensity * target + (1 - intensity) * sample, intensity)
