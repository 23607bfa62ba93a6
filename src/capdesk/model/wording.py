"""What msgspec finds wrong with a value, in words: which field it is, what stands there, what it may be."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

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


def worded(error: msgspec.ValidationError, kind: type, known: Collection[str] = ()) -> str:
    """The error in words.

    Parameters
    ----------
    kind
        The struct that was to be made, which tells what a field may be.
    known
        The names that there are, for one that there is not.
    """
    said, _, place = str(error).partition(" - at `")
    path = place.removeprefix("key in ").strip("`$.")
    where = f"{path} " if path else ""
    if given := re.fullmatch(r"Invalid enum value (?P<value>.*)", said):
        return f"{where}must be {_choices(kind, path) or 'one of its words'}, got {given['value']}"
    if kinds := re.fullmatch(r"Expected (?P<wanted>.*), got `(?P<given>\w+)`", said):
        names: list[str] = re.findall(r"\w+", str(kinds["wanted"]))
        there = str(kinds["given"])
        wanted = " or ".join(_KINDS.get(name, name) for name in names)
        return f"{where}must be {wanted}, got {_KINDS.get(there, there)}"
    if name := re.fullmatch(r"Object contains unknown field `(?P<name>.*)`", said):
        return _unknown(str(name["name"]), path, known)
    if name := re.fullmatch(r"Object missing required field `(?P<name>.*)`", said):
        return f"{path}.{name['name']} is missing" if path else f"{name['name']} is missing"
    return f"{where}{said[:1].lower()}{said[1:]}"


def _unknown(name: str, path: str, known: Collection[str]) -> str:
    if not known:
        return f"there is no {name!r}{f' in {path}' if path else ''}"
    whole = f"{path}.{name}" if path else name
    close = get_close_matches(whole, known, 1)
    hint = f": did you mean {close[0]}?" if close else ""
    return f"there is no `{whole}`; there are {', '.join(known)}{hint}"


def _choices(kind: Any, path: str) -> str:
    """The words that a field may be, by the type that stands at its path; empty where that is no set of words."""
    for name in path.split("."):
        if not isinstance(kind, type):
            return ""
        kind = get_type_hints(kind).get(name)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    return f"{', '.join(words[:-1])} or {words[-1]}" if words else ""
