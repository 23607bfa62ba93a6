"""The stored runs: `pools runs`, `pools show`, `pools diff`."""

from typing import Annotated

import typer

from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode


def runs(
    kind: Annotated[
        str | None, typer.Option(help="Only the runs of one kind.", metavar="pools|weights")
    ] = None,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """List the stored runs, oldest first; the last of its kind for a day is marked."""
    from capdesk.app.commands.pools import run_view
    from capdesk.records import Records

    with Records(records) as opened:
        found = opened.runs(kind)
    run_view.list_runs(found, json_output=json_output)
    return ExitCode.DONE


def show(
    run: options.Run,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Show a run: what it was computed from, and what came of it.

    Exit code 5 means that it was changed since it was stored.
    """
    from capdesk.app.commands.pools import run_view
    from capdesk.records import Records
    from capdesk.treasury import all_names

    with Records(records) as opened:
        found = opened.run(run)
        names = all_names(opened)
    run_view.show_run(found, names, json_output=json_output)
    return ExitCode.DONE


def diff(
    first: options.Run,
    second: options.Run,
    every: Annotated[
        bool, typer.Option("--all", help="Show every difference, not only the first of each kind.")
    ] = False,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Say in what two runs differ: their inputs, their parameters, their lists, their results.

    Exit code 10 means that they do.
    """
    from capdesk.app.commands.pools import run_view
    from capdesk.records import Records
    from capdesk.records.comparing import differences
    from capdesk.treasury import all_names

    with Records(records) as opened:
        runs = opened.run(first), opened.run(second)
        names = all_names(opened)
    found = differences(runs[0].run, runs[1].run)
    run_view.show_differences(*runs, found, names, every=every, json_output=json_output)
    return ExitCode.DIFFERENT if found else ExitCode.DONE
