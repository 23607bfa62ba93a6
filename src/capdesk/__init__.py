"""capdesk: the desk that runs one bankroll."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from capdesk._version import __version__

if TYPE_CHECKING:
    from capdesk.budgets import (
        calculate_drawdown_limit,
        calculate_max_exposure,
        calculate_strategy_capital,
        get_allocation_summary,
    )
    from capdesk.config import CapitalConfig
    from capdesk.desk import CapitalAllocator
    from capdesk.frontiers import Frontier, FrontierPoint, frontier
    from capdesk.model.errors import (
        CapdeskError,
        CertificateError,
        ConfigError,
        DeadlineExceeded,
        IdConflict,
        InfeasibleError,
        InsufficientFunds,
        InvalidInput,
        LedgerError,
        MandateMismatch,
        NoBankroll,
        RulesWarning,
        StaleReading,
        UnknownAllocation,
    )
    from capdesk.model.explanation import Binding
    from capdesk.model.money import Amount
    from capdesk.model.plans import AllocationStrategy, AllocationTarget, Certificate, Plan
    from capdesk.model.portfolio import (
        BenchmarkMetrics,
        Drawdown,
        LeftOut,
        PortfolioMetrics,
        RebalanceAction,
        RebalanceOrder,
        Rebalancing,
        TradingCost,
    )
    from capdesk.model.requests import Allocation, AllocationResult, RecycleEvent, Room, Verdict
    from capdesk.planner import Planner, allocate_risk_adjusted_capital
    from capdesk.recycler import CapitalRecycler
    from capdesk.sizing import Signal, StrategyCapitalManager, StrategyCapitalTracker, UnifiedCapitalManager
    from capdesk.supervisor import Hooks, Supervisor
    from capdesk.weights import Constraints, Exposure, Group, plan_weights

_HOMES = {
    "CapitalAllocator": "capdesk.desk",
    "CapitalConfig": "capdesk.config",
    "CapitalRecycler": "capdesk.recycler",
    "Amount": "capdesk.model.money",
    **dict.fromkeys(("Planner", "allocate_risk_adjusted_capital"), "capdesk.planner"),
    **dict.fromkeys(
        (
            "BenchmarkMetrics",
            "Drawdown",
            "LeftOut",
            "PortfolioMetrics",
            "RebalanceAction",
            "RebalanceOrder",
            "Rebalancing",
            "TradingCost",
        ),
        "capdesk.model.portfolio",
    ),
    "Binding": "capdesk.model.explanation",
    **dict.fromkeys(("AllocationStrategy", "AllocationTarget", "Certificate", "Plan"), "capdesk.model.plans"),
    **dict.fromkeys(("Constraints", "Exposure", "Group", "plan_weights"), "capdesk.weights"),
    **dict.fromkeys(("Frontier", "FrontierPoint", "frontier"), "capdesk.frontiers"),
    **dict.fromkeys(("Hooks", "Supervisor"), "capdesk.supervisor"),
    **dict.fromkeys(
        ("Signal", "StrategyCapitalManager", "StrategyCapitalTracker", "UnifiedCapitalManager"),
        "capdesk.sizing",
    ),
    **dict.fromkeys(
        (
            "calculate_drawdown_limit",
            "calculate_max_exposure",
            "calculate_strategy_capital",
            "get_allocation_summary",
        ),
        "capdesk.budgets",
    ),
    **dict.fromkeys(
        ("Allocation", "AllocationResult", "RecycleEvent", "Room", "Verdict"), "capdesk.model.requests"
    ),
    **dict.fromkeys(
        (
            "CapdeskError",
            "CertificateError",
            "ConfigError",
            "DeadlineExceeded",
            "IdConflict",
            "InfeasibleError",
            "InsufficientFunds",
            "InvalidInput",
            "LedgerError",
            "MandateMismatch",
            "NoBankroll",
            "RulesWarning",
            "StaleReading",
            "UnknownAllocation",
        ),
        "capdesk.model.errors",
    ),
}

__all__ = [
    "Allocation",
    "AllocationResult",
    "AllocationStrategy",
    "AllocationTarget",
    "Amount",
    "BenchmarkMetrics",
    "Binding",
    "CapdeskError",
    "CapitalAllocator",
    "CapitalConfig",
    "CapitalRecycler",
    "Certificate",
    "CertificateError",
    "ConfigError",
    "Constraints",
    "DeadlineExceeded",
    "Drawdown",
    "Exposure",
    "Frontier",
    "FrontierPoint",
    "Group",
    "Hooks",
    "IdConflict",
    "InfeasibleError",
    "InsufficientFunds",
    "InvalidInput",
    "LedgerError",
    "LeftOut",
    "MandateMismatch",
    "NoBankroll",
    "Plan",
    "Planner",
    "PortfolioMetrics",
    "RebalanceAction",
    "RebalanceOrder",
    "Rebalancing",
    "RecycleEvent",
    "Room",
    "RulesWarning",
    "Signal",
    "StaleReading",
    "StrategyCapitalManager",
    "StrategyCapitalTracker",
    "Supervisor",
    "TradingCost",
    "UnifiedCapitalManager",
    "UnknownAllocation",
    "Verdict",
    "__version__",
    "allocate_risk_adjusted_capital",
    "calculate_drawdown_limit",
    "calculate_max_exposure",
    "calculate_strategy_capital",
    "frontier",
    "get_allocation_summary",
    "plan_weights",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'capdesk' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
