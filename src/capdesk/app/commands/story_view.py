"""How the story of a market looks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands.verdict_view import rooms_table

if TYPE_CHECKING:
    from capdesk.app.commands.story import Step

COLOURS = {
    "granted": "green",
    "reserved": "green",
    "confirmed": "green",
    "cut": "yellow",
    "refused": "red",
    "lease ended": "yellow",
    "reversed": "yellow",
    "released": "blue",
    "recycled": "blue",
    "halted": "red",
    "breaker": "red",
    "recalled": "yellow",
    "recall met": "green",
    "resumed": "green",
    "lifted": "green",
}


def draw(market: str | None, ledger: Path, steps: "Sequence[Step]") -> None:
    """Print every step: when, what, why, and the room under every limit that was looked at.

    Parameters
    ----------
    market
        None for the desk's own story.
    """
    from rich.padding import Padding

    out = render.console()
    if not steps:
        out.print(
            f"the journal of {render.literal(str(ledger))} says nothing about {render.literal(market or 'the desk')}"
        )
        return
    out.print(f"[bold]{render.literal(market or 'the desk')}[/]  [dim]{render.literal(str(ledger))}[/]")
    before = None
    for step in steps:
        colour = COLOURS.get(step.what, "cyan")
        when = render.clock_time(step.time, relative_to=before)
        whose = render.literal(str(step.figures.get("strategy") or ""))
        where = " · ".join(part for part in (f"{when} UTC", whose, f"entry {step.sequence:,}") if part)
        out.print(f"\n[bold {colour}]{step.what}[/]  [dim]{where}[/]")
        again = f", and {step.repeats:,} times again" if step.repeats else ""
        out.print(Padding(render.literal(f"{step.sentence}{again}"), (0, 0, 0, 2), expand=False))
        if step.rooms:
            out.print(Padding(rooms_table(step.rooms, step.bound_by), (1, 0, 0, 2)))
        before = step.time
