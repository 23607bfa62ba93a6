"""A desk's first day: `init`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.rules import load

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig


def init(
    bankroll: Annotated[
        str, typer.Option(help="The first deposit; an existing ledger keeps its own.", metavar="AMOUNT")
    ] = "200",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar="CAPDESK_CONFIG",
            help="The configuration that becomes the mandate.",
            metavar="FILE",
            show_default="capdesk.toml where it exists",
        ),
    ] = None,
    write_config: Annotated[
        bool,
        typer.Option(
            "--write-config", help="Write the configuration file too, every setting with its comment."
        ),
    ] = False,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Make a ledger with a bankroll and a mandate.

    Run again it changes nothing and says what is there.
    """
    existed = ledger.exists()
    if write_config:
        config = write_defaults(config or options.DEFAULT_CONFIG)
    rules = read_rules(config)
    state = found(ledger, rules, bankroll)
    state = {"ledger": ledger, "created": not existed, "config": config, **state}
    if json_output:
        render.write_json(state)
        return ExitCode.DONE
    holds = f"bankroll {render.money(state['bankroll'])}, mandate {state['mandate_version']}"
    name = render.literal(str(ledger))
    if existed:
        render.say(f"{name} [yellow]is there already[/], and stays as it is: {holds}")
    else:
        render.say(f"[green]made[/]  {name}: {holds}")
    if write_config:
        render.say(f"[green]made[/]  {render.literal(str(config))}")
    if not existed:
        where = "" if ledger == options.DEFAULT_LEDGER else f" --ledger {render.literal(str(ledger))}"
        render.say(f"[dim]next: capdesk request MARKET AMOUNT{where}, then capdesk report{where}[/]")
    return ExitCode.DONE


def write_defaults(path: Path) -> Path:
    """Write the configuration that is in force without a file; one that exists is left alone."""
    from capdesk.app.commands.config_file import toml_of

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(toml_of(load(None).model_dump()))
    except FileExistsError:
        raise typer.BadParameter(
            f"{path} exists; leave it out to use that", param_hint="--write-config"
        ) from None
    return path


def read_rules(config: Path | None) -> "CapitalConfig | None":
    """Read the configuration that was named, or the one beside the caller; None where nothing was said.

    An existing ledger is opened under its own mandate then, and a new one under the defaults.
    """
    import os

    from capdesk.config import CapitalConfig

    if config is None and options.DEFAULT_CONFIG.exists():
        config = options.DEFAULT_CONFIG
    variables = (f"CAPITAL_{name.upper()}" for name in CapitalConfig.model_fields)
    said = config is not None or any(name in os.environ for name in variables)
    return load(config) if said else None


def found(ledger: Path, rules: "CapitalConfig | None", bankroll: str) -> dict[str, object]:
    """Open the ledger, making it where there is none, and say what it begins with."""
    import asyncio

    from capdesk.desk import CapitalAllocator

    async def open_once() -> dict[str, object]:
        async with CapitalAllocator.open(ledger, rules, initial_bankroll=bankroll) as desk:
            return {"bankroll": desk.bankroll, "mandate_version": desk.mandate_version}

    return asyncio.run(open_once())
