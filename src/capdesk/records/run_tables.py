"""Runs: what was computed, from what, and the allocations that came of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from capdesk.records.tables import Base
from capdesk.records.types import Instant, Json, RowNumber


class RunRow(Base):
    """A run; the last of a kind for a day is marked, and nothing is ever deleted."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "uq_runs_latest",
            "kind",
            "day",
            unique=True,
            sqlite_where=text("latest"),
            postgresql_where=text("latest"),
        ),
    )

    run: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    kind: Mapped[str]
    day: Mapped[dt.date]
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    latest: Mapped[bool]
    hash: Mapped[str]
    inputs: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    balances: Mapped[Any] = mapped_column(Json)
    prices: Mapped[Any] = mapped_column(Json)
    versions: Mapped[Any] = mapped_column(Json)
    solver: Mapped[str]
    objective: Mapped[float | None]
    bound: Mapped[float | None]
    gap: Mapped[float | None]
    decision: Mapped[Any] = mapped_column(Json)
    result: Mapped[Any] = mapped_column(Json)


class ParametersRow(Base):
    """The parameters of a run, and the lists as they stood."""

    __tablename__ = "allocation_parameters"

    run: Mapped[int] = mapped_column(ForeignKey("runs.run"), primary_key=True)
    parameters: Mapped[Any] = mapped_column(Json)
    approved_tokens: Mapped[Any] = mapped_column(Json)
    blacklisted_tokens: Mapped[Any] = mapped_column(Json)
    approved_protocols: Mapped[Any] = mapped_column(Json)
    icebox_tokens: Mapped[Any] = mapped_column(Json)


class AllocationRow(Base):
    """What a run put into a pool, or gave an asset.

    A name is no reference to `pools`: a run carries its own snapshot and outlives what it was
    made of.
    """

    __tablename__ = "asset_allocations"

    run: Mapped[int] = mapped_column(ForeignKey("runs.run"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[float]
    amount: Mapped[int | None]


class DetailRow(Base):
    """What a run put into one token of one pool, with what it was computed from and costs."""

    __tablename__ = "asset_allocation_details"

    run: Mapped[int] = mapped_column(ForeignKey("runs.run"), primary_key=True)
    pool_id: Mapped[str] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    weight: Mapped[float]
    apy: Mapped[float]
    tvl: Mapped[int]
    gas: Mapped[int]
    conversion_cost: Mapped[int]
    group: Mapped[int | None]
    shadow_price: Mapped[float | None]
