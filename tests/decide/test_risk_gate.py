"""The risk gate's table, cell by cell; its steps at their boundaries; what it makes of a market that is not seen."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from capdesk.config import CapitalConfig, RiskConfig
from capdesk.decide.risk.gate import (
    assess,
    budget_multiplier,
    is_stale,
    lowest_multiplier,
    market_limit_multiplier,
    market_multiplier,
    sleeve_multiplier,
    why,
)
from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM
from capdesk.model.rules import Breaker, MarketState, Risk, RiskTable
from capdesk.model.state import State
from tests.desks import ROOMY, START, sleeve

STATES = {"low": "1", "medium": "0.8", "high": "0.6", "extreme": "0.3"}
GAS = {0: "1", 20: "1", 50: "1", "50.000001": "0.9", 75: "0.9", 100: "0.9", "100.000001": "0.7", 500: "0.7"}
AGE = 3600 * 1_000_000


def table(**rules: Any) -> RiskTable:
    return RiskConfig(**rules).compiled()


def gwei(price: object) -> int:
    return int(Fraction(str(price)) * PPM)


def risk(rules: RiskTable | None = None, **seen: Any) -> Risk:
    return assess(rules or table(), MarketState(**seen), START, pays_gas=True)


def desk_state(seen: Risk | None, acts_on: str = "budgets", **rules: Any) -> State:
    """A state whose market was seen at START."""
    state = State()
    state.mandate = CapitalConfig(
        **ROOMY,
        sleeves=[sleeve("payer", 50, pays_gas=True), sleeve("other", 50)],
        risk={"volatility_acts_on": acts_on, **rules},
    ).mandate()
    if seen is not None:
        state.risk = seen
    return state


@pytest.mark.parametrize("volatility", STATES)
@pytest.mark.parametrize("gas", GAS)
def test_every_cell_of_the_table(volatility: str, gas: object) -> None:
    seen = risk(volatility_state=volatility, gas_price=gwei(gas))
    state = desk_state(seen)
    payer, other = state.mandate.sleeves

    assert Fraction(seen.market_ppm, PPM) == Fraction(STATES[volatility])
    assert Fraction(seen.gas_ppm, PPM) == Fraction(GAS[gas])
    assert Fraction(sleeve_multiplier(state, payer, START), PPM) == Fraction(STATES[volatility]) * Fraction(
        GAS[gas]
    )
    assert Fraction(sleeve_multiplier(state, other, START), PPM) == Fraction(STATES[volatility])


@pytest.mark.parametrize("volatility", STATES)
def test_a_breaker_is_zero_whatever_else_is_seen(volatility: str) -> None:
    seen = risk(volatility_state=volatility, gas_price=gwei(20), breaker=True)

    assert seen.market_ppm == 0
    assert "breaker" in seen.reason


def test_a_breaker_needs_no_volatility() -> None:
    assert risk(breaker=True).market_ppm == 0


def test_a_figure_is_read_by_the_thresholds_and_a_state_beats_it() -> None:
    assert risk(volatility_ppm=900_000).market_ppm == 600_000
    assert risk(volatility_state="low", volatility_ppm=900_000).market_ppm == PPM


@pytest.mark.parametrize(
    ("correlation", "factor"),
    [(None, 0.5), (0.5, 1), ("0.500001", 0.8), (0.9, 0.8), ("0.900001", 0.5), (-1, 1)],
)
def test_correlation_steps_scale_at_their_boundaries(correlation: object, factor: float) -> None:
    rules = table(correlation=[{"above": 0.5, "multiplier": 0.8}, {"above": 0.9, "multiplier": 0.5}])
    seen = risk(
        rules,
        volatility_state="medium",
        correlation_ppm=None if correlation is None else gwei(correlation),
    )

    assert seen.market_ppm == 800_000 * Fraction(str(factor))
    assert seen.base_ppm == 800_000
    assert ("mean correlation" in seen.reason) == (factor < 1)
    assert ("mean correlation is not known" in seen.reason) == (correlation is None)


def test_steps_may_stand_in_any_order() -> None:
    rules = table(
        gas=[
            {"above": 10, "multiplier": 0.9},
            {"above": 90, "multiplier": 0.2},
            {"above": 40, "multiplier": 0.5},
        ]
    )

    assert [risk(rules, volatility_state="low", gas_price=gwei(it)).gas_ppm for it in (9, 11, 41, 91)] == [
        PPM,
        900_000,
        500_000,
        200_000,
    ]


def test_the_reason_names_each_factor_once() -> None:
    rules = table(correlation=[{"above": 0.5, "multiplier": 0.8}])
    seen = risk(rules, volatility_state="high", correlation_ppm=600_000, gas_price=gwei(75))

    assert seen.reason == (
        "volatility high: x 0.6; mean correlation above 0.5: x 0.8; gas price in gwei above 50: x 0.9"
    )


def test_an_unknown_state_is_named() -> None:
    with pytest.raises(InvalidInput, match="must be one of low, medium, high, extreme, got 'calm'"):
        risk(volatility_state="calm")


@pytest.mark.parametrize("rules", [{}, {"mode": "target"}, {"low": 0.2}, {"high": "0.05"}])
def test_a_volatility_that_is_not_known_fails_closed_and_says_so(rules: dict[str, Any]) -> None:
    seen = risk(table(**rules))

    assert seen.market_ppm == lowest_multiplier(table(**rules))
    assert seen.market_ppm == min(300_000, int(Fraction(str(rules.get("low", rules.get("high", 1)))) * PPM))
    assert "the volatility is not known" in seen.reason


def test_a_market_that_was_never_seen_fails_closed_and_says_so() -> None:
    state = desk_state(None)

    assert is_stale(state, START)
    assert market_multiplier(state, START) == 300_000
    assert why(state, START) == (
        "the market state is missing or stale: x 0.3, the lowest of the table; x 0.7 more where gas is paid"
    )


def test_a_market_that_was_never_seen_fails_closed_though_no_state_ever_turns_stale() -> None:
    state = desk_state(None, stale_after_seconds=None)

    assert market_multiplier(state, START) == 300_000


def test_a_state_turns_stale_just_after_its_age() -> None:
    state = desk_state(risk(volatility_state="low"))

    assert market_multiplier(state, START + AGE) == PPM
    assert market_multiplier(state, START + AGE + 1) == 300_000
    assert "missing or stale: x 0.3" in why(state, START + AGE + 1)


@pytest.mark.parametrize(
    ("seen", "worst"),
    [
        ({"breaker": True}, 0),
        ({"volatility_state": "extreme", "correlation_ppm": 950_000}, 60_000),
        ({"volatility_state": "low", "correlation_ppm": 0}, 60_000),
    ],
)
def test_a_state_that_turns_stale_frees_nothing(seen: dict[str, Any], worst: int) -> None:
    steps = [{"above": 0.9, "multiplier": 0.2}]
    state = desk_state(risk(table(correlation=steps), **seen), correlation=steps)
    fresh = market_multiplier(state, START)

    assert market_multiplier(state, START + AGE + 1) == worst <= fresh


def test_a_stale_state_never_turns_stale_where_no_age_is_set() -> None:
    state = desk_state(risk(volatility_state="medium"), stale_after_seconds=None)

    assert market_multiplier(state, START + 10_000 * AGE) == 800_000


def test_the_multiplier_acts_on_the_budgets_or_on_the_market_limits_never_on_both() -> None:
    seen = risk(volatility_state="high", gas_price=gwei(75))
    for acts_on, budgets, limits in (("budgets", 600_000, PPM), ("market_limits", PPM, 600_000)):
        state = desk_state(seen, acts_on)
        payer, other = state.mandate.sleeves
        assert budget_multiplier(state, START) == budgets
        assert market_limit_multiplier(state, other, START) == limits
        assert market_limit_multiplier(state, None, START) == limits
        assert market_limit_multiplier(state, payer, START) == (PPM if limits == PPM else 540_000)


def test_a_tripped_breaker_stops_all_budgets_wherever_volatility_acts() -> None:
    for acts_on in ("budgets", "market_limits"):
        state = desk_state(risk(volatility_state="low"), acts_on)
        state.breakers["manual"] = Breaker("manual", START, "a rumour")
        assert budget_multiplier(state, START) == 0
        assert sleeve_multiplier(state, state.mandate.sleeves[1], START) == 0
        assert why(state, START) == "x 0: a rumour"


def test_without_a_table_nothing_is_scaled() -> None:
    state = State()

    assert market_multiplier(state, START) == PPM
    assert budget_multiplier(state, START) == PPM
    assert not is_stale(state, START)
    assert why(state, START) == ""


def test_a_gas_price_that_is_not_known_fails_closed_for_the_sleeves_that_pay_it_and_says_so() -> None:
    seen = risk(volatility_state="low")
    payer, other = desk_state(seen).mandate.sleeves

    assert sleeve_multiplier(desk_state(seen), payer, START) == 700_000
    assert sleeve_multiplier(desk_state(seen), other, START) == PPM
    assert seen.reason.endswith("the gas price in gwei is not known: x 0.7, the lowest step")


def test_a_gas_price_that_is_stale_or_was_never_seen_fails_closed() -> None:
    calm, dear = (risk(volatility_state="low", gas_price=gwei(price)) for price in (20, 150))
    payer, other = desk_state(calm).mandate.sleeves

    assert sleeve_multiplier(desk_state(calm), payer, START) == PPM
    assert sleeve_multiplier(desk_state(calm), payer, START + AGE + 1) == 210_000
    assert sleeve_multiplier(desk_state(dear), payer, START + AGE + 1) == 210_000
    assert sleeve_multiplier(desk_state(None), payer, START) == 210_000
    assert sleeve_multiplier(desk_state(None), other, START) == 300_000


def test_where_nobody_pays_gas_its_price_is_of_no_matter_and_not_spoken_of() -> None:
    for price in (None, gwei(150)):
        seen = assess(table(), MarketState(volatility_state="low", gas_price=price), START, pays_gas=False)
        assert (seen.gas_ppm, seen.reason) == (PPM, "volatility low: x 1")


def test_without_gas_steps_an_unknown_price_scales_nothing() -> None:
    assert risk(table(gas=[]), volatility_state="low").gas_ppm == PPM
