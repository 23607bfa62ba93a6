"""The strategies by name: each a function from what was asked to weights with their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from capdesk.decide.weights import hierarchical, inputs, rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.min_cvar import minimum_cvar
from capdesk.decide.weights.optimum import Found, optimum
from capdesk.decide.weights.risk_parity import risk_budgets
from capdesk.decide.weights.sharpe import maximum_sharpe
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal
from capdesk.model.plans import AllocationStrategy

_VARIANCE = 2.0


def equal_weight(asked: Asked) -> Found:
    """The same for every name."""
    return rules.by_shares(asked.limits, np.ones(len(asked.names)))


def risk_parity(asked: Asked) -> Found:
    """Equal or budgeted shares of the risk; where only risk scores are known, inverse scores."""
    if not asked.has("covariance", "factors", "returns", "prices"):
        if asked.has("risk_budgets"):
            raise InvalidInput("risk_budgets need a covariance: give covariance, factors, returns or prices")
        return rules.by_shares(asked.limits, 1 / asked.scores)
    budgets = np.ones(len(asked.names))
    if asked.has("risk_budgets"):
        budgets = inputs.vector(asked.option("risk_budgets"), asked.names, "risk_budgets")
        if (budgets <= 0).any():
            name = asked.names[int(budgets.argmin())]
            raise InvalidInput(
                f"risk_budgets must be above 0, got {budgets.min():g} for {name}: leave the name out"
            )
    return risk_budgets(asked.limits, asked.covariance, budgets)


def min_variance(asked: Asked) -> Found:
    """Minimise w' Sigma w; with trading costs, risk aversion / 2 times it and the costs."""
    covariance, notes = asked.risk
    curvature = _VARIANCE
    if asked.limits.proportional_costs is not None:
        if not asked.risk_aversion:
            raise InvalidInput(
                "min_variance with trading costs needs risk_aversion: what a unit of variance is worth in return"
            )
        curvature = asked.risk_aversion
    return _noted(optimum(asked.limits, covariance, curvature, np.zeros(len(asked.names))), notes)


def mean_variance(asked: Asked) -> Found:
    """Maximise mean'w - risk_aversion / 2 w' Sigma w; without a risk aversion the Sharpe ratio."""
    if asked.risk_aversion is None:
        return max_sharpe(asked)
    covariance, notes = asked.risk
    return _noted(optimum(asked.limits, covariance, asked.risk_aversion, -asked.mean), notes)


def max_sharpe(asked: Asked) -> Found:
    """Maximise (mean - risk-free rate)'w over volatility."""
    covariance, notes = asked.risk
    rate = float(read_decimal(asked.option("risk_free_rate") or 0, "risk_free_rate"))
    return _noted(maximum_sharpe(asked.limits, covariance, asked.mean - rate), notes)


def min_cvar(asked: Asked) -> Found:
    """Minimise the mean loss of the worst scenarios."""
    return minimum_cvar(asked.limits, asked.returns, float(asked.option("tail")))


def hierarchical_risk_parity(asked: Asked) -> Found:
    """Halve the budget down a tree of the correlations."""
    linkage, distance = asked.option("linkage"), asked.option("distance")
    for given, known, what in (
        (linkage, get_args(hierarchical.Linkage), "linkage"),
        (distance, get_args(hierarchical.Distance), "distance"),
    ):
        if given not in known:
            raise InvalidInput(f"{what} must be one of {', '.join(known)}, got {given!r}")
    shares = hierarchical.weights(
        asked.covariance.dense(),
        linkage=linkage,
        distance=distance,
        optimal_order=bool(asked.option("optimal_order")),
    )
    return rules.by_shares(asked.limits, shares)


def _noted(found: Found, notes: tuple[str, ...]) -> Found:
    return replace(found, notes=(*notes, *found.notes)) if notes else found


STRATEGIES: Mapping[str, Callable[[Asked], Found]] = {
    AllocationStrategy.EQUAL_WEIGHT: equal_weight,
    AllocationStrategy.RISK_PARITY: risk_parity,
    AllocationStrategy.MIN_VARIANCE: min_variance,
    AllocationStrategy.MEAN_VARIANCE: mean_variance,
    AllocationStrategy.MAX_SHARPE: max_sharpe,
    AllocationStrategy.MIN_CVAR: min_cvar,
    AllocationStrategy.HIERARCHICAL_RISK_PARITY: hierarchical_risk_parity,
}
