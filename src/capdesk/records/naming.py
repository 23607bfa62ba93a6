"""The lists: put a name on one, take it off, and see what was on them at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, insert, or_, select, update

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.lists import APPROVED_PROTOCOLS, LIST_NAMES, Listed, Lists
from capdesk.model.tokens import read_token_id
from capdesk.records.list_tables import TABLES


class Stay(Struct, frozen=True):
    """A name's stay on a list; it is still there while `removed_at` is None."""

    name: str
    added_at: dt.datetime
    added_reason: str
    removed_at: dt.datetime | None
    removed_reason: str | None


def add(connection: Connection, which: str, names: Iterable[str], at: dt.datetime, reason: str) -> list[str]:
    """Put names on a list; those that are on it at that time already stay as they are.

    A name that came later gets the time before as a stay of its own, which ends where it came.

    Returns
    -------
    list of str
        The names that are new on it, a token's id in the one way of writing it.

    Raises
    ------
    InvalidInput
        If a name is no token's id, or the time is before the name left the list.
    """
    table = _table(which)
    _check_reason(reason)
    names = _spelled(which, names)
    _check_zone(at)
    new: list[str] = []
    for name in dict.fromkeys(names):
        came, left = _last_stay(connection, table, name)
        if came is not None and came <= at:
            continue
        if left is not None and at < left:
            raise InvalidInput(f"{name} left this list at {left.isoformat()}: it cannot come back before")
        until = None if came is None else {"removed_at": came, "removed_reason": "on the list from then on"}
        connection.execute(insert(table).values(name=name, added_at=at, added_reason=reason, **(until or {})))
        new.append(name)
    return new


def remove(
    connection: Connection, which: str, names: Iterable[str], at: dt.datetime, reason: str
) -> list[str]:
    """Take names off a list; the row stays, with when and why.

    Returns
    -------
    list of str
        The names that were on it.

    Raises
    ------
    InvalidInput
        If the time is before the name was added.
    """
    table = _table(which)
    _check_reason(reason)
    _check_zone(at)
    gone = []
    for name in dict.fromkeys(_spelled(which, names)):
        here = (table.name == name, table.removed_at.is_(None))
        added_at = connection.scalar(select(table.added_at).where(*here))
        if added_at is None:
            continue
        if at < added_at:
            raise InvalidInput(
                f"{name} was added to {which} at {added_at.isoformat()}: it cannot leave before"
            )
        connection.execute(update(table).where(*here).values(removed_at=at, removed_reason=reason))
        gone.append(name)
    return gone


def as_of(connection: Connection, at: dt.datetime) -> Lists:
    """The four lists as they stood at a time."""
    _check_zone(at)
    return Lists(*(_names(connection, which, at) for which in LIST_NAMES))


def stays(connection: Connection, which: str) -> list[Stay]:
    """Every stay on a list, oldest first."""
    table = _table(which)
    columns = (getattr(table, name) for name in Stay.__struct_fields__)
    return [Stay(*row) for row in connection.execute(select(*columns).order_by(table.added_at, table.entry))]


def _names(connection: Connection, which: str, at: dt.datetime) -> tuple[Listed, ...]:
    table = TABLES[which]
    query = select(table.name, table.added_at, table.added_reason).where(
        table.added_at <= at, or_(table.removed_at.is_(None), table.removed_at > at)
    )
    return tuple(sorted((Listed(*row) for row in connection.execute(query)), key=lambda each: each.name))


def _table(which: str) -> Any:
    if which not in TABLES:
        raise InvalidInput(f"there is no list {which!r}: choose one of {', '.join(LIST_NAMES)}")
    return TABLES[which]


def _spelled(which: str, names: Iterable[str]) -> list[str]:
    """Names as they are looked up: a token that is written in another way would never be found."""
    if isinstance(names, str):
        raise InvalidInput(f"names must be several, got the text {names!r}: put it in a list")
    found = [name.strip() for name in names]
    if not all(name and letters.is_visible(name) for name in found):
        raise InvalidInput(f"a name must be of printable characters that can be seen, got {found!a}")
    if which == APPROVED_PROTOCOLS:
        return found
    return [read_token_id(name) if ":" in name else name for name in found]


def _check_zone(at: dt.datetime) -> None:
    if at.tzinfo is None:
        raise InvalidInput(f"a time must tell its zone, got {at.isoformat()}")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("a reason must be told: whoever reads the list later wants to know why")


def _last_stay(
    connection: Connection, table: Any, name: str
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Since when a name has been on a list, None where it is not; and when it last left it before that."""
    rows = select(table.added_at, table.removed_at).where(table.name == name)
    came = None
    for added_at, removed_at in connection.execute(rows.order_by(table.added_at.desc(), table.entry.desc())):
        if removed_at is not None and removed_at != came:
            return came, removed_at
        came = added_at
    return came, None
