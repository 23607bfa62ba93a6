"""Kelly in closed form: the published figures, what shrinks a stake, and what is refused."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.weights import kelly
from capdesk.decide.weights.problem import Covariance
from capdesk.model.errors import InvalidInput

TWO = Covariance(matrix=np.array([[0.04, 0.012], [0.012, 0.09]]))
EXCESS = np.array([0.06, 0.08])


@pytest.mark.parametrize(
    ("probability", "odds", "stake", "growth"), [(0.6, 1, 0.2, 0.0201355), (0.25, 5, 0.1, 0.0223459)]
)
def test_stake_and_growth_of_one_bet(probability: float, odds: float, stake: float, growth: float) -> None:
    cost = kelly.cost_at(odds)
    assert kelly.binary(probability, cost) == pytest.approx(stake, rel=1e-12)
    assert kelly.binary_growth(probability, cost, stake) == pytest.approx(growth, abs=5e-8)


def test_fee_raises_what_a_unit_of_payout_costs() -> None:
    cost = kelly.cost_of(0.50, 0.07 * 0.50 * 0.50)
    assert cost == pytest.approx(0.5175)
    assert kelly.binary(0.6, cost) == pytest.approx((0.6 - 0.5175) / (1 - 0.5175))


def test_bet_that_is_not_better_than_fair_gets_nothing() -> None:
    assert kelly.binary(0.5, 0.5) == 0
    assert kelly.binary(0.3, 0.5) == 0
    assert kelly.binary_shrinkage(0.3, 0.5, 0.1) == 0


@given(probability=st.floats(0.01, 0.99), cost=st.floats(0.01, 0.99), other=st.floats(0, 0.999))
def test_no_other_stake_grows_faster(probability: float, cost: float, other: float) -> None:
    best = kelly.binary_growth(probability, cost, kelly.binary(probability, cost))
    assert best >= kelly.binary_growth(probability, cost, other) - 1e-12


@given(probability=st.floats(0.01, 0.99), odds=st.floats(0.01, 100))
def test_odds_and_cost_are_two_ways_to_write_one_bet(probability: float, odds: float) -> None:
    of_odds = max(0.0, (odds * probability - (1 - probability)) / odds)
    assert kelly.binary(probability, kelly.cost_at(odds)) == pytest.approx(of_odds, abs=1e-9)


def test_certain_winner_grows_by_the_logarithm_of_its_payout() -> None:
    assert kelly.binary_growth(1.0, 0.5, 1.0) == pytest.approx(log(2))
    assert kelly.binary_growth(0.9, 0.5, 1.0) == -float("inf")


def test_continuous_stake_and_growth_of_one_name() -> None:
    sigma, excess = Covariance(matrix=np.array([[0.04]])), np.array([0.12 - 0.02])
    stake = kelly.continuous(sigma, excess)
    assert stake == pytest.approx(np.array([2.5]))
    assert kelly.continuous_growth(sigma, excess, stake, 0.02) == pytest.approx(0.145)


def test_continuous_stakes_and_growth_of_two_names() -> None:
    stakes = kelly.continuous(TWO, EXCESS)
    assert stakes == pytest.approx(np.array([1.284722, 0.717593]), abs=5e-7)
    assert kelly.continuous_growth(TWO, EXCESS, stakes) == pytest.approx(0.0672454, abs=5e-8)


@given(fraction=st.floats(0, 2))
def test_fraction_keeps_its_share_of_the_excess_growth(fraction: float) -> None:
    """c (2 - c) of it: three quarters at one half, nothing at twice Kelly."""
    stakes = kelly.continuous(TWO, EXCESS)
    full = kelly.continuous_growth(TWO, EXCESS, stakes)
    part = kelly.continuous_growth(TWO, EXCESS, fraction * stakes)
    assert part == pytest.approx(fraction * (2 - fraction) * full, abs=1e-12)
    assert kelly.continuous_growth(TWO, EXCESS, kelly.HALF * stakes) == pytest.approx(0.75 * full)


def test_shrinkage_of_a_bet_is_that_of_baker_and_mchale() -> None:
    """With odds b: f^2 / (f^2 + ((b + 1) / b)^2 s^2)."""
    probability, odds, deviation = 0.6, 1.5, 0.05
    stake = (odds * probability - (1 - probability)) / odds
    expected = stake**2 / (stake**2 + ((odds + 1) / odds) ** 2 * deviation**2)
    assert kelly.binary_shrinkage(probability, kelly.cost_at(odds), deviation) == pytest.approx(expected)


@given(
    probability=st.floats(0.05, 0.95),
    cost=st.floats(0.05, 0.95),
    deviations=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
)
def test_shrinkage_is_a_factor_that_falls_with_the_error(
    probability: float, cost: float, deviations: tuple[float, float]
) -> None:
    small, large = sorted(deviations)
    less, more = (kelly.binary_shrinkage(probability, cost, each) for each in (large, small))
    assert 0 <= less <= more <= 1
    if probability > cost + 1e-9:
        assert kelly.binary_shrinkage(probability, cost, 0.0) == 1


def test_shrinkage_of_a_bet_loses_least_growth_on_average() -> None:
    """Averaged over estimates p + s x for normal x, by quadrature, near the true probability."""
    probability, cost, deviation = 0.6, 0.5, 0.02
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def growth(factor: float) -> float:
        estimates = probability + deviation * nodes
        stakes = [factor * kelly.binary(float(each), cost) for each in estimates]
        grown = [kelly.binary_growth(probability, cost, stake) for stake in stakes]
        return float(weights @ grown / weights.sum())

    factors = np.linspace(0.9, 1.0, 101)
    best = factors[int(np.argmax([growth(float(each)) for each in factors]))]
    assert kelly.binary_shrinkage(probability, cost, deviation) == pytest.approx(best, abs=0.01)


def test_shrinkage_of_continuous_stakes_is_that_of_kan_and_zhou() -> None:
    squared = 2 * 0.0672454
    assert kelly.continuous_shrinkage(TWO, EXCESS, 60) == pytest.approx(
        squared / (squared + 2 / 60), rel=1e-5
    )
    assert kelly.continuous_shrinkage(TWO, np.zeros(2), 60) == 0


def test_drawdown_fraction_is_where_the_bound_is_met() -> None:
    """At the fraction c wealth ever falls to alpha with probability alpha^(2 / c - 1)."""
    fraction = kelly.fraction_for_drawdown(0.7, 0.1)
    assert 0.7 ** (2 / fraction - 1) == pytest.approx(0.1)
    assert kelly.fraction_for_drawdown(0.5, 0.5) == 1
    assert kelly.fraction_for_drawdown(0.5, 0.9) == 1
    assert kelly.risk_exponent(0.7, 0.1) == pytest.approx(6.456, abs=5e-4)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: kelly.cost_of(0.99, 0.01), "above 0 and under 1"),
        (lambda: kelly.cost_of(-0.1), "above 0 and under 1"),
        (lambda: kelly.cost_at(0), "odds are what one unit staked wins: positive, got 0"),
        (lambda: kelly.binary(1.2, 0.5), "a probability is from 0 to 1, got 1.2"),
        (lambda: kelly.binary(float("nan"), 0.5), "a probability is from 0 to 1"),
        (lambda: kelly.binary_growth(0.5, 0.5, 1.5), "from 0 to 1, got 1.5"),
        (lambda: kelly.binary_shrinkage(0.5, 0.5, -1), "a standard deviation is 0 or more"),
        (lambda: kelly.continuous_shrinkage(TWO, EXCESS, 0), "at least 1, got 0"),
        (lambda: kelly.risk_exponent(1.0, 0.1), "each between 0 and 1, got 1.0 and 0.1"),
        (
            lambda: kelly.continuous(Covariance(matrix=np.ones((2, 2))), EXCESS),
            "the covariance is singular, so without limits no single stake is best",
        ),
    ],
)
def test_figures_that_mean_nothing_are_refused(call, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        call()
