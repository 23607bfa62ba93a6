"""The rules that the demo's desk obeys: seed 001's own limits, sleeves for its strategies, and market risk."""

from __future__ import annotations

from typing import Any

from capdesk.config import CapitalConfig, SleeveConfig
from capdesk.study.demo.bots import BOTS
from capdesk.study.demo.markets import Side

SEED_LIMITS: dict[str, Any] = {
    "max_exposure_per_market_percent": 5,
    "max_exposure_per_market_absolute": 50,
    "max_total_exposure_percent": 30,
}
"""Seed 001's, written out: where there are sleeves, limits that are not written are seed 002's wider ones."""
DIRECTION_PERCENT = 18
"""Bets on one direction of one coin are nearly one bet: they share three fifths of what all markets may have."""
PRIORITY_TIERS = {"critical": 100, "high": 95, "normal": 90}
"""What comes early in a market may not leave nothing for what comes last."""
SLEEVES: tuple[dict[str, Any], ...] = (
    {"name": "momentum", "percent": 8, "cap": 2000, "minimum": 10},
    {"name": "contrarian", "percent": 8, "cap": 17, "minimum": 10},
    {"name": "cautious", "percent": 6, "cap": 2000, "minimum": "11.20"},
    {"name": "sniper", "percent": 14, "cap": 2000, "minimum": 10},
)
"""Percent of the bankroll, dollars. They add up to more than the limit of all markets, as not all are busy at once."""
MAX_DRAWDOWN_PERCENT = 35
"""Seed 002 stops at 5 %; a share here pays a dollar or nothing, and that would be reached before breakfast."""
RISK: dict[str, Any] = {
    "medium_above": "0.3",
    "high_above": "0.5",
    "extreme_above": "0.8",
    "stale_after_seconds": 900,
}
"""Thresholds of annual volatility for bitcoin on a day like this; the multipliers are seed 000's."""
RECALL_SECONDS = 1800


def demo_config() -> CapitalConfig:
    """Seed 001's limits (5 % and $50 a market, 30 % in all) with sleeves, a kill switch and a risk gate."""
    return CapitalConfig(
        **SEED_LIMITS,
        share_markets=True,
        priority_tiers=PRIORITY_TIERS,
        groups={direction_group(side): {"max_percent": DIRECTION_PERCENT} for side in ("up", "down")},
        sleeves=SLEEVES,
        resume_margin_percent=2,
        recall_seconds=RECALL_SECONDS,
        max_drawdown_percent=MAX_DRAWDOWN_PERCENT,
        risk=RISK,
    )


def direction_group(side: Side) -> str:
    """The group that an allocation for a side counts in."""
    return f"btc-{side}"


def rules() -> dict[str, str]:
    """What the limits behind each obstacle of an `Ask` allow, in the order in which people think of them."""
    config = demo_config()
    shares = sorted(share for share in set(PRIORITY_TIERS.values()) if share < 100)
    tiers = [f"{share} % of that for {' and '.join(strategies_with(share))}" for share in shares]
    return {
        "one market": (
            f"{config.max_exposure_per_market_percent:g} % of the bankroll, "
            f"${config.max_exposure_per_market_absolute:g} at most"
        ),
        "one direction": f"{DIRECTION_PERCENT} %",
        "all markets": f"{config.max_total_exposure_percent:g} %",
        "priority tier": ", ".join(tiers),
        "its sleeve": ", ".join(_sleeve(sleeve) for sleeve in config.sleeves),
        "already held": "one allocation in a market for each strategy",
    }


def _sleeve(sleeve: SleeveConfig) -> str:
    return f"{sleeve.name} {sleeve.percent:g} % (${sleeve.minimum:,f} to ${sleeve.cap:,f})"


def risk_note() -> str:
    """What market risk makes of the limits of all markets and of the sleeves, and where the kill switch fires."""
    config = demo_config()
    table = config.risk
    assert table is not None, "the demo's mandate has a risk table"
    steps = (
        ("low", table.low, ""),
        ("medium", table.medium, f" above {float(table.medium_above) * 100:g} %"),
        ("high", table.high, f" above {float(table.high_above) * 100:g} %"),
        ("extreme", table.extreme, f" above {float(table.extreme_above) * 100:g} %"),
    )
    scale = ", ".join(f"{name}{above} x {float(factor):g}" for name, factor, above in steps)
    minutes = int(table.stale_after_seconds or 0) // 60
    return (
        f"The day's own volatility scales the sleeves and the limit of all markets: {scale}; "
        f"not seen for {minutes} minutes x {float(table.extreme):g}. "
        f"The kill switch halts the desk above {config.max_drawdown_percent:g} % drawdown."
    )


def strategies_with(tier_percent: int) -> list[str]:
    """The strategies whose priority may fill this much of the limit of all markets."""
    return list(dict.fromkeys(bot.strategy for bot in BOTS if PRIORITY_TIERS[bot.priority] == tier_percent))
