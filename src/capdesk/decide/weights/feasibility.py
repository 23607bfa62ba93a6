"""How much of the budget the limits let in, and whether they can be met at all."""

from __future__ import annotations

from math import floor

import highspy
import numpy as np

from capdesk.decide.weights import conflict
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.linear import optimise
from capdesk.decide.weights.statement import no_risk, state
from capdesk.model.money import MICRO

_UNIT = 1e-3


def total(limits: Limits) -> int:
    """What the weights should add up to: the smaller of the budget and the sum of the maxima.

    Rows may still forbid it, which a solver finds out; then ask `largest_sum`.

    Raises
    ------
    InfeasibleError
        Where the bounds alone forbid it.
    """
    most, least = int(limits.upper.sum()), int(limits.lower.sum())
    crossed = (limits.lower > limits.upper).any()
    if crossed or least > limits.budget or (most < limits.budget and not limits.allow_cash):
        raise conflict.explained(limits)
    return min(limits.budget, most)


def largest_sum(limits: Limits) -> int:
    """The largest sum of weights, at most the budget, that all limits allow, in millionths.

    Raises
    ------
    InfeasibleError
        Where it is less than the budget and cash is not allowed, or no weights meet the limits.
    """
    count = len(limits.names)
    problem = state(limits, no_risk(count), 0.0, np.zeros(count), limits.budget, exact=False).problem
    costs = np.zeros(len(problem.linear))
    costs[:count] = -1.0
    rows = np.vstack([problem.equalities[0], problem.inequalities[0]])
    high = np.concatenate([problem.equalities[1], problem.inequalities[1]])
    low = np.concatenate([problem.equalities[1], np.full(len(problem.inequalities[1]), -np.inf)])
    highs = optimise(costs, rows, (low, high), (problem.lower, problem.upper))
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise conflict.explained(limits)
    largest = min(floor(-highs.getInfo().objective_function_value * MICRO + _UNIT), limits.budget)
    if largest < limits.budget and not limits.allow_cash:
        raise conflict.explained(limits)
    return largest
