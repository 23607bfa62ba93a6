"""Means and covariances of returns: the door to the estimators, and what every one of them refuses.

| method | estimate, and its source |
|---|---|
| `sample` | divided by T - 1 |
| `exponential` | weights that halve every `half_life` rows, the mean removed, bias corrected (RiskMetrics 1996) |
| `ledoit_wolf` | shrunk towards one constant correlation (Ledoit & Wolf 2004, J. Portfolio Management) |
| `ledoit_wolf_identity` | shrunk towards the identity (Ledoit & Wolf 2004, J. Multivariate Analysis) |
| `factor_model` | principal components, and what they leave (Connor & Korajczyk 1986; Laloux et al. 1999) |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from capdesk.decide.weights import factor_model, shrinkage
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput

Estimator = Literal["sample", "exponential", "ledoit_wolf", "ledoit_wolf_identity", "factor_model"]
ESTIMATORS: tuple[Estimator, ...] = (
    "sample",
    "exponential",
    "ledoit_wolf",
    "ledoit_wolf_identity",
    "factor_model",
)


def returns_of(prices: Array, names: Sequence[str]) -> Array:
    """Simple returns p(t) / p(t - 1) - 1 of prices, (T - 1, n).

    Parameters
    ----------
    prices
        (T, n), oldest first, positive.
    names
        The n columns, for errors.

    Raises
    ------
    InvalidInput
        For fewer than three rows, or a price that is missing or not positive; by the column's name.
    """
    _require_table(prices, names, "prices", rows=3)
    bad = np.argwhere(prices <= 0)
    if len(bad):
        row, column = bad[0]
        raise InvalidInput(
            f"prices must be positive: {names[column]} has {prices[row, column]:g} in row {row}. "
            "Drop the column or the row"
        )
    return prices[1:] / prices[:-1] - 1


def mean_of(returns: Array, names: Sequence[str], *, half_life: float | None = None) -> Array:
    """Mean return of every column, (n,); weighted by age where a half-life is given (in rows)."""
    _require_table(returns, names, "returns", rows=1)
    return _ages(len(returns), half_life) @ returns


def covariance_of(
    returns: Array,
    names: Sequence[str],
    method: Estimator = "sample",
    *,
    half_life: float | None = None,
    factors: int | None = None,
) -> Covariance:
    """The covariance of returns by one of the estimators above.

    Parameters
    ----------
    returns
        (T, n), oldest first.
    names
        The n columns, for errors.
    method
        One of `ESTIMATORS`.
    half_life
        Of `exponential`, in rows.
    factors
        Of `factor_model`: how many; by default those whose eigenvalue of the correlations
        lies above the Marchenko-Pastur edge.

    Returns
    -------
    Covariance
        Dense, or loadings and specific variances for `factor_model`; per row, not annualised.

    Raises
    ------
    InvalidInput
        For a value that is missing, a column that never changes (both by name), fewer than
        two rows, or an option that the method does not take.
    """
    _require_options(method, half_life, factors)
    _require_table(returns, names, "returns", rows=2)
    _require_variance(returns, names)
    if method == "exponential":
        return Covariance(matrix=_weighted(returns, _ages(len(returns), half_life)))
    if method == "ledoit_wolf":
        return Covariance(matrix=shrinkage.towards_constant_correlation(returns).matrix)
    if method == "ledoit_wolf_identity":
        return Covariance(matrix=shrinkage.towards_identity(returns).matrix)
    if method == "factor_model":
        return factor_model.of_returns(returns, factors)
    return Covariance(matrix=_weighted(returns, _ages(len(returns), None)))


def _weighted(returns: Array, ages: Array) -> Array:
    """sum a (r - m)(r - m)' / (1 - sum a^2): unbiased for independent rows, T - 1 for equal ones."""
    deviations = (returns - ages @ returns) * np.sqrt(ages / (1 - ages @ ages))[:, None]
    return deviations.T @ deviations


def _ages(rows: int, half_life: float | None) -> Array:
    """Weights of the rows, oldest first, that sum to 1."""
    if half_life is None:
        return np.full(rows, 1 / rows)
    if not half_life > 0:
        raise InvalidInput(f"half_life is a positive number of rows, got {half_life}")
    ages = 0.5 ** (np.arange(rows)[::-1] / half_life)
    return ages / ages.sum()


def _require_options(method: str, half_life: float | None, factors: int | None) -> None:
    if method not in ESTIMATORS:
        raise InvalidInput(f"estimator {method!r} is not known: use one of {', '.join(ESTIMATORS)}")
    if (method == "exponential") != (half_life is not None):
        raise InvalidInput("half_life belongs to the estimator 'exponential', and to it alone")
    if factors is not None and method != "factor_model":
        raise InvalidInput("factors belongs to the estimator 'factor_model'")


def _require_table(values: Array, names: Sequence[str], what: str, rows: int) -> None:
    if values.ndim != 2 or values.shape[1] != len(names) or values.shape[0] < rows:
        raise InvalidInput(
            f"{what} has shape {values.shape}: it must be (at least {rows} rows, {len(names)} names)"
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InvalidInput(
            f"{what} must be finite: {names[column]} has {values[row, column]} in row {row}. "
            "Drop the column or the row, or fill it"
        )


def _require_variance(returns: Array, names: Sequence[str]) -> None:
    still: list[int] = np.flatnonzero(np.ptp(returns, axis=0) == 0).tolist()
    if still:
        raise InvalidInput(
            f"the returns of {', '.join(names[column] for column in still)} never change: "
            "a name without variance cannot be compared by risk. Hold it as cash, or leave it out"
        )
