"""What other rules would have decided: `what-if`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.rules import load
from capdesk.app.commands.session import require_ledger

if TYPE_CHECKING:
    from capdesk.app.commands.second_look import SecondLook
    from capdesk.model.mandate import Mandate

MOST_SHOWN = 20


def what_if(
    config: Annotated[
        Path,
        typer.Option(
            "--config", help="The rules to decide under, in TOML.", metavar="FILE", show_default=False
        ),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every verdict that flips, not the first {MOST_SHOWN} only.")
    ] = False,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Decide the whole journal again under other rules, and list each verdict that flips, with why.

    Requests come when they came; nothing is written. Exit code 8 means that something would have been otherwise.
    """
    require_ledger(ledger)
    mandate = load(config).mandate()
    from capdesk.app.commands import what_if_view

    with look_again(ledger, mandate, None if everything else MOST_SHOWN) as found:
        if json_output:
            what_if_view.write(found, ledger, config)
        else:
            what_if_view.draw(found, ledger, config)
        return ExitCode.ATTENTION if found.flips or found.impossible else ExitCode.DONE


def look_again(ledger: Path, mandate: "Mandate", most: int | None) -> "SecondLook":
    """Read the journal through, with a bar on a terminal of how far it is."""
    from rich.console import Console
    from rich.progress import Progress

    from capdesk.app.commands.second_look import SecondLook
    from capdesk.ledger import tools

    screen = Console(stderr=True)
    with Progress(console=screen, disable=not screen.is_terminal, transient=True) as bar:
        task = bar.add_task("Deciding again", total=tools.length(ledger))
        return SecondLook.of(
            tools.journal(ledger),
            mandate,
            tools.undone(ledger),
            most,
            lambda done: bar.update(task, completed=done),
        )
