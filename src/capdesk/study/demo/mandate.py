"""The rules that the demo's desk obeys: seed 001's own limits, and three that they make room for."""

from __future__ import annotations

from capdesk.config import CapitalConfig
from capdesk.study.demo.bots import BOTS
from capdesk.study.demo.markets import Side

DIRECTION_PERCENT = 18
"""Bets on one direction of one coin are nearly one bet: they share three fifths of what all markets may have."""
PRIORITY_TIERS = {"critical": 100, "high": 95, "normal": 90}
"""What comes early in a market may not leave nothing for what comes last."""


def demo_config() -> CapitalConfig:
    """The defaults (5 % and $50 a market, 30 % in all), with markets shared, directions limited, tiers."""
    return CapitalConfig(
        share_markets=True,
        priority_tiers=PRIORITY_TIERS,
        groups={direction_group(side): {"max_percent": DIRECTION_PERCENT} for side in ("up", "down")},
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
        "already held": "one allocation in a market for each strategy",
    }


def strategies_with(tier_percent: int) -> list[str]:
    """The strategies whose priority may fill this much of the limit of all markets."""
    return list(dict.fromkeys(bot.strategy for bot in BOTS if PRIORITY_TIERS[bot.priority] == tier_percent))
