"""The strategies by name: each a function from what was asked to weights with their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from capdesk.decide.weights import rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.optimum import Found, optimum
from capdesk.decide.weights.sharpe import maximum_sharpe
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal
from capdesk.model.plans import AllocationStrategy

_VARIANCE = 2.0


def equal_weight(asked: Asked) -> Found:
    """The same for every name."""
    return rules.by_shares(asked.limits, np.ones(len(asked.names)))


def risk_parity(asked: Asked) -> Found:
    """Inverse risk scores."""
    return rules.by_shares(asked.limits, 1 / asked.scores)


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


def _noted(found: Found, notes: tuple[str, ...]) -> Found:
    return replace(found, notes=(*notes, *found.notes)) if notes else found


STRATEGIES: Mapping[str, Callable[[Asked], Found]] = {
    AllocationStrategy.EQUAL_WEIGHT: equal_weight,
    AllocationStrategy.RISK_PARITY: risk_parity,
    AllocationStrategy.MIN_VARIANCE: min_variance,
    AllocationStrategy.MEAN_VARIANCE: mean_variance,
    AllocationStrategy.MAX_SHARPE: max_sharpe,
}
