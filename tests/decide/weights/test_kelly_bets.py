"""Many bets at once: closed forms, cvxpy on all outcomes, limits, drawdown bounds and properties."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from capdesk.decide.weights import kelly, kelly_bets
from capdesk.decide.weights.certificate import certify
from capdesk.decide.weights.growth import IndependentBets, Scenarios
from capdesk.decide.weights.problem import Array, QuadraticProblem
from capdesk.decide.weights.quadratic import NotSolved
from capdesk.decide.weights.verification import check
from capdesk.model.errors import CertificateError, InvalidInput
from capdesk.model.plans import Plan
from capdesk.weights import Constraints, plan_weights

EVEN = np.array([0.5, 0.5])
PROBABILITIES = np.array([0.62, 0.35, 0.15, 0.80, 0.55])
COSTS = np.array([0.55, 0.30, 0.11, 0.78, 0.56])
EXPONENT = kelly.risk_exponent(0.7, 0.1)


def outcomes_of(probabilities: Array, costs: Array) -> tuple[Array, Array]:
    """Every outcome of independent bets, listed."""
    won = np.array(list(product([False, True], repeat=len(costs))))
    chances = np.prod(np.where(won, probabilities, 1 - probabilities), axis=1)
    return chances, np.where(won, 1 / costs - 1, -1.0)


def of_cvxpy(chances: Array, outcomes: Array, *, cap: float = np.inf, exponent: float = 0.0) -> Array:
    stakes = cp.Variable(outcomes.shape[1], nonneg=True)
    logs = cp.log(1 + outcomes @ stakes)
    limits = [stakes <= cap] if np.isfinite(cap) else []
    if exponent:
        limits.append(cp.log_sum_exp(np.log(chances) - exponent * logs) <= 0)
    problem = cp.Problem(cp.Maximize(chances @ logs), limits)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return np.asarray(stakes.value)


def capped(names: int, cap: float, total: float = np.inf) -> QuadraticProblem:
    limits = kelly_bets.no_limits(names)
    rows = (np.ones((1, names)), np.array([total])) if np.isfinite(total) else limits.inequalities
    return replace(limits, upper=np.full(names, cap), inequalities=rows)


def test_two_even_bets_at_the_same_time() -> None:
    found = kelly_bets.independent(np.array([0.6, 0.6]), EVEN, fraction=1.0)
    assert found.stakes == pytest.approx(0.1923077, abs=5e-8)
    assert found.gap < 1e-11


def test_one_bet_is_the_closed_form_with_half_of_it_staked_by_default() -> None:
    found = kelly_bets.independent(np.array([0.6]), np.array([0.5]))
    assert found.stakes == pytest.approx(np.array([0.1]))
    assert found.growth == pytest.approx(kelly.binary_growth(0.6, 0.5, 0.1))


def test_independent_bets_are_their_listed_outcomes() -> None:
    chances, outcomes = outcomes_of(PROBABILITIES, COSTS)
    bets, listed = IndependentBets(PROBABILITIES, COSTS), Scenarios(chances, outcomes)
    stakes = np.array([0.1, 0.02, 0.0, 0.3, 0.2])
    for ours, theirs in (
        (bets.growth(stakes), listed.growth(stakes)),
        (bets.drawdown_risk(stakes, 0.4), listed.drawdown_risk(stakes, 0.4)),
        (bets.drawdown_risk(stakes, 30.0), listed.drawdown_risk(stakes, 30.0)),
    ):
        assert ours.value == pytest.approx(theirs.value, rel=1e-11)
        assert ours.gradient == pytest.approx(theirs.gradient, rel=1e-9, abs=1e-11)
        assert ours.hessian == pytest.approx(theirs.hessian, rel=1e-9, abs=1e-10)


def test_expansions_are_the_derivatives_of_their_values() -> None:
    stakes, nudge = np.array([0.1, 0.02, 0.05, 0.3, 0.2]), 1e-6
    bets = IndependentBets(PROBABILITIES, COSTS)
    for expand in (bets.growth, lambda at: bets.drawdown_risk(at, EXPONENT)):
        here = expand(stakes)
        for place, step in enumerate(nudge * np.eye(5)):
            up, down = expand(stakes + step), expand(stakes - step)
            assert here.gradient[place] == pytest.approx((up.value - down.value) / 2 / nudge, rel=1e-6)
            assert here.hessian[place] == pytest.approx(
                (up.gradient - down.gradient) / 2 / nudge, rel=1e-5, abs=1e-6
            )


@pytest.mark.parametrize("cap", [np.inf, 0.05])
def test_stakes_are_those_of_cvxpy(cap: float) -> None:
    chances, outcomes = outcomes_of(PROBABILITIES, COSTS)
    expected = of_cvxpy(chances, outcomes, cap=cap)
    limits = capped(5, cap)
    for found in (
        kelly_bets.independent(PROBABILITIES, COSTS, fraction=1.0, limits=limits),
        kelly_bets.joint(chances, outcomes, fraction=1.0, limits=limits),
    ):
        assert found.stakes == pytest.approx(expected, abs=2e-6)
        assert found.gap < 1e-10


def test_drawdown_bound_gives_the_stakes_of_cvxpy_and_holds() -> None:
    chances, outcomes = outcomes_of(PROBABILITIES, COSTS)
    expected = of_cvxpy(chances, outcomes, exponent=EXPONENT)
    found = kelly_bets.joint(chances, outcomes, fraction=1.0, exponent=EXPONENT)
    assert found.stakes == pytest.approx(expected, abs=1e-5)
    assert found.drawdown_price > 0
    assert -1e-8 <= Scenarios(chances, outcomes).drawdown_risk(found.stakes, EXPONENT).value <= 0


def test_drawdown_bound_holds_for_what_is_staked_and_is_free_where_it_does_not_bind() -> None:
    half = kelly_bets.independent(PROBABILITIES, COSTS)
    loose = kelly.risk_exponent(0.3, 0.4)
    bounded = kelly_bets.independent(PROBABILITIES, COSTS, exponent=loose)
    assert IndependentBets(PROBABILITIES, COSTS).drawdown_risk(half.stakes, loose).value < 0
    assert bounded.drawdown_price == 0
    assert bounded.stakes == pytest.approx(half.stakes, abs=1e-12)


@pytest.mark.parametrize("fraction", [0.25, 0.5, 1.0])
def test_drawdown_bound_that_binds_is_met_exactly_by_what_is_staked(fraction: float) -> None:
    strict = kelly.risk_exponent(0.95, 0.01)
    found = kelly_bets.independent(PROBABILITIES, COSTS, fraction=fraction, exponent=strict)
    assert found.drawdown_price > 0
    assert -1e-8 <= IndependentBets(PROBABILITIES, COSTS).drawdown_risk(found.stakes, strict).value <= 0


def test_drawdown_stays_within_its_probability_in_simulation() -> None:
    """400 bets on each of 4,000 paths; the bound is met with room, as the paper finds too."""
    found = kelly_bets.independent(PROBABILITIES, COSTS, fraction=1.0, exponent=EXPONENT)
    won = np.random.default_rng(11).random((4_000, 400, 5)) < PROBABILITIES
    wealth = np.cumprod(1 + np.where(won, 1 / COSTS - 1, -1.0) @ found.stakes, axis=1)
    fell = float(np.mean(wealth.min(axis=1) < 0.7))
    assert 0.02 < fell < 0.1


def test_fraction_is_applied_to_the_answer_before_caps_are_met() -> None:
    full = kelly_bets.independent(PROBABILITIES, COSTS, fraction=1.0).stakes
    half = kelly_bets.independent(PROBABILITIES, COSTS)
    assert half.stakes == pytest.approx(full / 2, abs=1e-12)
    between = kelly_bets.independent(PROBABILITIES, COSTS, limits=capped(5, float(full.max()) * 0.6))
    assert between.stakes == pytest.approx(half.stakes, abs=1e-9)


def test_caps_are_met_inside_the_optimisation() -> None:
    capped_alone = np.minimum(kelly_bets.independent(PROBABILITIES, COSTS).stakes, 0.04)
    found = kelly_bets.independent(PROBABILITIES, COSTS, limits=capped(5, 0.04))
    assert found.stakes.max() <= 0.04 + 1e-15
    assert found.stakes[1:3].sum() > capped_alone[1:3].sum() + 1e-5


def test_total_limit_binds_and_its_price_is_what_one_more_unit_is_worth() -> None:
    def staked(total: float) -> kelly_bets.Stakes:
        return kelly_bets.independent(PROBABILITIES, COSTS, fraction=1.0, limits=capped(5, 1.0, total))

    found = staked(0.1)
    assert found.stakes.sum() == pytest.approx(0.1, abs=1e-12)
    gained = (staked(0.1001).growth - staked(0.0999).growth) / 0.0002
    assert found.solution.inequality_multipliers[0] == pytest.approx(gained, rel=1e-4)


def test_three_hundred_bets_need_no_list_of_outcomes() -> None:
    random = np.random.default_rng(0)
    costs = random.uniform(0.1, 0.9, 300)
    probabilities = np.clip(costs + random.normal(0.02, 0.03, 300), 0.01, 0.99)
    found = kelly_bets.independent(probabilities, costs, fraction=1.0)
    assert found.gap < 1e-10
    assert found.stakes.sum() <= 1 - 0.9e-6
    worst = probabilities < costs
    assert found.stakes[worst].max() < 1e-9


@pytest.mark.parametrize("fraction", [0.5, 1.0])
def test_plan_of_many_bets_is_proven_though_it_stakes_all_it_may(fraction: float) -> None:
    random = np.random.default_rng(0)
    costs = random.uniform(0.1, 0.9, 100)
    probabilities = np.clip(costs + random.normal(0.02, 0.03, 100), 0.01, 0.99)
    names = [f"bet {number}" for number in range(100)]
    plan = plan_weights(
        names, "kelly_criterion", probabilities=probabilities, bet_prices=costs, fraction=fraction
    )
    assert plan.certificate.kind == "growth"
    assert plan.certificate.gap <= 2e-6
    assert fraction - 3e-6 <= float(sum(plan.weights.values())) < fraction


def test_mutually_exclusive_outcomes_are_kellys_horse_race() -> None:
    """Kelly 1956: with fair odds and no reserve held back, one stakes the probabilities."""
    chances = np.array([0.5, 0.3, 0.2])
    outcomes = np.diag([3.0, 3.0, 3.0]) - 1
    limits = replace(
        kelly_bets.no_limits(3),
        equalities=(np.ones((1, 3)), np.array([1.0])),
    )
    found = kelly_bets.joint(chances, outcomes, fraction=1.0, limits=limits)
    assert found.stakes == pytest.approx(chances, abs=1e-9)


def test_small_normal_returns_are_continuous_kelly() -> None:
    """Over a short period the growth is quadratic, and scenarios with the moments give Sigma^-1 mu."""
    directions = np.vstack([np.eye(2), -np.eye(2)]) * np.sqrt(2)
    root = np.linalg.cholesky(np.array([[0.04, 0.012], [0.012, 0.09]]) * 1e-4)
    outcomes = directions @ root.T + np.array([0.06, 0.08]) * 1e-4
    limits = replace(kelly_bets.no_limits(2), lower=np.full(2, -10.0), upper=np.full(2, 10.0))
    found = kelly_bets.joint(np.full(4, 0.25), outcomes, fraction=1.0, limits=limits)
    assert found.stakes == pytest.approx(np.array([1.284722, 0.717593]), rel=2e-3)


@settings(max_examples=20, deadline=None)
@given(
    bets=st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)), min_size=1, max_size=6),
    data=st.data(),
)
def test_stakes_follow_a_permutation_and_ignore_bets_worse_than_fair(
    bets: list[tuple[float, float]], data: st.DataObject
) -> None:
    probabilities, costs = np.array(bets).T
    found = kelly_bets.independent(probabilities, costs)
    order = data.draw(st.permutations(range(len(bets))))
    permuted = kelly_bets.independent(probabilities[order], costs[order])
    assert permuted.stakes == pytest.approx(found.stakes[order], abs=1e-7)
    assert np.all(found.stakes[probabilities <= costs] <= 1e-9)
    assert found.growth >= -1e-15


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), names=st.integers(1, 6), depth=st.floats(0.4, 0.9))
def test_no_feasible_stakes_near_the_answer_grow_faster(seed: int, names: int, depth: float) -> None:
    random = np.random.default_rng(seed)
    outcomes = np.maximum(random.normal(0.03, 0.3, (40, names)), -0.95)
    chances = random.dirichlet(np.ones(40))
    wealth = Scenarios(chances, outcomes)
    exponent = kelly.risk_exponent(depth, 0.1)
    found = kelly_bets.joint(
        chances, outcomes, fraction=1.0, limits=capped(names, 1.0, 1.0), exponent=exponent
    )
    assert wealth.drawdown_risk(found.stakes, exponent).value <= 1e-15
    for _ in range(50):
        other = np.clip(found.stakes + random.normal(0, 0.05, names), 0, 1)
        if other.sum() <= 1 and wealth.drawdown_risk(other, exponent).value <= 0:
            assert wealth.growth(other).value <= found.growth + 1e-8


@pytest.mark.parametrize(
    ("probabilities", "costs", "options", "says"),
    [
        ([0.5, 1.2], [0.5, 0.5], {}, "each of 2 bets has one probability from 0 to 1"),
        ([0.5], [0.5, 0.5], {}, "each of 2 bets has one probability"),
        ([0.5, 0.5], [0.5, 1.0], {}, "more than 0 and less than 1, fee included"),
        ([0.5, 1.0], [0.5, 0.5], {}, "bet 2 cannot lose"),
        ([0.6, 0.6], [0.5, 0.5], {"fraction": 0.0}, "above 0, at most 1, got 0.0"),
        ([0.6, 0.6], [0.5, 0.5], {"fraction": 1.5}, "above 0, at most 1, got 1.5"),
    ],
)
def test_bets_that_mean_nothing_are_refused(
    probabilities: list[float], costs: list[float], options: dict[str, float], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        kelly_bets.independent(np.array(probabilities), np.array(costs), **options)


@pytest.mark.parametrize(
    ("chances", "outcomes", "says"),
    [
        ([0.5, 0.6], [[1.0], [-1.0]], "sum to 1, got a sum of 1.1"),
        ([-0.5, 1.5], [[1.0], [-1.0]], "0 or more and sum to 1"),
        ([0.5, 0.5], [[1.0]], "one row a scenario"),
        ([0.5, 0.5], [[1.0], [np.nan]], "outcomes must be finite"),
        ([0.5, 0.5], [[-1.0, 1.0], [1.0, 0.0]], "bet 2 cannot lose"),
    ],
)
def test_scenarios_that_mean_nothing_are_refused(
    chances: list[float], outcomes: list[list[float]], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        kelly_bets.joint(np.array(chances), np.array(outcomes))


def test_bets_that_together_cannot_lose_are_an_error_and_not_an_answer() -> None:
    with pytest.raises(NotSolved):
        kelly_bets.joint(np.array([0.5, 0.5]), np.array([[2.0, -1.0], [-1.0, 2.0]]))


def test_limits_that_force_the_drawdown_bound_to_break_are_an_error() -> None:
    limits = replace(capped(2, 1.0), lower=np.full(2, 0.3))
    with pytest.raises(NotSolved, match="force stakes that break the drawdown bound"):
        kelly_bets.independent(np.array([0.55, 0.55]), EVEN, fraction=1.0, limits=limits, exponent=EXPONENT)


def test_minimums_that_full_appetite_cannot_meet_are_an_error() -> None:
    limits = replace(capped(2, 1.0), lower=np.full(2, 0.3))
    with pytest.raises(NotSolved, match="none within the limits, which are taken 1 / fraction as wide"):
        kelly_bets.independent(np.array([0.55, 0.55]), EVEN, fraction=0.5, limits=limits)


def bounded_plan(fraction: float = 1.0) -> Plan:
    return plan_weights(
        list("abcde"),
        "kelly_criterion",
        probabilities=PROBABILITIES,
        bet_prices=COSTS,
        fraction=fraction,
        drawdown=(0.7, 0.1),
    )


def test_stakes_bounded_in_drawdown_have_a_bound_that_cvxpy_reaches() -> None:
    plan = bounded_plan()
    chances, outcomes = outcomes_of(PROBABILITIES, COSTS)
    best = chances @ np.log(1 + outcomes @ of_cvxpy(chances, outcomes, exponent=EXPONENT))
    assert plan.certificate.kind == "growth"
    assert plan.evidence.drawdown_price > 0
    assert plan.certificate.objective <= best + 1e-9
    assert plan.certificate.bound == pytest.approx(best, rel=1e-6)
    assert plan.certificate.gap <= plan.certificate.tolerance <= 1e-4


@pytest.mark.parametrize("fraction", [0.5, 1.0])
def test_whole_units_of_stakes_meet_the_drawdown_bound(fraction: float) -> None:
    plan = bounded_plan(fraction)
    stakes = np.array([float(weight) for weight in plan.weights.values()])
    assert IndependentBets(PROBABILITIES, COSTS).drawdown_risk(stakes, EXPONENT).value <= 0


def test_whole_units_of_shorts_meet_the_drawdown_bound() -> None:
    outcomes = np.random.default_rng(0).normal(0.0, 0.1, (300, 4))
    limits = Constraints(long_only=False, gross=2, max_weight=1, min_weight=-1)
    plan = plan_weights(
        list("abcd"),
        "kelly_criterion",
        outcomes=outcomes,
        fraction=1.0,
        drawdown=(0.7, 0.1),
        constraints=limits,
    )
    stakes = np.array([float(weight) for weight in plan.weights.values()])
    assert plan.certificate.kind == "growth"
    assert Scenarios(np.full(300, 1 / 300), outcomes).drawdown_risk(stakes, EXPONENT).value <= 0


def test_a_drawdown_price_that_is_off_proves_nothing() -> None:
    evidence = bounded_plan().evidence
    with pytest.raises(CertificateError, match="grow faster"):
        certify(structs.replace(evidence, drawdown_price=evidence.drawdown_price / 2))
    with pytest.raises(CertificateError, match="exceed a limit"):
        certify(structs.replace(evidence, exponent=2 * evidence.exponent))


@pytest.mark.parametrize("drawdown", [None, (0.7, 0.1)])
def test_bets_that_are_not_worth_it_take_nothing_and_are_verified(
    drawdown: tuple[float, float] | None,
) -> None:
    plan = plan_weights(
        ["a", "b"],
        "kelly_criterion",
        probabilities=[0.23, 0.41],
        bet_prices=[0.35, 0.55],
        drawdown=drawdown,
    )
    assert set(plan.weights.values()) == {0}
    assert all(each.holds for each in check(plan.to_json()))


@pytest.mark.parametrize(("gross", "drawdown"), [(1, (0.7, 0.1)), (2, (0.05, 0.9))])
@pytest.mark.parametrize("seed", range(6))
def test_stakes_bounded_in_drawdown_keep_the_other_limits_to_the_last_unit(
    seed: int, gross: int, drawdown: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    outcomes = np.maximum(rng.normal(rng.normal(0, 0.05, 6), 0.2, (100, 6)), -0.99)
    limits = Constraints(long_only=False, gross=gross, max_weight=1, min_weight=-1)
    plan = plan_weights(
        list("abcdef"), "kelly_criterion", outcomes=outcomes, drawdown=drawdown, constraints=limits
    )
    assert sum(abs(weight) for weight in plan.weights.values()) <= gross
    assert all(each.holds for each in check(plan.to_json()))
