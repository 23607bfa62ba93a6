"""The same program in CP-SAT, in integers (extra `solvers`).

Money is counted in hundred-millionths of all assets. CP-SAT decides what happens, a linear
program then says how much, so nothing of the plan is rounded. Rows are loosened by what
rounding makes of them, so that CP-SAT's bound holds for the real problem; at a coarse scale
it would not be worth much, and where it lies below what the plan reaches it is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from capdesk.decide.pools import highs
from capdesk.decide.pools.problem import Answer, Infeasible, NotSolved, PoolProblem
from capdesk.decide.pools.whole import GAP, Program, polished, program

SCALE = 10**8
"""Integers for all assets; a cent of $1M is one."""

COEFFICIENT = 10**6
_WORKERS = 8
_FINEST = 10**7


def solve(problem: PoolProblem, gap: float = GAP, seconds: float = 120.0) -> Answer:
    """Solve the whole program with CP-SAT, to a relative gap.

    Raises
    ------
    Infeasible
        Where no flows obey the limits.
    NotSolved
        Where CP-SAT ends without a proof, or its bound lies below what its own plan is worth.
    """
    from ortools.sat.python import cp_model  # pyright: ignore[reportMissingTypeStubs]

    statement = program(problem)
    step = 1000.0 / SCALE
    model: Any = cp_model.CpModel()
    columns = _columns(model, statement, step)
    _rows(model, statement, columns, step)
    cost = np.where(statement.integer, statement.cost, statement.cost * step)
    unit = (float(np.abs(cost[~statement.integer]).max(initial=0.0)) or 1.0) / _FINEST
    weights = [round(each / unit) for each in cost]
    model.maximize(sum(weight * column for weight, column in zip(weights, columns, strict=True) if weight))
    solver: Any = cp_model.CpSolver()
    solver.parameters.relative_gap_limit = gap / 2
    solver.parameters.num_workers = _WORKERS
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        raise Infeasible
    if status != cp_model.OPTIMAL:
        raise NotSolved(f"CP-SAT ended with {solver.status_name(status)} after {seconds:g} s")
    raw = np.array([float(solver.value(column)) for column in columns], dtype=float)
    point = polished(statement, raw)
    # What rounding may have taken from the bound: half a unit of every coefficient.
    bound = solver.best_objective_bound * unit + unit * float(np.abs(raw).sum()) / 2
    name = f"CP-SAT {_version()} at a scale of {SCALE:.0e}, {highs.version()} for the sums"
    answer = statement.answer(problem, point, bound, name, solver.num_branches)
    if answer.bound < answer.objective - gap * max(1.0, abs(answer.objective)):
        raise NotSolved(
            f"CP-SAT's bound {answer.bound:,.4f} lies below its plan's {answer.objective:,.4f}: the scale is too coarse"
        )
    return answer


def _version() -> str:
    import ortools  # pyright: ignore[reportMissingTypeStubs]

    return ortools.__version__


def _columns(model: Any, statement: Program, step: float) -> list[Any]:
    """A variable for each column: money in steps, choices as they are."""
    columns: list[Any] = []
    for whole, lower, upper in zip(statement.integer, statement.lower, statement.upper, strict=True):
        if whole:
            columns.append(model.new_int_var(round(lower), round(upper), ""))
        else:
            most = min(upper, 1000.0)
            columns.append(model.new_int_var(round(lower / step), int(most / step + 1e-9), ""))
    return columns


def _rows(model: Any, statement: Program, columns: list[Any], step: float) -> None:
    """Each row in integers; an equality may miss by what rounding makes of it."""
    matrix = statement.matrix.tocsr()
    for row in range(int(matrix.shape[0])):
        where = slice(matrix.indptr[row], matrix.indptr[row + 1])
        its, values = matrix.indices[where], matrix.data[where]
        money = not statement.integer[its].all()
        scale = np.where(statement.integer[its], 1.0 / step if money else 1.0, 1.0)
        real = np.asarray(values * scale, dtype=np.float64)
        fine = 1 if np.allclose(real, np.round(real), atol=1e-9) else COEFFICIENT
        weights = [round(each * fine) for each in real]
        bound_scale = fine * (1.0 / step if money else 1.0)
        slack = len(its) if money else 0
        lower, upper = statement.row_lower[row] * bound_scale, statement.row_upper[row] * bound_scale
        total = sum(weight * columns[column] for weight, column in zip(weights, its, strict=True))
        if np.isfinite(lower):
            model.add(total >= round(lower) - slack * fine)
        if np.isfinite(upper):
            model.add(total <= round(upper) + slack * fine)
