"""The lists that a plan obeys, as they stood at one time: a value that a run keeps."""

from __future__ import annotations

import datetime as dt

from msgspec import Struct

APPROVED_TOKENS = "approved_tokens"
BLACKLISTED_TOKENS = "blacklisted_tokens"
APPROVED_PROTOCOLS = "approved_protocols"
ICEBOX_TOKENS = "icebox_tokens"
LIST_NAMES = (APPROVED_TOKENS, BLACKLISTED_TOKENS, APPROVED_PROTOCOLS, ICEBOX_TOKENS)


class Listed(Struct, frozen=True):
    """A name on a list: since when, and why.

    Attributes
    ----------
    name
        A token's id (``ethereum:0xa0b8...``) or a protocol's name.
    """

    name: str
    since: dt.datetime
    reason: str


class Lists(Struct, frozen=True):
    """The four lists at one time; each sorted by name, so that equal lists are written alike."""

    approved_tokens: tuple[Listed, ...] = ()
    blacklisted_tokens: tuple[Listed, ...] = ()
    approved_protocols: tuple[Listed, ...] = ()
    icebox_tokens: tuple[Listed, ...] = ()

    def names(self, which: str) -> frozenset[str]:
        """The names on one of the lists, for looking up."""
        return frozenset(each.name for each in getattr(self, which))
