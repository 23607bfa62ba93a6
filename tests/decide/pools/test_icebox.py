"""The icebox, on the real prices of the coins that left their peg in 2022 and 2023."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from capdesk.decide.pools.icebox import Iced, IceRules, PegDay, icebox, iced_on
from capdesk.model.errors import InvalidInput

PRICES = Path(__file__).parent / "data" / "depegs.csv"


def coin(name: str, begin: str = "", end: str = "9999") -> list[PegDay]:
    with PRICES.open(newline="") as file:
        return [
            PegDay(dt.date.fromisoformat(row["date"]), float(row["close"]))
            for row in csv.DictReader(file)
            if row["coin"] == name and begin <= row["date"] <= end
        ]


def days(*closes: float, lows: tuple[float | None, ...] | None = None) -> list[PegDay]:
    first = dt.date(2026, 1, 1)
    lowest = lows or (None,) * len(closes)
    return [
        PegDay(first + dt.timedelta(days=number), close, low)
        for number, (close, low) in enumerate(zip(closes, lowest, strict=True))
    ]


def test_usdc_is_iced_on_its_black_saturday_and_back_after_a_week_at_its_peg() -> None:
    (stay,) = icebox(coin("USDC"))
    assert (stay.since, stay.until) == (dt.date(2023, 3, 11), dt.date(2023, 3, 18))
    assert stay.reason == "closed at 0.9611 of its peg on 2023-03-11"


def test_terra_usd_is_iced_on_its_first_broken_day_and_never_comes_back() -> None:
    (stay,) = icebox(coin("UST"))
    assert (stay.since, stay.until) == (dt.date(2022, 5, 8), None)


def test_busd_stayed_within_a_percent_and_is_never_iced() -> None:
    assert icebox(coin("BUSD")) == []


def test_what_was_not_known_yet_ices_nothing() -> None:
    assert iced_on(coin("USDC"), dt.date(2023, 3, 10)) is None
    assert iced_on(coin("USDC"), dt.date(2023, 3, 17)) == Iced(
        dt.date(2023, 3, 11), "closed at 0.9611 of its peg on 2023-03-11"
    )
    assert iced_on(coin("USDC"), dt.date(2023, 3, 18)) is None


@pytest.mark.parametrize(("close", "iced"), [(0.99, True), (0.9901, False), (1.05, False)])
def test_one_percent_below_at_the_close_ices_and_above_the_peg_does_not(close: float, iced: bool) -> None:
    assert bool(icebox(days(1.0, close))) is iced


def test_two_percent_below_within_the_day_ices_on_the_second_day_in_a_row() -> None:
    (stay,) = icebox(days(1.0, 1.0, 1.0, lows=(0.98, 0.98, None)))
    assert stay.since == dt.date(2026, 1, 2)
    assert icebox(days(1.0, 1.0, 1.0, lows=(0.98, None, 0.98))) == []


def test_a_day_off_the_peg_begins_the_wait_anew() -> None:
    rules = IceRules(return_days=3)
    (stay,) = icebox(days(0.98, 1.0, 1.0, 0.985, 1.0, 1.0, 1.0), rules)
    assert stay.until == dt.date(2026, 1, 7)


def test_a_missing_day_counts_for_nothing() -> None:
    prices = [day for day in days(0.97, 1, 1, 1, 1) if day.day.day != 3]
    (stay,) = icebox(prices, IceRules(return_days=3))
    assert stay.until is None


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -0.5])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    day = dt.date(2026, 2, 16)
    with pytest.raises(InvalidInput, match="close of 2026-02-16 must be a finite number from 0 on"):
        icebox([PegDay(day, price)])
    with pytest.raises(InvalidInput, match="low of 2026-02-16 must be a finite number from 0 on"):
        icebox([PegDay(day, 1.0, price)])
