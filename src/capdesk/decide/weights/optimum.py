"""From limits and an objective to weights with their evidence: state, solve, round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.weights import feasibility, quadratic
from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.mending import Prices
from capdesk.decide.weights.problem import Array, Covariance, Solution
from capdesk.decide.weights.rounding import whole
from capdesk.decide.weights.statement import Statement, state
from capdesk.model.evidence import Evidence
from capdesk.model.money import NANO

_AT_KINK = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Weights with their evidence, who found them, what was decided on the way, and what to beware of."""

    evidence: Evidence
    solver: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def optimum(
    limits: Limits,
    covariance: Covariance,
    curvature: float,
    linear: Array,
    *,
    invest: bool | None = None,
    near: Array | None = None,
) -> Found:
    """Minimise ``(curvature / 2) w' Sigma w + linear' w`` within limits.

    Parameters
    ----------
    invest
        Whether the weights add up to the whole budget, or to the largest sum the limits
        allow; else they may leave any of it in cash. As the limits say, unless given.
    near
        (m,), the point of a problem in the same variables whose answer is near, where one is known.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where no solver finds an accurate answer.
    """
    invest = limits.fully_invested if invest is None else invest

    def attempt(total: int) -> tuple[Statement, Solution]:
        statement = state(limits, covariance, curvature, linear, total, exact=invest)
        return statement, solve(statement, limits, total, invest=invest, near=near)

    (statement, solution), total = feasibility.with_largest_total(limits, attempt)
    return finish("optimum", limits, statement, solution, total if invest else None)


def solve(
    statement: Statement, limits: Limits, total: int, *, invest: bool, near: Array | None = None
) -> Solution:
    """Solve a statement; where every name must be at its maximum there is nothing to solve.

    Raises
    ------
    NotSolved
    """
    bounded = limits.simple and not statement.parts.count
    if invest and bounded and total == limits.most:
        return _all_at_maximum(statement)
    return quadratic.solve(statement.problem, near)


def _all_at_maximum(statement: Statement) -> Solution:
    problem = statement.problem
    x = problem.upper
    prices = np.zeros(len(problem.equalities[1]))
    prices[:1] = -problem.gradient(x).max(initial=0.0)
    return Solution(x, prices, np.zeros(len(problem.inequalities[1])), "arithmetic", 0)


def finish(
    kind: str,
    limits: Limits,
    statement: Statement,
    solution: Solution,
    total: int | None,
    gradient: Array | None = None,
) -> Found:
    """Round a solution, and put its evidence together.

    Parameters
    ----------
    total
        What the weights add up to; None where they may leave cash.
    gradient
        Of the objective at the solution, (m,), where it is not the statement's own.
    """
    weights = solution.x[: len(limits.names)]
    prices = None
    if not limits.simple:
        slope = statement.problem.gradient(solution.x) if gradient is None else gradient
        prices = prices_of(limits, statement, solution, slope)
    units = whole(weights, limits, total, prices)
    return Found(evidence(kind, limits, statement, solution, units), solution.solver)


def evidence(
    kind: str,
    limits: Limits,
    statement: Statement,
    solution: Solution,
    units: Whole,
    *,
    slope: float = 0.0,
    budgets: Array | None = None,
) -> Evidence:
    """What proves the weights: the statement, the solver's point and its multipliers."""
    problem = statement.problem
    return Evidence(
        kind=kind,
        names=limits.names,
        weights=units,
        per_one=NANO,
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
        slope=slope,
        anchor=None,
        anchor_equal=None,
        anchor_most=None,
        budgets=budgets,
        scenarios=None,
        tail=0.0,
        chances=None,
        exponent=0.0,
        drawdown_price=0.0,
        fixed=0.0,
        search_bound=0.0,
        equality_labels=statement.equality_labels,
        inequality_labels=statement.inequality_labels,
        lower_limit=limits.lower_kinds,
        upper_limit=limits.upper_kinds,
    )


def prices_of(limits: Limits, statement: Statement, solution: Solution, gradient: Array) -> Prices:
    """What rounding costs, as parts of the objective, by its gradient (m,) and the multipliers."""
    problem, point, count = statement.problem, solution.x, len(limits.names)
    scale = max(float(np.abs(gradient[:count]) @ np.abs(point[:count])), 1e-300)
    costs = gradient + solution.equality_multipliers @ problem.equalities[0]
    costs = (costs + solution.inequality_multipliers @ problem.inequalities[0]) / scale
    charged = solution.inequality_multipliers / scale
    up, down = costs[:count].copy(), -costs[:count]
    parts = statement.parts
    # At the kink of a part one way costs the part's own bound, the other the row that defines it.
    kink = np.abs(point[parts.index] - parts.offset) * NANO < _AT_KINK
    ahead = parts.sign > 0
    own, defined = costs[count:], charged[len(charged) - parts.count :]
    np.add.at(up, parts.index, np.where(kink, np.where(ahead, own, defined), 0.0))
    np.add.at(down, parts.index, np.where(kink, np.where(ahead, defined, own), 0.0))
    prices = {
        (label.limit.removesuffix("_max").removesuffix("_min"), label.name): price
        for label, price in zip(statement.inequality_labels, charged, strict=True)
        if price > 0
    }
    keys = [(row.kind, row.name) for row in limits.rows]
    keys += [("turnover", "")] if limits.turnover is not None else []
    keys += [("gross", "")] if limits.gross is not None else []
    return Prices(
        np.array([prices.get(key, 0.0) for key in keys]), np.maximum(up, 0.0), np.maximum(down, 0.0)
    )
