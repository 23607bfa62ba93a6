"""A slow and plain model of sleeves and supervision in exact fractions of dollars, written from what is promised.

It shares no code with `capdesk`. The value of a unit, budgets, pauses, recalls, breakers, the
kill switch and every grant follow from what was booked; nothing is kept that can be added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

SECOND = 10**6
DAY = 86_400 * SECOND
ONE, ZERO = Fraction(1), Fraction(0)
NEAR = Fraction(1, 10**7)
FACTORS = {"low": ONE, "medium": Fraction(4, 5), "high": Fraction(3, 5), "extreme": Fraction(3, 10)}
GAS = [(Fraction(100), Fraction(7, 10)), (Fraction(50), Fraction(9, 10))]


def exact(value: Any) -> Fraction:
    return Fraction(str(value))


def down(value: Fraction) -> Fraction:
    """What is given out is rounded down to a millionth."""
    return Fraction(math.floor(value * 10**6), 10**6)


def percent(value: Any) -> Fraction:
    return exact(value) / 100


@dataclass(frozen=True)
class Held:
    sleeve: str | None
    cost: Fraction
    mark: Fraction | None = None

    @property
    def gain(self) -> Fraction:
        return ZERO if self.mark is None else self.mark - self.cost


@dataclass
class Model:
    rules: dict[str, Any]
    bankroll: Fraction
    at: int
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    halted: bool = False
    breakers: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    recalls: dict[str, Fraction] = field(default_factory=dict)
    day: int | None = None
    day_began_with: Fraction = ZERO
    day_pnl: Fraction = ZERO
    seen: dict[str, Any] | None = None
    seen_at: int = 0
    gas_high_since: int | None = None
    doubtful: bool = False

    def __post_init__(self) -> None:
        self.contributed = self.bankroll
        self.units = self.bankroll
        self.peak = ONE

    # What follows from the books

    @property
    def equity(self) -> Fraction:
        return self.bankroll + sum((it.gain for it in self.held.values()), ZERO)

    @property
    def allocated(self) -> Fraction:
        return sum((it.cost for it in self.held.values()), ZERO)

    @property
    def drawdown(self) -> Fraction:
        return max(ZERO, 1 - self.equity / self.units / self.peak)

    def used(self, sleeve: str) -> Fraction:
        return sum((it.cost for it in self.held.values() if it.sleeve == sleeve), ZERO)

    def valued(self) -> None:
        """Profit, loss or a mark has moved the value of a unit."""
        self.peak = max(self.peak, self.equity / self.units)
        self.watch()

    def watch(self) -> None:
        limit = self.rules.get("max_drawdown_percent")
        if limit is None or self.halted:
            return
        self.doubtful = abs(self.drawdown - percent(limit)) < NEAR
        self.halted = self.drawdown > percent(limit)

    def flow(self, amount: Fraction) -> None:
        before = self.equity
        self.bankroll += amount
        self.contributed += amount
        self.units *= self.equity / before
        self.watch()

    def earn(self, net: Fraction) -> None:
        """Profit or loss that is booked, counted into its day."""
        self.bankroll += net
        number = self.at // DAY
        if self.day != number:
            self.day, self.day_began_with, self.day_pnl = number, self.equity - net, ZERO
        self.day_pnl += net
        limit = (self.rules.get("breakers") or {}).get("daily_loss_percent")
        if limit is not None and -self.day_pnl > percent(limit) * self.day_began_with:
            self.breakers.setdefault("daily_loss", self.at)
        self.valued()

    # The market

    def stale(self) -> bool:
        if self.rules.get("risk") is None:
            return False
        return (
            self.seen is None or self.at - self.seen_at > self.rules["risk"]["stale_after_seconds"] * SECOND
        )

    def observe(self, seen: dict[str, Any]) -> None:
        self.seen, self.seen_at = seen, self.at
        above = (self.rules.get("breakers") or {}).get("gas_above_gwei")
        gas = seen.get("gas_price_gwei")
        if above is None or (gas is not None and gas <= above):
            self.gas_high_since = None
        elif gas is not None and self.gas_high_since is None:
            self.gas_high_since = self.at

    @property
    def factors(self) -> dict[str, Fraction]:
        return {name: exact(self.rules["risk"].get(name, factor)) for name, factor in FACTORS.items()}

    @property
    def lowest(self) -> Fraction:
        return min(self.factors.values())

    @property
    def gas(self) -> list[tuple[Fraction, Fraction]]:
        steps = self.rules["risk"].get("gas")
        return GAS if steps is None else [(exact(it["above"]), exact(it["multiplier"])) for it in steps]

    @property
    def lowest_gas(self) -> Fraction:
        return min((factor for _, factor in self.gas), default=ONE)

    def market(self) -> tuple[Fraction, Fraction]:
        """What the market makes of everything, and of what pays gas beside it."""
        if self.rules.get("risk") is None:
            return ONE, ONE
        if self.seen is None:
            return self.lowest, self.lowest_gas
        state, gas = self.seen.get("volatility_state"), self.seen.get("gas_price_gwei")
        factor = self.lowest if state is None else self.factors[state]
        if self.seen.get("circuit_breaker_triggered"):
            factor = ZERO
        if self.stale():
            factor = min(factor, self.lowest)
        paid = next((it for above, it in self.gas if gas is not None and gas > above), ONE)
        if gas is None or self.stale():
            paid = min(paid, self.lowest_gas)
        return factor, paid

    def factor(self, sleeve: dict[str, Any] | None) -> Fraction:
        if self.breakers:
            return ZERO
        market, gas = self.market()
        return market * gas if sleeve is not None and sleeve.get("pays_gas") else market

    @property
    def on_budgets(self) -> bool:
        return (self.rules.get("risk") or {}).get("volatility_acts_on", "budgets") == "budgets"

    # Sleeves

    def base(self) -> Fraction:
        profit = max(ZERO, self.equity - self.contributed)
        kept_out = {"full": ZERO, "half": profit / 2, "fixed": profit}[self.rules.get("compounding", "full")]
        return max(ZERO, down(self.equity - kept_out))

    def share(self, sleeve: dict[str, Any]) -> Fraction:
        return down(self.base() * percent(sleeve["percent"]))

    def enabled(self, sleeve: dict[str, Any]) -> bool:
        return sleeve["name"] not in self.paused and self.share(sleeve) >= exact(sleeve.get("minimum", 0))

    def budget(self, sleeve: dict[str, Any]) -> Fraction:
        if not self.enabled(sleeve):
            return ZERO
        factor = self.factor(sleeve) if self.on_budgets or self.breakers else ONE
        return down(min(self.share(sleeve), exact(sleeve.get("cap", 10**9))) * factor)

    def sleeve_of(self, strategy: str) -> dict[str, Any] | None:
        by_name = {it["name"]: it for it in self.rules["sleeves"]}
        return by_name.get(strategy, by_name.get(self.rules.get("default_sleeve", "")))

    # Commands

    def limits(self, sleeve: dict[str, Any]) -> dict[str, Fraction]:
        """What is left under every limit, in the order of precedence."""
        factor = ONE if self.on_budgets else self.factor(sleeve)
        total = self.equity * percent(self.rules["max_total_exposure_percent"])
        if self.breakers:
            total = ZERO
        elif self.on_budgets:
            total *= self.market()[0]
        market = self.equity * percent(self.rules["max_exposure_per_market_percent"]) * factor
        return {
            "insufficient_capital": self.bankroll - self.allocated,
            "total_limit_exceeded": down(total) - self.allocated,
            "sleeve_limit_exceeded": self.budget(sleeve) - self.used(sleeve["name"]),
            "market_limit_exceeded": down(market),
        }

    def request(self, market: str, amount: Fraction, strategy: str) -> tuple[str, Fraction]:
        sleeve = self.sleeve_of(strategy)
        if self.halted:
            return "halted", ZERO
        if sleeve is None:
            return "unknown_strategy", ZERO
        if not self.enabled(sleeve):
            return "strategy_disabled", ZERO
        if amount < 1:
            return "invalid_amount", ZERO
        if any(market == key[0] for key in self.held):
            return "already_allocated", ZERO
        limits = self.limits(sleeve)
        granted = min(amount, *limits.values())
        if granted < 1:
            # No room is no room, however far beyond its limit: ties go to the first in the order of precedence.
            return min(limits, key=lambda name: max(ZERO, limits[name])), ZERO
        self.held[market, strategy] = Held(sleeve["name"], granted)
        self.watch()
        return "success", granted

    def release(self, key: tuple[str, str], pnl: Fraction, part: Fraction | None = None) -> None:
        it = self.held.pop(key)
        rest = ZERO if part is None else it.cost - part
        if rest:
            mark = None if it.mark is None else down(it.mark * rest / it.cost)
            self.held[key] = replace(it, cost=rest, mark=mark)
        self.earn(pnl)

    def mark(self, key: tuple[str, str], value: Fraction) -> None:
        self.held[key] = replace(self.held[key], mark=value)
        self.valued()

    def resume(self) -> None:
        self.halted = False
        self.units, self.peak = self.equity, ONE

    def review(self) -> None:
        self._review_breakers()
        margin = 1 + percent(self.rules.get("resume_margin_percent", 0))
        self.paused = {
            it["name"]
            for it in self.rules["sleeves"]
            if self.share(it)
            < down(exact(it.get("minimum", 0)) * (margin if it["name"] in self.paused else 1))
        }
        over = {it["name"]: self.used(it["name"]) - self.budget(it) for it in self.rules["sleeves"]}
        self.recalls = {name: amount for name, amount in over.items() if amount > 0}

    def _review_breakers(self) -> None:
        rules = self.rules.get("breakers") or {}
        tripped = self.breakers.get("daily_loss")
        if tripped is not None and self.at // DAY > tripped // DAY:
            del self.breakers["daily_loss"]
        if rules.get("stale_data"):
            if self.stale():
                self.breakers.setdefault("stale_data", self.at)
            else:
                self.breakers.pop("stale_data", None)
        if rules.get("gas_above_gwei") is not None:
            since = self.gas_high_since
            if since is None:
                self.breakers.pop("gas", None)
            elif self.at - since >= rules["gas_for_seconds"] * SECOND:
                self.breakers.setdefault("gas", self.at)

    def change(self, rules: dict[str, Any]) -> None:
        self.rules = rules
        for key, it in self.held.items():
            sleeve = self.sleeve_of(key[1])
            self.held[key] = it if sleeve is None else replace(it, sleeve=sleeve["name"])
