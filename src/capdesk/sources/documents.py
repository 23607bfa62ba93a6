"""A JSON document of somebody else: read, or refused before it can do harm.

Python's reader descends once for each level, as far as the process's recursion limit lets
it; where a library has raised that limit, a document of brackets alone ends the process.
So the levels are counted first.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def read_json(text: bytes) -> Any:
    """Read a document.

    Raises
    ------
    ValueError
        If it is no JSON, or nested deeper than a hundred levels.
    """
    level = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", text)):
        level += 1 if bracket in b"[{" else -1
        if level > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return json.loads(text)
