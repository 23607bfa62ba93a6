"""What people write: a configuration in percent and dollars, which compiles to a mandate.

From TOML, ``CAPITAL_*`` environment variables or arguments: an argument beats the
environment, which beats the file, which beats the defaults (seed 001's).
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from capdesk.model.errors import CapdeskError, ConfigError
from capdesk.model.mandate import DAY, SECOND, GroupLimit, Mandate, MarketProfile, PriorityTier
from capdesk.model.money import PPM, Amount, read_decimal, to_micro_down
from capdesk.model.requests import PRIORITIES

_PPM_PER_PERCENT = PPM // 100


def _percent(value: object) -> Amount:
    explicit = isinstance(value, str) and value.strip().endswith("%")
    number = Amount(value.strip()[:-1] if explicit and isinstance(value, str) else value)
    if not 0 <= number <= 100:
        raise ValueError("a percentage must lie between 0 and 100")
    if 0 < number < 1 and not explicit:
        raise ValueError(
            f"percent is meant, did you mean {number * 100:f}? Write '{number:f}%' for less than one percent"
        )
    return number


def _positive(value: object) -> Amount:
    number = Amount(value)
    if to_micro_down(number) <= 0:
        raise ValueError("must be at least 0.000001")
    return number


def _seconds(value: object) -> Amount:
    number = Amount(value)
    if not 0 <= number <= 10**10:
        raise ValueError("must be a number of seconds from 0 up")
    return number


Percent = Annotated[Amount, BeforeValidator(_percent)]
Dollars = Annotated[Amount, BeforeValidator(_positive)]
Seconds = Annotated[Amount, BeforeValidator(_seconds)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s]+$", strict=True)]
_SETTINGS = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=False)


class MarketProfileConfig(BaseModel):
    """Limits for markets whose name matches a pattern (``*`` and ``?`` as in file names)."""

    model_config = _SETTINGS
    pattern: Name
    max_percent: Percent | None = None
    max_absolute: Dollars | None = None


class GroupConfig(BaseModel):
    """A limit shared by correlated markets, in percent of equity, in dollars, or both."""

    model_config = _SETTINGS
    max_percent: Percent | None = None
    max_absolute: Dollars | None = None
    patterns: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.max_percent is None and self.max_absolute is None:
            raise ValueError("a group needs max_percent or max_absolute")
        return self


class CapitalConfig(BaseModel):
    """The rules of one bankroll. Frozen; a field that does not exist is refused.

    Parameters
    ----------
    max_exposure_per_market_percent, max_total_exposure_percent
        Percent of equity (5.0 is five percent). Less than one is written ``"0.5%"``.
    max_exposure_per_market_absolute
        Dollars a market may have at most; None for no cap.
    min_order_size
        Dollars; requests and grants below are refused.
    order_split_threshold, order_split_count, order_tick
        A grant above the threshold is split into so many orders, each rounded down to
        the tick, the rest in the last.
    recycle_delay_seconds
        How long a resolved market's capital waits before it is freed.
    share_markets
        True: each strategy may hold its own allocation in a market, under the market's limits.
    on_expiry
        What happens to a lease that ends unconfirmed: ``"hold"`` or ``"free"``.
    priority_tiers
        Percent of the total limit that requests of a priority may fill.
    market_profiles, groups
        Limits for markets by their names, and for correlated markets together.
    accounts
        Where the money lies; the first takes what names none.
    max_mark_age_seconds
        A mark older than this falls back to the lower of cost and mark; None: never.
    id_retention_days
        How long request ids are kept at least.
    day_boundary
        When a day begins, UTC, ``"HH:MM"``.
    owner_silent_seconds
        When an allocation whose strategy is not heard of counts as an orphan.

    Raises
    ------
    ConfigError
        One line for each problem: the field, what is allowed, what was given.
    """

    model_config = _SETTINGS

    max_exposure_per_market_percent: Percent = Amount("5")
    max_exposure_per_market_absolute: Dollars | None = Amount("50")
    max_total_exposure_percent: Percent = Amount("30")
    min_order_size: Dollars = Amount("1")
    order_split_threshold: Dollars = Amount("20")
    order_split_count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 3
    order_tick: Dollars | None = None
    recycle_delay_seconds: Seconds = Amount("5")
    share_markets: Annotated[bool, Field(strict=True)] = False
    on_expiry: Literal["hold", "free"] = "hold"
    priority_tiers: dict[Literal["critical", "high", "normal"], Percent] = {}
    market_profiles: tuple[MarketProfileConfig, ...] = ()
    groups: dict[Name, GroupConfig] = {}
    accounts: Annotated[tuple[Name, ...], Field(min_length=1)] = ("main",)
    max_mark_age_seconds: Seconds | None = None
    id_retention_days: Annotated[Amount, BeforeValidator(_positive)] = Amount("7")
    day_boundary: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    owner_silent_seconds: Seconds = Amount("3600")

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ConfigError("\n".join(_problem(problem) for problem in error.errors())) from None
        except CapdeskError as error:
            raise ConfigError(str(error)) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.accounts)) < len(self.accounts):
            raise ValueError(f"accounts must have different names, got {', '.join(self.accounts)}")
        least = self.order_split_threshold / self.order_split_count
        if self.order_split_count > 1 and least < self.min_order_size:
            raise ValueError(
                f"order_split_count = {self.order_split_count} would split {self.order_split_threshold:f} into orders "
                f"of {least:.2f}, below min_order_size = {self.min_order_size:f}: raise the threshold or split less"
            )
        if self.order_tick is not None and self.order_tick > least:
            raise ValueError(
                f"order_tick = {self.order_tick:f} is larger than the orders of {least:.2f} it rounds"
            )
        if self.priority_tiers and set(self.priority_tiers) != set(PRIORITIES):
            raise ValueError(f"priority_tiers must name each of {', '.join(PRIORITIES)}")
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, **explicit: Any) -> CapitalConfig:
        """Read a TOML file and the environment.

        Raises
        ------
        ConfigError
            For a file that is missing or no TOML, and for every problem in it.
        """
        given: dict[str, Any] = {}
        if path is not None:
            try:
                given = tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise ConfigError(f"{path} cannot be read as a configuration: {error}") from error
        for name in cls.model_fields:
            text = os.environ.get(f"CAPITAL_{name.upper()}")
            if text is not None:
                given[name] = _from_environment(name, text)
        return cls(**{**given, **explicit})

    @classmethod
    def from_mandate(cls, mandate: Mandate) -> CapitalConfig:
        """The configuration that compiles to a mandate."""
        return cls(
            max_exposure_per_market_percent=_shown(mandate.market_percent_ppm),
            max_exposure_per_market_absolute=_dollars(mandate.market_absolute),
            max_total_exposure_percent=_shown(mandate.total_percent_ppm),
            min_order_size=_dollars(mandate.min_order),
            order_split_threshold=_dollars(mandate.split_threshold),
            order_split_count=mandate.split_count,
            order_tick=_dollars(mandate.order_tick),
            recycle_delay_seconds=_dollars(mandate.recycle_delay),
            share_markets=mandate.share_markets,
            on_expiry=mandate.on_expiry,
            priority_tiers={tier.name: _shown(tier.share_ppm) for tier in mandate.tiers},
            market_profiles=tuple(
                {
                    "pattern": it.pattern,
                    "max_percent": _shown(it.percent_ppm),
                    "max_absolute": _dollars(it.absolute),
                }
                for it in mandate.profiles
            ),
            groups={
                it.name: {
                    "max_percent": _shown(it.percent_ppm),
                    "max_absolute": _dollars(it.absolute),
                    "patterns": it.patterns,
                }
                for it in mandate.groups
            },
            accounts=mandate.accounts,
            max_mark_age_seconds=_dollars(mandate.max_mark_age),
            id_retention_days=Amount.from_micro(mandate.id_retention * 1_000_000 // DAY),
            day_boundary=_clock_time(mandate.day_boundary // (60 * SECOND)),
            owner_silent_seconds=_dollars(mandate.owner_silent),
        )

    def mandate(self) -> Mandate:
        """The same rules in exact integers; percentages are rounded down to a millionth."""
        hours, _, minutes = self.day_boundary.partition(":")
        return Mandate(
            market_percent_ppm=_ppm(self.max_exposure_per_market_percent) or 0,
            market_absolute=_micro(self.max_exposure_per_market_absolute),
            total_percent_ppm=_ppm(self.max_total_exposure_percent) or 0,
            min_order=to_micro_down(self.min_order_size),
            split_threshold=to_micro_down(self.order_split_threshold),
            split_count=self.order_split_count,
            order_tick=_micro(self.order_tick),
            recycle_delay=to_micro_down(self.recycle_delay_seconds),
            share_markets=self.share_markets,
            on_expiry=self.on_expiry,
            tiers=tuple(
                PriorityTier(name, _ppm(self.priority_tiers[name]) or 0)
                for name in PRIORITIES
                if name in self.priority_tiers
            ),
            profiles=tuple(
                MarketProfile(it.pattern, _ppm(it.max_percent), _micro(it.max_absolute))
                for it in self.market_profiles
            ),
            groups=tuple(
                GroupLimit(name, _ppm(it.max_percent), _micro(it.max_absolute), it.patterns)
                for name, it in self.groups.items()
            ),
            accounts=self.accounts,
            max_mark_age=_micro(self.max_mark_age_seconds),
            id_retention=to_micro_down(self.id_retention_days * 86_400),
            day_boundary=(int(hours) * 3600 + int(minutes) * 60) * SECOND,
            owner_silent=to_micro_down(self.owner_silent_seconds),
        )


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
    return [(name, plain(ours[name]), plain(theirs[name])) for name in ours if ours[name] != theirs[name]]


def plain(value: Any) -> str:
    """A field's value as people write it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(plain(part) for part in value) + "]"
    return "none" if value is None else str(value)


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        known = ", ".join(CapitalConfig.model_fields)
        return f"{where} is no field of the configuration; its fields are {known}"
    if not where:
        return text
    given = repr(problem["input"])
    return f"{where} = {given if len(given) <= 60 else given[:57] + '...'}: {text}"


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
    return None if text.lower() == "none" else text


def _clock_time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _ppm(percent: Amount | None) -> int | None:
    return None if percent is None else int(read_decimal(percent * _PPM_PER_PERCENT))


def _micro(amount: Amount | None) -> int | None:
    return None if amount is None else to_micro_down(amount)


def _shown(ppm: int | None) -> str | None:
    return None if ppm is None else f"{Amount(ppm) / _PPM_PER_PERCENT:f}%"


def _dollars(micro: int | None) -> Amount | None:
    return None if micro is None else Amount.from_micro(micro)
