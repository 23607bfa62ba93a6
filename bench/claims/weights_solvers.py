"""The kernel of minimum variance against solvers that are called directly, each with the same covariance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from bench.peers import solvers
from bench.place import Place
from bench.portfolios import CAP, Goal, Weights, contest, market
from bench.rows import Row
from capdesk.decide.weights.problem import Covariance, QuadraticProblem
from capdesk.decide.weights.quadratic import solve

Solver = Callable[[np.ndarray], Weights]
_DENSE: Mapping[str, Solver] = {
    "DAQP": solvers.by_daqp,
    "PIQP": solvers.by_piqp,
    "Clarabel": solvers.by_clarabel,
}
_AT_LEAST = 1 / 1.2


def measure(place: Place) -> list[Row]:
    """A row for each solver at each size; one that takes minutes at a size is left out there."""
    rows: list[Row] = []
    for count in (20, 50, 100, 200, 500) if place.quick else (20, 50, 100, 200, 500, 2000):
        whole = market(count)
        given = whole.covariance
        peers: dict[str, Solver] = dict(_DENSE) if count < 2000 else {"PIQP": solvers.by_piqp}
        if count <= 100:
            peers["HiGHS"] = solvers.by_highs
        if count <= 20:
            peers["cvxpy, parameters"] = solvers.by_cvxpy(count)
        goals = [Goal(name, partial(peer, given), _AT_LEAST) for name, peer in peers.items()]
        rows += contest(
            place,
            f"minimum variance kernel, n={count}",
            whole,
            partial(_kernel, given),
            goals,
            partial(_variance, given),
            40 if count <= 100 else 3,
        )
    return rows


def _kernel(covariance: np.ndarray) -> Weights:
    count = len(covariance)
    problem = QuadraticProblem(
        covariance=Covariance(matrix=covariance),
        curvature=1.0,
        linear=np.zeros(count),
        equalities=(np.ones((1, count)), np.ones(1)),
        inequalities=(np.zeros((0, count)), np.zeros(0)),
        lower=np.zeros(count),
        upper=np.full(count, CAP),
    )
    return solve(problem).x


def _variance(covariance: np.ndarray, weights: Weights) -> float:
    return float(weights @ covariance @ weights)
