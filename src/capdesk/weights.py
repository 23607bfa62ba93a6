"""The public door of planning weights: one call for every strategy, one plan back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capdesk.decide.weights.constraints import Constraints, Exposure, Group
from capdesk.model.money import Number
from capdesk.model.plans import AllocationStrategy, Plan

__all__ = ["Constraints", "Exposure", "Group", "plan_weights"]


def plan_weights(
    names: Sequence[str],
    strategy: AllocationStrategy | str | Any,
    *,
    mean: Any = None,
    covariance: Any = None,
    factors: tuple[Any, Any] | None = None,
    returns: Any = None,
    prices: Any = None,
    risk_scores: Any = None,
    constraints: Constraints | Mapping[str, Any] | None = None,
    current: Mapping[str, Number] | None = None,
    risk_aversion: float | None = None,
    risk_free_rate: Number = 0,
    risk_budgets: Any = None,
    views: Any = None,
    **options: Any,
) -> Plan:
    """Decide which share of the capital each name should have."""
    raise NotImplementedError
