"""The price model, held against closed forms and exact fractions."""

from fractions import Fraction
from math import exp, sqrt

import pytest

from capdesk.model.money import Amount
from capdesk.study.demo.bots import sight
from capdesk.study.demo.pricing import ask_cents, on_the_book, share_cost_micro, taker_fee_micro


@pytest.mark.parametrize(
    ("distance", "expected"),
    # Quantiles of the standard normal distribution.
    [
        (0, 0.5),
        (1, 0.8413447460685429),
        (1.959963984540054, 0.975),
        (-1.2815515655446004, 0.1),
        (3, 0.9986501019683699),
    ],
)
@pytest.mark.parametrize("seconds_left", [5, 240])
def test_fair_value_is_the_normal_probability_of_ending_above_the_strike(
    distance: float, expected: float, seconds_left: int
):
    volatility, strike = 5e-5, 65_000.0
    price = strike * exp(distance * volatility * sqrt(seconds_left))
    looked = sight("m", ((seconds_left, price),), strike, volatility, Amount(200))
    assert looked.fair("up") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("price", [99.95, 100.0, 100.03])
def test_fair_values_of_both_sides_make_a_dollar(price: float):
    looked = sight("m", ((60, price),), 100.0, 1e-4, Amount(200))
    assert looked.fair("up") + looked.fair("down") == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("cents", range(1, 100))
def test_fee_is_seven_hundredths_of_p_times_one_minus_p_exactly(cents: int):
    p = Fraction(cents, 100)
    assert Fraction(taker_fee_micro(cents), 10**6) == Fraction(7, 100) * p * (1 - p)


def test_a_share_costs_its_price_and_the_fee():
    assert share_cost_micro(50) == 500_000 + 17_500


@pytest.mark.parametrize(
    ("fair", "cents"),
    [(0.5, 51), (0.505, 51), (0.5051, 52), (0.62, 63), (0.0, 1), (1.0, 99), (0.985, 99)],
)
def test_quote_is_half_a_cent_over_fair_value_rounded_up_to_a_cent(fair: float, cents: int):
    assert ask_cents(fair) == cents


def test_the_venue_trades_from_one_to_ninety_nine_cents():
    assert [on_the_book(cents) for cents in (-1, 0, 1, 50, 99, 100)] == [1, 1, 1, 50, 99, 99]
