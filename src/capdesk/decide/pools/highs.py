"""HiGHS through its direct interface: matrices in, no modelling layer.

Huangfu & Hall, Parallelizing the dual revised simplex method (2018).
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from capdesk.decide.pools.matrices import Matrix
from capdesk.decide.pools.problem import Array, Mask


def silent() -> highspy.Highs:
    """A HiGHS that prints nothing and keeps to one thread."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("simplex_initial_condition_check", False)
    return solver


def version() -> str:
    """Its name and version."""
    return f"HiGHS {highspy.Highs().version()}"


def program(
    cost: Array,
    bounds: tuple[Array, Array],
    matrix: Matrix,
    rows: tuple[Array, Array],
    integer: Mask | None = None,
) -> Any:
    """maximise c'z, lower <= z <= upper, row_lower <= A z <= row_upper, some z integer."""
    model: Any = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(rows[0])
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = cost
    model.col_lower_, model.col_upper_ = bounds
    model.row_lower_, model.row_upper_ = rows
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    if integer is not None and np.any(integer):
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(whole)] for whole in integer]
    return model
