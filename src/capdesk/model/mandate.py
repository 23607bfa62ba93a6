"""The mandate: the rules a desk obeys, in exact integers.

Amounts are micro-units, percentages parts per million, times microseconds. A
mandate is compiled from a `CapitalConfig`, journaled, and numbered; every verdict
names the version it was decided under.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from capdesk.model.rules import BreakerRules, GroupLimit, MarketProfile, PriorityTier, RiskTable, Sleeve

SECOND = 1_000_000
DAY = 86_400 * SECOND

OnExpiry = Literal["hold", "free"]


class Mandate(Struct, frozen=True, omit_defaults=True):
    """Every rule that decides about capital; the defaults are seed 001's."""

    market_percent_ppm: int = 50_000
    market_absolute: int | None = 50_000_000
    total_percent_ppm: int = 300_000
    min_order: int = 1_000_000
    split_threshold: int = 20_000_000
    split_count: int = 3
    order_tick: int | None = None
    recycle_delay: int = 5 * SECOND
    share_markets: bool = False
    on_expiry: OnExpiry = "hold"
    tiers: tuple[PriorityTier, ...] = ()
    profiles: tuple[MarketProfile, ...] = ()
    groups: tuple[GroupLimit, ...] = ()
    accounts: tuple[str, ...] = ("main",)
    max_mark_age: int | None = None
    id_retention: int = 7 * DAY
    day_boundary: int = 0
    owner_silent: int = 3600 * SECOND
    sleeves: tuple[Sleeve, ...] = ()
    default_sleeve: str | None = None
    reserve_ppm: int = 0
    idle: Literal["keep", "share"] = "keep"
    compounding: Literal["full", "half", "fixed"] = "full"
    resume_margin_ppm: int = 0
    drawdown_ppm: int | None = None
    recall_within: int = 3600 * SECOND
    sizing: Literal["strategy_first", "unified"] = "strategy_first"
    risk: RiskTable | None = None
    breakers: BreakerRules | None = None

    def market_limits(self, market: str) -> tuple[int, int | None]:
        """Parts per million of equity and absolute cap of one market; the first matching profile rules."""
        for profile in self.profiles:
            if fnmatchcase(market, profile.pattern):
                percent = self.market_percent_ppm if profile.percent_ppm is None else profile.percent_ppm
                return percent, self.market_absolute if profile.absolute is None else profile.absolute
        return self.market_percent_ppm, self.market_absolute

    def group_of(self, market: str) -> str | None:
        """The group whose pattern a market's name matches first."""
        for group in self.groups:
            if any(fnmatchcase(market, pattern) for pattern in group.patterns):
                return group.name
        return None

    def group(self, name: str) -> GroupLimit | None:
        """The limits of a group by its name."""
        return next((group for group in self.groups if group.name == name), None)

    def tier(self, priority: str) -> PriorityTier | None:
        """The tier of a priority; None where no tiers are configured."""
        return next((tier for tier in self.tiers if tier.name == priority), None)

    def sleeve_of(self, strategy: str) -> Sleeve | None:
        """The sleeve that a strategy draws on: its own, else the default one."""
        own = next((sleeve for sleeve in self.sleeves if sleeve.name == strategy), None)
        if own is None and self.default_sleeve is not None:
            return next((sleeve for sleeve in self.sleeves if sleeve.name == self.default_sleeve), None)
        return own

    def day_of(self, at: int) -> int:
        """The number of the day that an instant belongs to, by the configured boundary."""
        return (at - self.day_boundary) // DAY
