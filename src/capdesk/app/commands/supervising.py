"""What the desk is told of the market, and its heartbeat: `observe`, `supervise`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk, require_ledger

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.journal import MarketObserved


def observe(
    volatility_state: Annotated[
        str | None, typer.Option(help="low, medium, high or extreme.", metavar="STATE")
    ] = None,
    volatility: Annotated[
        str | None,
        typer.Option(
            help="Annual volatility as a fraction (0.6); its state follows from the mandate.",
            metavar="FIGURE",
        ),
    ] = None,
    gas: Annotated[str | None, typer.Option(help="Gas price in gwei.", metavar="GWEI")] = None,
    correlation: Annotated[
        str | None, typer.Option(help="Mean correlation of the markets, as a fraction.", metavar="FIGURE")
    ] = None,
    breaker: Annotated[bool, typer.Option("--breaker", help="A breaker outside has been triggered.")] = False,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Tell the desk what the market looks like; one multiplier follows from the mandate's risk table.

    What is not given counts as not known, and what the table asks for and is not known fails closed.
    """

    async def tell(desk: "CapitalAllocator") -> "MarketObserved":
        (event,) = await desk.observe_market(
            volatility_state,
            volatility=volatility,
            gas_price_gwei=gas,
            correlation=correlation,
            circuit_breaker_triggered=breaker,
            request_id=request_id,
        )
        return event  # pyright: ignore[reportReturnType]

    risk = on_desk(ledger, tell).risk
    from capdesk.app.commands.standing import fraction
    from capdesk.model.requests import moment

    if json_output:
        render.write_json(
            {
                "multiplier": fraction(risk.market_ppm),
                "gas_multiplier": fraction(risk.gas_ppm),
                "reason": risk.reason,
                "observed_at": moment(risk.observed_at),
            }
        )
    else:
        paid = f", x {fraction(risk.gas_ppm)} more where gas is paid" if risk.gas_ppm != 1_000_000 else ""
        render.say(
            f"[green]observed[/]  [bold]x {fraction(risk.market_ppm)}[/]{paid}: {render.literal(risk.reason)}"
        )
    return ExitCode.DONE


def supervise(
    every: Annotated[str, typer.Option(help="Time between heartbeats.", metavar="SECONDS")] = "60",
    notify: Annotated[
        list[str] | None,
        typer.Option(
            help="Where halts, breakers and overdue recalls are sent: an address of apprise; may be given again.",
            metavar="URL",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="A CSV of prices, returns or moments to plan from, every CAPITAL_OPTIMIZATION_FREQUENCY seconds, "
            "by CAPITAL_STRATEGY; it is read anew each time.",
            metavar="FILE",
        ),
    ] = None,
    max_weight: options.MaxWeight = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: Annotated[bool, typer.Option("--json", help="Print each notice as JSON on a line.")] = False,
) -> ExitCode:
    """Run the desk's heartbeat until Ctrl-C: budgets, pauses, recalls, breakers, the kill switch.

    It decides nothing by itself: what it finds is decided and journaled by the desk, and said here.
    """
    require_ledger(ledger)
    import asyncio

    from capdesk.app.commands import heartbeat

    notices = heartbeat.Notices(ledger, every, as_json=json_output)
    planning = frequency = None
    if plan is not None:
        from capdesk.app.planning_file import planner_of, settings_of

        planning = planner_of(plan, max_weight)
        frequency = float(settings_of(None).optimization_frequency)
    asyncio.run(heartbeat.keep(ledger, every, notify or [], notices, planning, frequency))
    return ExitCode.DONE
