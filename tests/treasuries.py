"""A small treasury for tests: three pools of a day or more, approved, in records of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from capdesk.model.lists import APPROVED_PROTOCOLS, APPROVED_TOKENS
from capdesk.model.market_rows import Balance, PoolDay, PoolFacts, Price
from capdesk.model.tokens import Token
from capdesk.records import Records

DAY = dt.date(2026, 2, 16)
USDC = Token("Ethereum", "USDC", "0x" + "a" * 40, "USD")
USDT = Token("Ethereum", "USDT", "0x" + "b" * 40, "USD")
COIN = Token("Ethereum", "ETH", "native")
POOLS = (
    PoolFacts("aave-usdc", "Ethereum", "aave-v3", "USDC", (USDC,)),
    PoolFacts("spark-usdc", "Ethereum", "sparklend", "USDC", (USDC,)),
    PoolFacts("aave-usdt", "Ethereum", "aave-v3", "USDT", (USDT,)),
)
TVL = {"aave-usdc": 100_000_000, "spark-usdc": 50_000_000, "aave-usdt": 80_000_000}
APY = {"aave-usdc": 4.0, "spark-usdc": 5.0, "aave-usdt": 6.0}


def days(count: int = 1, last: dt.date = DAY) -> list[dt.date]:
    """So many days in a row up to the last."""
    return [last - dt.timedelta(days=number) for number in reversed(range(count))]


def figures(day: dt.date, pools: Iterable[str] = TVL) -> list[PoolDay]:
    """The pools on a day."""
    return [PoolDay(pool, day, tvl=TVL[pool] * 1_000_000, apy=APY[pool]) for pool in pools]


def prices(day: dt.date, usdc: str = "1", usdt: str = "1") -> list[Price]:
    """What the two coins closed at."""
    return [Price(day, USDC, Decimal(usdc)), Price(day, USDT, Decimal(usdt))]


def balance(amount: str, token: Token = USDC, pool: str | None = None, day: dt.date = DAY) -> Balance:
    """What the account `vault` holds."""
    return Balance(day, "vault", token, Decimal(amount), pool)


def furnish(path: Path | str, count: int = 1) -> Records:
    """Records with the pools on so many days; both coins and both protocols are approved."""
    records = Records(path, create=True)
    records.write(POOLS)
    for day in days(count):
        records.write(figures(day))
    begin = dt.datetime.combine(days(count)[0], dt.time(), dt.UTC)
    records.add(APPROVED_TOKENS, [USDC.token_id, USDT.token_id], "sound", begin)
    records.add(APPROVED_PROTOCOLS, ["aave-v3", "sparklend"], "audited", begin)
    return records
