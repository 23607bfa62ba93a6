"""The table of a run, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rows import Row


def show(console: Console, rows: list[Row], circumstances: Mapping[str, str]) -> None:
    """Print the table, and below it what the figures depend on."""
    table = Table(title="capdesk, side by side with its peers", title_justify="left")
    table.add_column("task")
    table.add_column("against")
    for column in ("capdesk", "peer", "ratio", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("met")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    for note in dict.fromkeys(
        f"{', '.join(filter(None, (row.task, row.against)))}: {row.note}" for row in rows if row.note
    ):
        console.print(note, highlight=False, soft_wrap=True, style="dim")
    for name, value in circumstances.items():
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)


def _cells(row: Row) -> tuple[str, ...]:
    bound = "<=" if row.at_most else ">="
    return (
        row.task,
        row.against,
        f"{_figure(row.capdesk)} {row.unit}",
        "" if row.peer is None else f"{_figure(row.peer)} {row.unit}",
        "" if row.ratio is None else f"{_figure(row.ratio)}x",
        f"{bound} {row.goal:g}{f' {row.unit}' if row.ratio is None else 'x'}",
        "[green]yes[/green]" if row.met else "[red]no[/red]",
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_json(path: Path, rows: list[Row], circumstances: Mapping[str, str]) -> None:
    """The same figures, unrounded."""
    figures = [{**asdict(row), "met": row.met} for row in rows]
    path.write_text(json.dumps({**circumstances, "rows": figures}, indent=2) + "\n", encoding="utf-8")
