"""Pools from a frame: pandas, polars or pyarrow, one pool a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import narwhals as nw

from capdesk.model.errors import InvalidInput
from capdesk.model.pools import Pool
from capdesk.model.wording import worded

_LISTS = ("tokens", "shares")
_TOLD = ("pool_id", "tokens", "forecasted_apy", "forecasted_tvl", "group")
"""What a row cannot leave empty where its frame has the column: nothing is a safe guess."""


def pools_from(given: Any) -> list[Pool]:
    """Pools from a sequence of `Pool`, or a frame with their fields as columns.

    Raises
    ------
    InvalidInput
        With the row and the field of the first value that is of the wrong kind.
    """
    if isinstance(given, Sequence):
        for row, pool in enumerate(cast("Sequence[object]", given)):
            if not isinstance(pool, Pool):
                raise InvalidInput(f"pools row {row}: must be a Pool, got {type(pool).__name__}")
        return list(cast("Sequence[Pool]", given))
    try:
        frame = nw.from_native(given, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise InvalidInput(f"pools: a column stands there twice: {' '.join(str(error).split())}") from None
    except TypeError:
        raise InvalidInput(
            f"pools must be Pool objects or a pandas, polars or pyarrow frame, got {type(given).__name__}"
        ) from None
    known = set(Pool.__struct_fields__)
    unknown = [name for name in frame.columns if name not in known]
    if unknown:
        raise InvalidInput(
            f"pools: there are no fields {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
    missing = [name for name in ("pool_id", "tokens") if name not in frame.columns]
    if missing:
        raise InvalidInput(f"pools: the columns {', '.join(missing)} are missing")
    return [_pool(row, number) for number, row in enumerate(frame.iter_rows(named=True))]


def _pool(row: dict[str, Any], number: int) -> Pool:
    values = {name: value for name, value in row.items() if not _empty(value)}
    for name in _TOLD:
        if name in row and name not in values:
            raise InvalidInput(f"pools row {number} ({row['pool_id']}): {name} is empty")
    for name in _LISTS:
        value = values.get(name)
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(",") if part.strip()]
            values[name] = parts if name == "tokens" else [_share(part, number) for part in parts]
        elif value is not None:
            values[name] = list(value)
    for name, value in values.items():
        if hasattr(value, "item"):
            values[name] = value.item()
    if isinstance(values.get("group"), float) and values["group"].is_integer():
        values["group"] = int(values["group"])
    try:
        return msgspec.convert(values, Pool, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"pools row {number} ({row.get('pool_id')}): {worded(error, Pool)}") from None


def _share(part: str, number: int) -> float:
    try:
        return float(part)
    except ValueError:
        raise InvalidInput(f"pools row {number}: shares must be numbers, got {part!r}") from None


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)
