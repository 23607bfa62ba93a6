"""Choosing names: the same answer as trying every choice, and bounds that hold when cut short."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from capdesk.decide.weights import fixed_trades, mixed_integer, quadratic
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from tests.decide.weights.problems import assert_optimal, capped, sampled


def _by_trying_all(problem: QuadraticProblem, most: int, least: Array, fixed: Array) -> float:
    best = np.inf
    for count in range(1, most + 1):
        for chosen in map(list, combinations(range(problem.names), count)):
            lower, upper = np.zeros(problem.names), np.zeros(problem.names)
            lower[chosen], upper[chosen] = least[chosen], problem.upper[chosen]
            if lower.sum() > 1 or upper.sum() < 1:
                continue
            stated = replace(problem, lower=lower, upper=upper)
            best = min(best, stated.objective(quadratic.solve(stated).x) + float(fixed[chosen].sum()))
    return best


def _independent(count: int, seed: int) -> Covariance:
    source = np.random.default_rng(seed)
    returns = source.normal(size=(2 * count + 2, count)) * source.uniform(0.1, 0.4, count)
    return Covariance(matrix=np.atleast_2d(np.cov(returns.T)))


@pytest.mark.parametrize("seed", range(40))
def test_it_finds_what_trying_every_choice_finds(seed: int) -> None:
    source = np.random.default_rng(seed)
    count = int(source.integers(3, 9))
    most = int(source.integers(1, count + 1))
    covariance = Covariance(matrix=100 * sampled(count, seed)) if seed % 2 else _independent(count, seed)
    gains = source.normal(0.02, 0.02, count) * source.choice([0, 1])
    problem = capped(covariance, float(source.choice([0.5, 0.7, 1.0])), -gains)
    least = np.full(count, source.choice([0.0, 0.1, 0.25]))
    fixed = source.choice([0.0, 0.0005, 0.01]) * source.uniform(0.5, 1.5, count)
    best = _by_trying_all(problem, most, least, fixed)
    if not np.isfinite(best):
        with pytest.raises(quadratic.NotSolved):
            mixed_integer.solve(problem, max_names=most, min_if_held=least, fixed_costs=fixed)
        return
    found = mixed_integer.solve(problem, max_names=most, min_if_held=least, fixed_costs=fixed)
    assert found.proven
    assert found.objective == pytest.approx(best, rel=1e-6, abs=1e-12)
    assert found.bound <= best + 1e-9 * abs(best)
    assert found.held.sum() <= most
    weights = found.solution.x
    assert (weights[~found.held] == 0).all()
    assert (weights[found.held] >= least[found.held] - 1e-12).all()
    assert_optimal(found.problem, found.solution)
    assert found.objective == pytest.approx(problem.objective(weights) + fixed[found.held].sum(), rel=1e-12)


def test_a_search_cut_short_says_so_and_its_bound_holds() -> None:
    problem = capped(_independent(24, 1), 0.5)
    cut = mixed_integer.solve(problem, max_names=5, node_limit=20)
    whole = mixed_integer.solve(problem, max_names=5, min_if_held=np.full(24, 0.01))
    assert not cut.proven
    assert cut.bound < whole.objective * (1 + 1e-9)
    assert cut.bound < cut.objective
    assert cut.held.sum() <= 5


def test_enough_places_change_nothing() -> None:
    problem = capped(Covariance(matrix=sampled(30, 4)), 0.2)
    found = mixed_integer.solve(problem, max_names=30)
    assert found.proven
    assert np.abs(found.solution.x - quadratic.solve(problem).x).max() <= 1e-8


def test_a_minimum_weight_in_the_problem_is_always_held() -> None:
    problem = capped(Covariance(matrix=sampled(8, 5)), 0.6)
    lower = np.zeros(8)
    worst = int(np.diagonal(problem.covariance.dense()).argmax())
    lower[worst] = 0.05
    found = mixed_integer.solve(replace(problem, lower=lower), max_names=3)
    assert found.held[worst]
    assert found.solution.x[worst] >= 0.05 - 1e-12


def test_weights_without_bounds_need_a_regular_covariance() -> None:
    problem = capped(Covariance(matrix=np.ones((4, 4))), 0.6)
    with pytest.raises(ValueError, match="needs both bounds of every weight"):
        mixed_integer.solve(replace(problem, upper=np.full(4, np.inf)), max_names=2)


def _sides(problem: QuadraticProblem, least: Array, name: int) -> list[tuple[float, float]]:
    low, high = float(problem.lower[name]), float(problem.upper[name])
    if not least[name]:
        return [(low, high)]
    sides = [(max(low, least[name]), high), (low, min(high, -least[name]))]
    return [(start, end) for start, end in sides if start <= end]


@pytest.mark.parametrize("seed", range(25))
def test_long_or_short_it_finds_what_trying_every_choice_and_side_finds(seed: int) -> None:
    source = np.random.default_rng(seed)
    count = int(source.integers(2, 6))
    most = int(source.integers(1, count + 1))
    rows = 3 if seed % 5 == 0 else 40
    returns = source.normal(size=(rows, count)) * source.uniform(0.05, 0.4, count)
    problem = replace(
        capped(Covariance(matrix=np.cov(returns.T)), 0.9, -source.normal(0.02, 0.02, count)),
        lower=-source.uniform(0.1, 1, count) * source.choice([0, 1], count),
        upper=source.uniform(0.3, 1.2, count),
    )
    least = np.full(count, source.choice([0.0, 0.1, 0.25]))
    fixed = source.choice([0.0, 0.0005, 0.01]) * source.uniform(0.5, 1.5, count)
    best = np.inf
    for chosen in (list(each) for k in range(1, most + 1) for each in combinations(range(count), k)):
        for sides in product(*(_sides(problem, least, name) for name in chosen)):
            lower, upper = np.zeros(count), np.zeros(count)
            lower[chosen], upper[chosen] = np.array(sides).T
            if lower.sum() > 1 or upper.sum() < 1:
                continue
            stated = replace(problem, lower=lower, upper=upper)
            best = min(best, stated.objective(quadratic.solve(stated).x) + float(fixed[chosen].sum()))
    if not np.isfinite(best):
        with pytest.raises(quadratic.NotSolved):
            mixed_integer.solve(problem, max_names=most, min_if_held=least, fixed_costs=fixed)
        return
    found = mixed_integer.solve(problem, max_names=most, min_if_held=least, fixed_costs=fixed)
    assert found.proven
    assert found.objective == pytest.approx(best, rel=1e-6, abs=1e-12)
    assert found.bound <= best + 1e-9 * abs(best)
    assert found.bound == pytest.approx(best, rel=1e-6, abs=1e-12)
    sizes = np.abs(found.solution.x)
    assert (sizes[~found.held] == 0).all()
    assert (sizes[found.held] >= least[found.held] - 1e-12).all()


@pytest.mark.parametrize("count", [10, 30])
@pytest.mark.parametrize("cost", [1e-5, 1e-4, 1e-3])
def test_fixed_costs_of_names_held_are_settled_at_usual_sizes(count: int, cost: float) -> None:
    source = np.random.default_rng(count)
    covariance = Covariance(matrix=100 * sampled(count, count))
    problem = capped(covariance, 0.3, -source.normal(0.02, 0.02, count))
    start = source.dirichlet(np.ones(count))
    found = fixed_trades.solve(problem, np.full(count, cost), np.minimum(start, 0.3))
    assert found.proven
    assert (found.solution.x[~found.held] == np.minimum(start, 0.3)[~found.held]).all()
    assert_optimal(found.problem, found.solution)
