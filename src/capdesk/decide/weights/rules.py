"""Rules without an objective: equal weight, inverse risk, and any shares that something else made.

Bounds are met by water-filling. Where there are rows too (groups, exposures, turnover) the
feasible weights nearest to the rule's are taken, by least squares in proportion to them.
"""

from __future__ import annotations

from dataclasses import replace
from math import floor

import numpy as np
from msgspec import structs

from capdesk.decide.weights import feasibility
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.optimum import Found, evidence, optimum
from capdesk.decide.weights.problem import Array, Covariance, Solution
from capdesk.decide.weights.proving import largest
from capdesk.decide.weights.rounding import whole
from capdesk.decide.weights.statement import Statement, no_risk, state
from capdesk.decide.weights.waterfill import waterfill
from capdesk.model.errors import InvalidInput
from capdesk.model.money import NANO

ARITHMETIC = "arithmetic"
_SMALLEST_SHARE = 1e-4
_NEARLY = 1e-3


def nothing(limits: Limits) -> Found:
    """The plan of no names: all cash.

    Raises
    ------
    InvalidInput
        Where cash is not allowed.
    """
    if limits.budget and not limits.allow_cash:
        raise InvalidInput("there are no names to invest in, and cash is not allowed: give names")
    return _as_rule(limits, np.zeros(0), 0)


def by_shares(limits: Limits, shares: Array) -> Found:
    """Invest the budget in proportion to shares (n,), as far as the limits allow.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    """
    return _met(limits, shares / max(float(np.add.reduce(shares)), 1e-300), np.inf)


def by_targets(limits: Limits, targets: Array) -> Found:
    """Hold targets (n,), cut only by limits; what they leave of the budget stays in cash.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    """
    return _met(limits, targets, 1.0)


def inverse_risk(limits: Limits, scores: Array) -> Found:
    """Shares in inverse proportion to risk scores (n,).

    Raises
    ------
    InvalidInput
        For a score that is not positive.
    """
    if (scores <= 0).any():
        name = limits.names[int(scores.argmin())]
        raise InvalidInput(f"risk_scores must be above 0, got {scores.min():g} for {name}")
    return by_shares(limits, 1 / scores)


def _met(limits: Limits, shares: Array, highest: float) -> Found:
    total = feasibility.total(limits)
    lower, upper = limits.bounds()
    if limits.simple and largest(-lower) <= 0 and largest(-shares) <= 0:
        weights = waterfill(shares, lower, upper, total / NANO, highest)
        return _as_rule(limits, weights, floor(np.add.reduce(weights) * NANO + _NEARLY))
    if limits.simple and highest == 1.0:
        inside = np.clip(shares, lower, upper)
        if inside.sum() <= total / NANO:
            return _as_rule(limits, inside, floor(np.add.reduce(inside) * NANO + _NEARLY))
    return _nearest(limits, shares, invest=highest > 1)


def _nearest(limits: Limits, shares: Array, *, invest: bool) -> Found:
    """Minimise ``sum (w - share)^2 / |share|`` within limits."""
    size = np.maximum(np.abs(shares), _SMALLEST_SHARE * max(float(np.abs(shares).max()), 1e-300))
    distance = Covariance(loadings=np.zeros((len(shares), 1)), specific=1 / size)
    plain = replace(limits, proportional_costs=None)
    found = optimum(plain, distance, 1.0, -shares / size, invest=invest)
    return Found(structs.replace(found.evidence, kind="rule"), found.solver, found.notes)


def _as_rule(limits: Limits, weights: Array, total: int) -> Found:
    statement = rule_statement(limits, total)
    units = whole(weights, limits, total)
    solution = Solution(weights, np.zeros(0), np.zeros(len(statement.inequality_labels)), ARITHMETIC, 0)
    return Found(evidence("rule", limits, statement, solution, units), ARITHMETIC)


def rule_statement(limits: Limits, total: int) -> Statement:
    """The limits as rows that weights can be checked against."""
    count = len(limits.names)
    plain = limits if limits.proportional_costs is None else replace(limits, proportional_costs=None)
    return state(plain, no_risk(count), 0.0, np.zeros(count), limits.budget, exact=False)
