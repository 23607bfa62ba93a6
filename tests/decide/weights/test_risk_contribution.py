"""Risk budgets: published weights, closed forms, contributions that match, limits that are kept."""

from __future__ import annotations

import numpy as np
import pytest

from capdesk.decide.weights.problem import Array, Covariance
from capdesk.decide.weights.risk_contribution import NotBalanced, contributions, equal_risk
from capdesk.decide.weights.risk_within_limits import constrained
from tests.decide.weights.problems import factors, sampled

VOLATILITIES = np.array([0.1, 0.2, 0.3, 0.4])


def _covariance(correlation: Array) -> Covariance:
    return Covariance(matrix=correlation * np.outer(VOLATILITIES, VOLATILITIES))


def _rows(count: int) -> tuple[Array, Array]:
    return np.zeros((0, count)), np.zeros(0)


def _budget(count: int, total: float = 1.0) -> tuple[Array, Array]:
    return np.ones((1, count)), np.array([total])


def test_published_equal_risk_contributions() -> None:
    correlation = np.eye(4)
    correlation[0, 1] = correlation[1, 0] = 0.8
    correlation[2, 3] = correlation[3, 2] = -0.5
    found = equal_risk(_covariance(correlation), np.ones(4))
    assert np.round(100 * found, 2).tolist() == [38.36, 19.18, 24.26, 18.20]
    assert round(100 * np.sqrt(found @ _covariance(correlation).times(found)), 2) == 10.29


@pytest.mark.parametrize("shared", [-0.3, 0.0, 0.5, 0.99])
def test_constant_correlation_is_inverse_volatility(shared: float) -> None:
    correlation = np.full((4, 4), shared) + (1 - shared) * np.eye(4)
    assert np.round(equal_risk(_covariance(correlation), np.ones(4)), 10).tolist() == [0.48, 0.24, 0.16, 0.12]


@pytest.mark.parametrize("count", [1, 2, 20, 119, 121, 300])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_contributions_match_any_budgets(count: int, scale: float) -> None:
    source = np.random.default_rng(count)
    spread = 10 ** source.uniform(-2, 0, count)
    covariance = Covariance(matrix=scale * sampled(count, count) * np.outer(spread, spread))
    budgets = source.dirichlet(np.full(count, 0.5)) + 1e-4
    found = equal_risk(covariance, budgets)
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0).all()
    assert contributions(covariance, found) == pytest.approx(budgets / budgets.sum(), rel=1e-7)


def test_factors_give_what_their_matrix_gives() -> None:
    covariance = factors(200, 1)
    dense = Covariance(matrix=covariance.dense())
    found = equal_risk(covariance, np.ones(200))
    assert found == pytest.approx(equal_risk(dense, np.ones(200)), rel=1e-9)
    assert contributions(dense, found) == pytest.approx(np.full(200, 1 / 200), rel=1e-9)


def test_a_hedge_without_risk_cannot_be_balanced() -> None:
    with pytest.raises(NotBalanced, match="risk contributions are off"):
        equal_risk(Covariance(matrix=np.array([[1.0, -1.0], [-1.0, 1.0]])), np.array([0.3, 0.7]))


@pytest.mark.parametrize("cap", [0.3, 0.26])
def test_capped_names_stay_at_the_cap_and_the_others_contribute_alike(cap: float) -> None:
    covariance = Covariance(matrix=sampled(4, 2) * np.outer(1 / VOLATILITIES, 1 / VOLATILITIES))
    found = constrained(covariance, np.ones(4), np.zeros(4), np.full(4, cap), _budget(4), _rows(4))
    parts, free = contributions(covariance, found), found < cap - 1e-9
    assert found.sum() == pytest.approx(1.0)
    assert found.max() <= cap
    assert 0 < free.sum() < 4
    assert parts[free] == pytest.approx(np.full(free.sum(), parts[free].mean()), rel=1e-7)
    # A name at its cap would have to hold more for an equal part.
    assert (parts[~free] < parts[free].min()).all()


def test_limits_that_do_not_bind_change_nothing() -> None:
    covariance = Covariance(matrix=sampled(30, 5))
    free = equal_risk(covariance, np.ones(30))
    found = constrained(covariance, np.ones(30), np.zeros(30), np.ones(30), _budget(30), _rows(30))
    assert found == pytest.approx(free, rel=1e-12)


@pytest.mark.parametrize("count", [20, 120])
def test_a_group_limit_scales_the_group_and_leaves_each_side_alike(count: int) -> None:
    covariance = Covariance(matrix=sampled(count, 6))
    group = (np.arange(count) < count // 4) * 1.0
    free = equal_risk(covariance, np.ones(count))
    limit = 0.7 * float(group @ free)
    found = constrained(
        covariance,
        np.ones(count),
        np.zeros(count),
        np.ones(count),
        _budget(count),
        (group[None], np.array([limit])),
    )
    parts = contributions(covariance, found)
    outside = group == 0
    assert group @ found == pytest.approx(limit, abs=1e-9)
    assert parts[outside] == pytest.approx(np.full(outside.sum(), parts[outside].mean()), rel=1e-6)


def test_a_name_that_may_not_be_held_gets_nothing() -> None:
    covariance = Covariance(matrix=sampled(5, 7))
    upper = np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    found = constrained(covariance, np.ones(5), np.zeros(5), upper, _budget(5), _rows(5))
    others = np.array([0, 2, 3, 4])
    assert found[1] == 0
    assert found[others] == pytest.approx(equal_risk(covariance.of(others), np.ones(4)), rel=1e-9)


def test_a_minimum_is_kept_and_part_of_the_budget_may_be_left() -> None:
    covariance = Covariance(matrix=sampled(6, 8))
    lower = np.array([0.25, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = constrained(covariance, np.ones(6), lower, np.ones(6), _budget(6, 0.9), _rows(6))
    parts = contributions(covariance, found)
    assert found.sum() == pytest.approx(0.9)
    assert found[0] == pytest.approx(0.25)
    assert parts[1:] == pytest.approx(np.full(5, parts[1:].mean()), rel=1e-7)


def test_without_a_budget_row_it_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="one equality that is the budget"):
        constrained(Covariance(matrix=sampled(3, 9)), np.ones(3), np.zeros(3), np.ones(3), _rows(3), _rows(3))
