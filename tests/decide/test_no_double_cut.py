"""No sequence of market states makes a factor act twice.

The budget in force is computed again from the last state alone, in fractions: multiplier x
min(base x percent, cap). A full-size grant on an empty desk is the least of the named limits,
and each factor stands in exactly one of them: in the budgets and the total, or in the market's.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capdesk.decide.review import current_budgets
from capdesk.model import commands as c
from capdesk.model.journal import MarketObserved
from capdesk.model.mandate import DAY
from capdesk.model.money import PPM
from capdesk.model.requests import Granted, Refused, Request
from capdesk.model.rules import MarketState
from tests.desks import HOUR, ROOMY, Fold, sleeve

STALE_AFTER = 2 * HOUR
FACTORS = {
    "low": Fraction(1),
    "medium": Fraction(4, 5),
    "high": Fraction(3, 5),
    "extreme": Fraction(3, 10),
}
LOWEST = Fraction(3, 10)
GAS = [(100, Fraction(7, 10)), (50, Fraction(9, 10))]
CORRELATION = [(Fraction(9, 10), Fraction(1, 2)), (Fraction(1, 2), Fraction(4, 5))]

CONFIG: dict[str, Any] = {
    **ROOMY,
    "max_total_exposure_percent": 90,
    "max_exposure_per_market_percent": 40,
    "max_exposure_per_market_absolute": 333,
    "sleeves": [
        sleeve("maker", 50, cap=400, pays_gas=True),
        sleeve("taker", 30, minimum=5),
        sleeve("idle", 10, cap=20, minimum=10, pays_gas=True),
    ],
    "breakers": {"gas_above_gwei": 80, "gas_for_seconds": 3600},
}
RISK: dict[str, Any] = {
    "stale_after_seconds": 7200,
    "correlation": [{"above": "0.5", "multiplier": "0.8"}, {"above": "0.9", "multiplier": "0.5"}],
    "max_daily_change": 1,
    "hysteresis": 0,
}

worlds = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["table", "target"]),
        "volatility_acts_on": st.sampled_from(["budgets", "market_limits"]),
    }
)
observations = st.fixed_dictionaries(
    {},
    optional={
        "volatility_state": st.sampled_from(sorted(FACTORS)),
        "volatility_ppm": st.integers(0, 2_000_000),
        "gas_price": st.sampled_from([0, 50, 51, 80, 81, 100, 101, 300]).map(lambda gwei: gwei * PPM),
        "correlation_ppm": st.sampled_from([0, 500_000, 500_001, 900_001]),
        "breaker": st.booleans(),
    },
)
steps = st.lists(
    st.tuples(
        observations | st.sampled_from(["review", "trip", "lift", "gain", "loss"]),
        # A day apart the daily limit of mode "target" cannot bind; an hour apart nothing is stale.
        st.sampled_from([DAY, DAY + HOUR, 2 * DAY]),
        st.sampled_from([0, HOUR, STALE_AFTER, STALE_AFTER + 1]),
    ),
    min_size=1,
    max_size=12,
)


def ppm(value: Fraction) -> Fraction:
    """What a mandate holds of a factor: millionths, rounded down."""
    return Fraction(floor(value * PPM), PPM)


def above(steps: list[tuple[Any, Fraction]], figure: Any) -> Fraction:
    """The factor of the highest step that a figure is above; the lowest of all where it is not known."""
    if figure is None:
        return min(factor for _, factor in steps)
    return next((factor for least, factor in steps if figure > least), Fraction(1))


CLOSED = LOWEST * above(CORRELATION, None)
"""While nothing of the market is known."""


class Gate:
    """The multiplier by the last state alone."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.market, self.gas, self.at = CLOSED, above(GAS, None), None
        self.base: Fraction | None = None

    def volatility(self, seen: dict[str, Any]) -> Fraction:
        figure = seen.get("volatility_ppm")
        if self.mode == "target":
            if figure is None:
                return LOWEST if self.base is None else min(LOWEST, self.base)
            return ppm(min(Fraction(1), Fraction(200_000, max(figure, 1))))
        state = seen.get("volatility_state")
        if state is None and figure is not None:
            state = ["low", "medium", "high", "extreme"][
                sum(figure > it for it in (500_000, 800_000, 1_200_000))
            ]
        return LOWEST if state is None else FACTORS[state]

    def see(self, seen: dict[str, Any], at: int) -> None:
        gas = seen.get("gas_price")
        correlation = seen.get("correlation_ppm")
        self.gas = above(GAS, None if gas is None else Fraction(gas, PPM))
        if seen.get("breaker"):
            self.market = Fraction(0)
            self.base = LOWEST if self.base is None else self.base
        else:
            self.base = self.volatility(seen)
            self.market = ppm(
                self.base * above(CORRELATION, None if correlation is None else Fraction(correlation, PPM))
            )
        self.at = at

    def factors(self, at: int, *, stopped: bool) -> tuple[Fraction, Fraction]:
        """What scales everything, and what scales those that pay gas."""
        if stopped:
            return Fraction(0), Fraction(0)
        market, gas = self.market, self.gas
        if self.at is None or at - self.at > STALE_AFTER:
            market, gas = min(market, CLOSED), min(gas, above(GAS, None))
        return market, ppm(market * gas)


def check_budgets(desk: Fold, gate: Gate, at: int, *, on_budgets: bool) -> dict[str, Fraction]:
    stopped = desk.state.breakers.any()
    market, paid = gate.factors(at, stopped=stopped)
    found = {}
    for budget, rule in zip(current_budgets(desk.state, at), CONFIG["sleeves"], strict=True):
        share = Fraction(floor(Fraction(max(0, desk.state.equity) * rule["percent"], 100)))
        before = min(share, Fraction(rule.get("cap", 10**9) * PPM))
        factor = paid if rule.get("pays_gas") else market
        if not on_budgets and not stopped:
            factor = Fraction(1)
        enabled = before >= rule.get("minimum", 0) * PPM and rule["name"] not in desk.state.paused
        expected = floor(before * factor) if enabled else 0
        assert (budget.enabled, budget.amount) == (enabled, expected), rule["name"]
        found[rule["name"]] = Fraction(expected)
    return found


def check_grants(desk: Fold, gate: Gate, budgets: dict[str, Fraction], at: int, *, on_budgets: bool) -> None:
    equity = Fraction(max(0, desk.state.equity))
    stopped = desk.state.breakers.any()
    market, paid = gate.factors(at, stopped=stopped)
    for rule in CONFIG["sleeves"]:
        limits = {"available": Fraction(desk.state.bankroll), f"sleeve:{rule['name']}": budgets[rule["name"]]}
        limits["total"] = Fraction(floor(equity * Fraction(9, 10) * (market if on_budgets or stopped else 1)))
        factor = Fraction(1) if on_budgets else paid if rule.get("pays_gas") else market
        limits["market_percent"] = Fraction(floor(equity * Fraction(2, 5) * factor))
        limits["market_absolute"] = Fraction(floor(333 * PPM * factor))
        asked = int(equity) + 10 * PPM
        outcome = ask(desk, rule["name"], asked, at)
        if isinstance(outcome, Refused) and not outcome.rooms:
            assert outcome.code == "strategy_disabled"
            continue
        assert {room.name: max(0, room.limit) for room in outcome.rooms} == limits
        granted = outcome.amount if isinstance(outcome, Granted) else 0
        assert granted == min(limits.values())


def ask(desk: Fold, strategy: str, asked: int, at: int) -> Granted | Refused:
    """What an empty desk would answer; nothing is kept."""
    from capdesk.decide.transition import decide

    (outcome,) = decide(desk.state.fork(), Request("a market", asked, strategy), "", at)
    assert isinstance(outcome, Granted | Refused)
    return outcome


@settings(max_examples=300, deadline=None)
@given(world=worlds, steps=steps)
def test_each_factor_enters_once_and_in_one_place(
    world: dict[str, Any], steps: list[tuple[Any, int, int]]
) -> None:
    desk, gate = Fold({**CONFIG, "risk": {**RISK, **world}}, 1_000 * PPM), Gate(world["mode"])
    on_budgets = world["volatility_acts_on"] == "budgets"
    for step, wait, later in steps:
        at = desk.at + wait
        if isinstance(step, dict):
            events = desk.do(c.Observe(MarketState(**step)), wait / 1e6)
            assert any(isinstance(event, MarketObserved) for event in events)
            gate.see(step, at)
        else:
            desk.tried(COMMANDS[step], wait / 1e6)
        for moment in (at, at + later):
            budgets = check_budgets(desk, gate, moment, on_budgets=on_budgets)
            check_grants(desk, gate, budgets, moment, on_budgets=on_budgets)


COMMANDS: dict[str, c.Command] = {
    "review": c.Review(),
    "trip": c.TripBreaker("by hand"),
    "lift": c.LiftBreaker("by hand"),
    "gain": c.SyncWallet(2_345_678_901),
    "loss": c.SyncWallet(12_345_678),
}


def test_the_five_factors_at_once_are_each_there_once() -> None:
    desk = Fold({**CONFIG, "risk": RISK}, 1_000 * PPM)
    desk.do(c.Observe(MarketState(volatility_state="high", gas_price=75 * PPM, correlation_ppm=600_000)), 60)
    budget = current_budgets(desk.state, desk.at)[0]

    # 400 (the cap) x 0.6 (volatility) x 0.8 (correlation) x 0.9 (gas)
    assert budget.amount == 172_800_000
    outcome = ask(desk, "maker", 10**9, desk.at)
    assert isinstance(outcome, Granted)
    assert (outcome.amount, outcome.bound_by) == (172_800_000, "sleeve:maker")
