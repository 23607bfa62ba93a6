"""Problems without curvature: HiGHS, through its own interface.

Huangfu & Hall, Parallelizing the dual revised simplex method (2018).
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array  # pyright: ignore[reportMissingTypeStubs]

from capdesk.decide.weights.problem import Array, QuadraticProblem, Solution


def solve(problem: QuadraticProblem) -> Solution | None:
    """Solve the problem's linear part by the simplex method; None where HiGHS finds no optimum."""
    rows = np.vstack([problem.equalities[0], problem.inequalities[0]])
    upper = np.concatenate([problem.equalities[1], problem.inequalities[1]])
    split = len(problem.equalities[1])
    lower = np.concatenate([problem.equalities[1], np.full(len(upper) - split, -np.inf)])
    highs = optimise(problem.linear, rows, (lower, upper), (problem.lower, problem.upper))
    if not is_optimal(highs):
        return None
    found = highs.getSolution()
    duals = -np.asarray(found.row_dual, dtype=np.float64)
    return Solution(
        x=np.clip(np.asarray(found.col_value, dtype=np.float64), problem.lower, problem.upper),
        equality_multipliers=duals[:split],
        inequality_multipliers=np.maximum(duals[split:], 0.0),
        solver=f"HiGHS {highs.version()}",
        iterations=int(highs.getInfo().simplex_iteration_count),
    )


def is_optimal(highs: highspy.Highs) -> bool:
    """Whether a run ended at an optimum."""
    return highs.getModelStatus() == highspy.HighsModelStatus.kOptimal


def optimise(
    costs: Array, rows: Any, row_bounds: tuple[Array, Array], bounds: tuple[Array, Array], whole: int = 0
) -> highspy.Highs:
    """Minimise costs'x over rows (dense or sparse) and bounds: HiGHS after its run, on one thread.

    The last `whole` variables are whole numbers.
    """
    matrix: Any = csc_array(rows)
    model: Any = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(costs), rows.shape[0]
    model.col_cost_ = costs
    model.col_lower_, model.col_upper_ = bounds
    model.row_lower_, model.row_upper_ = row_bounds
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    if whole:
        kinds = highspy.HighsVarType
        model.integrality_ = [kinds.kContinuous] * (len(costs) - whole) + [kinds.kInteger] * whole
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("primal_feasibility_tolerance", 1e-10)
    highs.setOptionValue("dual_feasibility_tolerance", 1e-10)
    highs.setOptionValue("mip_feasibility_tolerance", 1e-9)
    highs.setOptionValue("mip_rel_gap", 1e-9)
    highs.passModel(model)
    highs.run()
    return highs
