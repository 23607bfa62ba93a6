"""Random problems for the solvers, degenerate ones among them, and a second solver for each."""

from __future__ import annotations

from typing import Any

import clarabel
import numpy as np
import scipy.sparse as sp

from capdesk.decide.weights.optimality import reduced_costs, violation
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution

NO_ROWS = 0


def sampled(count: int, seed: int, rows: int | None = None) -> Array:
    """The covariance of returns with common factors; of full rank when rows > count."""
    source = np.random.default_rng(seed)
    factors = source.normal(size=(rows or 2 * count + 50, 4)) * [0.012, 0.006, 0.006, 0.004]
    loadings = source.normal(size=(4, count))
    loadings[0] = 1.0 + 0.3 * source.normal(size=count)
    own = source.normal(size=(len(factors), count)) * source.uniform(0.005, 0.02, count)
    return np.cov((factors @ loadings + own).T).reshape(count, count)


def factors(count: int, seed: int, without_own: int = 0) -> Covariance:
    """A covariance as factors; some names may have no variance of their own."""
    source = np.random.default_rng(seed)
    specific = source.uniform(1e-4, 4e-4, count)
    specific[:without_own] = 0.0
    return Covariance(loadings=source.normal(0.004, 0.008, (count, 5)), specific=specific)


def capped(covariance: Covariance, cap: float, linear: Array | None = None) -> QuadraticProblem:
    """Long only, at most `cap` each, summing to 1."""
    count = covariance.size
    return QuadraticProblem(
        covariance=covariance,
        curvature=1.0,
        linear=np.zeros(count) if linear is None else linear,
        equalities=(np.ones((1, count)), np.ones(1)),
        inequalities=(np.zeros((NO_ROWS, count)), np.zeros(NO_ROWS)),
        lower=np.zeros(count),
        upper=np.full(count, cap),
    )


def degenerate(seed: int) -> QuadraticProblem:
    """A feasible, bounded problem with what breaks solvers: twins, low rank, redundant rows, fixed names."""
    source = np.random.default_rng(seed)
    names, further = int(source.integers(1, 40)), int(source.integers(0, 10)) * int(source.random() < 0.4)
    count = names + further
    returns = source.normal(size=(int(source.integers(1, 3 * names + 2)), names)) * source.uniform(
        0.05, 0.4, names
    )
    matrix = returns.T @ returns / len(returns) * source.choice([1.0, 1e-5])
    if names > 2 and source.random() < 0.3:
        matrix[-1], matrix[:, -1] = matrix[0], matrix[0]
        matrix[-1, -1] = matrix[0, 0]
    lower = np.where(source.random(count) < 0.7, 0.0, -source.uniform(0, 1, count))
    upper = lower + source.uniform(0, 1, count) * (source.random(count) < 0.95)
    inside = lower + (upper - lower) * source.choice([0, 0.3, 1], count)
    equal = source.normal(size=(int(source.integers(0, min(4, count))), count))
    equal[:1] = 1.0
    if len(equal) > 1 and source.random() < 0.3:
        equal[1] = 2 * equal[0]
    at_most = source.choice([0.0, 1.0, -1.0], size=(int(source.integers(0, 8)), count))
    linear = source.normal(size=count) * source.choice([0, 1e-3, 1.0])
    return QuadraticProblem(
        covariance=Covariance(matrix=matrix),
        curvature=float(source.choice([0.0, 1.0, 2.5, 100.0], p=[0.1, 0.5, 0.2, 0.2])),
        linear=linear,
        equalities=(equal, equal @ inside),
        inequalities=(at_most, at_most @ inside + source.choice([0, 0.1, 1], len(at_most))),
        lower=lower,
        upper=upper,
    )


def by_clarabel(problem: QuadraticProblem) -> Array:
    """The second solver's optimum, (m,)."""
    names, count = problem.names, len(problem.linear)
    hessian = np.zeros((count, count))
    hessian[:names, :names] = problem.curvature * problem.covariance.dense()
    one, above, below = np.eye(count), np.isfinite(problem.upper), np.isfinite(problem.lower)
    rows = np.vstack([problem.equalities[0], problem.inequalities[0], one[above], -one[below]])
    limits = np.concatenate(
        [problem.equalities[1], problem.inequalities[1], problem.upper[above], -problem.lower[below]]
    )
    settings: Any = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    exact = len(problem.equalities[1])
    cones = [clarabel.ZeroConeT(exact), clarabel.NonnegativeConeT(len(limits) - exact)]
    upper = sp.csc_matrix(np.triu(hessian))
    solver = clarabel.DefaultSolver(upper, problem.linear, sp.csc_matrix(rows), limits, cones, settings)
    return np.array(solver.solve().x)


def bound(problem: QuadraticProblem, solution: Solution) -> float:
    """A value that no feasible point is below, from the multipliers alone (weak duality)."""
    x, y, z = solution.x, solution.equality_multipliers, solution.inequality_multipliers
    costs = reduced_costs(problem, x, y, z)
    least = np.where(costs > 0, problem.lower, problem.upper)
    least = np.where(np.isfinite(least), least, x)
    weights = x[: problem.names]
    curved = problem.curvature / 2 * float(weights @ problem.covariance.times(weights))
    return (
        float(costs @ least) - curved - float(y @ problem.equalities[1]) - float(z @ problem.inequalities[1])
    )


def size(problem: QuadraticProblem, x: Array) -> float:
    """The size of the objective's parts."""
    return (
        problem.objective(x)
        + 2 * float(np.abs(problem.linear) @ np.abs(x))
        + 1e-3
        * float(
            problem.covariance.diagonal().max() * max(problem.curvature, 1e-3) + np.abs(problem.linear).max()
        )
    )


def assert_optimal(problem: QuadraticProblem, solution: Solution, tight: float = 1e-8) -> None:
    """A point within its limits whose multipliers prove it."""
    assert violation(problem, solution.x) <= 1e-9
    assert (solution.inequality_multipliers >= 0).all()
    assert problem.objective(solution.x) - bound(problem, solution) <= tight * size(problem, solution.x)
