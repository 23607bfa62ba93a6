"""Letters that somebody else chose: what is compared without case, and what can be seen.

Unicode's own rules of case make one letter another: a long s (U+017F) in capitals is an "S",
and a kelvin sign in small letters is a "k", so a coin could be called what becomes "USDC". Here
only the letters A to Z change their case, and a name in any others stays another name.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase

_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")
"""Fillers, blanks and selectors that count as printable, though nothing is seen of them."""


def upper(text: str) -> str:
    """A text with the letters a to z in capitals, all others as they are."""
    return text.translate(_UPPER)


def lower(text: str) -> str:
    """A text with the letters A to Z in small ones, all others as they are."""
    return text.translate(_LOWER)


def is_visible(text: str) -> bool:
    """Whether all of a text can be seen: no control characters, nothing of no width."""
    return text.isprintable() and not _UNSEEN.search(text)
