"""The tables of a configuration: market profiles, groups, sleeves, and market risk."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from capdesk.config.fields import (
    SETTINGS,
    Dollars,
    DollarsOrNone,
    Factor,
    Name,
    Percent,
    Seconds,
    Signed,
    dollars,
    micro,
    optional_ppm,
    percent,
    ppm,
)
from capdesk.model.money import PPM, Amount
from capdesk.model.rules import BreakerRules, GroupLimit, MarketProfile, RiskStep, RiskTable, Sleeve


class MarketProfileConfig(BaseModel):
    """Limits for markets whose name matches a pattern (``*`` and ``?`` as in file names)."""

    model_config = SETTINGS
    pattern: Name
    max_percent: Percent | None = None
    max_absolute: Dollars | None = None

    def compiled(self) -> MarketProfile:
        """The same in exact integers."""
        return MarketProfile(self.pattern, optional_ppm(self.max_percent), micro(self.max_absolute))


class GroupConfig(BaseModel):
    """A limit shared by correlated markets, in percent of equity, in dollars, or both."""

    model_config = SETTINGS
    max_percent: Percent | None = None
    max_absolute: Dollars | None = None
    patterns: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.max_percent is None and self.max_absolute is None:
            raise ValueError("a group needs max_percent or max_absolute")
        return self

    def compiled(self, name: str) -> GroupLimit:
        """The same in exact integers."""
        return GroupLimit(name, optional_ppm(self.max_percent), micro(self.max_absolute), self.patterns)


class SleeveConfig(BaseModel):
    """One strategy's sleeve: its share in percent of the bankroll, its cap and its minimum in dollars.

    `expected_return` is what it should earn in percent of its capital; `max_position_size`
    and `risk_multiplier` (fractions) rule sizing in mode ``unified``.
    """

    model_config = SETTINGS
    name: Name
    percent: Percent
    cap: Dollars | None = None
    minimum: DollarsOrNone = Amount(0)
    expected_return: Signed | None = None
    pays_gas: Annotated[bool, Field(strict=True)] = False
    max_position_size: Factor = Amount(1)
    risk_multiplier: Factor = Amount(1)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.cap is not None and self.cap < self.minimum:
            raise ValueError(
                f"sleeve {self.name}: cap = {self.cap:f} is under minimum = {self.minimum:f}, "
                "so it could never be enabled"
            )
        return self

    def compiled(self) -> Sleeve:
        """The same in exact integers."""
        return Sleeve(
            name=self.name,
            percent_ppm=ppm(self.percent),
            cap=micro(self.cap),
            minimum=micro(self.minimum) or 0,
            expected_return_ppm=None
            if self.expected_return is None
            else int(self.expected_return * PPM // 100),
            pays_gas=self.pays_gas,
            max_position_ppm=int(self.max_position_size * PPM),
            risk_multiplier_ppm=int(self.risk_multiplier * PPM),
        )

    @classmethod
    def written(cls, sleeve: Sleeve) -> SleeveConfig:
        """The configuration of a sleeve."""
        expected = sleeve.expected_return_ppm
        return cls(
            name=sleeve.name,
            percent=percent(sleeve.percent_ppm),  # pyright: ignore[reportArgumentType]
            cap=dollars(sleeve.cap),
            minimum=Amount.from_micro(sleeve.minimum),
            expected_return=None if expected is None else Amount(expected) * 100 / PPM,
            pays_gas=sleeve.pays_gas,
            max_position_size=Amount(sleeve.max_position_ppm) / PPM,
            risk_multiplier=Amount(sleeve.risk_multiplier_ppm) / PPM,
        )


class RiskStepConfig(BaseModel):
    """Above a figure (gwei of gas, or a mean correlation as a fraction) capital is scaled by `multiplier`."""

    model_config = SETTINGS
    above: DollarsOrNone
    multiplier: Factor

    def compiled(self) -> RiskStep:
        """The same in exact integers."""
        return RiskStep(self.above.micro, int(self.multiplier * PPM))

    @classmethod
    def written(cls, step: RiskStep) -> RiskStepConfig:
        """The configuration of a step."""
        return cls(above=Amount.from_micro(step.above), multiplier=Amount(step.multiplier_ppm) / PPM)


_GAS = (
    RiskStepConfig(above=Amount(100), multiplier=Amount("0.7")),
    RiskStepConfig(above=Amount(50), multiplier=Amount("0.9")),
)


class BreakersConfig(BaseModel):
    """Circuit breakers: each stops grants until it lifts by its own rule.

    `daily_loss_percent` of the equity the day began with; gas above `gas_above_gwei` for
    `gas_for_seconds`; `stale_data` when the market's state is missing or stale.
    """

    model_config = SETTINGS
    daily_loss_percent: Percent | None = None
    gas_above_gwei: Dollars | None = None
    gas_for_seconds: Seconds = Amount(3600)
    stale_data: Annotated[bool, Field(strict=True)] = False

    def compiled(self) -> BreakerRules:
        """The same in exact integers."""
        return BreakerRules(
            optional_ppm(self.daily_loss_percent),
            micro(self.gas_above_gwei),
            micro(self.gas_for_seconds) or 0,
            self.stale_data,
        )

    @classmethod
    def written(cls, rules: BreakerRules) -> BreakersConfig:
        """The configuration of breakers."""
        return cls(
            daily_loss_percent=percent(rules.daily_loss_ppm),  # pyright: ignore[reportArgumentType]
            gas_above_gwei=dollars(rules.gas_above),
            gas_for_seconds=Amount.from_micro(rules.gas_for),
            stale_data=rules.stale,
        )


class RiskConfig(BaseModel):
    """The risk gate: how the state of the market scales capital; all factors are fractions.

    `mode` ``"table"`` takes `low`, `medium`, `high`, `extreme` by the state of volatility, or
    by its annual figure and `medium_above`, `high_above`, `extreme_above`; ``"target"`` scales by
    `target_volatility` / realised, where a change under `hysteresis` (a fraction of the
    multiplier) is not made and no more than `max_daily_change` is made in a day.
    `stale_after_seconds` is the age from which a market state fails closed.
    """

    model_config = SETTINGS
    mode: Literal["table", "target"] = "table"
    low: Factor = Amount("1.0")
    medium: Factor = Amount("0.8")
    high: Factor = Amount("0.6")
    extreme: Factor = Amount("0.3")
    medium_above: Dollars = Amount("0.5")
    high_above: Dollars = Amount("0.8")
    extreme_above: Dollars = Amount("1.2")
    gas: tuple[RiskStepConfig, ...] = _GAS
    correlation: tuple[RiskStepConfig, ...] = ()
    target_volatility: Dollars = Amount("0.2")
    hysteresis: Factor = Amount("0.1")
    max_daily_change: Factor = Amount("0.5")
    stale_after_seconds: Seconds | None = Amount(3600)
    volatility_acts_on: Literal["budgets", "market_limits"] = "budgets"

    def compiled(self) -> RiskTable:
        """The same in exact integers."""
        return RiskTable(
            mode=self.mode,
            low=int(self.low * PPM),
            medium=int(self.medium * PPM),
            high=int(self.high * PPM),
            extreme=int(self.extreme * PPM),
            medium_above=self.medium_above.micro,
            high_above=self.high_above.micro,
            extreme_above=self.extreme_above.micro,
            gas=tuple(step.compiled() for step in self.gas),
            correlation=tuple(step.compiled() for step in self.correlation),
            target_ppm=int(self.target_volatility * PPM),
            hysteresis_ppm=int(self.hysteresis * PPM),
            daily_change_ppm=int(self.max_daily_change * PPM),
            stale_after=micro(self.stale_after_seconds),
            acts_on=self.volatility_acts_on,
        )

    @classmethod
    def written(cls, table: RiskTable) -> RiskConfig:
        """The configuration of a risk table."""
        return cls(
            mode=table.mode,
            low=Amount(table.low) / PPM,
            medium=Amount(table.medium) / PPM,
            high=Amount(table.high) / PPM,
            extreme=Amount(table.extreme) / PPM,
            medium_above=Amount.from_micro(table.medium_above),
            high_above=Amount.from_micro(table.high_above),
            extreme_above=Amount.from_micro(table.extreme_above),
            gas=tuple(RiskStepConfig.written(step) for step in table.gas),
            correlation=tuple(RiskStepConfig.written(step) for step in table.correlation),
            target_volatility=Amount(table.target_ppm) / PPM,
            hysteresis=Amount(table.hysteresis_ppm) / PPM,
            max_daily_change=Amount(table.daily_change_ppm) / PPM,
            stale_after_seconds=dollars(table.stale_after),
            volatility_acts_on=table.acts_on,
        )
