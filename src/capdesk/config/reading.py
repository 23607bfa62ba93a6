"""Reading configurations from files, the environment and callers, and telling two of them apart."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic.fields import FieldInfo

from capdesk.config.capital import CapitalConfig
from capdesk.config.fields import plain
from capdesk.config.planning import PLANNING, PlanningConfig
from capdesk.model.errors import ConfigError
from capdesk.model.mandate import Mandate

Settings = TypeVar("Settings", bound=PlanningConfig)


def loaded(
    kind: type[Settings], path: str | os.PathLike[str] | None, explicit: Mapping[str, Any]
) -> Settings:
    """What a file, the environment and a caller say of the fields; the later beats the earlier.

    Raises
    ------
    ConfigError
        For a file that is missing or no TOML, and a line for every problem; one of the
        environment names its variable.
    """
    return _made(kind, _file(path), explicit)


def read_planning(
    config: CapitalConfig | Mapping[str, Any] | None, path: str | os.PathLike[str] | None = None
) -> PlanningConfig:
    """How plans are made: what a caller gave, else the environment, else a file, else the defaults.

    Raises
    ------
    ConfigError
        For a value that cannot be obeyed; one of the environment names its variable.
    """
    file = {name: value for name, value in _file(path).items() if name in PLANNING}
    return _made(PlanningConfig, file, read_config(config).planning())


def _made(kind: type[Settings], file: Mapping[str, Any], explicit: Mapping[str, Any]) -> Settings:
    environment = _environment(kind.model_fields)
    told = environment.keys() - explicit.keys()
    try:
        return kind(**{**file, **environment, **explicit})
    except ConfigError as error:
        raise ConfigError("\n".join(_by_variable(line, told) for line in str(error).split("\n"))) from None


def _file(path: str | os.PathLike[str] | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read as a configuration: {getattr(error, 'strerror', None) or error}"
        ) from error
    return {name: _nones(value) for name, value in given.items()}


def _environment(fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    told = ((name, os.environ.get(_variable(name))) for name in fields)
    return {name: _from_environment(name, text, fields[name]) for name, text in told if text is not None}


def _variable(field: str) -> str:
    return f"CAPITAL_{field.upper()}"


def _by_variable(line: str, told: Iterable[str]) -> str:
    """A problem of a field that the environment told, under the name of its variable."""
    field = line.partition(" ")[0].partition(".")[0]
    return f"{_variable(field)}: {line}" if field in told else line


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
    ours, theirs = (CapitalConfig.from_mandate(mandate).rules() for mandate in (ledger, given))
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


def _from_environment(name: str, text: str, field: FieldInfo) -> Any:
    if not text.strip():
        allowed = field.description or "a value"
        default = plain(field.get_default(call_default_factory=True, validated_data={}))
        raise ConfigError(
            f"{_variable(name)} is set but empty: give {allowed}, or unset it (the default is {default})"
        )
    if text.startswith(("[", "{")):
        try:
            return json.loads(text, parse_float=Decimal)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{_variable(name)} must be JSON, got {text[:60]!r}: {error}") from error
    if name == "share_markets" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    if name in ("order_split_count", "max_protocols") and text.isdigit():
        return int(text)
    if name == "accounts":
        return tuple(text.split(","))
    return _none(text)
