"""The lists: a row for each time that a name was on one, and why it came and went."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from capdesk.model import lists
from capdesk.records.tables import Base
from capdesk.records.types import Instant, RowNumber


class ListRow:
    """A name's stay on a list; it is there until `removed_at`."""

    __tablename__: str

    entry: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    name: Mapped[str]
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    added_reason: Mapped[str]
    removed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    removed_reason: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        """A name is on a list once at a time."""
        there = text("removed_at IS NULL")
        return (
            Index(
                f"uq_{cls.__tablename__}_there",
                "name",
                unique=True,
                sqlite_where=there,
                postgresql_where=there,
            ),
        )


class ApprovedToken(ListRow, Base):
    """Tokens that may be held."""

    __tablename__ = lists.APPROVED_TOKENS


class BlacklistedToken(ListRow, Base):
    """Tokens that may not be held, whatever else is said."""

    __tablename__ = lists.BLACKLISTED_TOKENS


class ApprovedProtocol(ListRow, Base):
    """Protocols that may be used."""

    __tablename__ = lists.APPROVED_PROTOCOLS


class IceboxToken(ListRow, Base):
    """Tokens that are held back until they are at their peg again."""

    __tablename__ = lists.ICEBOX_TOKENS


TABLES: dict[str, type[ApprovedToken | BlacklistedToken | ApprovedProtocol | IceboxToken]] = {
    each.__tablename__: each for each in (ApprovedToken, BlacklistedToken, ApprovedProtocol, IceboxToken)
}
