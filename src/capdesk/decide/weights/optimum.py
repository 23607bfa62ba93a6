"""From limits and an objective to weights with their evidence: state, solve, round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.weights import feasibility, quadratic
from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.problem import Array, Covariance, Solution
from capdesk.decide.weights.rounding import whole
from capdesk.decide.weights.statement import Statement, state
from capdesk.model.errors import CertificateError
from capdesk.model.evidence import Evidence
from capdesk.model.money import MICRO


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Weights with their evidence, who found them, what was decided on the way, and what to beware of."""

    evidence: Evidence
    solver: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def optimum(
    limits: Limits, covariance: Covariance, curvature: float, linear: Array, *, invest: bool = True
) -> Found:
    """Minimise ``(curvature / 2) w' Sigma w + linear' w`` within limits.

    Parameters
    ----------
    invest
        Whether the weights add up to the whole budget, or to the largest sum the limits
        allow; else they may leave any of it in cash.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where no solver finds an accurate answer.
    """
    total = feasibility.total(limits)
    statement = state(limits, covariance, curvature, linear, total, exact=invest)
    try:
        solution = solve(statement, limits, total)
    except quadratic.NotSolved as failure:
        largest = feasibility.largest_sum(limits)
        if largest >= total:
            raise CertificateError(
                f"no solver proved an answer to a feasible problem: {failure}"
            ) from failure
        total = largest
        statement = state(limits, covariance, curvature, linear, total, exact=invest)
        solution = solve(statement, limits, total)
    return finish("optimum", limits, statement, solution, total if invest else None)


def solve(statement: Statement, limits: Limits, total: int) -> Solution:
    """Solve a statement; where every name must be at its maximum there is nothing to solve.

    Raises
    ------
    NotSolved
    """
    if limits.simple and total == int(limits.upper.sum()):
        return _all_at_maximum(statement)
    return quadratic.solve(statement.problem)


def _all_at_maximum(statement: Statement) -> Solution:
    problem = statement.problem
    x = problem.upper
    prices = np.zeros(len(problem.equalities[1]))
    prices[:1] = -problem.gradient(x).max(initial=0.0)
    return Solution(x, prices, np.zeros(len(problem.inequalities[1])), "arithmetic", 0)


def finish(kind: str, limits: Limits, statement: Statement, solution: Solution, total: int | None) -> Found:
    """Round a solution, and put its evidence together."""
    count = len(limits.names)
    weights = solution.x[:count]
    if total is None:
        total = min(limits.budget, int(np.floor(weights.sum() * MICRO + 1e-4)))
    units = whole(weights, limits, total, None if limits.simple else row_prices(limits, statement, solution))
    return Found(evidence(kind, limits, statement, solution, units), solution.solver)


def evidence(
    kind: str,
    limits: Limits,
    statement: Statement,
    solution: Solution,
    units: Whole,
) -> Evidence:
    """What proves the weights: the statement, the solver's point and its multipliers."""
    problem = statement.problem
    return Evidence(
        kind=kind,
        names=limits.names,
        weights=units,
        matrix=problem.covariance.matrix,
        loadings=problem.covariance.loadings,
        specific=problem.covariance.specific,
        curvature=problem.curvature,
        linear=problem.linear,
        equalities=problem.equalities,
        inequalities=problem.inequalities,
        lower=problem.lower,
        upper=problem.upper,
        parts=statement.parts,
        point=solution.x,
        equality_multipliers=solution.equality_multipliers,
        inequality_multipliers=solution.inequality_multipliers,
        slope=0.0,
        anchor=None,
        anchor_price=0.0,
        budgets=None,
        scenarios=None,
        tail=0.0,
        chances=None,
        equality_labels=statement.equality_labels,
        inequality_labels=statement.inequality_labels,
        lower_limit=limits.lower_kinds,
        upper_limit=limits.upper_kinds,
    )


def row_prices(limits: Limits, statement: Statement, solution: Solution) -> Array:
    """What one unit of each row of the limits is worth, in the order in which they are rounded."""
    prices = {
        (label.limit.removesuffix("_max").removesuffix("_min"), label.name): price
        for label, price in zip(statement.inequality_labels, solution.inequality_multipliers, strict=True)
        if price > 0
    }
    keys = [(row.kind, row.name) for row in limits.rows]
    keys += [("turnover", "")] if limits.turnover is not None else []
    keys += [("gross", "")] if limits.gross is not None else []
    return np.array([prices.get(key, 0.0) for key in keys])
