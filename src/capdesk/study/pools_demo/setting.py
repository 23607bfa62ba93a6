"""What the pools demo is set up with: the real table, the lists, the costs, the treasury's limits.

The pools, their rates and sizes are real (DefiLlama, February 2026). What moving money
costs is a model, and the output says so: Ethereum's gas at 1 gwei, as its daily average
was at the end of October 2025, other chains at cents, four basis points a swap.
"""

from __future__ import annotations

import csv
import datetime as dt
from contextlib import AbstractContextManager
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path

from capdesk import sources
from capdesk.model.lists import APPROVED_PROTOCOLS, APPROVED_TOKENS, BLACKLISTED_TOKENS
from capdesk.model.market_rows import PoolFacts, Price
from capdesk.model.pool_parameters import ChainCosts, PoolParameters
from capdesk.model.tokens import Token
from capdesk.records import Records

TREASURY_USD = 10_000_000
HOME = "ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
"""Where the treasury begins: USDC on Ethereum."""

COINS = frozenset(("USDC", "USDT", "USDT0", "DAI", "RLUSD", "FRAX", "LUSD"))
PROTOCOLS = (
    "aave-v3",
    "benqi-lending",
    "compound-v3",
    "euler-v2",
    "moonwell-lending",
    "spark-savings",
    "sparklend",
)
BRIDGED = (
    "arbitrum:0xff970a61a04b1ca14834a43f5de4533ebddb5cc8",
    "optimism:0x7f5c764cbc14f9669b88837ca1490cca17c31607",
    "polygon:0x2791bca1f2de4661ed88a30c99a7a9449aa84174",
)
"""Called USDC by their pools, and not Circle's own."""

COST_NOTE = (
    "Rates and sizes are real. Costs are a model: gas at 1 gwei and $2,500 an ether on Ethereum, 5 cents a "
    "transaction elsewhere, 0.04 % a swap, 0.05 % and a day a bridge. Our own deposit dilutes a pool's rate by "
    "V / (V + x)."
)

_DATA = files("capdesk.study.pools_demo") / "data"
_OTHER_CHAINS = 0.05
_FIRST_PEG_DAY = dt.date(2023, 3, 7)


def parameters() -> PoolParameters:
    """The default limits for $10M over many safe pools, with the costs and the margin of a treasury.

    What staying nets and what a new plan nets are forecasts of 30 days, which move by more than
    2 % from one day to the next; a smaller advantage is no reason to pay for moving.
    """
    return PoolParameters(
        reallocation_margin=0.02,
        group_room="cascade",
        chains={"ethereum": ChainCosts(gas_gwei=1.0, native_price_usd=2_500.0)},
        swap_gas_usd=_OTHER_CHAINS,
        deposit_gas_usd=_OTHER_CHAINS,
        withdraw_gas_usd=_OTHER_CHAINS,
        bridge_gas_usd=0.5,
        bridge_days=1.0,
        minimum_move_usd=1_000.0,
    )


def furnish(records: Records) -> list[dt.date]:
    """Import the real table and set up the lists; gives its days."""
    with sources_file() as path:
        found = sources.read(sources.open_source("pools", str(path), {}, dt.date(2026, 2, 16)))
    records.write(found.rows)
    history = records.history()
    days = sorted({each.day for each in history})
    begin = dt.datetime.combine(days[0], dt.time(), dt.UTC)
    tokens = [
        each for each in records.tokens().values() if each.symbol in COINS and each.token_id not in BRIDGED
    ]
    records.add(APPROVED_TOKENS, sorted(each.token_id for each in tokens), "a large dollar coin", begin)
    records.add(BLACKLISTED_TOKENS, BRIDGED, "bridged: not the issuer's own coin", begin)
    records.add(APPROVED_PROTOCOLS, PROTOCOLS, "audited, with years of history", begin)
    return days


def sources_file() -> AbstractContextManager[Path]:
    """The real table as a file."""
    return as_file(_DATA / "stable_pools_2026-02.csv.gz")


def depeg_prices(days: list[dt.date], pools: dict[str, PoolFacts]) -> list[Price]:
    """USDC's real prices of March 2023, laid over the days of the demo, for every USDC on every chain."""
    with (_DATA / "usdc_2023-03.csv").open() as file:
        closes = {dt.date.fromisoformat(row["date"]): row["close"] for row in csv.DictReader(file)}
    coins: dict[str, Token] = {
        token.token_id: token for pool in pools.values() for token in pool.tokens if token.symbol == "USDC"
    }
    prices: list[Price] = []
    last = (days[-1] - days[0]).days
    for number in range(last + 1):
        close = Decimal(closes[_FIRST_PEG_DAY + dt.timedelta(days=number)])
        prices += [Price(days[0] + dt.timedelta(days=number), coin, close) for coin in coins.values()]
    return prices
