"""Black-Litterman: He and Litterman's tables to the printed digits, Idzorek's two ends, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.weights import black_litterman as bl
from capdesk.decide.weights.black_litterman import Views
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput
from capdesk.weights import Constraints, plan_weights

COUNTRIES = ["AU", "CA", "FR", "DE", "JP", "UK", "US"]
MARKET = np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100
_VOLATILITY = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
_UPPER = """.488 .478 .515 .439 .512 .491  .664 .655 .310 .608 .779  .861 .355 .783 .668
            .354 .777 .653  .405 .306  .652"""


def _covariance() -> Covariance:
    correlation = np.eye(7)
    correlation[np.triu_indices(7, 1)] = [float(each) for each in _UPPER.split()]
    correlation = correlation + correlation.T - np.eye(7)
    return Covariance(matrix=correlation * np.outer(_VOLATILITY, _VOLATILITY))


SIGMA = _covariance()
PRIOR = bl.equilibrium(SIGMA, MARKET, 2.5)
EUROPE = 5.2 + 12.4
GERMANY = ({"DE": 1.0, "FR": -5.2 / EUROPE, "UK": -12.4 / EUROPE}, 0.05)
CANADA = ({"CA": 1.0, "US": -1.0}, 0.03)


def views(*stated: tuple[dict[str, float], float], **trust: Array) -> Views:
    return Views(*bl.matrix_of_views(COUNTRIES, stated), **trust)


def percent(values: Array) -> list[float]:
    return np.round(100 * values, 1).tolist()


def test_equilibrium_returns_of_he_and_litterman() -> None:
    assert percent(PRIOR) == [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]


def test_posterior_and_weights_of_the_view_on_germany() -> None:
    after = bl.posterior(SIGMA, PRIOR, views(GERMANY), 0.05)
    assert percent(after.mean) == [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1]
    assert percent(bl.unconstrained_weights(after, 2.5)) == [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]


def test_weights_with_canada_over_the_united_states_as_a_second_view() -> None:
    after = bl.posterior(SIGMA, PRIOR, views(GERMANY, CANADA), 0.05)
    assert percent(bl.unconstrained_weights(after, 2.5)) == [1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8]


def test_posterior_is_that_of_the_papers_other_form() -> None:
    """((tau Sigma)^-1 + P' Omega^-1 P)^-1, equations 8 and 9 of the paper."""
    stated = views(GERMANY, CANADA)
    p, tau, sigma = stated.portfolios, 0.05, SIGMA.dense()
    omega = np.diag(np.diag(tau * p @ sigma @ p.T))
    precision = np.linalg.inv(tau * sigma) + p.T @ np.linalg.inv(omega) @ p
    mean = np.linalg.solve(
        precision, np.linalg.solve(tau * sigma, PRIOR) + p.T @ np.linalg.solve(omega, stated.returns)
    )
    after = bl.posterior(SIGMA, PRIOR, stated, tau)
    assert after.mean == pytest.approx(mean, rel=1e-9)
    assert after.uncertainty == pytest.approx(np.linalg.inv(precision), rel=1e-7, abs=1e-12)
    assert after.covariance.dense() == pytest.approx(sigma + np.linalg.inv(precision), rel=1e-9)


def test_without_views_the_weights_are_the_markets_over_one_plus_tau() -> None:
    after = bl.posterior(SIGMA, PRIOR, views(), 0.05)
    assert bl.unconstrained_weights(after, 2.5) == pytest.approx(MARKET / 1.05, rel=1e-9)


def test_full_confidence_makes_absolute_and_relative_views_hold_exactly() -> None:
    stated = views(GERMANY, ({"JP": 1.0}, 0.02), confidences=np.array([1.0, 1.0]))
    after = bl.posterior(SIGMA, PRIOR, stated)
    assert stated.portfolios @ after.mean == pytest.approx(np.array([0.05, 0.02]), abs=1e-12)


def test_no_confidence_changes_nothing() -> None:
    after = bl.posterior(SIGMA, PRIOR, views(GERMANY, CANADA, confidences=np.zeros(2)))
    assert np.array_equal(after.mean, PRIOR)


@given(confidence=st.floats(0.001, 1))
def test_confidence_is_the_part_of_the_way_that_one_view_moves_the_weights(confidence: float) -> None:
    """Idzorek's definition, on weights for Sigma, as his paper has them."""

    def weights(trust: float) -> Array:
        after = bl.posterior(SIGMA, PRIOR, views(GERMANY, confidences=np.array([trust])))
        return np.linalg.solve(SIGMA.dense(), after.mean) / 2.5

    moved, fully = weights(confidence) - MARKET, weights(1.0) - MARKET
    assert moved == pytest.approx(confidence * fully, abs=1e-9)


def test_half_confidence_is_the_proportional_uncertainty() -> None:
    half = bl.posterior(SIGMA, PRIOR, views(GERMANY, CANADA, confidences=np.array([0.5, 0.5])))
    proportional = bl.posterior(SIGMA, PRIOR, views(GERMANY, CANADA))
    assert half.mean == pytest.approx(proportional.mean, rel=1e-12)


@given(order=st.permutations(range(7)))
def test_posterior_follows_a_permutation_of_the_names(order: list[int]) -> None:
    stated = views(GERMANY, CANADA)
    permuted = bl.posterior(
        SIGMA.of(np.array(order)), PRIOR[order], Views(stated.portfolios[:, order], stated.returns)
    )
    assert permuted.mean == pytest.approx(bl.posterior(SIGMA, PRIOR, stated).mean[order], rel=1e-9)


def test_factors_give_what_their_dense_matrix_gives() -> None:
    values, vectors = np.linalg.eigh(SIGMA.dense())
    factors = Covariance(loadings=vectors[:, 3:] * np.sqrt(values[3:]), specific=np.full(7, 0.01))
    by_factors = bl.posterior(factors, PRIOR, views(GERMANY))
    dense = bl.posterior(Covariance(matrix=factors.dense()), PRIOR, views(GERMANY))
    assert by_factors.mean == pytest.approx(dense.mean, rel=1e-12)


def planned(**options: Any) -> list[float]:
    stated = {"covariance": SIGMA.dense(), "market_weights": MARKET, "risk_aversion": 2.5}
    plan = plan_weights(COUNTRIES, "black_litterman", **stated, **options)
    return [float(weight) for weight in plan.weights.values()]


def test_plan_has_the_weights_that_the_paper_prints() -> None:
    limits = Constraints(long_only=False, fully_invested=False)
    one = planned(views=[GERMANY], constraints=limits)
    assert percent(np.array(one)) == [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]
    two = planned(views=[GERMANY, CANADA], constraints=limits)
    assert percent(np.array(two)) == [1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8]


def test_plan_without_confidence_or_views_holds_the_market() -> None:
    assert planned() == pytest.approx(MARKET, abs=1e-6)
    assert planned(views=[GERMANY], confidences=[0]) == pytest.approx(MARKET, abs=1e-6)


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        (views(GERMANY, confidences=np.array([1.5])), "number from 0 to 1 for each of 1 views"),
        (views(GERMANY, confidences=np.array([np.nan])), "number from 0 to 1"),
        (views(GERMANY, uncertainty=np.eye(2)), r"symmetric \(1, 1\) matrix"),
        (views(GERMANY, uncertainty=-np.eye(1)), "negative eigenvalue -1"),
        (
            views(GERMANY, uncertainty=np.eye(1), confidences=np.ones(1)),
            "uncertainty .Omega. or their confidences, not both",
        ),
        (views(({"US": 0.0}, 0.1)), "view 1 is about no name"),
        (views(CANADA, CANADA, confidences=np.ones(2)), "certain and not independent"),
        (Views(np.ones((1, 6)), np.ones(1)), r"portfolios \(1, 7\); got \(7,\) and \(1, 6\)"),
    ],
)
def test_views_that_mean_nothing_are_refused(stated: Views, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        bl.posterior(SIGMA, PRIOR, stated)


def test_view_about_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidInput, match="view 1 is about 'IT', which is not among the names"):
        views(({"IT": 1.0}, 0.05))


@pytest.mark.parametrize("tau", [0.0, -1.0, np.nan])
def test_tau_that_is_not_positive_is_refused(tau: float) -> None:
    with pytest.raises(InvalidInput, match="tau"):
        bl.posterior(SIGMA, PRIOR, views(GERMANY), tau)


def test_risk_aversion_that_is_not_positive_is_refused() -> None:
    with pytest.raises(InvalidInput, match="risk aversion must be positive, got 0"):
        bl.equilibrium(SIGMA, MARKET, 0)
