"""How results look: dollars, ages and tables for people, exact JSON for programs.

Rich is imported inside the functions that draw, so that `--json` and an error never pay for it.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table


def plain(value: object) -> object:
    """Turn a result into JSON's own types: amounts as exact strings, times as ISO 8601 in UTC."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Decimal):
        return format(Decimal(value), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")


def write_json(value: object) -> None:
    """Print one JSON value: indented for a terminal, on one line for a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(plain(value), indent=indent, ensure_ascii=False))


def console() -> "Console":
    """Make the console that the tables are drawn on; it follows COLUMNS and NO_COLOR."""
    from rich.console import Console

    class Page(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process with 1: a reader that has gone ("| head") is no failure.
            raise BrokenPipeError

    return Page(highlight=False)


def money(value: object) -> str:
    """Show an amount in dollars and cents; what is less than a cent keeps its digits, so it is not shown as 0."""
    from capdesk.model.money import to_micro, usd

    return usd(to_micro(value))


def literal(text: str) -> str:
    """Protect text that people chose: a market called `[red]` must not colour the table."""
    from rich.markup import escape

    return escape(text)


def signed_money(value: Decimal) -> str:
    """Show a profit or loss with its sign and colour."""
    text = money(value)
    if value > 0:
        return f"[green]+{text}[/]"
    return f"[red]{text}[/]" if value < 0 else text


def percent(fraction_of_one: Decimal, digits: int = 1) -> str:
    """Show a fraction in percent."""
    return f"{Decimal(fraction_of_one) * 100:,.{digits}f} %"


def duration(seconds: float) -> str:
    """Show a length of time in its largest unit, rounded down."""
    whole = max(int(seconds), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def size(count: int) -> str:
    """Show a number of bytes."""
    for unit, width in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= width:
            return f"{count / width:,.1f} {unit}"
    return f"{count} bytes"


def clock_time(moment: datetime, *, relative_to: datetime | None = None) -> str:
    """Show a moment in UTC; the date is left out where it is that of `relative_to`."""
    utc = moment.astimezone(UTC)
    same_day = relative_to is not None and relative_to.astimezone(UTC).date() == utc.date()
    return utc.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")


def table(*columns: str | tuple[str, str]) -> "Table":
    """Start a table; a column is its title, or its title and how it is laid out.

    A cell that is too long folds instead of being cut: a market's id must be readable whole,
    in a narrow terminal as in a pipe. Columns of figures (`right`) and of fixed words
    (`whole`) stay on one line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        title, layout = (column, "fold") if isinstance(column, str) else column
        justify = "right" if layout == "right" else "left"
        grid.add_column(title, justify=justify, overflow="fold", no_wrap=layout != "fold")
    return grid


def facts(pairs: Iterable[tuple[str, "RenderableType"]]) -> "Table":
    """Lay out names and values in two columns without lines."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, value)
    return grid


def bar(share: Decimal, width: int) -> str:
    """Draw a share of one as a bar that turns yellow, then red, as it fills; it can be read without colours."""
    filled = min(max(round(share * width), 0), width)
    colour = "red" if share >= 1 else "yellow" if share >= Decimal("0.8") else "green"
    return f"[{colour}]{'━' * filled}[/][dim]{'─' * (width - filled)}[/]"


def say(text: str) -> None:
    """Print one line for a person, wrapped to the terminal."""
    console().print(text)
