"""The kinds of fields a configuration has, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict

from capdesk.model.money import PPM, Amount, to_micro_down
from capdesk.model.names import name

PPM_PER_PERCENT = PPM // 100
_MOST_DAYS = 36_600

SETTINGS = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def read_percent(value: object) -> Amount:
    """A percentage from 0 to 100; less than one must be written with its sign.

    Raises
    ------
    ValueError
        For what may have been meant as a fraction, and what lies outside.
    """
    explicit = isinstance(value, str) and value.strip().endswith("%")
    number = Amount(value.strip()[:-1] if explicit and isinstance(value, str) else value)
    if not 0 <= number <= 100:
        raise ValueError("a percentage must lie between 0 and 100")
    if 0 < number < 1 and not explicit:
        raise ValueError(
            f"percent is meant, did you mean {(number * 100).normalize():f}? "
            f"Write '{number:f}%' for less than one percent"
        )
    return number


def _positive(value: object) -> Amount:
    number = Amount(value)
    if to_micro_down(number) <= 0:
        raise ValueError("must be at least 0.000001")
    return number


def _not_negative(value: object) -> Amount:
    number = Amount(value)
    if to_micro_down(number) < 0:
        raise ValueError("must be 0 or more")
    return number


def _seconds(value: object) -> Amount:
    number = Amount(value)
    if not 0 <= number <= 10**10:
        raise ValueError("must be a number of seconds from 0 up")
    return number


def _days(value: object) -> Amount:
    number = _positive(value)
    if number > _MOST_DAYS:
        raise ValueError(f"must be at most {_MOST_DAYS} days, a hundred years")
    return number


def _factor(value: object) -> Amount:
    number = Amount(value)
    if not 0 <= number <= 1:
        raise ValueError("a multiplier must lie between 0 and 1")
    return number


Percent = Annotated[Amount, BeforeValidator(read_percent)]
Dollars = Annotated[Amount, BeforeValidator(_positive)]
DollarsOrNone = Annotated[Amount, BeforeValidator(_not_negative)]
Days = Annotated[Amount, BeforeValidator(_days)]
Seconds = Annotated[Amount, BeforeValidator(_seconds)]
Factor = Annotated[Amount, BeforeValidator(_factor)]
Signed = Annotated[Amount, BeforeValidator(Amount)]
Name = Annotated[str, BeforeValidator(lambda value: name(value, "a name"))]


def ppm(percent: Amount) -> int:
    """Parts per million of a percentage, rounded down."""
    return int(percent * PPM_PER_PERCENT)


def optional_ppm(percent: Amount | None) -> int | None:
    """Parts per million of a percentage, or None."""
    return None if percent is None else ppm(percent)


def micro(amount: Amount | None) -> int | None:
    """Micro-units, rounded down, or None."""
    return None if amount is None else to_micro_down(amount)


def percent(parts: int | None) -> str | None:
    """A percentage as it may be written, from parts per million."""
    return None if parts is None else f"{(Amount(parts) / PPM_PER_PERCENT).normalize():f}%"


def dollars(millionths: int | None) -> Amount | None:
    """An amount, from micro-units."""
    return None if millionths is None else Amount.from_micro(millionths)


def plain(value: Any) -> str:
    """A field's value as people write it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(plain(part) for part in value) + "]"
    return "none" if value is None else str(value)


def problem_text(problem: Any, table_of: Callable[[tuple[Any, ...]], tuple[str, tuple[str, ...]]]) -> str:
    """One of pydantic's problems in a line: the field, what was given, what is allowed."""
    where = ".".join(str(part) for part in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if problem["type"] == "extra_forbidden":
        table, known = table_of(problem["loc"])
        near = get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.7)
        advice = f"did you mean {near[0]}?" if near else f"its fields are {', '.join(known)}"
        return f"{where} is no field of {table}; {advice}"
    if not where:
        return text
    if problem["type"] == "tuple_type":
        text = "it should be a list"
    value = problem["input"]
    given = plain(value) if isinstance(value, Decimal) else repr(value)
    return f"{where} = {given if len(given) <= 60 else given[:57] + '...'}: {text}"
