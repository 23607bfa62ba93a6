"""A position's size inside its strategy's sleeve: `size`."""

from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import Verdict


def size(
    strategy: Annotated[
        str, typer.Argument(help="The strategy that sizes.", metavar="STRATEGY", show_default=False)
    ],
    percent: Annotated[
        str,
        typer.Option(help="The signal's fraction of its sleeve: 0.5 is half of it.", metavar="FRACTION"),
    ] = "1",
    market: Annotated[
        str | None,
        typer.Option(help="Where; a market that holds nothing yet when left out.", metavar="MARKET"),
    ] = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Say how large a position may be: what is asked of its sleeve, what is granted, and every room.

    Nothing is taken and nothing is written. Exit code 3 means that it would be refused.
    """

    async def ask(desk: "CapitalAllocator") -> "tuple[Verdict, str]":
        from capdesk.sizing import Signal

        verdict = await desk.size_position(strategy, Signal(strategy, percent, market))
        return verdict, desk.ledger.state.mandate.sizing

    verdict, mode = on_desk(ledger, ask)
    from capdesk.app.commands import verdict_view

    if json_output:
        render.write_json(verdict_view.record(verdict) | {"percent": percent, "sizing": mode, "quote": True})
    else:
        verdict_view.draw(verdict, quote=True)
        if mode == "unified":
            render.say("\n[dim]sizing is unified: the sleeve's own rules size it, not the signal[/]")
    return ExitCode.DONE if verdict.granted else ExitCode.REFUSED
