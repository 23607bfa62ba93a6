"""The quadratic solvers: proven by their own multipliers, and as good as a second solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capdesk.decide.weights import active_set, free_set, quadratic, subset
from capdesk.decide.weights.optimality import flaw
from capdesk.decide.weights.problem import Covariance, QuadraticProblem
from tests.decide.weights.problems import (
    assert_optimal,
    by_clarabel,
    capped,
    degenerate,
    factors,
    sampled,
    size,
)

MAILLARD = np.array([0.1, 0.2, 0.3, 0.4])


def _maillard() -> Covariance:
    correlation = np.eye(4)
    correlation[0, 1] = correlation[1, 0] = 0.8
    correlation[2, 3] = correlation[3, 2] = -0.5
    return Covariance(matrix=correlation * np.outer(MAILLARD, MAILLARD))


def test_published_minimum_variance() -> None:
    found = quadratic.solve(capped(_maillard(), 1.0))
    assert np.round(100 * found.x, 2).tolist() == [74.48, 0.0, 15.17, 10.34]
    assert round(100 * np.sqrt(found.x @ _maillard().times(found.x)), 2) == 8.63


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_degenerate_problems_are_solved_and_proven(first: int) -> None:
    for seed in range(first, first + 50):
        problem = degenerate(seed)
        found = quadratic.solve(problem)
        assert_optimal(problem, found)
        other = by_clarabel(problem)
        assert problem.objective(found.x) <= problem.objective(other) + 1e-7 * size(problem, other), seed


@pytest.mark.parametrize("count", [81, 150, 300])
@pytest.mark.parametrize("cap", [0.03, 1.0])
@pytest.mark.parametrize("kind", ["full", "low rank", "factors", "hedged factors", "independent"])
def test_large_problems_are_as_good_as_a_second_solver(count: int, cap: float, kind: str) -> None:
    covariance = {
        "full": lambda: Covariance(matrix=sampled(count, 1)),
        "low rank": lambda: Covariance(matrix=sampled(count, 2, rows=count // 2)),
        "factors": lambda: factors(count, 3),
        "hedged factors": lambda: factors(count, 4, without_own=20),
        "independent": lambda: Covariance(
            matrix=np.diag(np.random.default_rng(5).uniform(1e-4, 4e-4, count))
        ),
    }[kind]()
    problem = capped(covariance, cap, -np.random.default_rng(count).uniform(0, 2e-4, count))
    found = quadratic.solve(problem)
    assert_optimal(problem, found)
    other = by_clarabel(problem)
    assert problem.objective(found.x) <= problem.objective(other) + 1e-7 * size(problem, other)


@pytest.mark.parametrize("seed", range(12))
def test_rows_and_further_variables_bind_in_large_problems(seed: int) -> None:
    source = np.random.default_rng(seed)
    count = int(source.integers(81, 160))
    start = source.dirichlet(np.ones(count))
    groups = (source.random((5, count)) < 0.3) * 1.0
    one = np.eye(count)
    wide = np.zeros((5, 2 * count))
    problem = QuadraticProblem(
        covariance=Covariance(matrix=sampled(count, seed)),
        curvature=5.0,
        linear=np.concatenate([-source.uniform(0, 1e-3, count), np.full(2 * count, 1e-4)]),
        equalities=(
            np.vstack([np.concatenate([np.ones(count), np.zeros(2 * count)]), np.hstack([one, -one, one])]),
            np.concatenate([[1.0], start]),
        ),
        inequalities=(
            np.vstack([np.hstack([groups, wide]), np.concatenate([np.zeros(count), np.ones(2 * count)])]),
            np.concatenate([groups @ start * 1.05, [0.4]]),
        ),
        lower=np.zeros(3 * count),
        upper=np.full(3 * count, np.inf),
    )
    found = quadratic.solve(problem)
    assert_optimal(problem, found)
    assert (found.inequality_multipliers > 0).any()
    other = by_clarabel(problem)
    assert problem.objective(found.x) <= problem.objective(other) + 1e-7 * size(problem, other)


@pytest.mark.parametrize("seed", range(8))
def test_each_method_alone_gives_the_same_optimum(seed: int) -> None:
    problem = capped(Covariance(matrix=sampled(120, seed)), 0.08)
    expected = quadratic.solve(problem).x
    for found in (free_set.solve(problem), subset.solve(problem)[0]):
        assert found is not None
        assert flaw(problem, found) <= 1e-9
        assert np.abs(found.x - expected).max() <= 1e-9


def _hard(kind: str, count: int) -> QuadraticProblem:
    matrix, cap = sampled(count, count), 3.0 / count
    if kind == "equal names":
        matrix = np.repeat(np.repeat(sampled(count // 2 + 1, 1), 2, axis=0), 2, axis=1)[:count, :count]
    if kind == "singular":
        matrix = sampled(count, 2, rows=count // 2)
    if kind == "unlike scales":
        deviation = 10.0 ** np.random.default_rng(count).uniform(-4, 0, count)
        matrix = matrix * np.outer(deviation, deviation)
    problem = capped(Covariance(matrix=matrix), cap)
    if kind == "caps that just add to one":
        return replace(problem, upper=np.full(count, 1.0 / count))
    if kind == "bounds without width":
        fixed = np.arange(count) % 3 == 0
        lower = np.where(fixed, 0.5 / count, 0.0)
        return replace(problem, lower=lower, upper=np.where(fixed, lower, problem.upper))
    if kind == "read only":
        matrix.flags.writeable = False
    if kind == "not contiguous":
        wide = np.zeros((2 * count, 2 * count))
        wide[::2, ::2] = matrix
        return replace(problem, covariance=Covariance(matrix=wide[::2, ::2]))
    return problem


@pytest.mark.parametrize("count", [12, 76, 77, 100, 150, 151, 220])
@pytest.mark.parametrize(
    "kind",
    [
        "equal names",
        "singular",
        "unlike scales",
        "caps that just add to one",
        "bounds without width",
        "read only",
        "not contiguous",
    ],
)
def test_hard_problems_of_every_size_are_proven(kind: str, count: int) -> None:
    problem = _hard(kind, count)
    found = quadratic.solve(problem)
    assert_optimal(problem, found)
    other = by_clarabel(problem)
    assert problem.objective(found.x) <= problem.objective(other) + 1e-7 * size(problem, other)


@pytest.mark.parametrize("kind", ["equal names", "singular"])
def test_what_has_no_curvature_in_some_direction_is_left_to_others(kind: str) -> None:
    left = 0
    for scale in (1e-8, 1e-4, 1.0):
        problem = _hard(kind, 40)
        matrix = scale * problem.covariance.dense()
        problem = replace(problem, covariance=Covariance(matrix=matrix), upper=np.ones(40))
        exact = active_set.solve(problem)
        left += exact is None
        assert exact is None or flaw(problem, exact) <= 1e-11
        assert_optimal(problem, quadratic.solve(problem))
    assert left


@pytest.mark.parametrize("count", [30, 100, 200])
@pytest.mark.parametrize("cap", [1.2, 3.0, 100.0])
def test_active_sets_settle_whether_few_limits_bind_or_many(count: int, cap: float) -> None:
    for seed in range(10):
        problem = capped(Covariance(matrix=sampled(count, seed)), cap / count)
        found = free_set.solve(problem)
        assert found is not None
        assert flaw(problem, found) <= 1e-11
        assert found.iterations <= 30


def test_weights_that_must_be_many_are_not_looked_for_among_few() -> None:
    assert subset.solve(capped(Covariance(matrix=sampled(200, 1)), 1.5 / 200)) == (None, None)


def test_a_start_changes_nothing_but_the_way() -> None:
    problem = capped(Covariance(matrix=sampled(200, 7)), 0.05)
    near = quadratic.solve(replace(problem, linear=np.full(200, 0.0) - 1e-6 * np.arange(200))).x
    assert np.abs(quadratic.solve(problem, near).x - quadratic.solve(problem).x).max() <= 1e-9


def test_no_curvature_is_a_linear_problem() -> None:
    gains = np.array([0.03, 0.01, 0.02, 0.02])
    found = quadratic.solve(replace(capped(_maillard(), 0.4, -gains), curvature=0.0))
    assert found.solver.startswith("HiGHS")
    assert found.x[0] == pytest.approx(0.4)
    assert gains @ found.x == pytest.approx(0.4 * 0.03 + 0.6 * 0.02)


@pytest.mark.parametrize("count", [4, 120])
def test_an_impossible_problem_is_not_solved(count: int) -> None:
    covariance = Covariance(matrix=sampled(count, 1))
    with pytest.raises(quadratic.NotSolved, match="no accurate point"):
        quadratic.solve(capped(covariance, 0.5 / count))


def test_an_answer_that_is_off_has_a_flaw() -> None:
    problem = capped(Covariance(matrix=sampled(20, 1)), 0.1)
    found = quadratic.solve(problem)
    assert flaw(problem, found) <= 1e-9
    moved = found.x.copy()
    held = np.flatnonzero((moved > 0.01) & (moved < 0.09))[:2]
    moved[held] += [1e-4, -1e-4]
    assert flaw(problem, replace(found, x=moved)) > 1e-7
    assert flaw(problem, replace(found, equality_multipliers=found.equality_multipliers * 1.001)) > 1e-6
    assert flaw(problem, replace(found, x=found.x * 1.001)) > 1e-6


def test_problems_of_one_shape_share_marks_that_nobody_writes_to() -> None:
    for seed in range(20):
        problem = capped(Covariance(matrix=sampled(15, seed)), 0.15)
        assert active_set.solve(problem) is not None
        assert active_set.solve_scaled(replace(problem, upper=np.full(15, 0.01))) is None
        senses = active_set._senses(15, 16, 16)
        assert senses is active_set._senses(15, 16, 16)
        assert senses.tolist() == [0] * 15 + [5]
