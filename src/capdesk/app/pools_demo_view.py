"""`capdesk pools demo` on a terminal: where its records go, how far it is, and what it prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.demo_view import free_path, require_folder

if TYPE_CHECKING:
    from rich.console import Console

    from capdesk.decide.pools.eligibility import OnIce
    from capdesk.study.pools_demo.run import Told


def run_demo(
    *,
    records: Path,
    html: Path | None = None,
    json_output: bool = False,
    depeg: bool = False,
    on_ice: OnIce = "exit",
    console: Console | None = None,
) -> int:
    """Run the pools demo and show what it found; give the exit code.

    Parameters
    ----------
    records
        Where the records are made. A file that is there is left alone: the next free
        numbered name is taken.
    html
        Where to write the page with plots; an older page is replaced.
    depeg
        Lay USDC's prices of March 2023 over the days.
    on_ice
        What becomes of positions in an iced coin.

    Raises
    ------
    InvalidInput
        If a folder is missing, or `html` is given and plotly is not installed: before
        anything is run.
    """
    path = free_path(records, "records")
    if html is not None:
        from capdesk.app.pages import require_plotly

        require_folder(html, "html")
        require_plotly()

    from capdesk.study.pools_demo.run import run

    with progress() as told:
        demo = run(path, depeg=depeg, on_ice=on_ice, told=told)
    if html is not None:
        from capdesk.app import pools_demo_html

        pools_demo_html.write(demo, html)
    if json_output:
        from capdesk.study.pools_demo.record import record

        render.write_json(record(demo) | {"html": html})
    else:
        from capdesk.app.pools_demo_report import draw

        draw(demo, console or render.console(), asked_for=records, html=html)
    return 0


@contextmanager
def progress() -> Iterator[Told]:
    """Show on standard error how far the demo is; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days"),
        TimeElapsedColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
    task = bar.add_task("Planning", total=None)

    def told(what: str, done: int, steps: int) -> None:
        bar.update(task, description=what, completed=done, total=steps)

    with bar:
        yield told
