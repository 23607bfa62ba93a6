"""The parts of a mandate: limits of markets and groups, sleeves, and the table of market risk.

Amounts are micro-units, shares parts per million, times microseconds.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from capdesk.model.money import PPM

VOLATILITY_STATES = ("low", "medium", "high", "extreme")


class MarketProfile(Struct, frozen=True, omit_defaults=True):
    """Limits for markets whose name matches a pattern, instead of the general ones."""

    pattern: str
    percent_ppm: int | None = None
    absolute: int | None = None


class GroupLimit(Struct, frozen=True, omit_defaults=True):
    """One limit shared by correlated markets."""

    name: str
    percent_ppm: int | None = None
    absolute: int | None = None
    patterns: tuple[str, ...] = ()


class PriorityTier(Struct, frozen=True):
    """The share of the total limit that requests of one priority may fill."""

    name: str
    share_ppm: int


class Sleeve(Struct, frozen=True, omit_defaults=True):
    """One strategy's share of the bankroll.

    Attributes
    ----------
    cap
        The most it may have; None for no cap.
    minimum
        Under this amount, before any multiplier, the sleeve is disabled.
    expected_return_ppm
        What the strategy is expected to earn on its capital, for the performance metric.
    pays_gas
        Whether gas prices act on it.
    max_position_ppm, risk_multiplier_ppm
        Unified sizing: the share of the sleeve one position may have, and its factor.
    """

    name: str
    percent_ppm: int
    cap: int | None = None
    minimum: int = 0
    expected_return_ppm: int | None = None
    pays_gas: bool = False
    max_position_ppm: int = PPM
    risk_multiplier_ppm: int = PPM


class RiskStep(Struct, frozen=True):
    """Above `above` (10^-6 gwei, or parts per million of correlation) the multiplier is `multiplier_ppm`."""

    above: int
    multiplier_ppm: int


class RiskTable(Struct, frozen=True, omit_defaults=True):
    """How the state of the market scales capital: one multiplier, by a table or towards a target.

    Attributes
    ----------
    low, medium, high, extreme
        Multiplier by the state of volatility, parts per million.
    medium_above, high_above, extreme_above
        Annual volatility above which the state is so, parts per million, where only the
        figure is known.
    gas, correlation
        Steps by gas price and by mean correlation.
    target_ppm
        Annual volatility to scale towards in mode ``target``.
    hysteresis_ppm
        In mode ``target``, a change of the multiplier below this share is not made.
    daily_change_ppm
        In mode ``target``, the most the multiplier may change in a day.
    stale_after
        A market state older than this fails closed; None: the risk gate is off until a
        state is given.
    acts_on
        What the multiplier scales: the budgets, or the limits of the markets; never both.
    """

    mode: Literal["table", "target"] = "table"
    low: int = PPM
    medium: int = 800_000
    high: int = 600_000
    extreme: int = 300_000
    medium_above: int = 500_000
    high_above: int = 800_000
    extreme_above: int = 1_200_000
    gas: tuple[RiskStep, ...] = (RiskStep(100_000_000, 700_000), RiskStep(50_000_000, 900_000))
    correlation: tuple[RiskStep, ...] = ()
    target_ppm: int = 200_000
    hysteresis_ppm: int = 100_000
    daily_change_ppm: int = 500_000
    stale_after: int | None = None
    acts_on: Literal["budgets", "market_limits"] = "budgets"


class Budget(Struct, frozen=True):
    """One sleeve's capital in micro-units.

    `share` is base x percent, `before` what the cap and the minimum leave of it (with what
    idle sleeves left to it), `amount` that times the multiplier.
    """

    sleeve: str
    share: int
    before: int
    amount: int
    enabled: bool
    capped: bool
    multiplier_ppm: int


class MarketState(Struct, frozen=True, omit_defaults=True):
    """What the market looks like.

    Attributes
    ----------
    volatility_state
        ``low``, ``medium``, ``high`` or ``extreme``; None where only the figure is known.
    volatility_ppm
        Annual volatility.
    gas_price
        10^-6 gwei; None where it is not known: sleeves that pay gas then have the lowest
        multiplier of the gas steps.
    breaker
        A circuit breaker outside has been triggered.
    correlation_ppm
        Mean correlation of the markets, parts per million.
    at
        When it was seen; None: when it was told.
    """

    volatility_state: str | None = None
    volatility_ppm: int | None = None
    gas_price: int | None = None
    breaker: bool = False
    correlation_ppm: int | None = None
    at: int | None = None


class Risk(Struct, frozen=True, omit_defaults=True):
    """What the market's state makes of the budgets.

    `market_ppm` scales everything, `gas_ppm` what pays gas; `observed_at` is when the
    market was seen, 0 for never, and `seen` what was seen. `base_ppm` is what the volatility alone makes of it: the
    next step of mode ``target`` begins there, so that no other factor enters it again.
    """

    market_ppm: int = PPM
    gas_ppm: int = PPM
    observed_at: int = 0
    reason: str = "no market state was given"
    seen: MarketState | None = None
    base_ppm: int = PPM


class BreakerRules(Struct, frozen=True, omit_defaults=True):
    """Circuit breakers: each stops grants by a multiplier of 0, and lifts by its own rule.

    Attributes
    ----------
    daily_loss_ppm
        Trips when the day has lost this share of the equity it began with; lifts at the
        next day.
    gas_above, gas_for
        Trips when gas (10^-6 gwei) has been above for so long; lifts when it is seen below.
    stale
        Trips at a review that finds the market's state missing or stale; lifts with a
        fresh one.
    """

    daily_loss_ppm: int | None = None
    gas_above: int | None = None
    gas_for: int = 0
    stale: bool = False


class Breaker(Struct, frozen=True):
    """A breaker that has tripped; `journaled` once it has an entry of its own."""

    name: str
    since: int
    reason: str
    journaled: bool = True


class Today(Struct, frozen=True):
    """The day's number, the equity it began with, and its P&L less fees so far."""

    number: int = -1
    began_with: int = 0
    pnl: int = 0
