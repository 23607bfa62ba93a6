"""`capdesk demo` on a terminal: where its ledger goes, how far it is, and what it prints."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount

if TYPE_CHECKING:
    from rich.console import Console

    from capdesk.study.demo.run import WatchRun

RUN_NAMES = {0: "The day, on disk", -1: "A tick better", 1: "A tick worse"}


def run_demo(
    *,
    ledger: Path,
    seed: int = 0,
    html: Path | None = None,
    json_output: bool = False,
    bankroll: str = "200",
    crash: bool = False,
    console: Console | None = None,
) -> int:
    """Run the demo and show what it found; give the exit code.

    Parameters
    ----------
    ledger
        Where the day is written. A file that is there is left alone: the next free numbered name is taken.
    html
        Where to write the page with plots; an older page is replaced.
    bankroll
        Dollars to begin with.
    crash
        Let the venue fail, so that the kill switch fires.

    Raises
    ------
    InvalidInput
        If the bankroll is no amount above zero, a folder is missing, or `html` is given and plotly
        is not installed: all before anything is run.
    """
    initial = Amount(bankroll)
    if initial <= 0:
        raise InvalidInput(f"bankroll must be above 0, got {bankroll}")
    path = free_path(ledger)
    if html is not None:
        from capdesk.app.pages import require_plotly

        require_folder(html, "html")
        require_plotly()

    from capdesk.study.demo.crash import VENUE_FAILS
    from capdesk.study.demo.run import run

    failure = VENUE_FAILS if crash else None
    with progress() as watch:
        result = asyncio.run(run(path, seed=seed, bankroll=initial, failure=failure, watch=watch))
    if html is not None:
        from capdesk.app import demo_html

        demo_html.write(result, html)
    if json_output:
        from capdesk.study.demo.record import record

        render.write_json(record(result) | {"html": html})
    else:
        from capdesk.app.demo_report import draw

        draw(result, console or render.console(), asked_for=ledger, html=html)
    return 0


def require_folder(path: Path, name: str) -> None:
    """Check that a file can be made at `path`."""
    if not path.absolute().parent.is_dir():
        raise InvalidInput(f"{name} must lie in a folder that exists, got {path}: make {path.parent} first")


def free_path(path: Path, name: str = "ledger") -> Path:
    """The path itself, or with the first number that makes it free: no file is ever overwritten."""
    require_folder(path, name)
    candidate, number = path, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


@contextmanager
def progress() -> Iterator[WatchRun]:
    """Show on standard error how far each run is; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from capdesk.study.demo.markets import load_markets
    from capdesk.study.demo.venue import PAYOUT_DELAY_SECONDS

    markets = load_markets()
    begins = markets[0].opens_at
    span = markets[-1].closes_at + PAYOUT_DELAY_SECONDS[1] - begins
    screen = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[clock]} UTC  {task.fields[bankroll]}"),
        TimeElapsedColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )

    def watch_run(slippage_ticks: int):
        task = bar.add_task(RUN_NAMES[slippage_ticks], total=span, clock="--:--", bankroll="")

        def watch(second: int, bankroll: Amount) -> None:
            clock = datetime.fromtimestamp(second, UTC)
            bar.update(
                task, completed=second - begins, clock=f"{clock:%H:%M}", bankroll=render.money(bankroll)
            )

        return watch

    with bar:
        yield watch_run
