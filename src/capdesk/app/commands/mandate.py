"""The rules of a ledger: `mandate show`, `mandate diff`, `mandate update`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.rules import load
from capdesk.app.commands.session import on_desk
from capdesk.app.commands.shell import DeskCommand, DeskGroup

if TYPE_CHECKING:
    from capdesk.app.commands.mandate_preview import Preview
    from capdesk.config import CapitalConfig
    from capdesk.desk import CapitalAllocator

app = typer.Typer(
    cls=DeskGroup, no_args_is_help=True, help="Show the rules in force, weigh a change, make it."
)

ConfigFile = Annotated[
    Path, typer.Argument(help="A configuration in TOML.", metavar="FILE", show_default=False)
]


@app.command(cls=DeskCommand)
def show(
    toml: Annotated[bool, typer.Option("--toml", help="Print them as a configuration file to edit.")] = False,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Show the rules in force and their version."""

    async def look(desk: "CapitalAllocator") -> "tuple[int, CapitalConfig]":
        return desk.mandate_version, desk.config

    version, config = on_desk(ledger, look)
    if json_output:
        render.write_json({"mandate_version": version, "config": config.rules()})
    elif toml:
        from capdesk.app.commands.config_file import toml_of

        print(toml_of(config.rules()), end="")
    else:
        from capdesk.app.commands.mandate_view import setting

        out = render.console()
        out.print(f"[bold]{render.literal(str(ledger))}[/]  [dim]mandate {version}[/]\n")
        out.print(
            render.facts((name, render.literal(setting(value))) for name, value in config.rules().items())
        )
    return ExitCode.DONE


@app.command(cls=DeskCommand)
def diff(
    file: ConfigFile,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Say what a configuration would do to what is open, before it does.

    Exit code 8 means that something open would be above its new limit.
    """
    rules = load(file)

    async def look(desk: "CapitalAllocator") -> "Preview":
        from capdesk.app.commands.mandate_preview import preview

        ours, theirs, held = desk.config.rules(), rules.rules(), desk.ledger
        changes = [(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]]
        with held.reading:
            return preview(held.state, rules.mandate(), changes, held.now())

    found = on_desk(ledger, look)
    from capdesk.app.commands import mandate_view

    if json_output:
        render.write_json(mandate_view.record(found))
    else:
        mandate_view.draw(found)
    return ExitCode.ATTENTION if found.above else ExitCode.DONE


@app.command(cls=DeskCommand)
def update(
    file: ConfigFile,
    reason: Annotated[str, typer.Option(help="Why; it stands in the journal.", metavar="TEXT")],
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Make a configuration the mandate, for every process on this ledger."""
    rules = load(file)

    async def change(desk: "CapitalAllocator") -> tuple[bool, int]:
        if request_id is None and desk.config.mandate() == rules.mandate():
            return False, desk.mandate_version
        return True, await desk.update_mandate(rules, reason=reason, request_id=request_id)

    changed, version = on_desk(ledger, change)
    if json_output:
        render.write_json({"changed": changed, "mandate_version": version, "reason": reason})
    elif changed:
        render.say(f"[green]updated[/]  mandate {version} is in force: {render.literal(reason)}")
    else:
        render.say(f"no difference to mandate {version}; nothing was written")
    return ExitCode.DONE
