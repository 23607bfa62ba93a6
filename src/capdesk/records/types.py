"""Column types that mean the same on SQLite and PostgreSQL: exact numbers, instants, JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

Json = JSON().with_variant(JSONB(), "postgresql")
RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""Numbers rows by itself; SQLite does that for a column of just this type only."""


class Exact(TypeDecorator[Decimal]):
    """A decimal of any precision: NUMERIC, and text on SQLite, whose numbers are floats."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type on a database."""
        return dialect.type_descriptor(String(80) if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write a number, without needless zeros, so that equal numbers are written alike."""
        if value is None:
            return None
        plain = format(value, "f")
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return plain if dialect.name == "sqlite" else Decimal(plain)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Read a number."""
        try:
            return None if value is None else Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{value!r} is no number") from None


class Instant(TypeDecorator[dt.datetime]):
    """A moment in UTC, to the microsecond; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Write a moment, which must tell its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment must tell its zone, got {value.isoformat()}")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Read a moment."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
