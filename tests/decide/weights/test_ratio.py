"""Maximum Sharpe ratio along the frontier, against the homogenised problem and published figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capdesk.decide.weights import quadratic, ratio
from capdesk.decide.weights.constraints import Constraints
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from capdesk.decide.weights.reading_limits import read_limits
from capdesk.decide.weights.sharpe import maximum_sharpe
from tests.decide.weights.problems import assert_optimal, by_clarabel, capped, factors, sampled


def _sharpe(problem: QuadraticProblem, x: Array) -> float:
    return -float(problem.linear @ x) / float(np.sqrt(x @ problem.covariance.times(x)))


def _homogenised(problem: QuadraticProblem) -> float:
    """The highest ratio by Clarabel: y = w / mean'w, with the sum of y as a variable of its own."""
    count, cap = problem.names, float(problem.upper[0])
    mean = -problem.linear / np.abs(problem.linear).max()
    matrix = np.zeros((count + 1, count + 1))
    matrix[:count, :count] = problem.covariance.dense() / problem.covariance.diagonal().max()
    y = by_clarabel(
        QuadraticProblem(
            covariance=Covariance(matrix=matrix),
            curvature=1.0,
            linear=np.zeros(count + 1),
            equalities=(
                np.vstack([np.append(mean, 0.0), np.append(np.ones(count), -1.0)]),
                np.array([1.0, 0.0]),
            ),
            inequalities=(np.hstack([np.eye(count), np.full((count, 1), -cap)]), np.zeros(count)),
            lower=np.zeros(count + 1),
            upper=np.full(count + 1, np.inf),
        )
    )[:count]
    return _sharpe(problem, y / y.sum())


@pytest.mark.parametrize("count", [2, 5, 20, 60, 120, 200])
@pytest.mark.parametrize("shift", [-0.0003, 0.0005])
def test_no_ratio_is_higher(count: int, shift: float) -> None:
    mean = np.random.default_rng(count).normal(shift, 5e-4, count)
    mean[0] = 5e-4
    problem = capped(Covariance(matrix=sampled(count, count)), max(0.1, 1.5 / count), -mean)
    found, stated = ratio.solve(problem)
    assert_optimal(stated, found)
    assert _sharpe(problem, found.x) == pytest.approx(_homogenised(problem), rel=1e-8)


def test_the_optimum_has_the_risk_aversion_it_was_found_with() -> None:
    problem = capped(factors(500, 1), 0.1, -np.random.default_rng(1).normal(3e-4, 4e-4, 500))
    found, stated = ratio.solve(problem)
    variance = float(found.x @ problem.covariance.times(found.x))
    assert -problem.linear @ found.x == pytest.approx(stated.curvature * variance, rel=1e-9)


def test_two_names_have_the_closed_form() -> None:
    mean, deviation = np.array([0.08, 0.05]), np.array([0.2, 0.1])
    covariance = np.outer(deviation, deviation) * [[1.0, 0.2], [0.2, 1.0]]
    found, _ = ratio.solve(capped(Covariance(matrix=covariance), 1.0, -mean))
    tangency = np.linalg.solve(covariance, mean)
    assert found.x == pytest.approx(tangency / tangency.sum(), rel=1e-10)


def test_equal_means_are_minimum_variance() -> None:
    problem = capped(Covariance(matrix=sampled(100, 3)), 0.1, np.full(100, -3e-4))
    found, _ = ratio.solve(problem)
    least = quadratic.solve(replace(problem, linear=np.zeros(100)))
    assert np.abs(found.x - least.x).max() <= 1e-8


@pytest.mark.parametrize("cap", [0.1, 0.009])
def test_many_held_names_have_the_frontiers_answer(cap: float) -> None:
    count, source = 300, np.random.default_rng(7)
    names = tuple(f"n{place}" for place in range(count))
    covariance = Covariance(matrix=np.cov(source.normal(size=(900, count)).T) * 1e-4)
    mean = np.abs(source.normal(5e-4, 3e-4, count))
    point = maximum_sharpe(read_limits(names, Constraints(max_weight=cap)), covariance, mean).evidence.point
    along, _ = ratio.solve(capped(covariance, cap, -mean))
    assert np.count_nonzero(along.x) > count / 2
    assert (0 < np.count_nonzero(along.x >= cap) < 24) == (cap < 0.1)
    assert np.abs(point - along.x).max() <= 1e-10


def test_no_positive_mean_is_refused() -> None:
    problem = capped(Covariance(matrix=sampled(10, 3)), 0.2, np.full(10, 1e-4))
    with pytest.raises(quadratic.NotSolved, match="no feasible weights have a positive excess return"):
        ratio.solve(problem)


def test_a_gain_without_risk_is_returned_with_its_variance() -> None:
    matrix = np.zeros((3, 3))
    matrix[:2, :2] = [[0.04, 0.01], [0.01, 0.09]]
    found, _ = ratio.solve(capped(Covariance(matrix=matrix), 1.0, np.array([-0.05, -0.06, -0.01])))
    assert found.x @ matrix @ found.x <= 1e-12
    assert found.x[2] == pytest.approx(1.0)
