"""One field of a row, read or refused with its name: text, numbers, dates, tokens.

A row is a mapping as a table or a JSON document gives it; a column may go by several names,
for tables and DefiLlama's own documents call them differently.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import BadField, check_apy
from capdesk.model.money import read_decimal, to_micro

Record = Mapping[Any, Any]

LONGEST_WORD = 200
LARGEST_COUNT = 2**63 - 1
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


def find(record: Record, *names: str) -> tuple[str, Any]:
    """The first of the names that the row has, and what stands there; None for an empty cell."""
    for name in names:
        if name in record:
            value = record[name]
            if isinstance(value, str):
                value = value.strip() or None
            elif isinstance(value, float) and math.isnan(value):
                value = None
            return name, value
    return names[0], None


def check_shape(record: Record) -> None:
    """Refuse a row that has more cells than the heading of its table."""
    if None in record:
        raise BadField("row", str(record[None]), "stands beyond the last column")


def word(record: Record, *names: str) -> str:
    """A text that must be there."""
    name, value = find(record, *names)
    if not isinstance(value, str) or not is_plain(value):
        raise BadField(name, value, f"must be a text of at most {LONGEST_WORD} printable characters")
    return value


def chain(record: Record) -> str:
    """The name of a chain, which must be there; a colon would end it in a token's id, and a fake could look like it."""
    name = word(record, "chain")
    if ":" in name:
        raise BadField("chain", name, "must not have a colon")
    if not name.isascii():
        raise BadField("chain", ascii(name), "must be of ASCII characters: others only look like them")
    return name


def is_plain(text: str) -> bool:
    """Whether a text can stand in a table and on a terminal: nothing that cannot be seen, not too long."""
    return letters.is_visible(text) and len(text) <= LONGEST_WORD


def maybe_number(record: Record, *names: str) -> float | None:
    """A finite number, or None for an empty cell."""
    name, value = find(record, *names)
    return None if value is None else float(_decimal(name, value))


def number(record: Record, *names: str) -> float:
    """A finite number that must be there."""
    name, value = find(record, *names)
    return float(_decimal(name, value))


def maybe_apy(record: Record, *names: str) -> float | None:
    """Percent a year, or None for an empty cell."""
    name, value = find(record, *names)
    return None if value is None else check_apy(float(_decimal(name, value)), name)


def apy(record: Record, *names: str) -> float:
    """Percent a year, which must be there."""
    name, value = find(record, *names)
    return check_apy(float(_decimal(name, value)), name)


def decimal(record: Record, *names: str) -> Decimal:
    """An exact number that must be there, 0 or more."""
    name, value = find(record, *names)
    found = _decimal(name, value)
    if found < 0:
        raise BadField(name, value, "must not be negative")
    return found


def dollars(record: Record, *names: str) -> int:
    """Dollars in micro-units, which must be there, 0 or more."""
    name, value = find(record, *names)
    _decimal(name, value)
    try:
        micro = to_micro(value, name)
    except InvalidInput as error:
        raise BadField(name, value, str(error).removeprefix(f"{name} ")) from None
    if micro < 0:
        raise BadField(name, value, "must not be negative")
    return micro


def maybe_dollars(record: Record, *names: str) -> int | None:
    """Dollars in micro-units, 0 or more; None for an empty cell."""
    _, value = find(record, *names)
    return None if value is None else dollars(record, *names)


def maybe_count(record: Record, *names: str) -> int | None:
    """A whole number, 0 or more; None for an empty cell."""
    name, value = find(record, *names)
    if value is None:
        return None
    found = _decimal(name, value)
    if not 0 <= found <= LARGEST_COUNT or found != found.to_integral_value():
        raise BadField(name, value, f"must be a whole number from 0 to {LARGEST_COUNT:,}")
    return int(found)


def flag(record: Record, *names: str, default: bool) -> bool:
    """Yes or no; an absent column is the default."""
    name, value = find(record, *names)
    if value is None:
        return default
    text = str(value).casefold()
    if text not in (*_TRUE, *_FALSE):
        raise BadField(name, value, "must be true or false, yes or no")
    return text in _TRUE


def day(record: Record, *names: str) -> dt.date:
    """A date: 2026-02-16, or a time of that day in UTC; at most tomorrow, for clocks and zones differ."""
    name, value = find(record, *names)
    found = _day(name, value)
    latest = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    if found > latest:
        raise BadField(name, value, f"is still to come: no figure is of a day after {latest}")
    return found


def _day(name: str, value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).date() if value.tzinfo else value.date()
    if isinstance(value, dt.date):
        return value
    try:
        if not isinstance(value, str):
            raise ValueError
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise BadField(name, value, "must be a date such as 2026-02-16") from None
    return moment.astimezone(dt.UTC).date() if moment.tzinfo else moment.date()


def addresses(record: Record, *names: str) -> tuple[str, ...]:
    """Addresses in a list, or in a text such as ``['0xa', '0xb']`` or ``0xa;0xb``."""
    name, value = find(record, *names)
    if value is None:
        return ()
    if isinstance(value, str):
        value = [part for part in re.split(r"[\s,;]+", value.strip("[]")) if part]
        value = [part.strip("'\"") for part in value]
    if not isinstance(value, list | tuple):
        raise BadField(name, value, "must be a list of addresses")
    found = [each for each in value if each is not None]
    if found and len(found) < len(value):
        raise BadField(name, value, "must tell the address of each token, or of none")
    for each in found:
        if not isinstance(each, str) or not each or " " in each or not is_plain(each):
            raise BadField(name, each, "must be an address")
    return tuple(dict.fromkeys(found))


def _decimal(name: str, value: Any) -> Decimal:
    try:
        return read_decimal(value, name)
    except InvalidInput:
        raise BadField(name, value, "must be a finite number") from None
