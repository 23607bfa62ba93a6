"""Views and the market's weights, as a TOML file says them: what `weights --views` plans with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal

_TABLES = ("market_weights", "view")
_FIELDS = ("portfolio", "return", "confidence")


def read_views(path: Path, periods_per_year: float) -> dict[str, Any]:
    """The keywords `market_weights`, `views` and `confidences` of `capdesk.plan_weights`.

    ``[market_weights]`` has a fraction for each name; each ``[[view]]`` a ``portfolio`` of names
    with their shares, its expected excess ``return`` of a year as a fraction, and maybe a
    ``confidence`` from 0 to 1.

    Parameters
    ----------
    periods_per_year
        How many periods of the plan's file make a year: a view is divided by it.

    Raises
    ------
    InvalidInput
        Naming the file and the view that cannot be read.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read as TOML: {getattr(error, 'strerror', None) or error}"
        ) from error
    unknown = [name for name in given if name not in _TABLES]
    if unknown:
        raise InvalidInput(f"{path} may have [market_weights] and [[view]], got {', '.join(unknown)}")
    found: dict[str, Any] = {}
    if "market_weights" in given:
        found["market_weights"] = _numbers(given["market_weights"], f"{path}: market_weights")
    tables: Any = given.get("view", [])
    if not isinstance(tables, list):
        raise InvalidInput(f"{path}: views are tables [[view]], got {tables!r}")
    read = [_view(table, f"{path}: view {place}") for place, table in enumerate(cast("list[Any]", tables), 1)]
    found["views"] = [(shares, expected / periods_per_year) for shares, expected, _ in read]
    trusted = [confidence for _, _, confidence in read]
    if any(confidence is not None for confidence in trusted):
        if None in trusted:
            missing = trusted.index(None) + 1
            raise InvalidInput(f"{path}: view {missing} has no confidence, others have: give all or none")
        found["confidences"] = trusted
    return found


def _view(given: Any, where: str) -> tuple[dict[str, float], float, float | None]:
    table = cast("Mapping[str, Any]", given if isinstance(given, Mapping) else {})
    unknown = [name for name in table if name not in _FIELDS]
    if unknown or not {"portfolio", "return"} <= table.keys():
        raise InvalidInput(
            f"{where} must have portfolio and return, and may have confidence; it has {', '.join(table) or 'neither'}"
        )
    expected = float(read_decimal(table["return"], f"{where}: return"))
    if abs(expected) >= 10:
        raise InvalidInput(
            f"{where}: return = {expected:g}: a fraction is meant, did you mean {expected / 100:g}?"
        )
    stated = table.get("confidence")
    confidence = None if stated is None else float(read_decimal(stated, f"{where}: confidence"))
    return _numbers(table["portfolio"], f"{where}: portfolio"), expected, confidence


def _numbers(given: Any, where: str) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where} must be names with their shares, got {given!r}")
    shares = cast("Mapping[str, Any]", given)
    return {name: float(read_decimal(value, f"{where} of {name}")) for name, value in shares.items()}
