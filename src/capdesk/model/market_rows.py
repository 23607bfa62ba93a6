"""What sources tell and the planning records keep: a pool, its day, a balance, a price, gas.

A row that a source could not make sense of is a value too: `Rejected`. Whoever reads a
source says what was left out, and where to look for it.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.tokens import Token

LARGEST_APY = 1_000_000
"""Percent a year; what is above it is a broken figure. New pools do pay 100,000."""


MOST_FOR_A_DOLLAR, MOST_FOR_ANOTHER = 2, 4
"""Dollars for a coin that promises to be worth one, and for one that promises another currency."""


class PoolFacts(Struct, frozen=True):
    """What a pool is.

    Attributes
    ----------
    il_risk
        Whether it may lose to its own price moves (impermanent loss).
    stablecoin
        Whether all that is in it are stablecoins.
    exposure
        ``single`` or ``multi``: whether one asset's price acts on it.
    reward_tokens
        The ids of the tokens that its reward is paid in.
    """

    pool_id: str
    chain: str
    project: str
    symbol: str
    tokens: tuple[Token, ...]
    il_risk: bool = False
    stablecoin: bool = True
    exposure: str = "single"
    reward_tokens: tuple[str, ...] = ()


class PoolDay(Struct, frozen=True):
    """How a pool was on a day.

    Attributes
    ----------
    tvl
        Dollars that lie in it, in micro-units.
    apy
        Percent a year; `apy_base` and `apy_reward` are its parts, where they are told.
    apy_30d_avg, mu, sigma, observations
        The source's own longer history: mean of 30 days, mean and deviation of all, and of
        how many days.
    outlier
        Whether the source itself doubts the figure.
    liquidity
        Dollars that can be withdrawn, in micro-units; None where it is not told.
    """

    pool_id: str
    day: dt.date
    tvl: int
    apy: float
    apy_base: float | None = None
    apy_reward: float | None = None
    apy_30d_avg: float | None = None
    mu: float | None = None
    sigma: float | None = None
    observations: int | None = None
    outlier: bool = False
    liquidity: int | None = None


class Balance(Struct, frozen=True):
    """How much of a token an account holds on a day, in its wallet or in a pool."""

    day: dt.date
    account: str
    token: Token
    amount: Decimal
    pool_id: str | None = None


class Price(Struct, frozen=True):
    """What one of a token was worth on a day, in dollars."""

    day: dt.date
    token: Token
    usd: Decimal


class Gas(Struct, frozen=True):
    """What a unit of gas cost on a chain on a day, in gwei (10^-9 of its own coin)."""

    day: dt.date
    chain: str
    gwei: Decimal


Row = PoolFacts | PoolDay | Balance | Price | Gas


class Rejected(Struct, frozen=True):
    """A row that was left out.

    Attributes
    ----------
    row
        Where it stands: its number in the document, counted from 1.
    field, given, reason
        Which of its fields is wrong, what stands there, and what is allowed.
    """

    row: int
    field: str
    given: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.field}: {self.given} {self.reason}"


class BadField(InvalidInput):
    """A field of a row that cannot be accepted."""

    def __init__(self, field: str, given: object, reason: str) -> None:
        self.field, self.given, self.reason = field, _shown(given), reason
        super().__init__(f"{field}: {self.given} {reason}")

    def at(self, row: int) -> Rejected:
        """The same, as what is told about the row."""
        return Rejected(row, self.field, self.given, self.reason)


def check_apy(value: float, field: str = "apy") -> float:
    """An APY in percent a year.

    Raises
    ------
    BadField
        If nobody can lose or earn so much: below -100, above a million.
    """
    if not math.isfinite(value) or not -100 <= value <= LARGEST_APY:
        raise BadField(field, value, f"must lie between -100 and {LARGEST_APY:,} percent a year")
    return value


def check_price(usd: Decimal, token: Token, field: str = "usd") -> Decimal:
    """A price in dollars.

    Raises
    ------
    BadField
        If it is not above 0, or far above the peg of a coin that has one: 96 was meant as 0.96.
    """
    if not usd:
        raise BadField(field, usd, "must be above 0")
    most = MOST_FOR_A_DOLLAR if token.peg == "USD" else MOST_FOR_ANOTHER
    if token.peg is not None and usd > most:
        raise BadField(
            field,
            f"{usd:f}",
            f"is no price of {token.symbol or token.token_id}, which promises to be worth one {token.peg}: "
            f"at most {most} dollars are accepted",
        )
    return usd


def _shown(given: object) -> str:
    text = given if isinstance(given, str) and given.isprintable() else repr(given)
    text = text if text.strip() and given is not None else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."
