"""What msgspec finds wrong with a value, in words: which field it is, what stands there, what it may be."""

from __future__ import annotations

import re
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


def worded(error: msgspec.ValidationError, kind: type) -> str:
    """The error in words.

    Parameters
    ----------
    kind
        The struct that was to be made, which tells what a field may be.
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
        return f"there is no {name['name']!r}{f' in {path}' if path else ''}"
    return f"{where}{said[:1].lower()}{said[1:]}"


def _choices(kind: Any, path: str) -> str:
    """The words that a field may be, by the type that stands at its path; empty where that is no set of words."""
    for name in path.split("."):
        if not isinstance(kind, type):
            return ""
        kind = get_type_hints(kind).get(name)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    return f"{', '.join(words[:-1])} or {words[-1]}" if words else ""
