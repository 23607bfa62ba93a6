"""What people write: a configuration in percent and dollars, which compiles to a mandate."""

from __future__ import annotations

import os
import warnings
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from capdesk.config.fields import Days, Dollars, Name, Percent, Seconds
from capdesk.config.parts import (
    BreakersConfig,
    GroupConfig,
    MarketProfileConfig,
    RiskConfig,
    RiskStepConfig,
    SleeveConfig,
)
from capdesk.config.planning import PLANNING, PlanningConfig
from capdesk.model.errors import RulesWarning
from capdesk.model.mandate import Mandate
from capdesk.model.money import Amount
from capdesk.model.requests import PRIORITIES

_WITH_SLEEVES: dict[str, Any] = {
    "max_exposure_per_market_percent": 100,
    "max_exposure_per_market_absolute": None,
    "max_total_exposure_percent": 95,
    "max_drawdown_percent": 5,
}
"""Seed 002's limits, where sleeves are configured and these are not."""


class CapitalConfig(PlanningConfig):
    """The rules of one bankroll, and how plans are made. Frozen; a field that does not exist is refused.

    The fields of `PlanningConfig` are not part of the mandate.

    Parameters
    ----------
    max_exposure_per_market_percent, max_total_exposure_percent
        Percent of equity (5.0 is five percent). Less than one is written ``"0.5%"``.
    max_exposure_per_market_absolute
        Dollars a market may have at most; None for no cap.
    min_order_size
        Dollars; requests and grants below are refused.
    order_split_threshold, order_split_count, order_tick
        A grant above the threshold is split into so many orders, each rounded down to
        the tick, the rest in the last.
    recycle_delay_seconds
        How long a resolved market's capital waits before it is freed.
    share_markets
        True: each strategy may hold its own allocation in a market, under the market's limits.
    on_expiry
        What happens to a lease that ends unconfirmed: ``"hold"`` or ``"free"``.
    priority_tiers
        Percent of the total limit that requests of a priority may fill.
    market_profiles, groups
        Limits for markets by their names, and for correlated markets together.
    accounts
        Where the money lies; the first takes what names none.
    max_mark_age_seconds
        A mark older than this falls back to the lower of cost and mark; None: never.
    id_retention_days
        How long request ids are kept at least.
    day_boundary
        When a day begins, UTC, ``"HH:MM"``.
    owner_silent_seconds
        When an allocation whose strategy is not heard of counts as an orphan.
    sleeves, default_sleeve, reserve_percent
        Each strategy's share of the bankroll; where a strategy without a sleeve draws
        (None: it is unknown); what no sleeve may have. With sleeves, limits that are not
        written are seed 002's: 95 % in total, a market may use its whole sleeve, no
        absolute cap, and a drawdown limit of 5 %.
    idle
        What a disabled or capped sleeve leaves is kept as cash (``"keep"``) or shared
        among the others within their caps (``"share"``).
    compounding
        How much of the profit enters what percentages apply to: ``"full"``, ``"half"``
        or ``"fixed"`` (none).
    resume_margin_percent
        By how much a paused sleeve must pass its minimum before it is resumed.
    max_drawdown_percent
        Drawdown of the unit value at which every grant is refused until resumed; None: none.
    recall_seconds
        How long a sleeve has to give back what it holds above its budget.
    sizing
        ``"strategy_first"`` (seed 003, option 1) or ``"unified"`` (option 2).
    risk, breakers
        The risk gate and the circuit breakers; None: no market state acts on anything.

    Raises
    ------
    ConfigError
        One line for each problem: the field, what is allowed, what was given.
    """

    max_exposure_per_market_percent: Percent = Amount("5")
    max_exposure_per_market_absolute: Dollars | None = Amount("50")
    max_total_exposure_percent: Percent = Amount("30")
    min_order_size: Dollars = Amount("1")
    order_split_threshold: Dollars = Amount("20")
    order_split_count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 3
    order_tick: Dollars | None = None
    recycle_delay_seconds: Seconds = Amount("5")
    share_markets: Annotated[bool, Field(strict=True)] = False
    on_expiry: Literal["hold", "free"] = "hold"
    priority_tiers: dict[Literal["critical", "high", "normal"], Percent] = Field(default_factory=dict)
    market_profiles: tuple[MarketProfileConfig, ...] = ()
    groups: dict[Name, GroupConfig] = Field(default_factory=dict)
    accounts: Annotated[tuple[Name, ...], Field(min_length=1)] = ("main",)
    max_mark_age_seconds: Seconds | None = None
    id_retention_days: Days = Amount("7")
    day_boundary: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    owner_silent_seconds: Seconds = Amount("3600")
    sleeves: tuple[SleeveConfig, ...] = ()
    default_sleeve: Name | None = None
    reserve_percent: Percent = Amount(0)
    idle: Literal["keep", "share"] = "keep"
    compounding: Literal["full", "half", "fixed"] = "full"
    resume_margin_percent: Percent = Amount(0)
    max_drawdown_percent: Percent | None = None
    recall_seconds: Seconds = Amount("3600")
    sizing: Literal["strategy_first", "unified"] = "strategy_first"
    risk: RiskConfig | None = None
    breakers: BreakersConfig | None = None

    def __init__(self, **given: Any) -> None:
        if given.get("sleeves"):
            given = {**_WITH_SLEEVES, **given}
        super().__init__(**given)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.accounts)) < len(self.accounts):
            raise ValueError(f"accounts must have different names, got {', '.join(self.accounts)}")
        least = self.order_split_threshold / self.order_split_count
        if self.order_tick is not None and self.order_tick <= least:
            least -= least % self.order_tick
        tick = "" if self.order_tick is None else f" at order_tick = {self.order_tick:f}"
        if self.order_split_count > 1 and least < self.min_order_size:
            raise ValueError(
                f"order_split_count = {self.order_split_count} would split {self.order_split_threshold:f} into orders "
                f"of {least:.2f}{tick}, below min_order_size = {self.min_order_size:f}: "
                "raise the threshold or split less"
            )
        if self.order_tick is not None and self.order_tick > least:
            raise ValueError(
                f"order_tick = {self.order_tick:f} is larger than the orders of {least:.2f} it rounds"
            )
        if self.priority_tiers and set(self.priority_tiers) != set(PRIORITIES):
            raise ValueError(f"priority_tiers must name each of {', '.join(PRIORITIES)}")
        self._check_sleeves()
        self._warn_of_blind_breakers()
        return self

    def _check_sleeves(self) -> None:
        names = [sleeve.name for sleeve in self.sleeves]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sleeves must have different names, got {', '.join(twice)} more than once")
        total = sum((sleeve.percent for sleeve in self.sleeves), self.reserve_percent)
        if total > 100:
            parts = [f"{sleeve.name} {sleeve.percent:f}" for sleeve in self.sleeves]
            parts.append(f"reserve {self.reserve_percent:f}")
            raise ValueError(
                f"sleeves and the reserve add up to more than 100 percent: {' + '.join(parts)} = {total:f}"
            )
        if self.default_sleeve is not None and self.default_sleeve not in names:
            known = ", ".join(names) or "there are none"
            raise ValueError(f"default_sleeve = {self.default_sleeve!r} is none of the sleeves ({known})")
        self._warn_of_one_loss()

    def _warn_of_one_loss(self) -> None:
        limit, largest = self.max_drawdown_percent, self.max_exposure_per_market_percent
        if self.sleeves:
            largest = min(largest, max(sleeve.percent for sleeve in self.sleeves))
        if limit is not None and largest >= limit:
            warnings.warn(
                f"one market may hold {largest:f} % of equity and the kill switch fires above {limit:f} % drawdown: "
                "the loss of a single market can halt the desk. A lower max_exposure_per_market_percent avoids it",
                RulesWarning,
                stacklevel=2,
            )

    def _warn_of_blind_breakers(self) -> None:
        breakers = self.breakers
        if breakers is None or self.risk is not None:
            return
        blind = [
            name
            for name, watched in (
                ("gas_above_gwei", breakers.gas_above_gwei is not None),
                ("stale_data", breakers.stale_data),
            )
            if watched
        ]
        if blind:
            warnings.warn(
                f"breakers.{' and breakers.'.join(blind)} can never trip: without [risk] no market state is seen",
                RulesWarning,
                stacklevel=2,
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, **explicit: Any) -> CapitalConfig:
        """Read a TOML file and the ``CAPITAL_*`` environment; an argument beats both, the environment the file.

        Raises
        ------
        ConfigError
            For a file that is missing or no TOML, and for every problem in it.
        """
        from capdesk.config.reading import loaded

        return loaded(cls, path, explicit)

    @classmethod
    def from_mandate(cls, mandate: Mandate) -> CapitalConfig:
        """The configuration that compiles to a mandate."""
        from capdesk.config.compiling import written

        with warnings.catch_warnings():
            # Whoever wrote these rules was warned then.
            warnings.simplefilter("ignore", RulesWarning)
            return cls(**written(mandate))

    def rules(self) -> dict[str, Any]:
        """The fields that a mandate holds."""
        return self.model_dump(exclude=set(PLANNING))

    def planning(self) -> dict[str, Any]:
        """The fields of planning that were given."""
        return self.model_dump(include=self.model_fields_set & PLANNING)

    @property
    def plans_only(self) -> bool:
        """Whether fields were given and all of them are about planning, so that no rules were meant."""
        return bool(self.model_fields_set) and self.model_fields_set <= PLANNING

    def mandate(self) -> Mandate:
        """The same rules in exact integers; percentages are rounded down to a millionth."""
        from capdesk.config.compiling import compiled

        return compiled(self)

    @classmethod
    def table_of(cls, where: tuple[Any, ...]) -> tuple[str, tuple[str, ...]]:
        """The table that a field would belong to: what it is called, and its fields."""
        outer, *inner = where
        if not inner or outer not in _TABLES:
            return super().table_of(where)
        if outer == "risk" and len(inner) > 1:
            return f"risk.{inner[0]}", tuple(RiskStepConfig.model_fields)
        return outer, tuple(_TABLES[outer].model_fields)


_TABLES: dict[str, type[BaseModel]] = {
    "sleeves": SleeveConfig,
    "groups": GroupConfig,
    "market_profiles": MarketProfileConfig,
    "risk": RiskConfig,
    "breakers": BreakersConfig,
}
