"""Amounts: exact, read from what people write, and refusing what is no sum of money."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.model.errors import InvalidInput
from capdesk.model.money import MAX_MICRO, Amount, to_micro, to_micro_down, to_nano, usd

NO_NUMBERS = [
    True,
    False,
    float("nan"),
    float("inf"),
    float("-inf"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    "NaN",
    "inf",
    "",
    "  ",
    "ten",
    "1,000",
    "0x10",
    "1e1000000",
    "1e-1000000",
    None,
    [],
    b"1",
    1j,
    10**5_000,
    "9" * 10_000,
]

WRITTEN = st.decimals(-(10**12), 10**12, places=6)
PLAIN = WRITTEN.map(lambda number: number.quantize(Decimal("0.000001")))


@pytest.mark.parametrize(
    "value", NO_NUMBERS, ids=[f"{type(value).__name__}{i}" for i, value in enumerate(NO_NUMBERS)]
)
def test_what_is_no_sum_of_money_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        to_micro(value, "requested_amount")
    assert str(caught.value).startswith("requested_amount must ")
    assert len(str(caught.value)) < 500
    with pytest.raises(InvalidInput):
        Amount(value)


@pytest.mark.parametrize("text", ["0." + "0" * 100_000 + "1", "1" + "0" * 100_000])
def test_absurdly_long_numbers_are_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Amount(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("other", [True, float("nan"), float("inf"), Decimal("NaN"), "ten"])
@pytest.mark.parametrize("operator", ["__add__", "__radd__", "__sub__", "__mul__", "__truediv__", "__mod__"])
def test_arithmetic_refuses_what_is_no_number(other: Any, operator: str) -> None:
    with pytest.raises(InvalidInput):
        getattr(Amount(1), operator)(other)


@pytest.mark.parametrize("other", [None, [1], {}, 1j, object()])
def test_arithmetic_with_other_types_is_a_type_error(other: Any) -> None:
    with pytest.raises(TypeError):
        Amount(1) + other


def test_floats_are_read_through_their_repr() -> None:
    assert Amount(0.1) + 0.2 == Amount("0.3")
    assert 0.1 + Amount(0.2) == 0.3
    assert Amount(1) - 0.9 == Amount("0.1")
    assert str(Amount(5e-7)) == f"{Amount(5e-7)}" == "0.0000005"


@pytest.mark.parametrize(
    "number", [Amount(2), Amount("2.0"), Amount(2.0), Amount(Decimal(2)), Amount(Amount(2))]
)
def test_all_spellings_of_a_number_are_equal(number: Amount) -> None:
    assert number == 2 == Amount(2)
    assert hash(number) == hash(Amount(2)) == hash(2)


def test_results_are_amounts_whatever_the_other_side_is() -> None:
    results = [
        Amount(6) + 1,
        1 + Amount(6),
        Decimal(1) + Amount(6),
        Amount(6) - 1.5,
        10 - Amount(6),
        Amount(6) * "1.5",
        0.5 * Amount(6),
        Amount(6) / 4,
        9 / Amount(6),
        Amount(7) // 2,
        7 // Amount(2),
        Amount(7) % 2,
        7 % Amount(2),
        -Amount(1),
        +Amount(1),
        abs(Amount(-1)),
        round(Amount("2.675"), 2),
        sum([Amount(1), Amount(2)]),
        Amount(2) ** 3,
    ]
    assert [type(result) for result in results] == [Amount] * len(results)
    assert results[:9] == [7, 7, 7, 4.5, 4, 9, 3, 1.5, 1.5]
    assert results[9:13] == [3, 3, 1, 1]
    assert results[16] == 2.68


def test_divmod_takes_floats_like_every_other_operator() -> None:
    assert divmod(Amount(1), 0.3) == (3, Amount("0.1"))


def test_division_by_zero_is_named() -> None:
    with pytest.raises(ZeroDivisionError, match="5 divided by 0"):
        Amount(5) / 0


def test_a_sum_that_is_not_exact_is_refused() -> None:
    tiny = Amount("1e-40") ** 70
    with pytest.raises(InvalidInput, match="cannot be combined exactly"):
        Amount("1e40") + tiny


@pytest.mark.parametrize(
    ("spec", "text"),
    [(".2f", "1234.57"), (",.2f", "1,234.57"), ("+.1f", "+1234.6"), (">10.1f", "    1234.6")],
)
def test_formats_like_a_number(spec: str, text: str) -> None:
    assert format(Amount("1234.567"), spec) == text


def test_text_of_an_amount_is_what_was_written() -> None:
    assert str(Amount("10.50")) == "10.50"
    assert repr(Amount("10.50")) == "Amount('10.50')"
    assert f"{Amount('10.50')}" == "10.50"


@pytest.mark.parametrize("other", [3, 3.0, "3", Decimal(3)])
def test_compares_with_every_number(other: Any) -> None:
    number = Amount(other)
    assert number < Amount(4)
    if not isinstance(other, str):
        assert Amount(2) < other <= Amount(3) <= other < Amount(4)
        assert other > Amount(2)
        assert number == other


def test_comparison_with_a_float_is_of_its_repr() -> None:
    assert Amount("0.1") == 0.1
    assert not Amount("0.1") < 0.1
    assert Amount("0.30000000000000004") == 0.1 + 0.2


def test_writes_as_json_text() -> None:
    assert json.dumps({"amount": Amount("10.5")}, default=str) == '{"amount": "10.5"}'


@pytest.mark.parametrize("text", ["0", "-3.5", "1e-40", "9223372036854.775807"])
def test_pickles_and_copies(text: str) -> None:
    number = Amount(text)
    for again in (pickle.loads(pickle.dumps(number)), copy.copy(number), copy.deepcopy(number)):
        assert (again, type(again), str(again)) == (number, Amount, str(number))


def test_zero_has_no_sign() -> None:
    assert str(-Amount(0)) == "0"


def test_huge_exponents_do_not_cost_time_or_memory() -> None:
    # Written out, this number would have a million digits, and its micro-units would not end.
    for text in ("1e1000000", "1e-1000000", "-1e999999999"):
        with pytest.raises(InvalidInput):
            Amount(text)
    with pytest.raises(InvalidInput):
        Amount(Decimal("1e1000000"))


@pytest.mark.parametrize("value", [2**63, "9223372036854.775808", "1e13", -(10**13), 1e13, Decimal("1e40")])
def test_more_than_the_ledger_holds_is_refused_with_the_bound(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"amount must be at most 9223372036854 in size"):
        to_micro(value)


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_largest_sum_is_held(sign: str) -> None:
    assert abs(to_micro(f"{sign}9223372036854.775807")) == MAX_MICRO


@pytest.mark.parametrize(
    ("text", "down", "even"),
    [
        ("0.0000005", 0, 0),
        ("0.0000015", 1, 2),
        ("0.0000025", 2, 2),
        ("0.00000251", 2, 3),
        ("-0.0000005", -1, 0),
        ("-0.0000015", -2, -2),
        ("1.9999999", 1_999_999, 2_000_000),
    ],
)
def test_rounding_is_down_for_requests_and_half_even_for_pnl(text: str, down: int, even: int) -> None:
    assert to_micro_down(text) == down
    assert to_micro(text) == even
    assert Amount(text).micro == even


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (56_877_600, "$56.88"),
        (1_234_567_890_000, "$1,234,567.89"),
        (-5_000_000, "-$5.00"),
        (0, "$0.00"),
        (1_500, "$0.0015"),
        (-1, "-$0.000001"),
    ],
)
def test_people_are_shown_two_decimals(micro: int, text: str) -> None:
    assert usd(micro) == text


@given(st.integers(-MAX_MICRO, MAX_MICRO))
def test_micro_units_come_back_unchanged(micro: int) -> None:
    assert Amount.from_micro(micro).micro == micro
    assert to_micro_down(Amount.from_micro(micro)) == micro


@given(st.integers(-MAX_MICRO, MAX_MICRO))
def test_billionths_come_back_unchanged_and_are_written_plainly(nano: int) -> None:
    weight = Amount.from_nano(nano)
    assert to_nano(weight) == nano
    assert Fraction(str(weight)) == Fraction(nano, 10**9)
    assert "E" not in str(weight)
    assert not ("." in str(weight) and str(weight).endswith("0"))


@given(st.floats(-1e9, 1e9).filter(lambda weight: not 0 < abs(weight) < 1e-30))
def test_a_weight_is_read_as_it_is_written(weight: float) -> None:
    exact = Fraction(float.__repr__(weight)) * 10**9
    assert to_nano(weight, rounding=ROUND_FLOOR) == floor(exact)
    assert to_nano(weight, rounding=ROUND_CEILING) == ceil(exact)


def test_a_weight_beyond_what_is_held_is_refused() -> None:
    with pytest.raises(InvalidInput, match="the cap must be at most 9223372036 in size"):
        to_nano("1e10", "the cap")


@given(st.integers(-MAX_MICRO, MAX_MICRO))
def test_amount_of_micro_units_is_written_plainly(micro: int) -> None:
    text = str(Amount.from_micro(micro))
    assert "E" not in text
    assert Fraction(text) == Fraction(micro, 10**6)
    assert not ("." in text and text.endswith("0"))


@given(PLAIN, PLAIN)
def test_sums_and_products_are_exact(one: Decimal, other: Decimal) -> None:
    a, b = Amount(one), Amount(other)
    assert Fraction(a + b) == Fraction(one) + Fraction(other)
    assert Fraction(a - b) == Fraction(one) - Fraction(other)
    assert Fraction(a * b) == Fraction(one) * Fraction(other)


@given(PLAIN, PLAIN.filter(bool))
def test_quotients_are_right_to_fifty_digits(one: Decimal, other: Decimal) -> None:
    exact = Fraction(one) / Fraction(other)
    assert abs(Fraction(Amount(one) / other) - exact) <= abs(exact) * Fraction(1, 10**49)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_every_float_is_what_python_writes_for_it(number: float) -> None:
    if 0 < abs(number) < 1e-40:
        return
    assert Fraction(Amount(number)) == Fraction(repr(number))
    assert Amount(number) == number


@given(st.fractions(-(10**6), 10**6), st.sampled_from([ROUND_FLOOR, "ROUND_HALF_EVEN"]))
def test_rounding_agrees_with_fractions(number: Fraction, rounding: str) -> None:
    decimal = Decimal(number.numerator) / number.denominator
    scaled = Fraction(decimal) * 10**6
    expected = scaled.__floor__() if rounding == ROUND_FLOOR else round(scaled)
    assert to_micro(decimal, rounding=rounding) == expected
