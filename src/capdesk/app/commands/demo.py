"""A real day on the desk: `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from capdesk.app.commands import options


def demo(
    ledger: Annotated[
        Path,
        typer.Option(
            "--ledger",
            envvar="CAPDESK_LEDGER",
            help="The ledger file that the day is written to.",
            metavar="FILE",
        ),
    ] = Path("demo.db"),
    seed: Annotated[int, typer.Option(help="Two runs with one seed give the same result.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with plots too.", metavar="FILE")
    ] = None,
    bankroll: Annotated[str, typer.Option(help="Dollars to begin the day with.", metavar="AMOUNT")] = "200",
    crash: Annotated[
        bool, typer.Option("--crash", help="Let the venue fail at two: the kill switch fires.")
    ] = False,
    json_output: options.Json = False,
) -> int:
    """Replay a real day of markets with several bots that share one bankroll, each in its sleeve."""
    from capdesk.app.demo_view import run_demo

    return run_demo(
        ledger=ledger, seed=seed, html=html, json_output=json_output, bankroll=bankroll, crash=crash
    )
