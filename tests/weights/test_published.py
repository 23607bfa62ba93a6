"""Plans against figures that others have published."""

from __future__ import annotations

import numpy as np
import pytest

from capdesk import Amount, Constraints, Exposure, plan_weights
from tests.weights.support import MARKOWITZ_MEANS, markowitz_covariance, names, port1

MAILLARD = np.outer([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]) * np.array(
    [[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]]
)


def percent(plan: object) -> list[float]:
    return [round(float(weight) * 100, 2) for weight in plan.weights.values()]  # type: ignore[attr-defined]


def test_equal_risk_contribution_of_maillard_roncalli_teiletche() -> None:
    plan = plan_weights(names(4), "risk_parity", covariance=MAILLARD)
    assert percent(plan) == [38.36, 19.18, 24.26, 18.20]
    weights = np.array([float(weight) for weight in plan.weights.values()])
    assert np.sqrt(weights @ MAILLARD @ weights) == pytest.approx(0.1029, abs=5e-5)


def test_minimum_variance_of_maillard_roncalli_teiletche() -> None:
    plan = plan_weights(names(4), "min_variance", covariance=MAILLARD)
    assert percent(plan) == [74.48, 0.0, 15.17, 10.34]
    assert np.sqrt(plan.certificate.objective) == pytest.approx(0.0863, abs=5e-5)


@pytest.mark.parametrize("correlation", [-0.2, 0.0, 0.3, 0.9])
def test_equal_correlations_make_risk_parity_inverse_volatility(correlation: float) -> None:
    volatility = np.array([0.1, 0.2, 0.3, 0.4])
    matrix = np.outer(volatility, volatility) * (correlation + (1 - correlation) * np.eye(4))
    by_covariance = plan_weights(names(4), "risk_parity", covariance=matrix)
    by_scores = plan_weights(names(4), "risk_parity", risk_scores=volatility)
    assert percent(by_covariance) == percent(by_scores) == [48, 24, 16, 12]


def test_maximum_sharpe_of_markowitz_ten_assets() -> None:
    sigma = markowitz_covariance()
    plan = plan_weights(names(10), "max_sharpe", mean=MARKOWITZ_MEANS, covariance=sigma)
    weights = np.array([float(weight) for weight in plan.weights.values()])
    assert plan.certificate.objective == pytest.approx(4.45353, abs=5e-6)
    assert MARKOWITZ_MEANS @ weights == pytest.approx(1.01258, abs=5e-6)
    assert np.sqrt(weights @ sigma @ weights) == pytest.approx(0.22736, abs=5e-6)


def test_minimum_volatility_of_markowitz_ten_assets() -> None:
    plan = plan_weights(names(10), "min_variance", covariance=markowitz_covariance())
    assert np.sqrt(plan.certificate.objective) == pytest.approx(0.2052376, abs=5e-8)


MEAN, SIGMA, FRONTIER = port1()


@pytest.mark.parametrize("point", range(len(FRONTIER)))
def test_every_point_of_the_port1_frontier(point: int) -> None:
    """The proven optimum is the published variance; the weights as they are given have it too."""
    mean, variance = FRONTIER[point]
    reach = Constraints(exposures={"mean": Exposure(MEAN, min=float(mean))})
    plan = plan_weights(names(31), "min_variance", covariance=SIGMA, constraints=reach)
    assert plan.certificate.bound == pytest.approx(variance, rel=1e-7)
    assert plan.certificate.objective == pytest.approx(variance, rel=1e-7)
    assert plan.certificate.rounding < 1e-8
    assert MEAN @ [float(weight) for weight in plan.weights.values()] >= mean - 1e-15


@pytest.mark.parametrize(
    ("given", "stake"),
    [
        ({"probabilities": [0.6], "odds": [1]}, 0.2),
        ({"probabilities": [0.25], "odds": [5]}, 0.1),
        ({"probabilities": [0.6], "bet_prices": [0.48], "fees": 0.02}, 0.2),
    ],
    ids=["even", "five-to-one", "price-and-fee"],
)
def test_kelly_stake_and_its_half(given: dict[str, object], stake: float) -> None:
    full = plan_weights(["bet"], "kelly_criterion", fraction=1, **given)  # type: ignore[arg-type]
    half = plan_weights(["bet"], "kelly_criterion", **given)  # type: ignore[arg-type]
    assert float(full.weights["bet"]) == pytest.approx(stake, abs=1e-6)
    assert float(half.weights["bet"]) == pytest.approx(stake / 2, abs=1e-6)
    assert half.cash == 1 - half.weights["bet"]


def test_two_simultaneous_even_bets_as_bets_and_as_scenarios() -> None:
    bets = plan_weights(names(2), "kelly_criterion", probabilities=[0.6, 0.6], odds=[1, 1], fraction=1)
    table = plan_weights(
        names(2),
        "kelly_criterion",
        outcomes=[[1, 1], [1, -1], [-1, 1], [-1, -1]],
        probabilities=[0.36, 0.24, 0.24, 0.16],
        fraction=1,
    )
    for plan in (bets, table):
        assert [float(weight) for weight in plan.weights.values()] == pytest.approx([0.1923077] * 2, abs=1e-6)


def test_stakes_that_ruin_would_stop_are_optimal_beside_the_least_that_every_outcome_leaves() -> None:
    rng = np.random.default_rng(0)
    plan = plan_weights(
        names(20),
        "kelly_criterion",
        probabilities=rng.uniform(0.2, 0.8, 20),
        bet_prices=rng.uniform(0.1, 0.9, 20),
        constraints=Constraints(min_weight=0.02),
    )
    # Half Kelly of all but a millionth of the bankroll.
    assert plan.cash == Amount("0.5000005")
    assert plan.certificate.gap < 1e-9
    assert [each.value for each in plan.binding if each.limit == "solvency"] == [0.4999995]


def test_continuous_kelly_of_two_assets() -> None:
    plan = plan_weights(
        names(2),
        "kelly_criterion",
        mean=[0.06, 0.08],
        covariance=[[0.04, 0.012], [0.012, 0.09]],
        fraction=1,
        constraints=Constraints(long_only=False, budget=3),
    )
    assert [str(weight) for weight in plan.weights.values()] == ["1.284722222", "0.717592593"]
    assert -plan.certificate.objective == pytest.approx(0.0672454, abs=5e-8)


HE_LITTERMAN = ["AU", "CA", "FR", "DE", "JP", "UK", "US"]
MARKET = np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100
VOLATILITY = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
CORRELATIONS = [
    [0.488, 0.478, 0.515, 0.439, 0.512, 0.491],
    [0.664, 0.655, 0.310, 0.608, 0.779],
    [0.861, 0.355, 0.783, 0.668],
    [0.354, 0.777, 0.653],
    [0.405, 0.306],
    [0.652],
]
GERMANY = ({"DE": 1, "FR": -5.2 / 17.6, "UK": -12.4 / 17.6}, 0.05)
CANADA = ({"CA": 1, "US": -1}, 0.03)


@pytest.mark.parametrize(
    ("views", "published"),
    [
        ([GERMANY], [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]),
        ([GERMANY, CANADA], [1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8]),
    ],
    ids=["germany", "germany-and-canada"],
)
def test_he_litterman_weights(views: list[tuple[dict[str, float], float]], published: list[float]) -> None:
    correlation = np.eye(7)
    for row, values in enumerate(CORRELATIONS):
        correlation[row, row + 1 :] = correlation[row + 1 :, row] = values
    plan = plan_weights(
        HE_LITTERMAN,
        "black_litterman",
        covariance=correlation * np.outer(VOLATILITY, VOLATILITY),
        market_weights=MARKET,
        views=views,
        constraints=Constraints(long_only=False, fully_invested=False),
    )
    found = [float(weight) * 100 for weight in plan.weights.values()]
    assert found == pytest.approx(published, abs=0.051)
