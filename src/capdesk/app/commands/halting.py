"""Stopping grants by hand, and making them again: `halt`, `resume`, `breaker trip`, `breaker lift`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk
from capdesk.app.commands.shell import DeskCommand, DeskGroup

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.money import Amount
    from capdesk.model.standing import HaltInForce, TrippedBreaker

app = typer.Typer(
    cls=DeskGroup, no_args_is_help=True, help="Stop grants by hand for a while, and lift the stop again."
)

Reason = Annotated[str, typer.Option(help="Why; it stands in the journal.", metavar="TEXT")]


def halt(
    reason: Reason,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Refuse every grant from here on; releases and recycling go on.

    Only 'capdesk resume' ends a halt. One that is in force keeps its own reason.
    """

    async def stop(desk: "CapitalAllocator") -> "tuple[HaltInForce | None, Amount]":
        await desk.halt(reason, request_id=request_id)
        return desk.halted, desk.drawdown

    in_force, drawdown = on_desk(ledger, stop)
    since = None if in_force is None else in_force.since
    why = None if in_force is None else in_force.reason
    if json_output:
        render.write_json({"halted": since is not None, "since": since, "reason": why, "drawdown": drawdown})
    elif since is None:
        render.say(f"[yellow]not halted[/]  the halt {render.literal(str(request_id))} was ended since")
    else:
        render.say(
            f"[red]halted[/]  since {render.clock_time(since)} UTC: {render.literal(str(why))}\n"
            "[dim]releases and recycling go on; 'capdesk resume --reason ...' ends it[/]"
        )
    return ExitCode.DONE


def resume(
    reason: Reason,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """End a halt; the high-water mark begins anew at today's value."""

    async def go_on(desk: "CapitalAllocator") -> "Amount":
        await desk.resume(reason, request_id=request_id)
        return desk.equity

    equity = on_desk(ledger, go_on)
    if json_output:
        render.write_json({"halted": False, "reason": reason, "high_water_mark": equity})
    else:
        render.say(
            f"[green]resumed[/]  {render.literal(reason)}; drawdown is measured from {render.money(equity)} now"
        )
    return ExitCode.DONE


@app.command(cls=DeskCommand)
def trip(
    reason: Reason,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Trip the manual breaker: every budget is 0 until it is lifted."""
    return turn(
        ledger,
        lambda desk: desk.trip_breaker(reason, request_id=request_id),
        "[red]tripped[/]",
        as_json=json_output,
    )


@app.command(cls=DeskCommand)
def lift(
    reason: Reason,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Lift the manual breaker; the others lift by their own rules."""
    return turn(
        ledger,
        lambda desk: desk.lift_breaker(reason, request_id=request_id),
        "[green]lifted[/]",
        as_json=json_output,
    )


def turn(
    ledger: Path, how: "Callable[[CapitalAllocator], Awaitable[None]]", done: str, *, as_json: bool
) -> ExitCode:
    """Turn the manual breaker, and print which breakers stop grants now."""

    async def visit(desk: "CapitalAllocator") -> "tuple[TrippedBreaker, ...]":
        await how(desk)
        return await desk.get_breakers()

    breakers = on_desk(ledger, visit)
    if as_json:
        render.write_json({"breakers": breakers})
        return ExitCode.DONE
    names = ", ".join(each.name for each in breakers)
    said = f"grants are stopped by {names}" if names else "no breaker stops grants"
    render.say(f"{done}  the manual breaker; {said}")
    return ExitCode.DONE
