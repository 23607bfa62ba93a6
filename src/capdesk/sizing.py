"""Seed 003's managers: thin faces of `decide/sizing.py`.

A desk sizes with `CapitalAllocator.size_position`, which quotes the one decision; these
classes serve code that was written against the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from capdesk.decide.sizing import position_size
from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM, Amount, read_decimal, to_micro_down

EQUAL_FIFTHS = {
    "momentum_surfer": Amount("0.20"),
    "volatility_explosion": Amount("0.20"),
    "volume_profile_scalper": Amount("0.20"),
    "regime_adaptive_controller": Amount("0.20"),
    "confluence_amplifier": Amount("0.20"),
}
"""Seed 003's five strategies, as fractions of the capital."""


class Signal(Struct, frozen=True):
    """A strategy wants a position.

    Attributes
    ----------
    strategy
        Its name.
    position_size_percent
        Fraction of the strategy's capital (1.0 is all of it).
    market_id
        Where; None while only a size is wanted.
    """

    strategy: str
    position_size_percent: Any = 1.0
    market_id: str | None = None

    @property
    def strategy_name(self) -> str:
        """The strategy, by the name the seed uses."""
        return self.strategy


def fraction_ppm(value: object, name: str) -> int:
    """Parts per million of a fraction from 0 to 1.

    Raises
    ------
    InvalidInput
        For anything outside, such as a percentage written as 20.
    """
    number = read_decimal(value, name)
    if not 0 <= number <= 1:
        raise InvalidInput(f"{name} must be a fraction from 0 to 1 (0.2 for 20 %), got {value}")
    return int(Amount(number) * PPM)


class StrategyCapitalManager:
    """Strategy first: each strategy has its fraction of the capital and sizes within it."""

    def __init__(self, strategy_allocations: Mapping[str, object] | None = None) -> None:
        given = EQUAL_FIFTHS if strategy_allocations is None else strategy_allocations
        self.strategy_allocations = {name: Amount(share) for name, share in given.items()}
        if sum(fraction_ppm(share, name) for name, share in given.items()) > PPM:
            raise InvalidInput(f"strategy_allocations must add up to 1 at most, got {dict(given)}")

    def get_strategy_capital(self, strategy_name: str, total_capital: object) -> Amount:
        """The strategy's dollars of a total; 0 for one without a share."""
        share = fraction_ppm(self.strategy_allocations.get(strategy_name, Amount(0)), strategy_name)
        return Amount.from_micro(_capital(total_capital, "total_capital") * share // PPM)

    def calculate_position_size(self, strategy_name: str, signal: Signal, total_capital: object) -> Amount:
        """Dollars of a position: the signal's fraction of the strategy's capital."""
        capital = self.get_strategy_capital(strategy_name, total_capital).micro
        size = fraction_ppm(signal.position_size_percent, "position_size_percent")
        return Amount.from_micro(position_size("strategy_first", capital, size))


class UnifiedCapitalManager:
    """Unified: the strategy's capital, its largest position and its risk multiplier rule the size."""

    def __init__(
        self,
        strategy_limits: Mapping[str, Mapping[str, object]] | None = None,
        total_capital: object = 1_000_000,
    ) -> None:
        self.total_capital = Amount(total_capital)
        self.strategy_limits = dict(
            {
                "momentum_surfer": {"max_capital": 200_000, "max_position_size": 0.5, "risk_multiplier": 1.0},
                "volatility_explosion": {
                    "max_capital": 200_000,
                    "max_position_size": 0.3,
                    "risk_multiplier": 0.8,
                },
            }
            if strategy_limits is None
            else strategy_limits
        )

    def calculate_position_size(self, strategy_name: str, signal: Signal | None = None) -> Amount:
        """Dollars of a position; 0 for a strategy without limits. The signal's own size plays no part."""
        limits = self.strategy_limits.get(strategy_name)
        if not limits:
            return Amount(0)
        return Amount.from_micro(
            position_size(
                "unified",
                _capital(limits["max_capital"], "max_capital"),
                PPM,
                fraction_ppm(limits["max_position_size"], "max_position_size"),
                fraction_ppm(limits["risk_multiplier"], "risk_multiplier"),
            )
        )


class StrategyCapitalTracker:
    """How much of each strategy's capital is at work, and seed 003's three verification metrics."""

    def __init__(
        self, total_capital: object, strategy_allocations: Mapping[str, object] | None = None
    ) -> None:
        self.total_capital = Amount(total_capital)
        self._manager = StrategyCapitalManager(strategy_allocations)
        self.strategy_allocations = self._manager.strategy_allocations
        self._positions = dict.fromkeys(self.strategy_allocations, 0)

    def get_strategy_allocated_capital(self, strategy_name: str) -> Amount:
        """The strategy's dollars."""
        return self._manager.get_strategy_capital(strategy_name, self.total_capital)

    def record_position(self, strategy_name: str, amount: object) -> None:
        """Add dollars to what a strategy has at work (a negative amount takes them off).

        Raises
        ------
        InvalidInput
            For an unknown strategy, or more than it holds or may have.
        """
        if strategy_name not in self._positions:
            raise InvalidInput(
                f"strategy_name must be one of {', '.join(self._positions)}, got {strategy_name!r}"
            )
        at_work = self._positions[strategy_name] + to_micro_down(amount, "amount")
        most = self.get_strategy_allocated_capital(strategy_name)
        if not 0 <= at_work <= most.micro:
            raise InvalidInput(
                f"{strategy_name} may have 0 to {most} at work, this would make it {Amount.from_micro(at_work)}"
            )
        self._positions[strategy_name] = at_work

    def capital_utilization(self) -> Amount:
        """Sum of positions / total capital, as a fraction."""
        total = _capital(self.total_capital, "total_capital")
        return Amount(sum(self._positions.values())) / total if total else Amount(0)

    def strategy_capital_variance(self) -> Amount:
        """The population variance of the strategies' capital, in dollars squared."""
        return variance([self.get_strategy_allocated_capital(name) for name in self.strategy_allocations])


def variance(amounts: list[Amount]) -> Amount:
    """The population variance; 0 of nothing."""
    if not amounts:
        return Amount(0)
    mean = sum(amounts, Amount(0)) / len(amounts)
    return sum(((amount - mean) ** 2 for amount in amounts), Amount(0)) / len(amounts)


def _capital(value: object, name: str) -> int:
    micro = to_micro_down(value, name)
    if micro < 0:
        raise InvalidInput(f"{name} must be 0 or more, got {value}")
    return micro
