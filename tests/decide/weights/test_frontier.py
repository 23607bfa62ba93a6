"""Frontiers: OR-Library's published one, cvxpy, knees, third criteria, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capdesk.decide.weights.frontier import non_dominated
from capdesk.decide.weights.problem import Array
from capdesk.decide.weights.tail_risk import cvar
from capdesk.frontiers import Frontier, frontier
from capdesk.model.errors import InfeasibleError, InvalidInput
from capdesk.model.plans import Plan
from capdesk.weights import Constraints, Exposure, Group, plan_weights
from tests.decide.weights.closes import CLOSES, NAMES, RETURNS
from tests.decide.weights.problems import sampled

FACTS = Path(__file__).parents[2] / "facts"
MEAN, SIGMA = RETURNS.mean(axis=0), np.cov(RETURNS.T)
EQUAL = dict.fromkeys(NAMES, 0.125)


def table(name: str) -> Array:
    with (FACTS / name).open(encoding="utf-8") as lines:
        return np.array(list(csv.reader(lines))[1:], dtype=float)


def weights_of(plan: Plan) -> Array:
    return np.array([float(weight) for weight in plan.weights.values()])


def figures(found: Frontier) -> Array:
    return np.array([(each.expected_return, each.volatility, each.third or 0.0) for each in found.points])


def test_published_frontier_of_or_library_at_every_point() -> None:
    assets, published = table("orlib_port1.csv"), table("orlib_port1_frontier.csv")
    sigma = assets[:, 3:] * np.outer(assets[:, 2], assets[:, 2])
    names = [f"asset {number}" for number in range(1, 32)]
    found = frontier(names, mean=assets[:, 1], covariance=sigma, points=published[:, 0].tolist())
    assert len(found) == len(published) == 101
    for plan, (mean, variance) in zip(found, published, strict=True):
        solved, whole = plan.evidence.point, weights_of(plan)
        assert solved @ sigma @ solved == pytest.approx(variance, rel=1e-7)
        assert whole @ sigma @ whole == pytest.approx(variance, rel=1e-7)
        assert whole @ assets[:, 1] >= mean - 1e-15


def test_ends_are_the_least_variance_and_the_greatest_return() -> None:
    found = frontier(NAMES, returns=RETURNS, constraints=Constraints(max_weight="0.4"))
    least = plan_weights(NAMES, "min_variance", returns=RETURNS, constraints=Constraints(max_weight="0.4"))
    assert found[0].weights == least.weights
    best = np.sort(MEAN)[::-1][:3] @ [0.4, 0.4, 0.2]
    assert found.points[-1].expected_return == pytest.approx(best, rel=1e-6)
    assert len(found) == 20


def test_returns_are_in_equal_steps_and_variance_is_convex_in_them() -> None:
    means, volatilities, _ = figures(frontier(NAMES, prices=CLOSES, points=12)).T
    assert np.diff(means) == pytest.approx(np.diff(means)[0], rel=1e-3)
    slopes = np.diff(volatilities**2) / np.diff(means)
    assert np.all(np.diff(slopes) > -1e-6)


def test_every_plan_proves_itself_and_prices_its_return() -> None:
    found = frontier(NAMES, returns=RETURNS, points=12)
    means, volatilities, _ = figures(found).T
    slopes = np.diff(volatilities**2) / np.diff(means)
    for place in range(1, 11):
        (priced,) = [each for each in found[place].binding if each.limit == "return_min"]
        assert found[place].certificate.gap < 2e-6
        assert slopes[place - 1] <= priced.shadow_price <= slopes[place]


def test_frontier_with_shorts_and_groups_is_that_of_cvxpy() -> None:
    limits = Constraints(
        long_only=False,
        min_weight="-0.2",
        max_weight="0.5",
        gross="1.4",
        groups={"old": Group(NAMES[:2], max="0.3")},
    )
    found = frontier(NAMES, returns=RETURNS, points=6, constraints=limits)
    for plan, point in zip(found, found.points, strict=True):
        weights = cp.Variable(8)
        problem = cp.Problem(
            cp.Minimize(cp.quad_form(weights, SIGMA)),
            [
                cp.sum(weights) == 1,
                weights >= -0.2,
                weights <= 0.5,
                cp.norm1(weights) <= 1.4,
                weights[0] + weights[1] <= 0.3,
                MEAN @ weights >= point.expected_return,
            ],
        )
        problem.solve(solver=cp.CLARABEL)
        assert point.volatility**2 == pytest.approx(problem.value, rel=5e-6)
        assert weights_of(plan) == pytest.approx(weights.value, abs=1e-3)


def test_knee_is_the_furthest_point_from_the_chord() -> None:
    found = frontier(NAMES, returns=RETURNS, points=15)
    means, volatilities, _ = figures(found).T
    right, up = np.ptp(volatilities), np.ptp(means)
    distances = (means - means[0]) / up - (volatilities - volatilities[0]) / right
    assert found.knee is found[int(np.argmax(distances))]
    assert 0 < found.knee_index < 14


def test_all_equal_means_leave_one_point_which_is_the_knee() -> None:
    found = frontier(NAMES, mean=np.full(8, 0.01), covariance=SIGMA)
    assert len(found) == 1
    assert found.knee is found[0]


def test_caps_that_forbid_full_investment_leave_cash_everywhere() -> None:
    found = frontier(NAMES[:3], returns=RETURNS[:, :3], constraints=Constraints(max_weight="0.2"))
    assert [plan.cash for plan in found] == [0.4] * len(found)


@pytest.mark.parametrize("criterion", ["cvar", "concentration", "turnover"])
def test_no_plan_of_a_three_criterion_frontier_is_beaten_by_another(criterion: str) -> None:
    found = frontier(NAMES, returns=RETURNS, points=5, levels=4, criterion=criterion, current=EQUAL)
    judged = figures(found) * [-1, 1, 1]
    assert len(found) > 10
    assert non_dominated(judged).all()
    assert all(plan.certificate.gap <= plan.certificate.tolerance for plan in found)


@pytest.mark.parametrize("criterion", ["cvar", "concentration", "turnover"])
def test_third_criterion_is_what_it_says_and_falls_as_variance_is_given_up(criterion: str) -> None:
    found = frontier(NAMES, returns=RETURNS, points=4, levels=4, criterion=criterion, current=EQUAL)
    means, volatilities, third = figures(found).T
    for plan, value in zip(found, third, strict=True):
        weights = weights_of(plan)
        expected = {
            "cvar": cvar(RETURNS @ weights, 0.05),
            "concentration": weights @ weights,
            "turnover": np.abs(weights - 0.125).sum(),
        }[criterion]
        assert value == pytest.approx(expected, rel=1e-9)
    same = np.abs(means - means[4]) < 1e-4 * np.ptp(means)
    assert same.sum() >= 3
    assert np.all(np.diff(volatilities[same]) > 0)
    assert np.all(np.diff(third[same]) < 0)


def test_last_level_is_the_least_tail_loss_at_its_return_by_cvxpy() -> None:
    found = frontier(NAMES, returns=RETURNS, points=4, levels=4, criterion="cvar")
    means, _, third = figures(found).T
    place = np.flatnonzero(np.abs(means - means[4]) < 1e-4 * np.ptp(means))[-1]
    weights, level, over = cp.Variable(8, nonneg=True), cp.Variable(), cp.Variable(len(RETURNS), nonneg=True)
    problem = cp.Problem(
        cp.Minimize(level + cp.sum(over) / (0.05 * len(RETURNS))),
        [cp.sum(weights) == 1, over >= -RETURNS @ weights - level, MEAN @ weights >= means[place] - 1e-8],
    )
    problem.solve(solver=cp.CLARABEL)
    assert third[place] == pytest.approx(problem.value, rel=1e-3)


def test_plan_of_three_criteria_is_optimal_beside_random_weights() -> None:
    found = frontier(NAMES, returns=RETURNS, points=6, levels=5, criterion="cvar")
    judged = figures(found)
    random = np.random.default_rng(5).dirichlet(np.full(8, 0.4), 20_000)
    means, variances = random @ MEAN, np.einsum("ki,ij,kj->k", random, SIGMA, random)
    losses = np.array([cvar(RETURNS @ each, 0.05) for each in random])
    for mean, volatility, third in judged:
        beaten = (means >= mean) & (variances < volatility**2 * 0.9999) & (losses < third * 0.9999)
        assert not beaten.any()


def test_concentration_with_factors_is_that_with_their_matrix() -> None:
    loadings, specific = np.sqrt(np.diag(SIGMA))[:, None] * 0.8, np.diag(SIGMA) * 0.36
    matrix = loadings @ loadings.T + np.diag(specific)
    shared = {"mean": MEAN, "points": 3, "levels": 3, "criterion": "concentration"}
    by_factors = frontier(NAMES, factors=(loadings, specific), **shared)
    dense = frontier(NAMES, covariance=matrix, **shared)
    assert len(dense) > 5
    assert figures(by_factors) == pytest.approx(figures(dense), rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(8)), scale=st.floats(0.1, 10))
def test_frontier_follows_a_permutation_and_the_unit_of_returns(order: list[int], scale: float) -> None:
    plain = frontier(NAMES, returns=RETURNS, points=4)
    other = frontier([NAMES[place] for place in order], returns=scale * RETURNS[:, order], points=4)
    for ours, theirs in zip(plain, other, strict=True):
        for name in NAMES:
            assert float(ours.weights[name]) == pytest.approx(float(theirs.weights[name]), abs=1e-5)


def test_dominated_and_repeated_rows_are_left_out() -> None:
    rows = np.array([[1.0, 5, 0], [2, 4, 0], [2, 4, 0], [2, 5, 0], [3, 4.5, 0], [4, 1, 0]])
    assert non_dominated(rows).tolist() == [True, True, False, False, False, True]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"points": 1}, "at least 2 points, got 1"),
        ({"points": [0.02, 0.5]}, "a return of 0.5 is asked for: the limits allow at most 0.0389"),
        ({"points": [float("nan")]}, "a return of nan is asked for"),
        ({"criterion": "drawdown"}, "one of cvar, concentration, turnover, got 'drawdown'"),
        ({"criterion": "turnover"}, "counts trades from the weights now: give current"),
        ({"criterion": "cvar", "levels": 1}, "at least 2 levels"),
        ({"criterion": "cvar", "tail": 0.001}, "a share of the 183 scenarios that holds one at least"),
        ({"constraints": Constraints(max_names=3)}, "no trading costs and no choice of names"),
        ({"constraints": Constraints(fully_invested=False)}, "invests all that the limits allow"),
    ],
)
def test_what_makes_no_frontier_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        frontier(NAMES, returns=RETURNS, **options)  # pyright: ignore[reportArgumentType]


def test_tail_without_returns_and_no_names_are_refused() -> None:
    with pytest.raises(InvalidInput, match="frontier needs returns or prices"):
        frontier(NAMES, mean=MEAN, covariance=SIGMA, criterion="cvar")
    with pytest.raises(InvalidInput, match="at least one name"):
        frontier([], mean=[], covariance=np.zeros((0, 0)))


def test_limits_that_cannot_be_met_are_refused_with_their_arithmetic() -> None:
    with pytest.raises(InfeasibleError, match="20"):
        frontier(
            NAMES[:3], returns=RETURNS[:, :3], constraints=Constraints(max_weight="0.2", allow_cash=False)
        )


def test_a_point_begun_from_the_one_before_is_what_it_is_by_itself() -> None:
    source = np.random.default_rng(6)
    count = 150
    covariance = sampled(count, 6)
    mean = source.normal(0.01, 0.01, count)
    called = [f"n{place}" for place in range(count)]
    traced = frontier(called, points=5, mean=mean, covariance=covariance)
    for plan, point in zip(traced, traced.points, strict=True):
        alone = plan_weights(
            called,
            "min_variance",
            covariance=covariance,
            constraints=Constraints(exposures={"return": Exposure(mean, min=point.expected_return - 1e-9)}),
        )
        assert plan.certificate.objective == pytest.approx(alone.certificate.objective, rel=1e-6)
