"""The demo's table: what is real, what is missing, and that volatility looks back only."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import log, sqrt

import pytest

from capdesk.study.demo.markets import SECONDS_BEFORE_CLOSE, Market, Tape, load_markets, read_markets

HEADER = ",".join(
    (
        "market,opens_at,closes_at,strike_usd,resolved,outcome",
        *(f"spot_{before}s_before_close" for before in SECONDS_BEFORE_CLOSE),
    )
)


def row(
    strike: str = "100", resolved: str = "True", outcome: str = "up", prices: str = "100," * 11 + "100"
) -> Market:
    return read_markets([HEADER, f"m,0,300,{strike},{resolved},{outcome},{prices}"])[0]


def test_the_package_carries_the_whole_day_without_holes_between_markets():
    markets = load_markets()
    assert len(markets) == 292
    assert all(later.opens_at == earlier.closes_at for earlier, later in pairwise(markets))


def test_every_market_with_a_gap_is_named_with_what_it_lacks():
    gaps = {market.name: market.gap for market in load_markets() if market.gap}
    assert Counter(gaps.values()) == {"no strike": 18, "prices missing": 37}
    assert gaps["btc-updown-5m-1784853300"] == "no strike"
    assert gaps["btc-updown-5m-1784852100"] == "prices missing"


@pytest.mark.parametrize(
    ("market", "gap"),
    [
        (row(), None),
        (row(strike=""), "no strike"),
        (row(prices="," * 11), "prices missing"),
        (row(prices="100," * 11), "prices missing"),
        (row(resolved="False"), "not resolved"),
    ],
)
def test_a_market_is_whole_only_with_strike_outcome_and_all_prices(market: Market, gap: str | None):
    assert market.gap == gap


def test_an_outcome_that_is_neither_up_nor_down_is_refused():
    with pytest.raises(ValueError, match="up or down, got 'sideways'"):
        row(outcome="sideways")


@pytest.mark.parametrize("now", SECONDS_BEFORE_CLOSE)
def test_only_prices_up_to_the_moment_are_seen(now: int):
    market = next(market for market in load_markets() if not market.gap)
    assert [before for before, _ in market.seen(now)] == [
        each for each in SECONDS_BEFORE_CLOSE if each >= now
    ]


def test_volatility_is_the_realised_volatility_of_the_day_so_far():
    market = row(prices=",".join(f"{100 + 0.01 * (number % 2)}" for number in range(12)))
    markets = [replace(market, closes_at=300 * (number + 1)) for number in range(3)]
    at, moves = 900 - 1, 35
    expected = sqrt(moves * log(100.01 / 100) ** 2 / (at - (300 - 240)))
    assert Tape.of(markets).volatility(at) == pytest.approx(expected, rel=1e-12)


def test_volatility_is_not_quoted_before_two_markets_were_seen():
    markets = [market for market in load_markets() if not market.gap][:3]
    tape = Tape.of(markets)
    assert tape.volatility(markets[1].closes_at - 2) is None
    assert tape.volatility(markets[1].closes_at - 1) is not None


def test_volatility_does_not_know_later_prices():
    markets = load_markets()
    now = markets[100].closes_at
    assert Tape.of(markets).volatility(now) == Tape.of(markets[:101]).volatility(now)
    assert Tape.of(markets).volatility(now + 3600) != Tape.of(markets[:101]).volatility(now + 3600)
