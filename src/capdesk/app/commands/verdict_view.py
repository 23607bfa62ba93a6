"""How the desk's answer to a request looks: the grant, its sentence, the room under every limit."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from capdesk.app import render

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.model.requests import Room, Verdict


def record(verdict: "Verdict") -> dict[str, object]:
    """Give a verdict as the JSON object that `request --json` prints."""
    return {
        "result": verdict.result,
        "granted": verdict.granted,
        "market_id": verdict.market_id,
        "strategy": verdict.strategy,
        "asked": verdict.asked,
        "amount": verdict.amount,
        "orders": verdict.orders,
        "bound_by": verdict.bound_by,
        "rooms": verdict.rooms,
        "why": verdict.why,
        "mandate_version": verdict.mandate_version,
        "request_id": verdict.request_id,
        "sequence": verdict.sequence,
    }


def draw(verdict: "Verdict", *, quote: bool) -> None:
    """Print a verdict for a person."""
    out = render.console()
    out.print(headline(verdict, quote=quote))
    where = [verdict.strategy, f"mandate {verdict.mandate_version}"]
    if not quote:
        where += [f"entry {verdict.sequence:,}", f"request {verdict.request_id}"]
    out.print(f"[dim]{render.literal(' · '.join(where))}[/]")
    if verdict.orders:
        out.print("orders  " + "  ".join(render.money(size) for size in verdict.orders))
    if verdict.rooms:
        out.print()
        out.print(rooms_table(verdict.rooms, verdict.bound_by))


def headline(verdict: "Verdict", *, quote: bool) -> str:
    """Colour the desk's own sentence by its outcome, and name the code of a refusal."""
    word = "granted" if verdict.granted else "refused"
    # A refusal that comes before any limit says only why.
    said = verdict.why.removeprefix(f"{word} ")
    rest = (
        said
        if said != verdict.why
        else f"{render.money(verdict.asked)} asked for {verdict.market_id}: {said}"
    )
    would = "would be " if quote else ""
    colour = "red" if not verdict.granted else "green" if verdict.amount == verdict.asked else "yellow"
    code = "" if verdict.granted else f"  [dim]({verdict.result.value})[/]"
    return f"[bold {colour}]{would}{word}[/] {render.literal(rest)}{code}"


def rooms_table(rooms: Iterable["Room"], bound_by: str | None) -> "Table":
    """Tabulate the room under every limit that was looked at; the one that bound stands out."""
    grid = render.table("limit", ("allows", "right"), ("in use", "right"), ("room", "right"), "")
    for room in rooms:
        binding = room.name == bound_by
        grid.add_row(
            render.literal(room.name),
            render.money(room.limit),
            render.money(room.used),
            render.money(room.room),
            "◀ binds" if binding else "",
            style="yellow" if binding else None,
        )
    return grid
