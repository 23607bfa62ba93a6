"""The durable record itself: `ledger check`, `ledger export`, `ledger compact`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import require_ledger
from capdesk.app.commands.shell import DeskCommand, DeskGroup

app = typer.Typer(cls=DeskGroup, no_args_is_help=True, help="Check, export or compact the ledger file.")


@app.command(cls=DeskCommand)
def check(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Verify every entry: the file, the chain of hashes, the replay, the invariants.

    Exit code 5 means that the ledger is damaged.
    """
    require_ledger(ledger)
    from capdesk.ledger import tools

    found = tools.check(ledger)
    if json_output:
        render.write_json(
            {
                "ledger": ledger,
                "sound": not found.problems,
                "entries": found.entries,
                "last_hash": found.last_hash,
                "problems": found.problems,
            }
        )
    elif found.problems:
        for problem in found.problems:
            render.say(f"[red]damaged[/]  {render.literal(problem)}")
    else:
        name = render.literal(str(ledger))
        render.say(f"[green]sound[/]  {found.entries:,} entries of {name}, each hash following from the last")
        render.say(f"[dim]last hash {found.last_hash}[/]")
    return ExitCode.CORRUPT if found.problems else ExitCode.DONE


@app.command(cls=DeskCommand)
def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write to a new file instead of standard output.", metavar="FILE"),
    ] = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: Annotated[
        bool, typer.Option("--json", help="With --output: say as JSON what was written.")
    ] = False,
) -> ExitCode:
    """Write the journal as JSON, one entry a line, oldest first."""
    import json

    require_ledger(ledger)
    from capdesk.ledger import tools

    count = 0
    with destination(output) as stream:
        for entry in tools.export(ledger):
            stream.write(json.dumps(render.plain(entry), ensure_ascii=False) + "\n")
            count += 1
    if output is not None:
        if json_output:
            render.write_json({"ledger": ledger, "output": output, "entries": count})
        else:
            render.say(f"[green]exported[/]  {count:,} entries to {render.literal(str(output))}")
    return ExitCode.DONE


@contextmanager
def destination(output: Path | None) -> Iterator[TextIO]:
    """Open where an export goes; a file that is there already is not overwritten."""
    if output is None:
        yield sys.stdout
        return
    try:
        stream = output.open("x", encoding="utf-8")
    except FileExistsError:
        raise typer.BadParameter(f"{output} exists; name a new file", param_hint="--output") from None
    with stream:
        yield stream


@app.command(cls=DeskCommand)
def compact(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Give back the space that old snapshots and forgotten request ids took; no entry is lost."""
    require_ledger(ledger)
    from capdesk.ledger import tools

    sizes = tools.compact(ledger)
    if json_output:
        render.write_json({"ledger": ledger, "bytes_before": sizes.before, "bytes_after": sizes.after})
    else:
        name = render.literal(str(ledger))
        change = f"{render.size(sizes.before)} before, {render.size(sizes.after)} now"
        render.say(f"[green]compacted[/]  {name}: {change}")
    return ExitCode.DONE
