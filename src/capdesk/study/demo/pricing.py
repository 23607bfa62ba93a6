"""The modelled part of the demo: what a share costs.

The record has no order book, so the price paid is a model: the fair value of a digital
option, half a spread, the venue's tick and its fee. Prices are whole cents, one cent being
the tick; everything that is money is an integer of micro-dollars, so no cent is lost.
"""

from __future__ import annotations

from math import ceil, erfc, log, sqrt

SHARE_MICRO = 1_000_000
"""A share pays one dollar or nothing."""
CENT_MICRO = 10_000
HALF_SPREAD = 0.005
MIN_CENTS, MAX_CENTS = 1, 99


def deviations(price: float, strike: float, volatility: float, seconds_left: float) -> float:
    """How many standard deviations of the move still to come the price stands above the strike.

    Parameters
    ----------
    price, strike
        USD.
    volatility
        Standard deviation of the log price per square root of a second.
    seconds_left
        Seconds to the close, above zero.
    """
    return log(price / strike) / (volatility * sqrt(seconds_left))


def probability(z: float) -> float:
    """The chance to end above a strike that is `z` standard deviations below: the fair value of an "up" share.

    A share is a digital option; this is its value in dollars without drift or interest.

    References
    ----------
    Black and Scholes 1973 with r = 0; the term sigma^2 t / 2, some 10^-7 here, is left out.
    """
    return erfc(-z / sqrt(2)) / 2


def ask_cents(fair: float) -> int:
    """What a buyer is quoted for a share that is worth `fair` dollars, in cents.

    Half a spread is added and the sum rounded up to the venue's tick, which is a cent; the venue
    trades from 1 to 99 cents.
    """
    # Rounded first, so that 0.505 is not lifted a cent by its last binary digit.
    return on_the_book(ceil(round((fair + HALF_SPREAD) * 100, 9)))


def on_the_book(cents: int) -> int:
    """The price in cents at which the venue trades, nearest to what is given."""
    return min(max(cents, MIN_CENTS), MAX_CENTS)


def taker_fee_micro(cents: int) -> int:
    """The venue's fee on one share bought at `cents`: 0.07 p (1 - p) dollars, exactly."""
    return 7 * cents * (100 - cents)


def share_cost_micro(cents: int) -> int:
    """What one share takes out of the bankroll: its price and the fee."""
    return cents * CENT_MICRO + taker_fee_micro(cents)
