"""Mode ``target``: target over realised volatility, with hysteresis and a limit on its change a day, by closed form."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.config import RiskConfig
from capdesk.decide.risk.gate import assess
from capdesk.model.mandate import DAY
from capdesk.model.money import PPM
from capdesk.model.rules import MarketState, Risk
from tests.desks import START

TARGET, HYSTERESIS, A_DAY = Fraction(1, 5), Fraction(1, 10), Fraction(1, 2)
TABLE = RiskConfig(mode="target").compiled()

steps = st.lists(
    st.tuples(
        st.integers(0, 5_000_000),
        st.integers(0, 3 * DAY),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([None, 400_000, 900_000]),
    ),
    min_size=1,
    max_size=25,
)


def seen(volatility: object, at: int, before: Risk | None = None, **more: object) -> Risk:
    ppm = None if volatility is None else int(Fraction(str(volatility)) * PPM)
    return assess(TABLE, MarketState(volatility_ppm=ppm, at=at, **more), at, before, pays_gas=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("realised", "multiplier"),
    [
        (0, 1),
        (0.1, 1),
        (0.2, 1),
        ("0.200001", "0.999995"),
        (0.25, 0.8),
        (0.4, 0.5),
        (2, 0.1),
        (0.3, "0.666666"),
    ],
)
def test_the_first_state_is_target_over_realised_and_never_above_one(
    realised: object, multiplier: object
) -> None:
    assert seen(realised, START).market_ppm == int(Fraction(str(multiplier)) * PPM)


def test_a_change_within_the_hysteresis_is_not_made() -> None:
    half = seen(0.4, START)

    # 0.2 / 0.37 = 0.5405 is 8.1 % from 0.5; 0.2 / 0.36 = 0.5555 is 11.1 % from it.
    assert seen(0.37, START + DAY, half).market_ppm == 500_000
    assert "within the hysteresis" in seen(0.37, START + DAY, half).reason
    assert seen(0.36, START + DAY, half).market_ppm == 555_555


def test_no_more_than_the_days_change_is_made_in_a_day() -> None:
    calm = seen(0.1, START)

    assert seen(2, START + DAY // 2, calm).market_ppm == 750_000
    assert seen(2, START + DAY, calm).market_ppm == 500_000
    assert seen(2, START + 2 * DAY, calm).market_ppm == 100_000
    assert seen(0.1, START + DAY // 10, seen(2, START)).market_ppm == 150_000


def test_other_factors_do_not_enter_the_next_step_again() -> None:
    steps = RiskConfig(mode="target", correlation=[{"above": 0.5, "multiplier": 0.5}]).compiled()  # type: ignore[list-item]
    before, risk = None, None
    for day in range(5):
        at = START + day * DAY
        risk = assess(
            steps,
            MarketState(volatility_ppm=400_000, correlation_ppm=600_000, at=at),
            at,
            before,
            pays_gas=False,
        )
        before = risk
    assert risk is not None
    assert (risk.base_ppm, risk.market_ppm) == (500_000, 250_000)


def test_a_breaker_between_two_states_moves_nothing() -> None:
    half = seen(0.4, START)
    stopped = seen(0.1, START + DAY, half, breaker=True)
    after = seen(0.4, START + 2 * DAY, stopped)

    assert (stopped.market_ppm, stopped.base_ppm) == (0, 500_000)
    assert after.market_ppm == 500_000


def test_a_first_state_that_is_a_breakers_leaves_the_gate_at_its_lowest() -> None:
    stopped = seen(0.1, START, breaker=True)

    assert stopped.base_ppm == 300_000
    assert seen(2, START + DAY // 10, stopped).market_ppm == 250_000


def test_a_volatility_that_is_not_known_is_never_more_permissive() -> None:
    tenth = seen(2, START)

    assert seen(None, START + DAY, tenth).market_ppm == 100_000
    assert seen(None, START + DAY, seen(0.1, START)).market_ppm == 300_000


@given(steps=steps)
def test_every_sequence_follows_the_closed_form(
    steps: list[tuple[int, int, bool, int | None]],
) -> None:
    before: Risk | None = None
    base, last, at = Fraction(1), None, START
    for realised, wait, breaker, correlation in steps:
        at += wait
        market = MarketState(volatility_ppm=realised, breaker=breaker, correlation_ppm=correlation, at=at)
        before = assess(TABLE, market, at, before, pays_gas=False)
        if breaker and last is None:
            base = Fraction(3, 10)
        elif not breaker:
            wanted = Fraction(1)
            if Fraction(realised, PPM) > TARGET:
                wanted = Fraction(floor(TARGET / Fraction(realised, PPM) * PPM), PPM)
            if last is None:
                base = wanted
            elif abs(wanted - base) >= HYSTERESIS * base:
                most = Fraction(floor(A_DAY * Fraction(at - last, DAY) * PPM), PPM)
                base = max(base - most, min(base + most, wanted))
        last = at
        assert Fraction(before.base_ppm, PPM) == base
        assert Fraction(before.market_ppm, PPM) == (0 if breaker else base)
        assert before.observed_at == at
