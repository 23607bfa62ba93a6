"""The universe: pools, their tokens and days, prices, gas, and what accounts hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from capdesk.records.types import Exact, Json

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The tables of the planning records; dollars are micro-units in 63 bits."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {int: BigInteger, float: Double, Decimal: Exact}  # noqa: RUF012


class TokenRow(Base):
    """A token: its chain and address, and the currency it is pegged to."""

    __tablename__ = "tokens"

    token_id: Mapped[str] = mapped_column(primary_key=True)
    chain: Mapped[str]
    symbol: Mapped[str] = mapped_column(index=True)
    address: Mapped[str | None]
    peg: Mapped[str | None]
    decimals: Mapped[int | None]


class PoolRow(Base):
    """A pool, as its source names it."""

    __tablename__ = "pools"

    pool_id: Mapped[str] = mapped_column(primary_key=True)
    chain: Mapped[str]
    project: Mapped[str]
    symbol: Mapped[str]
    il_risk: Mapped[bool]
    stablecoin: Mapped[bool]
    exposure: Mapped[str]
    reward_tokens: Mapped[Any] = mapped_column(Json, nullable=True)


class PoolTokenRow(Base):
    """Which tokens a pool holds, in its own order."""

    __tablename__ = "pool_tokens"

    pool_id: Mapped[str] = mapped_column(ForeignKey("pools.pool_id"), primary_key=True)
    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.token_id"), primary_key=True)
    position: Mapped[int]


class PoolDayRow(Base):
    """A pool's day, and what was forecast from it."""

    __tablename__ = "pool_daily_metrics"

    pool_id: Mapped[str] = mapped_column(ForeignKey("pools.pool_id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True, index=True)
    tvl: Mapped[int]
    apy: Mapped[float]
    apy_base: Mapped[float | None]
    apy_reward: Mapped[float | None]
    apy_30d_avg: Mapped[float | None]
    mu: Mapped[float | None]
    sigma: Mapped[float | None]
    observations: Mapped[int | None]
    outlier: Mapped[bool]
    liquidity: Mapped[int | None]
    forecasted_apy: Mapped[float | None]
    forecasted_tvl: Mapped[int | None]
    forecast_error: Mapped[float | None]
    naive_error: Mapped[float | None]


class PriceRow(Base):
    """What one of a token was worth on a day, in dollars."""

    __tablename__ = "token_prices"

    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.token_id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    usd: Mapped[Decimal]


class GasRow(Base):
    """What a unit of gas cost on a chain on a day."""

    __tablename__ = "gas_prices"

    chain: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    gwei: Mapped[Decimal]


class BalanceRow(Base):
    """What an account held of a token on a day: in a pool, or in its wallet, which is the pool ``""``."""

    __tablename__ = "daily_ledger"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.token_id"), primary_key=True)
    pool_id: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]
