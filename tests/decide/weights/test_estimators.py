"""Means and covariances: against other implementations, published examples, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from capdesk.decide.weights import estimators, shrinkage
from capdesk.decide.weights.estimators import ESTIMATORS, Estimator
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput
from tests.decide.weights.closes import CLOSES, NAMES, RETURNS


def estimate(method: Estimator, returns: Array = RETURNS) -> Covariance:
    half_life = 26 if method == "exponential" else None
    names = [f"n{place}" for place in range(returns.shape[1])]
    return estimators.covariance_of(returns, names, method, half_life=half_life)


def test_returns_of_prices_are_simple_returns() -> None:
    prices = np.array([[100.0, 10.0], [110.0, 5.0], [99.0, 6.0]])
    assert estimators.returns_of(prices, ["a", "b"]) == pytest.approx(np.array([[0.1, -0.5], [-0.1, 0.2]]))


def test_sample_covariance_is_numpys() -> None:
    assert estimate("sample").dense() == pytest.approx(np.cov(RETURNS.T), rel=1e-12)


def test_exponential_covariance_and_mean_are_those_of_pandas() -> None:
    weighted = pd.DataFrame(RETURNS, columns=NAMES).ewm(halflife=26)
    last = weighted.cov().loc[len(RETURNS) - 1].to_numpy()
    assert estimate("exponential").dense() == pytest.approx(last, rel=1e-10)
    assert estimators.mean_of(RETURNS, NAMES, half_life=26) == pytest.approx(
        weighted.mean().iloc[-1].to_numpy()
    )


def test_mean_is_the_arithmetic_mean() -> None:
    assert estimators.mean_of(RETURNS, NAMES) == pytest.approx(RETURNS.mean(axis=0))


@pytest.mark.parametrize("rows", [12, 60, len(RETURNS)])
def test_identity_target_is_that_of_scikit_learn(rows: int) -> None:
    matrix, intensity = ledoit_wolf(RETURNS[:rows])
    ours = shrinkage.towards_identity(RETURNS[:rows])
    assert ours.intensity == pytest.approx(intensity, rel=1e-10)
    assert ours.matrix == pytest.approx(matrix, rel=1e-10)


def test_constant_correlation_target_is_that_of_pyportfolioopt() -> None:
    """PyPortfolioOpt 1.6.0 on these returns, its sample covariance divided by T as in the paper."""
    ours = shrinkage.towards_constant_correlation(RETURNS)
    assert ours.intensity == pytest.approx(0.3730262564785057, rel=1e-10)
    assert ours.matrix[0, 1] == pytest.approx(0.011282358968935686, rel=1e-10)


def test_constant_correlation_follows_the_appendix_term_by_term() -> None:
    returns = RETURNS[:40, :4]
    rows, names = returns.shape
    y = returns - returns.mean(axis=0)
    s = y.T @ y / rows
    r = s / np.sqrt(np.outer(np.diag(s), np.diag(s)))
    mean = sum(r[i, j] for i in range(names) for j in range(i + 1, names)) * 2 / (names * (names - 1))
    f = np.array(
        [
            [s[i, i] if i == j else mean * np.sqrt(s[i, i] * s[j, j]) for j in range(names)]
            for i in range(names)
        ]
    )
    pi = rho = 0.0
    for i in range(names):
        for j in range(names):
            spread = np.mean((y[:, i] * y[:, j] - s[i, j]) ** 2)
            pi += spread
            if i == j:
                rho += spread
                continue
            own = np.mean((y[:, i] ** 2 - s[i, i]) * (y[:, i] * y[:, j] - s[i, j]))
            other = np.mean((y[:, j] ** 2 - s[j, j]) * (y[:, i] * y[:, j] - s[i, j]))
            rho += mean / 2 * (np.sqrt(s[j, j] / s[i, i]) * own + np.sqrt(s[i, i] / s[j, j]) * other)
    expected = max(0.0, min(1.0, (pi - rho) / np.sum((f - s) ** 2) / rows))
    assert 0 < expected < 1
    assert shrinkage.towards_constant_correlation(returns).intensity == pytest.approx(expected, rel=1e-10)


def test_factor_model_keeps_the_variances_and_with_all_factors_the_sample() -> None:
    few = estimate("factor_model")
    assert few.diagonal() == pytest.approx(RETURNS.var(axis=0, ddof=1))
    every = estimators.covariance_of(RETURNS, NAMES, "factor_model", factors=len(NAMES))
    assert every.dense() == pytest.approx(np.cov(RETURNS.T), rel=1e-9)


def test_factor_model_takes_the_factors_that_are_there() -> None:
    random = np.random.default_rng(7)
    loadings = random.normal(size=(60, 3))
    returns = random.normal(size=(500, 3)) @ loadings.T + 0.5 * random.normal(size=(500, 60))
    found, specific = estimate("factor_model", returns).factors()
    assert found.shape == (60, 3)
    assert np.sqrt(specific) == pytest.approx(0.5, abs=0.1)


def test_noise_alone_is_one_factor() -> None:
    returns = np.random.default_rng(2).normal(size=(500, 60))
    assert estimate("factor_model", returns).factors()[0].shape == (60, 1)


def test_factor_model_works_with_more_names_than_rows() -> None:
    returns = np.random.default_rng(3).normal(size=(20, 50))
    model = estimate("factor_model", returns)
    assert model.diagonal() == pytest.approx(returns.var(axis=0, ddof=1))
    assert np.linalg.eigvalsh(model.dense())[0] > 0


@pytest.mark.parametrize("method", ESTIMATORS)
@given(data=st.data())
def test_estimates_follow_a_permutation_of_the_names(method: Estimator, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(NAMES))))
    permuted = estimate(method, RETURNS[:, order]).dense()
    assert permuted == pytest.approx(estimate(method).dense()[np.ix_(order, order)], rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("method", set(ESTIMATORS) - {"ledoit_wolf_identity"})
@given(scales=st.lists(st.floats(0.01, 100), min_size=len(NAMES), max_size=len(NAMES)))
def test_estimates_follow_the_units_of_a_name_where_the_target_does(
    method: Estimator, scales: list[float]
) -> None:
    if method == "ledoit_wolf":
        scales = scales[:1] * len(NAMES)
    scale = np.array(scales)
    scaled = estimate(method, RETURNS * scale).dense() / np.outer(scale, scale)
    assert scaled == pytest.approx(estimate(method).dense(), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_missing_value_is_refused_by_the_columns_name_and_row(method: Estimator) -> None:
    returns = RETURNS.copy()
    returns[5, 2] = np.nan
    with pytest.raises(InvalidInput, match=r"returns must be finite: n2 has nan in row 5"):
        estimate(method, returns)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_column_that_never_changes_is_refused_by_name(method: Estimator) -> None:
    returns = RETURNS.copy()
    returns[:, [1, 4]] = 0.01
    with pytest.raises(InvalidInput, match="the returns of n1, n4 never change"):
        estimate(method, returns)


def test_price_that_is_not_positive_is_refused_by_name() -> None:
    prices = CLOSES.copy()
    prices[9, 3] = 0
    with pytest.raises(InvalidInput, match="prices must be positive: ADA has 0 in row 9"):
        estimators.returns_of(prices, NAMES)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "shrunk"}, "'shrunk' is not known: use one of sample, exponential"),
        ({"method": "exponential"}, "half_life belongs to the estimator 'exponential'"),
        ({"method": "exponential", "half_life": 0}, "positive number of rows, got 0"),
        ({"method": "sample", "half_life": 20}, "half_life belongs to the estimator 'exponential'"),
        ({"method": "sample", "factors": 2}, "factors belongs to the estimator 'factor_model'"),
        ({"method": "factor_model", "factors": 9}, "factors is from 1 to 8 for 183 rows of 8 names, got 9"),
    ],
)
def test_option_that_does_not_fit_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        estimators.covariance_of(RETURNS, NAMES, **options)  # pyright: ignore[reportArgumentType]


def test_one_row_has_no_covariance() -> None:
    with pytest.raises(InvalidInput, match="at least 2 rows"):
        estimate("sample", RETURNS[:1])
