"""Solvers without a modelling layer on one problem: minimum variance, long only, capped, summing to 1.

Each gets the covariance and puts it into its own form, as a program that calls it has to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from bench.portfolios import CAP, Weights


def by_clarabel(covariance: np.ndarray) -> Weights:
    """Clarabel: an interior point method on cones, sparse."""
    import clarabel

    library: Any = clarabel

    count = len(covariance)
    one = sp.eye_array(count, format="csc")
    rows = sp.vstack([sp.csc_array(np.ones((1, count))), one, -one], format="csc")
    limits = np.concatenate([[1.0], np.full(count, CAP), np.zeros(count)])
    settings = library.DefaultSettings()
    settings.verbose = False
    cones = [library.ZeroConeT(1), library.NonnegativeConeT(2 * count)]
    upper = sp.csc_matrix(np.triu(covariance))
    solver = library.DefaultSolver(upper, np.zeros(count), sp.csc_matrix(rows), limits, cones, settings)
    return np.asarray(solver.solve().x)


def by_daqp(covariance: np.ndarray) -> Weights:
    """DAQP: a dual active-set method, dense."""
    import daqp as library

    count = len(covariance)
    upper, lower = np.full(count + 1, CAP), np.zeros(count + 1)
    upper[-1] = lower[-1] = 1.0
    sense = np.zeros(count + 1, dtype=np.int32)
    sense[-1] = 5
    call: Any = library.solve
    return call(covariance, np.zeros(count), np.ones((1, count)), upper, lower, sense)[0]


def by_piqp(covariance: np.ndarray) -> Weights:
    """PIQP: a proximal interior point method, dense."""
    import piqp as library

    count = len(covariance)
    solver = library.DenseSolver()
    solver.setup(
        covariance.T, np.zeros(count), np.ones((1, count), order="F"), np.ones(1), None, None, None,
        np.zeros(count), np.full(count, CAP),
    )  # fmt: skip
    solver.solve()
    return np.asarray(solver.result.x)


def by_highs(covariance: np.ndarray) -> Weights:
    """HiGHS: an active-set method. On variances of a day, left as they are, version 1.12 cycles without end."""
    import highspy as library

    count = len(covariance)
    covariance = covariance / covariance.max()
    model: Any = library.HighsModel()
    model.lp_.num_col_, model.lp_.num_row_ = count, 1
    model.lp_.col_cost_ = np.zeros(count)
    model.lp_.col_lower_, model.lp_.col_upper_ = np.zeros(count), np.full(count, CAP)
    model.lp_.row_lower_ = model.lp_.row_upper_ = np.ones(1)
    model.lp_.a_matrix_.start_ = np.arange(count + 1)
    model.lp_.a_matrix_.index_ = np.zeros(count, dtype=np.int32)
    model.lp_.a_matrix_.value_ = np.ones(count)
    lower = sp.csc_array(np.tril(covariance))
    model.hessian_.dim_ = count
    model.hessian_.format_ = library.HessianFormat.kTriangular
    model.hessian_.start_, model.hessian_.index_, model.hessian_.value_ = (
        lower.indptr,
        lower.indices,
        lower.data,
    )
    solver = library.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(model)
    solver.run()
    return np.asarray(solver.getSolution().col_value)


def by_cvxpy(count: int) -> Callable[[np.ndarray], Weights]:
    """cvxpy with the covariance's factor as a parameter, so that it is compiled once."""
    import cvxpy as library

    weights, root = library.Variable(count), library.Parameter((count, count))
    rows = [library.sum(weights) == 1, weights >= 0, weights <= CAP]
    problem = library.Problem(library.Minimize(library.sum_squares(root @ weights)), rows)

    def solve(covariance: np.ndarray) -> Weights:
        root.value = np.linalg.cholesky(covariance).T
        problem.solve(solver="CLARABEL")
        return np.asarray(weights.value)

    return solve
