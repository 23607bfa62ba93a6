"""Black and Litterman: the market's own expectations, moved by views as far as each is trusted.

    prior      pi = delta Sigma w_market,                       uncertain by tau Sigma
    views      P mu = q + e,  e ~ N(0, Omega)
    posterior  mu = pi + tau Sigma P' (P tau Sigma P' + Omega)^-1 (q - P pi)
               M  = tau Sigma - tau Sigma P' (P tau Sigma P' + Omega)^-1 P tau Sigma

Returns are distributed about mu with Sigma + M (He & Litterman, "The Intuition Behind
Black-Litterman Model Portfolios", 1999, equations 8 to 11). This form of the posterior,
unlike the one with Omega^-1, also holds for views that are certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput

TAU = 0.05
RISK_AVERSION = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What somebody expects of k portfolios of the n names.

    Parameters
    ----------
    portfolios
        P, (k, n): a row of one 1 is an absolute view, a row that sums to 0 a relative one.
    returns
        q, (k,): the excess return that each is expected to have.
    uncertainty
        Omega, (k, k). Left out, it is diag(tau P Sigma P'): a view is as uncertain as the
        prior of its portfolio (He & Litterman 1999).
    confidences
        (k,), from 0 (the view changes nothing) to 1 (it holds exactly), instead of Omega.
    """

    portfolios: Array
    returns: Array
    uncertainty: Array | None = None
    confidences: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Expected excess returns mu (n,), their uncertainty M (n, n), and the covariance of returns Sigma + M."""

    mean: Array
    uncertainty: Array
    covariance: Covariance


def equilibrium(covariance: Covariance, market: Array, risk_aversion: float = RISK_AVERSION) -> Array:
    """The excess returns for which the market's weights are optimal: delta Sigma w, (n,).

    Parameters
    ----------
    covariance
        Sigma of the n names.
    market
        (n,), the market's weights.
    risk_aversion
        delta, positive.
    """
    if not risk_aversion > 0:
        raise InvalidInput(f"the market's risk aversion must be positive, got {risk_aversion}")
    return risk_aversion * covariance.times(market)


def posterior(covariance: Covariance, prior: Array, views: Views, tau: float = TAU) -> Posterior:
    """The expectations after the views.

    Parameters
    ----------
    covariance
        Sigma of the n names.
    prior
        pi, (n,), as `equilibrium` gives it.
    views
        k views; none leaves the prior.
    tau
        How uncertain the prior is, as a part of Sigma; positive.

    Raises
    ------
    InvalidInput
        For shapes that do not fit, confidences outside 0 to 1, an Omega that is no covariance,
        or certain views that contradict or repeat each other.
    """
    _require(covariance, prior, views, tau)
    kept, omega = _uncertainty(covariance, views, tau)
    portfolios, expected = views.portfolios[kept], views.returns[kept]
    spread = tau * covariance.times(portfolios.T)
    middle = portfolios @ spread + omega
    _require_apart(middle, portfolios, spread)
    gain = np.linalg.solve(middle, spread.T).T
    mean = prior + gain @ (expected - portfolios @ prior)
    sigma = covariance.dense()
    uncertainty = tau * sigma - gain @ spread.T
    uncertainty = (uncertainty + uncertainty.T) / 2
    return Posterior(mean, uncertainty, Covariance(matrix=sigma + uncertainty))


def unconstrained_weights(after: Posterior, risk_aversion: float = RISK_AVERSION) -> Array:
    """(delta (Sigma + M))^-1 mu, (n,): what an investor without limits holds.

    Without views these are the market's weights divided by 1 + tau.
    """
    weights = np.linalg.solve(risk_aversion * after.covariance.dense(), after.mean)
    return np.asarray(weights, dtype=np.float64)


def matrix_of_views(
    names: Sequence[str], views: Sequence[tuple[dict[str, float], float]]
) -> tuple[Array, Array]:
    """P (k, n) and q (k,) of views written as ({name: share}, expected excess return).

    ``({"DE": 1, "FR": -0.295, "UK": -0.705}, 0.05)`` says that Germany beats the others by 5 %.

    Raises
    ------
    InvalidInput
        For a name that is not among the names, or a view about nothing.
    """
    place = {name: number for number, name in enumerate(names)}
    portfolios = np.zeros((len(views), len(names)))
    for row, view in enumerate(views):
        if not (isinstance(view, tuple | list) and len(view) == 2 and isinstance(view[0], Mapping)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(
                f"view {row + 1} must be ({{name: share}}, expected excess return), got {view!r}"
            )
        portfolio = view[0]
        for name, share in portfolio.items():
            if name not in place:
                raise InvalidInput(f"view {row + 1} is about {name!r}, which is not among the names")
            portfolios[row, place[name]] = share
    return portfolios, np.array([expected for _, expected in views], dtype=np.float64)


def _uncertainty(covariance: Covariance, views: Views, tau: float) -> tuple[NDArray[np.intp], Array]:
    """Which views say anything, and their Omega.

    Idzorek, "A step-by-step guide to the Black-Litterman model" (2005), asks for the Omega that
    moves the weights by the confidence's part of what a certain view would move them; for one
    view that is omega = tau p' Sigma p (1 - c) / c (Walters, "The Black-Litterman Model in
    Detail", 2014).
    """
    portfolios = views.portfolios
    everyone = np.arange(len(portfolios), dtype=np.intp)
    if views.uncertainty is not None:
        return everyone, views.uncertainty
    own = tau * np.einsum("kn,nk->k", portfolios, covariance.times(portfolios.T))
    if views.confidences is None:
        return everyone, np.diag(own)
    kept = np.flatnonzero(views.confidences > 0)
    confidences = views.confidences[kept]
    return kept, np.diag(own[kept] * (1 - confidences) / confidences)


def _require(covariance: Covariance, prior: Array, views: Views, tau: float) -> None:
    names, count = covariance.size, len(views.returns)
    if not tau > 0:
        raise InvalidInput(f"tau is the prior's uncertainty as a part of the covariance: positive, got {tau}")
    if prior.shape != (names,) or views.portfolios.shape != (count, names):
        raise InvalidInput(
            f"for {names} names and {count} views the prior must have shape ({names},) and the views' "
            f"portfolios ({count}, {names}); got {prior.shape} and {views.portfolios.shape}"
        )
    empty: list[int] = np.flatnonzero(~views.portfolios.any(axis=1)).tolist()
    if empty:
        raise InvalidInput(f"view {empty[0] + 1} is about no name: its portfolio is all zeros")
    if views.confidences is not None:
        _require_confidences(views, count)
    if views.uncertainty is not None:
        _require_uncertainty(views.uncertainty, count)


def _require_confidences(views: Views, count: int) -> None:
    if views.uncertainty is not None:
        raise InvalidInput("give the views' uncertainty (Omega) or their confidences, not both")
    confidences = np.asarray(views.confidences)
    if confidences.shape != (count,) or not np.all((confidences >= 0) & (confidences <= 1)):
        raise InvalidInput(
            f"confidences must be one number from 0 to 1 for each of {count} views, got {confidences}"
        )


def _require_uncertainty(omega: Array, count: int) -> None:
    if omega.shape != (count, count) or not np.allclose(omega, omega.T):
        raise InvalidInput(
            f"the views' uncertainty must be a symmetric ({count}, {count}) matrix, got {omega.shape}"
        )
    smallest = float(np.linalg.eigvalsh(omega)[0]) if count else 0.0
    if smallest < -1e-12 * float(np.trace(omega)):
        raise InvalidInput(f"the views' uncertainty has the negative eigenvalue {smallest:.6g}")


def _require_apart(middle: Array, portfolios: Array, spread: Array) -> None:
    """Certain views of one portfolio cannot both hold, so their system has no single solution."""
    size = np.sqrt(np.einsum("kn,nk->k", portfolios, spread))
    if len(size) and np.linalg.cond(middle / np.outer(size, size)) > 1e12:
        raise InvalidInput(
            "the views are certain and not independent of each other: "
            "lower a confidence below 1, or leave a view out"
        )
