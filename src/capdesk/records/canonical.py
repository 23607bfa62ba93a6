"""One way to write a value as JSON, so that equal values have equal hashes on every database.

PostgreSQL keeps JSON's numbers as decimals and forgets that 1e22 or -0.0 was a float. So a
float that is a whole number is written as one, and every other one by its repr, which both
databases give back. Keys are sorted; there are no spaces.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from capdesk.model.errors import InvalidInput


def plain(value: Any, where: str = "value") -> Any:
    """A value in JSON's own types, in the one way of writing it.

    Decimals become text, exact; times ISO 8601; structs and mappings objects, sorted by key,
    for PostgreSQL forgets in which order they were; sequences and arrays lists.

    Raises
    ------
    InvalidInput
        For NaN and infinities, and for what has no form in JSON.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return _number(value, where)
    if isinstance(value, Decimal):
        return format(Decimal(value), "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    if isinstance(value, Mapping):
        return {str(key): plain(value[key], f"{where}.{key}") for key in sorted(value, key=str)}
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise InvalidInput(f"{where} is a {type(value).__name__}, which cannot be stored with a run")


def _number(value: float, where: str) -> float | int:
    if not math.isfinite(value):
        raise InvalidInput(f"{where} must be a finite number to be stored, got {value}")
    return int(value) if value.is_integer() else value


def text(value: Any) -> str:
    """The canonical JSON of a value."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal digits."""
    return hashlib.sha256(text(value).encode()).hexdigest()
