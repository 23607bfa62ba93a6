"""The real part of the demo: the markets of a day, their outcomes, and the bitcoin price as it was seen."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate, pairwise
from math import log, sqrt
from typing import Literal

Side = Literal["up", "down"]

TABLE = "btc_5m_markets_2026-07-24.csv"
SECONDS_BEFORE_CLOSE = (240, 180, 120, 90, 60, 45, 30, 20, 15, 10, 5, 1)
RETURN_SECONDS = 300
"""The length of the returns that the market's volatility is measured by: a market's own."""
PRICE_AGE_SECONDS = 60
"""A price older than this is not seen any more."""
WARM_UP_PRICES = 24
"""Prices of the day that must have been seen before a volatility is quoted: two whole markets of them."""


@dataclass(frozen=True, slots=True)
class Market:
    """One "up or down in five minutes" market.

    Attributes
    ----------
    opens_at, closes_at
        Unix seconds, UTC.
    strike
        The bitcoin price at the open in USD, None where the record lacks it.
    outcome
        The side that won, None where the venue has not said.
    prices
        ``(seconds before the close, USD)`` in the order of time, without those the feed missed.
    """

    name: str
    opens_at: int
    closes_at: int
    strike: float | None
    outcome: Side | None
    prices: tuple[tuple[int, float], ...]

    @property
    def gap(self) -> str | None:
        """What the record of this market lacks, or None if it is whole.

        The rule is strict on purpose: whoever left out only the markets in which a bot would have
        missed a price would trade some of them in part, and every figure would need a footnote.
        """
        if self.outcome is None:
            return "not resolved"
        if self.strike is None:
            return "no strike"
        return "prices missing" if len(self.prices) < len(SECONDS_BEFORE_CLOSE) else None

    def seen(self, seconds_left: int) -> tuple[tuple[int, float], ...]:
        """The prices known when `seconds_left` seconds are left: none that came later."""
        return tuple(each for each in self.prices if each[0] >= seconds_left)


@dataclass(frozen=True, slots=True)
class Tape:
    """The bitcoin price over the day, to estimate volatility from what has been seen so far.

    Attributes
    ----------
    times
        Unix seconds, ascending.
    prices
        USD at each time.
    variation
        The realised variation up to each time: the sum of squared log returns.
    """

    times: tuple[int, ...]
    prices: tuple[float, ...]
    variation: tuple[float, ...]

    @classmethod
    def of(cls, markets: Iterable[Market]) -> Tape:
        """Join the prices of all markets; those of markets with gaps are real prices too."""
        seen = sorted((m.closes_at - before, price) for m in markets for before, price in m.prices)
        squares = (log(later / earlier) ** 2 for (_, earlier), (_, later) in pairwise(seen))
        variation = tuple(accumulate(squares, initial=0.0))[: len(seen)]
        return cls(tuple(at for at, _ in seen), tuple(price for _, price in seen), variation)

    def price(self, now: int) -> float | None:
        """The price last seen at `now`; None where the feed has been silent for too long."""
        known = bisect_right(self.times, now)
        fresh = known > 0 and now - self.times[known - 1] <= PRICE_AGE_SECONDS
        return self.prices[known - 1] if fresh else None

    def returns(self, now: int) -> tuple[float, ...]:
        """Log returns from one five-minute boundary to the next up to `now`, where both were seen."""
        first = -(-self.times[0] // RETURN_SECONDS) * RETURN_SECONDS
        prices = [self.price(at) for at in range(first, now + 1, RETURN_SECONDS)]
        return tuple(log(later / earlier) for earlier, later in pairwise(prices) if earlier and later)

    def volatility(self, now: int) -> float | None:
        """Realised volatility of the day up to `now`, per square root of a second; None while too little is known.

        Of the windows from fifteen minutes up, the whole day so far describes these markets best.
        """
        known = bisect_right(self.times, now)
        if known < WARM_UP_PRICES:
            return None
        return sqrt(self.variation[known - 1] / (self.times[known - 1] - self.times[0]))


def read_markets(lines: Iterable[str]) -> tuple[Market, ...]:
    """Read the markets of a table with the columns that `data/SOURCES.md` describes."""
    return tuple(_market(row) for row in csv.DictReader(lines))


def load_markets() -> tuple[Market, ...]:
    """Read the day that the package carries: 292 markets."""
    table = files("capdesk.study.demo").joinpath("data", TABLE)
    return read_markets(table.read_text(encoding="utf-8").splitlines())


def _market(row: dict[str, str]) -> Market:
    prices = ((before, row[f"spot_{before}s_before_close"]) for before in SECONDS_BEFORE_CLOSE)
    resolved = row["resolved"] == "True"
    return Market(
        name=row["market"],
        opens_at=int(row["opens_at"]),
        closes_at=int(row["closes_at"]),
        strike=float(row["strike_usd"]) if row["strike_usd"] else None,
        outcome=_side(row["outcome"]) if resolved else None,
        prices=tuple((before, float(price)) for before, price in prices if price),
    )


def _side(text: str) -> Side:
    if text == "up":
        return "up"
    if text == "down":
        return "down"
    raise ValueError(f"outcome must be up or down, got {text!r}")
