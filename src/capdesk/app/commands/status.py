"""Whether the desk grants, and what stands in its way: `status`."""

from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.app.commands.status_view import Status
    from capdesk.desk import CapitalAllocator


def status(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Show whether the desk is halted, its drawdown, the multiplier in force, budgets and recalls."""

    async def look(desk: "CapitalAllocator") -> "Status":
        from capdesk.app.commands import status_view

        return await status_view.gather(desk)

    found = on_desk(ledger, look)
    from capdesk.app.commands import status_view

    if json_output:
        render.write_json(status_view.record(found))
    else:
        status_view.draw(found, ledger)
    return ExitCode.DONE
