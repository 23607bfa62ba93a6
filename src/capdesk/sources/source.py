"""What a source of data is: rows, and what could not be read as one.

A source reads one thing from one place: pools with their days, balances, prices or gas.
The values are in `model/market_rows.py`, so whoever reads a source need not know which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from capdesk.model.market_rows import Rejected, Row


class Source(Protocol):
    """Something that rows come from."""

    def rows(self) -> Iterator[Row | Rejected]:
        """Read it, once.

        Raises
        ------
        MalformedDocument
            If what is there is not what it should be, as a whole.
        SourceUnavailable
            If it does not answer.
        """
        ...


class Reading(Struct, frozen=True):
    """What a source told: rows, and those that were left out."""

    rows: tuple[Row, ...]
    rejected: tuple[Rejected, ...]


def read(source: Source) -> Reading:
    """Read a source to its end."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for each in source.rows():
        if isinstance(each, Rejected):
            rejected.append(each)
        else:
            rows.append(each)
    return Reading(tuple(rows), tuple(rejected))
