"""What the state machine draws from: markets, sums, and mandates under which every limit binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

NAMES = ["btc-1", "btc-2", "eth-1", "eth-2", "sol", "rain", "vote", "cup", "race"]
AMOUNTS = [1, "1.5", "3.3333339", 5, 7.25, 10, 10.1, 15, 22, 30, 61, 1_000]
FINE = ["0", "0.75", "0.999999", "0.0000019"]

MARKETS = st.sampled_from(NAMES)
STRATEGIES = st.sampled_from(["sniper", "momentum"])
PRIORITIES = st.sampled_from(["critical", "high", "normal"])
BANKROLLS = st.sampled_from([200, 200, "333.333333", 1000])
ASKED = st.sampled_from(AMOUNTS) | st.sampled_from(AMOUNTS * 3 + FINE)
PNL = st.sampled_from([0, "0.5", 0.5, 1.25, 4, "0.0000015", "-0.333333", -2, -5, -9.75, -30, -250, 40])


def _of_the_machine(values: Callable[[Any], list[Any]]) -> st.SearchStrategy[Any]:
    return st.runner().flatmap(lambda machine: st.sampled_from(values(machine)))


def _holdings(machine: Any) -> list[tuple[str, str | None]]:
    keys = sorted([*machine.model.held, *machine.model.expired])
    return [*keys, *((market, None) for market, _ in keys), ("moon", None), ("btc-1", "sniper")]


HOLDINGS = _of_the_machine(_holdings)
"""Market and strategy, mostly of what is or was held; the strategy may be left open."""

PARTS = _of_the_machine(
    lambda machine: [*sorted({it.amount / part for it in machine.model.held.values() for part in (1, 2)}), 3]
).map(lambda part: f"{float(part):.6f}")
"""Sums that some holding could give back."""

ACCOUNTS = _of_the_machine(lambda machine: [*machine.model.rules["accounts"]] * 4 + ["nowhere"])
GROUPS = _of_the_machine(lambda machine: [*machine.model.rules["groups"]] * 4 + ["unknown"])

GRACIOUS: dict[str, Any] = {"id_retention_days": 3_000}
"""Ids outlive every example, so that any command may be sent again."""

SHARED: dict[str, Any] = {
    **GRACIOUS,
    "share_markets": True,
    "on_expiry": "free",
    "accounts": ("main", "venue"),
    "max_total_exposure_percent": 60,
    "max_exposure_per_market_percent": 20,
    "max_exposure_per_market_absolute": 25,
    "groups": {
        "btc": {"max_percent": 15, "patterns": ["btc-*"]},
        "pairs": {"max_percent": 30, "max_absolute": 21},
    },
    "market_profiles": [
        {"pattern": "btc-2", "max_percent": 2, "max_absolute": 6},
        {"pattern": "e*", "max_absolute": 9},
    ],
    "priority_tiers": {"critical": 100, "high": 80, "normal": 50},
    "max_mark_age_seconds": "100.5",
    "day_boundary": "06:30",
}

WORLDS: dict[str, dict[str, Any]] = {
    "seed": GRACIOUS,
    "shared": SHARED,
    "generous": {
        **GRACIOUS,
        "accounts": ("main", "venue"),
        "max_total_exposure_percent": 100,
        "max_exposure_per_market_percent": 100,
        "max_exposure_per_market_absolute": None,
        "order_tick": "0.01",
        "groups": {"btc": {"max_percent": 100, "patterns": ["btc-*"]}, "pairs": {"max_absolute": 500}},
        "recycle_delay_seconds": 0,
    },
}

RULES: list[dict[str, Any]] = [
    {"max_total_exposure_percent": 10},
    {"max_total_exposure_percent": 45},
    {"max_exposure_per_market_percent": 3, "order_split_count": 2},
    {"max_exposure_per_market_absolute": 4},
    {"order_split_threshold": 9, "order_tick": "0.5"},
    {"min_order_size": 3, "recycle_delay_seconds": 60},
    {"on_expiry": "free", "max_mark_age_seconds": "50.5"},
    {"on_expiry": "hold", "max_mark_age_seconds": None},
    {"share_markets": False},
    {"groups": {"btc": {"max_percent": 6, "patterns": ["btc-*", "eth-*"]}}},
    {"groups": {"coins": {"max_absolute": 30, "patterns": ["btc-*"]}}},
    {"groups": {}},
]
"""Changes of the mandate; each is applied to the configuration that the example began with."""
