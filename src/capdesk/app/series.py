"""Files of series and of moments: a CSV with a column for each name, and dates before them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal

KINDS = ("prices", "returns", "moments")
PER_YEAR = ((1.5, 365), (4, 122), (10, 52), (20, 24), (45, 12), (120, 4), (250, 2), (500, 1))
"""Up to how many days between two rows make how many periods a year."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as it was read.

    Attributes
    ----------
    kind
        ``prices``, ``returns`` or ``moments``.
    names
        The columns of numbers.
    columns
        Their values, oldest first; of moments, in the order of `rows`.
    dates
        Of the rows; empty where the file has none.
    rows
        Of moments: the names that the rows stand for.
    dropped
        How many lines were left out because a cell is empty.
    """

    kind: str
    names: tuple[str, ...]
    columns: dict[str, tuple[Decimal, ...]]
    dates: tuple[date, ...] = ()
    rows: tuple[str, ...] = ()
    dropped: int = 0

    @property
    def left_out(self) -> str:
        """What to say of the lines left out; empty where there are none."""
        return f"; {self.dropped} lines with an empty cell left out" if self.dropped else ""

    @property
    def periods_per_year(self) -> int:
        """How many periods a year has by the dates: 365 where there are none."""
        if len(self.dates) < 2:
            return 365
        days = median((later - earlier).total_seconds() / 86_400 for earlier, later in pairwise(self.dates))
        return next((count for most, count in PER_YEAR if days <= most), 1)

    def returns_of(self, name: str) -> list[Decimal]:
        """The returns of a column, from prices or as they are."""
        values = self.columns[name]
        if self.kind == "returns":
            return list(values)
        return [later / earlier - 1 for earlier, later in pairwise(values)]


def read_table(
    path: Path, kind: str | None = None, only: Sequence[str] = (), *, drop_incomplete: bool = False
) -> Table:
    """Read a CSV file.

    A first column named ``name`` makes it moments: a row for each name, with columns ``mean``,
    ``risk_score``, and one for each name's covariances. Else it is prices where all values are
    above 0, and returns where one is not, unless `kind` says it.

    Parameters
    ----------
    only
        The columns of prices or returns to read; all without it.
    drop_incomplete
        Leave out lines of prices or returns in which one of those columns is empty. A return
        over such a line is one over several periods.

    Raises
    ------
    InvalidInput
        Naming the line and column that cannot be read.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidInput(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    head, body = _lines(path)
    labelled = not _is_number(body[0][0])
    names = head[1:] if labelled else head
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{path} has more than one column {', '.join(twice)}")
    if kind == "moments" or (kind is None and labelled and head[0].lower() == "name"):
        rows = tuple(line[0].strip() for line in body)
        if len(set(rows)) < len(rows):
            raise InvalidInput(f"{path}: each name has one line, got {', '.join(rows)}")
        return Table(
            "moments", tuple(names), _columns(path, head, list(enumerate(body, 2)), names), rows=rows
        )
    unknown = [name for name in only if name not in names]
    if unknown:
        raise InvalidInput(f"{path} has no column {', '.join(unknown)}; its columns are {', '.join(names)}")
    chosen = [name for name in names if not only or name in only]
    places = [head.index(name) for name in chosen]
    empty = [place for place, line in enumerate(body) if any(not line[at].strip() for at in places)]
    if empty and not drop_incomplete:
        column = next(name for name, at in zip(chosen, places, strict=True) if not body[empty[0]][at].strip())
        raise InvalidInput(
            f"{path}: line {empty[0] + 2}, {column} is empty, and {len(empty)} of {len(body)} lines have an "
            "empty cell: fill it, leave the column out, or the lines with --drop-incomplete"
        )
    dates = _moments(path, [line[0] for line in body], head[0]) if labelled else ()
    full = sorted(set(range(len(body))) - set(empty))
    if not full:
        raise InvalidInput(f"{path}: every line has an empty cell, none is left")
    columns = _columns(path, head, [(place + 2, body[place]) for place in full], chosen)
    positive = all(value > 0 for values in columns.values() for value in values)
    table = Table(
        kind or ("prices" if positive else "returns"),
        tuple(chosen),
        columns,
        tuple(dates[place] for place in full) if dates else (),
        dropped=len(empty),
    )
    if table.kind == "prices" and not positive:
        low = {name: min(values) for name, values in columns.items() if min(values) <= 0}
        raise InvalidInput(
            f"{path}: prices are above 0, got {', '.join(f'{name} {low[name]:f}' for name in low)}"
        )
    return table


def _lines(path: Path) -> tuple[list[str], list[list[str]]]:
    """The names and the lines under them, all of one length."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(
            f"{path} cannot be read as CSV: {getattr(error, 'strerror', None) or error}"
        ) from None
    if len(lines) < 2:
        raise InvalidInput(
            f"{path} must have a line of names and then lines of numbers, it has {len(lines)} in all"
        )
    head, body = [cell.strip() for cell in lines[0]], lines[1:]
    ragged = next((place for place, line in enumerate(body) if len(line) != len(head)), None)
    if ragged is not None:
        raise InvalidInput(
            f"{path}: line {ragged + 2} has {len(body[ragged])} cells, the names are {len(head)}"
        )
    return head, body


def _columns(
    path: Path, head: Sequence[str], body: Sequence[tuple[int, Sequence[str]]], names: Sequence[str]
) -> dict[str, tuple[Decimal, ...]]:
    """The values of some columns, from numbered lines."""
    return {
        name: tuple(_number(path, line[head.index(name)], number, name) for number, line in body)
        for name in names
    }


def _is_number(text: str) -> bool:
    try:
        read_decimal(text)
    except InvalidInput:
        return False
    return True


def _number(path: Path, text: str, line: int, name: str) -> Decimal:
    try:
        return read_decimal(text, "it")
    except InvalidInput as error:
        shown = text.strip() or "nothing"
        raise InvalidInput(
            f"{path}: line {line}, {name}: a number is needed, got {shown} ({error})"
        ) from None


def _moments(path: Path, texts: Sequence[str], title: str) -> tuple[date, ...]:
    """Dates where no line has a time of day, else times in UTC."""
    read: list[datetime] = []
    for line, text in enumerate(texts, 2):
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise InvalidInput(
                f"{path}: line {line} begins with {text!r}, which is no date (2026-01-31 or 2026-01-31T12:00)"
            ) from None
        read.append(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    if any(later <= earlier for earlier, later in pairwise(read)):
        raise InvalidInput(f"{path}: the dates of {title} must rise from one line to the next")
    if all(moment.time() == time() for moment in read):
        return tuple(moment.date() for moment in read)
    return tuple(read)
