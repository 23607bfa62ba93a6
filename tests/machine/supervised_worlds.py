"""The rules that supervised desks are tried under, how they change, and what is asked of the desks."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.desks import sleeve

PLAIN: dict[str, Any] = {
    "max_exposure_per_market_percent": 100,
    "max_exposure_per_market_absolute": None,
    "max_total_exposure_percent": 95,
    "order_split_count": 1,
    "max_drawdown_percent": 20,
    "sleeves": [
        sleeve("maker", 50, cap=70, minimum=40, pays_gas=True),
        sleeve("taker", 30),
        sleeve("small", 10, minimum=9),
    ],
    "default_sleeve": "taker",
}
RISK: dict[str, Any] = {"stale_after_seconds": 7200}
WORLDS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "budgets": {
        **PLAIN,
        "risk": RISK,
        "breakers": {"daily_loss_percent": 10, "stale_data": True},
        "resume_margin_percent": 10,
        "default_sleeve": "small",
    },
    "market limits": {
        **PLAIN,
        "max_exposure_per_market_percent": 40,
        "risk": {**RISK, "volatility_acts_on": "market_limits"},
        "breakers": {"gas_above_gwei": 80, "gas_for_seconds": 1800},
        "compounding": "half",
    },
    "fixed": {**PLAIN, "compounding": "fixed", "max_drawdown_percent": 8, "risk": RISK},
}

MARKETS = st.sampled_from(["sun", "rain", "wind", "fog", "snow", "hail", "frost", "dew"])
SLEEVES = st.sampled_from(["maker", "taker", "small"])
STRATEGIES = SLEEVES | SLEEVES | st.just("stranger")
AMOUNTS = st.sampled_from(["0.5", "1", "7.333333", "25", "60", "500"])
RESULTS = st.sampled_from(["-45", "-12.5", "-4", "-4", "-1", "-1", "0", "0.7", "0.7", "6", "40"])
"""Profit and loss, in percent of the equity."""

CHANGES = st.sampled_from(
    [
        {"risk": {"high": 0.5, "extreme": 0.2}},
        {"risk": {"low": 0.9, "extreme": 0.3}},
        {"risk": {"gas": [{"above": 20, "multiplier": 0.5}]}},
        {"risk": {"gas": []}},
        {"risk": {"stale_after_seconds": 600}},
        {"default_sleeve": "maker"},
        {"default_sleeve": "small"},
    ]
)
