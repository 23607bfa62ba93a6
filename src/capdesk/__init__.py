"""capdesk: the desk that runs one bankroll."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from capdesk._version import __version__

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig
    from capdesk.desk import CapitalAllocator
    from capdesk.model.errors import (
        CapdeskError,
        ConfigError,
        DeadlineExceeded,
        IdConflict,
        InsufficientFunds,
        InvalidInput,
        LedgerError,
        MandateMismatch,
        NoBankroll,
        UnknownAllocation,
    )
    from capdesk.model.money import Amount
    from capdesk.model.requests import Allocation, AllocationResult, RecycleEvent, Room, Verdict
    from capdesk.recycler import CapitalRecycler

_HOMES = {
    "CapitalAllocator": "capdesk.desk",
    "CapitalConfig": "capdesk.config",
    "CapitalRecycler": "capdesk.recycler",
    "Amount": "capdesk.model.money",
    **dict.fromkeys(
        ("Allocation", "AllocationResult", "RecycleEvent", "Room", "Verdict"), "capdesk.model.requests"
    ),
    **dict.fromkeys(
        (
            "CapdeskError",
            "ConfigError",
            "DeadlineExceeded",
            "IdConflict",
            "InsufficientFunds",
            "InvalidInput",
            "LedgerError",
            "MandateMismatch",
            "NoBankroll",
            "UnknownAllocation",
        ),
        "capdesk.model.errors",
    ),
}

__all__ = [
    "Allocation",
    "AllocationResult",
    "Amount",
    "CapdeskError",
    "CapitalAllocator",
    "CapitalConfig",
    "CapitalRecycler",
    "ConfigError",
    "DeadlineExceeded",
    "IdConflict",
    "InsufficientFunds",
    "InvalidInput",
    "LedgerError",
    "MandateMismatch",
    "NoBankroll",
    "RecycleEvent",
    "Room",
    "UnknownAllocation",
    "Verdict",
    "__version__",
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
