"""Whether the desk grants, and what stands in its way: `status`."""

from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.app.commands.standing import Status
    from capdesk.desk import CapitalAllocator


def status(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Show whether the desk is halted, its drawdown, the multiplier in force, budgets and recalls."""

    async def look(desk: "CapitalAllocator") -> "Status":
        from capdesk.app.commands import standing

        return await standing.gather(desk)

    found = on_desk(ledger, look)
    if json_output:
        from capdesk.app.commands import standing

        render.write_json(standing.record(found))
    else:
        from capdesk.app.commands import status_view

        status_view.draw(found, ledger)
    return ExitCode.DONE
