"""Minimum CVaR: against HiGHS and Clarabel on the whole linear problem, proven by its chances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from capdesk.decide.weights import quadratic, tail_interior, tail_risk
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from tests.decide.weights.problems import by_clarabel, capped, sampled, size, violation


def scenarios(rows: int, count: int, seed: int) -> Array:
    """Fat-tailed returns with a common factor."""
    source = np.random.default_rng(seed)
    common = source.standard_t(4, (rows, 1)) * 0.008
    return common * source.uniform(0.5, 1.5, count) + source.standard_t(4, (rows, count)) * 0.01 + 3e-4


def _limits(count: int, cap: float, linear: Array | None = None) -> QuadraticProblem:
    return replace(capped(Covariance(matrix=np.eye(count)), cap, linear), curvature=0.0)


def _whole(returns: Array, tail: float, problem: QuadraticProblem) -> float:
    """The least value of the linear problem with an excess for every scenario, by scipy's HiGHS."""
    rows = len(returns)
    excess = np.hstack([-returns, -np.ones((rows, 1)), -np.eye(rows)])
    own = np.hstack([problem.inequalities[0], np.zeros((len(problem.inequalities[1]), rows + 1))])
    found = linprog(
        np.concatenate([problem.linear, [1.0], np.full(rows, 1 / (tail * rows))]),
        A_ub=np.vstack([excess, own]),
        b_ub=np.concatenate([np.zeros(rows), problem.inequalities[1]]),
        A_eq=np.hstack([problem.equalities[0], np.zeros((len(problem.equalities[1]), rows + 1))]),
        b_eq=problem.equalities[1],
        bounds=[*zip(problem.lower, problem.upper, strict=True), (None, None), *[(0, None)] * rows],
    )
    return float(found.fun)


def _value(returns: Array, tail: float, problem: QuadraticProblem, x: Array) -> float:
    return tail_risk.cvar(returns @ x, tail) + problem.objective(x)


def _assert_proven(
    returns: Array, tail: float, problem: QuadraticProblem, found: tail_risk.TailSolution
) -> None:
    """The chances are chances, and the bound they and the multipliers give meets the value."""
    weight = 1 / (tail * len(returns))
    assert found.chances.min() >= 0
    assert found.chances.max() <= weight * (1 + 1e-12)
    assert found.chances.sum() == pytest.approx(1.0, abs=1e-12)
    assert violation(problem, found.x) <= 1e-9
    stated = tail_risk.stated(returns, found.chances, problem)
    y, z = found.equality_multipliers, found.inequality_multipliers
    costs = stated.gradient(found.x) + y @ problem.equalities[0] + z @ problem.inequalities[0]
    least = np.where(costs > 0, problem.lower, problem.upper)
    curved = problem.curvature / 2 * float(found.x @ problem.covariance.times(found.x))
    proven = float(costs @ least) - curved - y @ problem.equalities[1] - z @ problem.inequalities[1]
    value = _value(returns, tail, problem, found.x)
    assert value - proven <= 1e-8 * (abs(value) + abs(tail_risk.cvar(returns @ found.x, tail)))


def test_cvar_counts_the_boundary_scenario_in_part() -> None:
    returns = np.array([-0.10, -0.06, -0.02, 0.01, 0.03])
    assert tail_risk.cvar(returns, 0.2) == pytest.approx(0.10)
    assert tail_risk.cvar(returns, 0.4) == pytest.approx(0.08)
    assert tail_risk.cvar(returns, 0.3) == pytest.approx((0.10 + 0.5 * 0.06) / 1.5)
    assert tail_risk.cvar(returns, 1.0) == pytest.approx(-returns.mean())


@pytest.mark.parametrize("seed", range(25))
def test_no_weights_have_a_smaller_tail(seed: int) -> None:
    source = np.random.default_rng(seed)
    count, rows = int(source.integers(2, 30)), int(source.integers(60, 500))
    returns, tail = scenarios(rows, count, seed), float(source.choice([0.01, 0.05, 0.1, 0.5]))
    gain = -float(source.choice([0.0, 0.2])) * returns.mean(axis=0)
    problem = _limits(count, float(source.choice([1.0, 2.0 / count])), gain)
    found = tail_risk.solve(returns, tail, problem)
    _assert_proven(returns, tail, problem, found)
    best = _whole(returns, tail, problem)
    assert _value(returns, tail, problem, found.x) == pytest.approx(best, abs=1e-8 * (1e-2 + abs(best)))


@pytest.mark.parametrize("seed", range(6))
def test_groups_fixed_names_and_minimums_are_kept(seed: int) -> None:
    source = np.random.default_rng(seed)
    returns, count = scenarios(400, 15, seed), 15
    groups = (source.random((3, count)) < 0.4) * 1.0
    lower = np.where(source.random(count) < 0.3, 0.04, 0.0)
    upper = np.full(count, 0.4)
    lower[0] = upper[0] = 0.1
    inside = np.full(count, 0.9 / 14)
    inside[0] = 0.1
    problem = replace(
        _limits(count, 0.4),
        lower=lower,
        upper=upper,
        inequalities=(groups, groups @ inside * 1.05),
    )
    found = tail_risk.solve(returns, 0.05, problem)
    assert found.x[0] == 0.1
    _assert_proven(returns, 0.05, problem, found)
    best = _whole(returns, 0.05, problem)
    assert _value(returns, 0.05, problem, found.x) == pytest.approx(best, abs=1e-10)


def test_a_variance_beside_the_tail_is_minimised_with_it() -> None:
    returns, count = scenarios(120, 6, 1), 6
    problem = replace(_limits(count, 0.5), covariance=Covariance(matrix=sampled(count, 1)), curvature=200.0)
    found = tail_risk.solve(returns, 0.1, problem)
    _assert_proven(returns, 0.1, problem, found)
    rows = len(returns)
    whole = QuadraticProblem(
        covariance=problem.covariance,
        curvature=200.0,
        linear=np.concatenate([problem.linear, [1.0], np.full(rows, 1 / (0.1 * rows))]),
        equalities=(np.hstack([problem.equalities[0], np.zeros((1, rows + 1))]), problem.equalities[1]),
        inequalities=(np.hstack([-returns, -np.ones((rows, 1)), -np.eye(rows)]), np.zeros(rows)),
        lower=np.concatenate([problem.lower, [-np.inf], np.zeros(rows)]),
        upper=np.concatenate([problem.upper, np.full(rows + 1, np.inf)]),
    )
    other = whole.objective(by_clarabel(whole))
    assert _value(returns, 0.1, problem, found.x) == pytest.approx(
        other, abs=1e-8 * size(whole, by_clarabel(whole))
    )


def test_the_simplex_method_stands_in_where_the_interior_point_ends_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns, problem = scenarios(200, 8, 3), _limits(8, 0.5)
    expected = tail_risk.solve(returns, 0.05, problem)
    monkeypatch.setattr(tail_interior, "solve", lambda *_, **__: None)
    found = tail_risk.solve(returns, 0.05, problem)
    assert found.solver.startswith("HiGHS")
    _assert_proven(returns, 0.05, problem, found)
    assert tail_risk.cvar(returns @ found.x, 0.05) == pytest.approx(
        tail_risk.cvar(returns @ expected.x, 0.05), rel=1e-9
    )


def test_the_same_scenario_many_times_is_solved() -> None:
    returns = np.repeat(scenarios(8, 4, 5), 25, axis=0)
    problem = _limits(4, 1.0)
    found = tail_risk.solve(returns, 0.05, problem)
    _assert_proven(returns, 0.05, problem, found)
    assert _value(returns, 0.05, problem, found.x) == pytest.approx(_whole(returns, 0.05, problem), abs=1e-10)


def test_impossible_limits_are_not_solved() -> None:
    with pytest.raises(quadratic.NotSolved, match="no accurate point"):
        tail_risk.solve(scenarios(50, 4, 6), 0.05, _limits(4, 0.2))


@pytest.mark.parametrize("indefinite", [False, True])
def test_rough_steps_change_nothing_but_the_way(indefinite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    returns, problem = scenarios(400, 25, 3), _limits(25, 0.2)
    found = tail_risk.solve(returns, 0.05, problem)
    taken: list[int] = []

    def other(rows: Array, weights: Array) -> Array:
        taken.append(len(rows))
        return -np.eye(rows.shape[1]) * 1e6 if indefinite else tail_interior.gram(rows.astype(float), weights)

    monkeypatch.setattr(tail_interior, "rough_gram", other)
    exact = tail_risk.solve(returns, 0.05, problem)
    assert taken
    _assert_proven(returns, 0.05, problem, exact)
    assert np.abs(found.x - exact.x).max() <= 1e-6
    assert found.solver == exact.solver == "interior point for tails"
