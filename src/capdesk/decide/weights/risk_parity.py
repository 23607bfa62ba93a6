"""Risk budgets within limits, with the multipliers that prove them.

Within limits the weights minimise ``w' Sigma w / 2 - slope sum b_i ln w_i`` (Richard & Roncalli,
Constrained Risk Budgeting Portfolios, 2019). The prices of the rows that bind are what is
left in that problem's conditions, by least squares over the names that no bound holds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import feasibility, quadratic, risk_contribution, risk_within_limits, rules
from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.optimum import Found, evidence
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution
from capdesk.decide.weights.rounding import whole
from capdesk.decide.weights.statement import Statement, state
from capdesk.model.errors import CertificateError, InvalidInput
from capdesk.model.money import NANO

SOLVER = "multiplication and Newton's method on risk contributions"
NEAREST = "turnover and gross limits are met by the weights nearest to the risk budgets"
_BINDING = 2.0 / NANO
_RISKLESS = 1e-9
_TOUCHING = 1e-8


def risk_budgets(limits: Limits, covariance: Covariance, budgets: Array) -> Found:
    """Weights whose shares of the risk are in the proportions of budgets (n,), as far as limits allow.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    InvalidInput
        Where some of the names hedge each other wholly.
    CertificateError
        Where no weights have these shares of the risk.
    """
    shares = budgets / budgets.sum()
    if not limits.budget:
        return rules.by_shares(limits, shares)
    try:
        if limits.turnover is not None or limits.gross is not None or not covariance.size:
            free = risk_contribution.equal_risk(covariance, shares)
            found = rules.by_shares(limits, free)
            return replace(found, notes=(*found.notes, NEAREST))
        return _within(limits, covariance, shares)
    except risk_contribution.NotBalanced as failure:
        _require_risk(limits.names, covariance)
        raise CertificateError(f"no weights have these shares of the risk: {failure}") from failure


def _require_risk(names: tuple[str, ...], covariance: Covariance) -> None:
    """Refuse names that hedge each other wholly: at that mix there is no risk to have shares of.

    Shares of the risk exist where no weights of 0 or more are without risk (Maillard, Roncalli &
    Teiletche 2010: then the barrier problem is bounded, and its one optimum has them).
    """
    count = len(names)
    hedged = QuadraticProblem(
        covariance=covariance,
        curvature=1.0,
        linear=np.zeros(count),
        equalities=(np.ones((1, count)), np.ones(1)),
        inequalities=(np.zeros((0, count)), np.zeros(0)),
        lower=np.zeros(count),
        upper=np.ones(count),
    )
    try:
        mix = quadratic.solve(hedged).x
    except quadratic.NotSolved:
        return
    if float(mix @ covariance.times(mix)) > _RISKLESS * float(mix**2 @ covariance.diagonal()):
        return
    held = ", ".join(f"{names[place]} {mix[place]:.2%}" for place in np.argsort(-mix) if mix[place] > 1e-4)
    raise InvalidInput(
        f"risk_parity needs risk to share, and {held} together have none: leave one of them out, or give a "
        "covariance of full rank (estimator='ledoit_wolf')"
    )


def _within(limits: Limits, covariance: Covariance, shares: Array) -> Found:
    def attempt(total: int) -> tuple[Statement, Array]:
        statement = _statement(limits, covariance, total)
        if limits.unbound(total):
            return statement, risk_contribution.equal_risk(covariance, shares) * (total / NANO)
        return statement, _weights(statement, shares)

    (statement, weights), total = feasibility.with_largest_total(limits, attempt)
    units = whole(weights, limits, total)
    slope, solution = _proven(statement, units, shares, weights)
    proof = evidence("contributions", limits, statement, solution, units, slope=slope, budgets=shares)
    return Found(proof, SOLVER)


def _statement(limits: Limits, covariance: Covariance, total: int) -> Statement:
    if limits.proportional_costs is not None:
        limits = replace(limits, proportional_costs=None)
    return state(limits, covariance, 1.0, np.zeros(covariance.size), total)


def _weights(statement: Statement, shares: Array) -> Array:
    problem = statement.problem
    if not (problem.lower < problem.upper).any():
        return problem.upper
    return risk_within_limits.constrained(
        problem.covariance, shares, problem.lower, problem.upper, problem.equalities, problem.inequalities
    )


def _proven(statement: Statement, units: Whole, shares: Array, exact: Array) -> tuple[float, Solution]:
    """The multiple of the budgets and the prices of binding rows that leave the least error.

    Which rows bind is seen at the exact weights too: rounding each of many names leaves some room.
    """
    problem, weights = statement.problem, units / NANO
    own = weights * problem.covariance.times(weights)
    inside = (weights > problem.lower) & (weights < problem.upper)
    rows, limits = problem.inequalities
    if len(problem.equalities[1]) == 1 and not len(limits) and np.logical_or.reduce(inside):
        share = shares * inside
        return float(own.dot(share) / share.dot(share)), _solution(statement, weights)
    size = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 1e-300)
    room = np.minimum(limits - rows @ weights, (limits - rows @ exact) * (_BINDING / _TOUCHING))
    binding = np.flatnonzero(room <= _BINDING * size)
    equal = np.arange(1, len(problem.equalities[1]))
    if not inside.any():
        return _slope_at_bounds(own, shares, weights >= problem.upper), _solution(statement, weights)
    while True:
        unknown = np.vstack([shares, -weights * problem.equalities[0][equal], -weights * rows[binding]])
        found = np.linalg.lstsq(unknown[:, inside].T, own[inside], rcond=None)[0]
        prices = found[1 + len(equal) :]
        if (prices >= 0).all():
            break
        binding = binding[prices > 0]
    y, z = np.zeros(len(problem.equalities[1])), np.zeros(len(limits))
    y[equal], z[binding] = found[1 : 1 + len(equal)], prices
    return float(found[0]), _solution(statement, weights, y, z)


def _slope_at_bounds(own: Array, shares: Array, at_most: NDArray[np.bool_]) -> float:
    """A multiple that no maximum is too high for and no minimum too low, where every name is at a bound."""
    ratios = own / shares
    least = float(ratios[at_most].max(initial=0.0))
    return least if least else float(ratios.min(initial=0.0))


def _solution(
    statement: Statement, weights: Array, y: Array | None = None, z: Array | None = None
) -> Solution:
    problem = statement.problem
    return Solution(
        x=weights,
        equality_multipliers=np.zeros(len(problem.equalities[1])) if y is None else y,
        inequality_multipliers=np.zeros(len(problem.inequalities[1])) if z is None else z,
        solver=SOLVER,
        iterations=0,
    )
