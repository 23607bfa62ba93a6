"""Random problems, and the same problems solved by a second solver through another modelling layer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np

FACTS = Path(__file__).parents[1] / "facts"
TIGHT = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 400}


def names(count: int) -> list[str]:
    return [f"n{place}" for place in range(count)]


def covariance(rng: np.random.Generator, count: int, factors: int = 3) -> np.ndarray:
    loadings = rng.normal(size=(count, factors)) * 0.1
    return loadings @ loadings.T + np.diag(rng.uniform(0.01, 0.05, count))


def second_opinion(
    objective: Any, weights: Any, sigma: np.ndarray, limits: list[Any], *, maximise: bool = False
) -> float:
    """The optimal value by Clarabel through cvxpy."""
    problem = cp.Problem(cp.Maximize(objective) if maximise else cp.Minimize(objective), limits)
    problem.solve(solver=cp.CLARABEL, **TIGHT)
    assert problem.status == "optimal"
    return float(problem.value)


def variance_of(weights: Any, sigma: np.ndarray) -> Any:
    return cp.sum_squares(np.linalg.cholesky(sigma).T @ weights)


def port1() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, covariance and frontier (mean, variance) of OR-Library's port1."""
    with (FACTS / "orlib_port1.csv").open(encoding="utf-8") as file:
        table = np.array(list(csv.reader(file))[1:], float)
    with (FACTS / "orlib_port1_frontier.csv").open(encoding="utf-8") as file:
        frontier = np.array(list(csv.reader(file))[1:], float)
    return table[:, 1], table[:, 3:] * np.outer(table[:, 2], table[:, 2]), frontier


MARKOWITZ_MEANS = np.array([1.175, 1.19, 0.396, 1.12, 0.346, 0.679, 0.089, 0.73, 0.481, 1.08])
_TRIANGLE = """
.40755159
.03175842 .9063047
.05183923 .03136385 .19490901
.05663904 .02687256 .04408485 .19528471
.0330226 .01917172 .03006772 .02777345 .34059105
.00827775 .00934384 .01322738 .00526665 .00777055 .15983874
.02165938 .02495043 .03525971 .01375808 .02067844 .02105575 .68056711
.01332419 .00761036 .0115493 .00780878 .00736409 .00518686 .01377882 .95526918
.0343476 .02874874 .0427563 .02914176 .02542657 .01723737 .04627027 .0106553 .31681584
.02249903 .01336866 .02057303 .01640377 .01284075 .00723779 .01926088 .00760955 .01854318 .11079287
"""


def markowitz_covariance() -> np.ndarray:
    rows = [[float(figure) for figure in line.split()] for line in _TRIANGLE.split("\n") if line]
    lower = np.zeros((10, 10))
    for place, row in enumerate(rows):
        lower[place, : len(row)] = row
    return lower + np.tril(lower, -1).T
