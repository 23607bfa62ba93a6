"""What msgspec says of a value of the wrong kind, in the words of people who write TOML or Python."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
    "null": "nothing",
}
_PLACE = re.compile(r"(.*?) - at `(?:key in )?\$\.?([^`]*)`", re.DOTALL)
_KIND = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `([^`]*)`")


def worded(error: msgspec.ValidationError, known: Iterable[str] = ()) -> str:
    """The field, what it must be, and what it is.

    Parameters
    ----------
    known
        The names that there are, for one that there is not.
    """
    said = str(error)
    told = _PLACE.fullmatch(said)
    what, where = (told[1], told[2]) if told else (said, "")
    field = _FIELD.match(what)
    if field is not None:
        name = f"{where}.{field[2]}" if where else field[2]
        return f"{name} is missing" if field[1].startswith("missing") else _unknown(name, list(known))
    kind = _KIND.match(what)
    what = f"must be {_kinds(kind[1])}, got {_kinds(kind[2])}" if kind else what[:1].lower() + what[1:]
    return f"{where} {what}" if kind and where else f"{where}: {what}" if where else what


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    there = f"; there are {', '.join(known)}" if known else ""
    return f"there is no `{name}`{there}" + (f": did you mean {close[0]}?" if close else "")


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))
