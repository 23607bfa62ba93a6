"""The names of the strategies, apart from plans so that a configuration need not load arrays."""

from __future__ import annotations

from enum import StrEnum


class AllocationStrategy(StrEnum):
    """The strategies by name."""

    EQUAL_WEIGHT = "equal_weight"
    RISK_PARITY = "risk_parity"
    MIN_VARIANCE = "min_variance"
    MEAN_VARIANCE = "mean_variance"
    MAX_SHARPE = "max_sharpe"
    KELLY_CRITERION = "kelly_criterion"
    BLACK_LITTERMAN = "black_litterman"
    MIN_CVAR = "min_cvar"
    HIERARCHICAL_RISK_PARITY = "hierarchical_risk_parity"
