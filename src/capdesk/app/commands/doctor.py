"""Whether this machine can be trusted with a ledger: `doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from datetime import datetime

    from capdesk.app.commands.health import Finding
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import AsOf

SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}


def doctor(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Look at the machine: SQLite, file system, time to sync, space, clock, the ledger and its lock.

    Exit code 8 means that a check found a problem.
    """
    findings = examine(ledger)
    healthy = all(finding.verdict != "problem" for finding in findings)
    if json_output:
        render.write_json({"ledger": ledger, "healthy": healthy, "findings": findings})
    else:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for finding in findings:
            grid.add_row(SIGNS[finding.verdict], f"[bold]{finding.check}[/]", render.literal(finding.said))
        render.console().print(grid)
    return ExitCode.DONE if healthy else ExitCode.ATTENTION


def examine(ledger: Path) -> "list[Finding]":
    """Make every check, on the directory where the ledger lies or would lie."""
    import apsw

    from capdesk.app.commands import health

    directory = ledger.parent
    if not directory.is_dir():
        raise NotADirectoryError(
            f"the directory {directory} does not exist: make it, or name another --ledger"
        )
    latency, steadiness = health.check_sync(directory)
    opened, last = open_ledger(ledger)
    return [
        health.check_sqlite(apsw.sqlite_lib_version()),
        health.check_file_system(directory),
        latency,
        health.check_space(directory),
        health.check_clock(last),
        steadiness,
        opened,
        health.check_turn(ledger),
    ]


def open_ledger(ledger: Path) -> "tuple[Finding, datetime | None]":
    """Open the ledger as any command does, and give the time of its last entry.

    An error is what this check is looking for, so it is reported with the other findings.
    """
    from capdesk.app.commands.health import Finding
    from capdesk.model.errors import CapdeskError

    name = str(ledger)
    if not ledger.exists():
        return Finding(
            "ledger", "ok", f"{name} is not there yet: 'capdesk init' makes it", {"exists": False}
        ), None

    async def look(desk: "CapitalAllocator") -> "AsOf":
        return desk.get_allocation_report()["as_of"]

    try:
        as_of = on_desk(ledger, look)
    except CapdeskError as error:
        return Finding("ledger", "problem", str(error), {"exists": True, "error": type(error).__name__}), None
    said = f"{name} opens, {as_of.sequence:,} entries ('capdesk ledger check' verifies each)"
    return Finding("ledger", "ok", said, {"exists": True, "entries": as_of.sequence}), as_of.time
