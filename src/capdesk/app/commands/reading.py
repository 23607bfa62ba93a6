"""Looking at the desk without changing it: `report`, `explain`, `orphans`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.app.commands.report_view import Report
    from capdesk.app.commands.story import Step
    from capdesk.desk import CapitalAllocator
    from capdesk.model.journal import Entry
    from capdesk.model.requests import Allocation


def report(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Show the bankroll, what is allocated of it, and the room that is left."""

    async def look(desk: "CapitalAllocator") -> "Report":
        from capdesk.app.commands import report_view

        return await report_view.gather(desk, ledger)

    found = on_desk(ledger, look)
    from capdesk.app.commands import report_view

    if json_output:
        render.write_json(report_view.record(found))
    else:
        report_view.draw(found)
    return ExitCode.DONE


def explain(
    market: Annotated[
        str | None,
        typer.Argument(help="The market; the desk itself when left out.", metavar="[MARKET]"),
    ] = None,
    last: Annotated[
        str, typer.Option(help="How many steps of the desk's own story to tell.", metavar="COUNT")
    ] = "50",
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Tell the story of a market from the journal: every decision, its reason, the room under every limit.

    Without a market: the desk's own story, its flows, rules, budgets, recalls and halts.
    """
    from capdesk.app.commands import story_view

    if not last.isdecimal() or int(last) == 0:
        raise typer.BadParameter(f"it is a count of 1 or more, got {last}", param_hint="--last")
    steps = of_the_desk(ledger, int(last)) if market is None else of_a_market(ledger, market)
    if json_output:
        render.write_json({"market_id": market, "steps": [step.record() for step in steps]})
    else:
        story_view.draw(market, ledger, steps)
    return ExitCode.DONE


def of_a_market(ledger: Path, market: str) -> "list[Step]":
    """Read what the journal says about a market."""

    async def look(desk: "CapitalAllocator") -> "tuple[list[Entry], dict[int, int]]":
        from capdesk.model.requests import Refused

        entries = await desk.explain(market)
        refusals = [entry for entry in entries if any(isinstance(event, Refused) for event in entry.events)]
        return entries, {entry.sequence: await desk.get_repeats(entry) for entry in refusals}

    entries, repeats = on_desk(ledger, look)
    from capdesk.app.commands import story

    return story.of_market(market, entries, repeats)


def of_the_desk(ledger: Path, last: int) -> "list[Step]":
    """Read what the journal says about the desk itself."""

    async def look(desk: "CapitalAllocator") -> "list[Step]":
        from capdesk.app.commands import desk_story

        return await desk_story.gather(desk, last)

    return on_desk(ledger, look)


def orphans(
    silent: Annotated[
        str | None,
        typer.Option(
            help="Silent for at least this long; the mandate's owner_silent_seconds when left out.",
            metavar="SECONDS",
        ),
    ] = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """List the allocations whose owner has been silent: capital that a bot may have forgotten."""

    async def look(desk: "CapitalAllocator") -> "tuple[list[Allocation], object]":
        return await desk.get_orphans(silent), desk.get_allocation_report()["as_of"]

    found, as_of = on_desk(ledger, look)
    from capdesk.app.commands import allocation_view

    if json_output:
        render.write_json(
            {"orphans": [allocation_view.allocation_record(each) for each in found], "as_of": as_of}
        )
    elif found:
        from datetime import UTC, datetime

        render.console().print(allocation_view.allocations_table(found, datetime.now(UTC)))
    else:
        render.say("[green]no orphans[/]  every owner of an open allocation has been heard of")
    return ExitCode.DONE
