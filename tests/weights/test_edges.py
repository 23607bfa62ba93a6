"""What is defined where a strategy has no plain answer: no excess return, one name, singular covariances, no names."""

from __future__ import annotations

import numpy as np
import pytest

from capdesk import Amount, Constraints, Exposure, Group, InvalidInput, Plan, plan_weights
from capdesk.decide.weights.verification import check
from tests.weights.support import covariance, names

SIGMA = covariance(np.random.default_rng(1), 5)
NAMES = names(5)


@pytest.mark.parametrize("mean", [[-0.01] * 5, [0.01] * 5, [-0.05, -0.01, 0.01, 0.0, -0.02]])
def test_no_positive_excess_return_gives_the_minimum_variance_and_says_so(mean: list[float]) -> None:
    plan = plan_weights(NAMES, "max_sharpe", mean=mean, covariance=SIGMA, risk_free_rate=0.01)
    assert dict(plan.weights) == dict(plan_weights(NAMES, "min_variance", covariance=SIGMA).weights)
    assert "minimum variance was taken" in plan.notes[0]


def test_no_positive_excess_return_within_limits_gives_the_minimum_variance() -> None:
    mean = [0.05, -0.2, -0.2, -0.2, -0.2]
    capped = Constraints(max_weight=0.25)
    plan = plan_weights(NAMES, "max_sharpe", mean=mean, covariance=SIGMA, constraints=capped)
    least = plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=capped)
    assert dict(plan.weights) == dict(least.weights)
    assert "minimum variance was taken" in plan.notes[0]


def test_equal_means_give_the_minimum_variance() -> None:
    plan = plan_weights(NAMES, "max_sharpe", mean=[0.03] * 5, covariance=SIGMA)
    least = plan_weights(NAMES, "min_variance", covariance=SIGMA)
    found = np.array([float(plan.weights[name]) for name in NAMES])
    assert found == pytest.approx([float(least.weights[name]) for name in NAMES], abs=2e-6)


@pytest.mark.parametrize(
    "strategy",
    ["equal_weight", "risk_parity", "min_variance", "max_sharpe", "min_cvar", "hierarchical_risk_parity"],
)
def test_one_name_has_everything_or_its_maximum(strategy: str) -> None:
    returns = np.random.default_rng(2).normal(0.01, 0.02, size=(60, 1))
    whole = plan_weights(["only"], strategy, returns=returns)
    capped = plan_weights(["only"], strategy, returns=returns, constraints=Constraints(max_weight=0.3))
    assert (whole.weights["only"], whole.cash) == (1, 0)
    assert (capped.weights["only"], capped.cash) == (Amount("0.3"), Amount("0.7"))


def test_excess_return_without_variance_has_no_largest_ratio() -> None:
    volatility = np.array([0.1, 0.2])
    hedged = np.outer(volatility, volatility) * np.array([[1, -1], [-1, 1]])
    with pytest.raises(InvalidInput, match="no variance, so the Sharpe ratio has no maximum"):
        plan_weights(["a", "b"], "max_sharpe", mean=[0.05, 0.05], covariance=hedged)


def test_a_singular_covariance_has_a_certified_minimum() -> None:
    returns = np.random.default_rng(3).normal(size=(4, 8)) * 0.02
    plan = plan_weights(names(8), "min_variance", returns=returns)
    assert plan.certificate.gap <= plan.certificate.tolerance
    assert sum(plan.weights.values()) == 1


@pytest.mark.parametrize("strategy", ["equal_weight", "min_variance", "max_sharpe", "kelly_criterion"])
def test_no_names_are_all_cash(strategy: str) -> None:
    plan = plan_weights([], strategy)
    assert (dict(plan.weights), plan.cash) == ({}, 1)
    assert plan.explain() == {}
    with pytest.raises(InvalidInput, match="no names"):
        plan_weights([], strategy, constraints=Constraints(allow_cash=False))


@pytest.mark.parametrize(
    "strategy", ["equal_weight", "min_variance", "max_sharpe", "risk_parity", "hierarchical_risk_parity"]
)
def test_a_budget_of_nothing_is_nothing(strategy: str) -> None:
    mean = [0.01] * len(NAMES)
    plan = plan_weights(NAMES, strategy, mean=mean, covariance=SIGMA, constraints=Constraints(budget=0))
    assert set(plan.weights.values()) == {0}


def test_a_largest_ratio_of_weights_that_add_up_to_nothing_is_refused() -> None:
    neutral = Constraints(budget=0, long_only=False, gross=1)
    with pytest.raises(InvalidInput, match="a budget of 0 with shorts"):
        plan_weights(NAMES, "max_sharpe", mean=[0.01] * 5, covariance=SIGMA, constraints=neutral)


def test_risk_parity_with_a_hedge_without_risk_is_refused() -> None:
    volatility = np.array([0.1, 0.2])
    hedged = np.outer(volatility, volatility) * np.array([[1, -1], [-1, 1]])
    with pytest.raises(InvalidInput, match=r"a 66\.67%, b 33\.33% together have none: leave one of them out"):
        plan_weights(["a", "b"], "risk_parity", covariance=hedged)


_SPREAD = np.diag([0.04, 0.09, 0.01, 0.05, 0.02]) + 0.005


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e6])
@pytest.mark.parametrize("strategy", ["min_variance", "max_sharpe", "risk_parity", "equal_weight"])
def test_an_exposure_binds_in_whatever_unit_its_loadings_are(strategy: str, size: float) -> None:
    loadings = np.array([1.0, 2.0, 0.5, 1.5, 0.8])

    def planned(unit: float) -> Plan:
        limits = Constraints(exposures={"e": Exposure(loadings * unit, max=unit)})
        return plan_weights(
            NAMES, strategy, covariance=_SPREAD, mean=[0.05, 0.09, 0.02, 0.07, 0.03], constraints=limits
        )

    plan, same = planned(size), planned(1.0)
    weights = np.array([float(weight) for weight in plan.weights.values()])
    assert weights @ loadings <= 1 + 1e-8
    assert weights == pytest.approx([float(weight) for weight in same.weights.values()], abs=2e-5)


@pytest.mark.parametrize("strategy", ["min_variance", "max_sharpe"])
@pytest.mark.parametrize("limits", [Constraints(), Constraints(groups={"g": Group(NAMES[:2], max=0.3)})])
def test_variances_that_differ_by_millions_are_planned_with(strategy: str, limits: Constraints) -> None:
    """The least variance of independent names is theirs in inverse proportion, and so is the best ratio."""
    variances = np.array([1e-8, 4e-8, 1e-6, 1e-4, 1e-1])
    mean = variances / variances[0] * 1e-9
    plan = plan_weights(
        NAMES,
        strategy,
        covariance=np.diag(variances),
        mean=mean if strategy == "max_sharpe" else None,
        constraints=limits,
    )
    assert plan.certificate.gap <= plan.certificate.tolerance
    if not limits.groups:
        # Of maximum Sharpe ratio each name has mean / variance, here the same for all.
        shares = np.ones(5) if strategy == "max_sharpe" else 1 / variances
        weights = [float(weight) for weight in plan.weights.values()]
        assert weights == pytest.approx(shares / shares.sum(), abs=2e-6)


def test_a_tail_hedged_to_nothing_is_planned() -> None:
    moves = np.random.default_rng(3).normal(size=(120, 4)) * 0.02
    returns = np.hstack([moves, -moves[:, :1]])
    plan = plan_weights(NAMES, "min_cvar", returns=returns)
    assert plan.certificate.objective == pytest.approx(0, abs=1e-7)
    assert {name: float(weight) for name, weight in plan.weights.items() if weight} == pytest.approx(
        {NAMES[0]: 0.5, NAMES[4]: 0.5}, abs=1e-4
    )


def test_a_warning_where_the_tail_has_fewer_scenarios_than_names() -> None:
    returns = np.random.default_rng(4).normal(size=(40, 5)) * 0.01
    with pytest.warns(UserWarning, match="the tail has 2 scenarios for 5 names"):
        plan_weights(NAMES, "min_cvar", returns=returns)


def test_leverage_where_the_budget_allows_it() -> None:
    plan = plan_weights(NAMES, "equal_weight", constraints=Constraints(budget=2))
    assert set(plan.weights.values()) == {Amount("0.4")}


def test_a_market_neutral_budget_of_zero() -> None:
    neutral = Constraints(long_only=False, budget=0, gross=1)
    mean = [0.02, 0.01, 0.03, -0.01, 0.0]
    plan = plan_weights(
        NAMES, "mean_variance", mean=mean, covariance=SIGMA, risk_aversion=2, constraints=neutral
    )
    assert sum(plan.weights.values()) == 0
    assert sum(abs(weight) for weight in plan.weights.values()) <= 1
    assert any(weight < 0 for weight in plan.weights.values())


def test_risk_scores_of_very_different_sizes_never_exceed_the_budget() -> None:
    plan = plan_weights(["a", "b", "c", "d"], "risk_parity", risk_scores=[1e-150, 1, 1, 1e150])
    assert plan.weights == {"a": 1, "b": 0, "c": 0, "d": 0}
    assert plan.cash == 0


def test_small_shares_share_what_a_capped_one_leaves() -> None:
    capped = Constraints(max_weight=0.5)
    plan = plan_weights(["a", "b", "c"], "risk_parity", risk_scores=[1e-14, 1, 1], constraints=capped)
    assert plan.weights == {"a": Amount("0.5"), "b": Amount("0.25"), "c": Amount("0.25")}


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e-4, 1.0, 1e4])
def test_the_least_tail_loss_is_the_same_for_returns_of_any_size(size: float) -> None:
    returns = np.random.default_rng(4).standard_t(4, size=(100, 15)) * 0.01
    limits = Constraints(max_weight=0.2, long_only=False, gross=1.5)
    plain = plan_weights(names(15), "min_cvar", returns=returns, tail=0.2, constraints=limits)
    sized = plan_weights(names(15), "min_cvar", returns=returns * size, tail=0.2, constraints=limits)
    assert sized.certificate.bound == pytest.approx(plain.certificate.bound * size, rel=1e-6)


def test_a_tail_in_which_losses_and_gains_cancel_is_certified() -> None:
    """Hedged by its opposite, a name loses next to nothing; what is left is rounding."""
    rng = np.random.default_rng(1)
    first = rng.standard_t(4, size=100) * 0.01
    returns = np.column_stack([first, -first * 0.7 + rng.normal(size=100) * 1e-7])
    plan = plan_weights(["a", "b"], "min_cvar", returns=returns)
    assert plan.weights["a"] == pytest.approx(0.7 / 1.7, abs=2e-5)
    assert abs(plan.certificate.objective or 1) < 1e-6
    assert all(each.holds for each in check(plan.to_json()))


def test_every_name_at_its_maximum_is_planned_with_trading_costs_too() -> None:
    limits = Constraints(max_weight=0.2, proportional_costs=0.001)
    plan = plan_weights(
        NAMES,
        "min_variance",
        covariance=SIGMA,
        risk_aversion=1,
        constraints=limits,
        current=dict.fromkeys(NAMES[:4], 0.25),
    )
    assert set(plan.weights.values()) == {Amount("0.2")}
    assert plan.certificate.gap <= 1e-6


def test_risk_budgets_within_a_group_of_many_names_are_certified() -> None:
    source = np.random.default_rng(1)
    count = 100
    moves = source.normal(0, 0.02, (3 * count, count)) + source.normal(0, 0.02, (3 * count, 1))
    called = names(count)
    limits = Constraints(groups={"g": Group(called[:50], max=0.4)})
    plan = plan_weights(called, "risk_parity", covariance=np.cov(moves.T), constraints=limits)
    assert sum(plan.weights[name] for name in called[:50]) <= Amount("0.4")
    assert plan.certificate.gap <= plan.certificate.tolerance
