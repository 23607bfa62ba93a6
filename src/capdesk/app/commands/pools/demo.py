"""A treasury's eleven real days: `pools demo`."""

from pathlib import Path
from typing import Annotated

import typer

from capdesk.app.commands import options
from capdesk.app.commands.pools.choices import OnIceChoice, read_on_ice


def demo(
    records: Annotated[
        Path, typer.Option("--records", help="The file that the records are made in.", metavar="FILE")
    ] = Path("pools-demo.db"),
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with plots too.", metavar="FILE")
    ] = None,
    depeg: Annotated[
        bool, typer.Option("--depeg", help="Lay USDC's real prices of March 2023 over the days.")
    ] = False,
    on_ice: OnIceChoice = "exit",
    json_output: options.Json = False,
) -> int:
    """Run a $10M treasury over 155 real lending pools for eleven real days, a plan a day."""
    from capdesk.app.pools_demo_view import run_demo

    return run_demo(
        records=records, html=html, json_output=json_output, depeg=depeg, on_ice=read_on_ice(on_ice)
    )
