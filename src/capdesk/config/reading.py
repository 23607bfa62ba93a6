"""Reading configurations from files, the environment and callers, and telling two of them apart."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from capdesk.config.capital import CapitalConfig
from capdesk.config.fields import plain
from capdesk.model.errors import ConfigError
from capdesk.model.mandate import Mandate


def gather(
    fields: Iterable[str], path: str | os.PathLike[str] | None, explicit: Mapping[str, Any]
) -> dict[str, Any]:
    """What a file, the environment and a caller say of the fields; the later beats the earlier.

    Raises
    ------
    ConfigError
        For a file that is missing or no TOML, and for a variable that cannot be read.
    """
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} cannot be read as a configuration: {error}") from error
        given = {name: _nones(value) for name, value in given.items()}
    for name in fields:
        text = os.environ.get(f"CAPITAL_{name.upper()}")
        if text is not None:
            given[name] = _from_environment(name, text)
    return {**given, **explicit}


def read_config(config: CapitalConfig | Mapping[str, Any] | None) -> CapitalConfig:
    """A configuration from what a caller gave; the defaults for None."""
    if config is None:
        return CapitalConfig()
    if isinstance(config, CapitalConfig):
        return config
    if isinstance(config, Mapping):
        return CapitalConfig(**dict(config))
    raise ConfigError(
        f"config must be a CapitalConfig or a mapping of its fields, got {type(config).__name__}"
    )


def differences(ledger: Mandate, given: Mandate) -> list[tuple[str, str, str]]:
    """The fields in which two mandates differ, in the words of the configuration."""
    ours, theirs = (
        CapitalConfig.from_mandate(mandate).model_dump(mode="python") for mandate in (ledger, given)
    )
    return [
        (name, plain(ours[name]), plain(theirs[name]))
        for name in ours
        if plain(ours[name]) != plain(theirs[name])
    ]


def _none(value: Any) -> Any:
    """TOML has no word for nothing, so "none" stands for it."""
    return None if isinstance(value, str) and value.lower() == "none" else value


def _nones(value: Any) -> Any:
    """The same in tables, where a name stays what it is."""
    if isinstance(value, dict):
        return {
            key: part if key in ("name", "pattern") else _nones(part)
            for key, part in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_nones(part) if isinstance(part, dict) else part for part in cast("list[Any]", value)]
    return _none(value)


def _from_environment(name: str, text: str) -> Any:
    if text[:1] in "[{":
        try:
            return json.loads(text, parse_float=Decimal)
        except json.JSONDecodeError as error:
            raise ConfigError(f"CAPITAL_{name.upper()} must be JSON, got {text[:60]!r}: {error}") from error
    if name == "share_markets" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    if name == "order_split_count" and text.isdigit():
        return int(text)
    if name == "accounts":
        return tuple(text.split(","))
    return _none(text)
