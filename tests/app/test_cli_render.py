"""How figures look to people and to programs."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from capdesk.app import render
from capdesk.app.commands.exits import ExitCode
from capdesk.model.money import Amount


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("1234.5", "$1,234.50"),
        ("56.8776", "$56.88"),
        ("-3.5", "-$3.50"),
        ("0.000001", "$0.000001"),
        ("-0.0025", "-$0.0025"),
        ("1000000", "$1,000,000.00"),
    ],
)
def test_money_is_shown_in_dollars_and_cents(amount: str, shown: str) -> None:
    assert render.money(Amount(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"), [("2", "[green]+$2.00[/]"), ("-2", "[red]-$2.00[/]"), ("0", "$0.00")]
)
def test_profit_and_loss_have_a_sign_and_a_colour(amount: str, shown: str) -> None:
    assert render.signed_money(Amount(amount)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0s"), (0.9, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (90_000, "1d")]
)
def test_a_length_of_time_is_shown_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert render.duration(seconds) == shown


@pytest.mark.parametrize(("count", "shown"), [(10, "10 bytes"), (2048, "2.0 KiB"), (5 * 2**30, "5.0 GiB")])
def test_a_size_is_shown_in_its_unit(count: int, shown: str) -> None:
    assert render.size(count) == shown


def test_a_time_is_shown_in_utc_and_its_day_once() -> None:
    moment = datetime(2026, 7, 24, 23, 30, tzinfo=timezone(timedelta(hours=2)))

    assert render.clock_time(moment) == "2026-07-24 21:30:00"
    assert render.clock_time(moment, relative_to=moment) == "21:30:00"
    assert render.clock_time(moment, relative_to=moment - timedelta(days=1)) == "2026-07-24 21:30:00"


def test_json_keeps_every_digit_and_never_an_exponent() -> None:
    assert render.plain({"a": Amount("0.000001"), "b": [Decimal("1E+3")]}) == {"a": "0.000001", "b": ["1000"]}


def test_json_has_times_in_utc_codes_and_paths_as_texts() -> None:
    assert render.plain((datetime(2026, 7, 24, tzinfo=UTC), ExitCode.REFUSED, Path("a/b"), True, None)) == [
        "2026-07-24T00:00:00Z",
        3,
        "a/b",
        True,
        None,
    ]


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        render.plain(object())


@pytest.mark.parametrize(("share", "filled"), [("0", 0), ("0.5", 5), ("1", 10), ("7", 10)])
def test_a_bar_is_as_full_as_its_share(share: str, filled: int) -> None:
    bar = render.bar(Decimal(share), 10)

    assert bar.count("━") == filled
    assert bar.count("─") == 10 - filled
    assert bar.index("[dim]") - bar.index("]") - len("[/]") - 1 == filled
