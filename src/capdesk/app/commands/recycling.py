"""Capital of resolved markets on its way back to the bankroll: `recycle`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import RecycleEvent
    from capdesk.recycler import CapitalRecycler

MOST_FREED_SINCE = 100_000


def recycle(
    market: Annotated[
        str | None,
        typer.Argument(help="The resolved market; all that is due when left out.", metavar="[MARKET]"),
    ] = None,
    pnl: Annotated[
        str | None,
        typer.Option(help="Profit (3.5) or loss (-3.5) before fees.", metavar="AMOUNT", show_default="0"),
    ] = None,
    fees: Annotated[
        str | None, typer.Option(help="Fees paid, not negative.", metavar="AMOUNT", show_default="0")
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Free it at once, without the mandate's delay.")] = False,
    strategy: options.Strategy = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Queue a resolved market's capital for its way back, or free what is due.

    Exit code 3 means that the market held nothing.
    """
    if market is None:
        given = {
            "--pnl": pnl,
            "--fees": fees,
            "--now": now or None,
            "--strategy": strategy,
            "--request-id": request_id,
        }
        for option in (name for name, value in given.items() if value is not None):
            raise typer.BadParameter("it belongs to one market: name it", param_hint=option)
        events = on_desk(ledger, settle_due)
        show_settled(events, as_json=json_output)
        return ExitCode.DONE

    async def send_back(desk: "CapitalAllocator") -> "RecycleEvent":
        return await send(desk, market, pnl=pnl, fees=fees, now=now, strategy=strategy, request_id=request_id)

    event = on_desk(ledger, send_back)
    show_event(event, as_json=json_output)
    return ExitCode.DONE if event.amount else ExitCode.REFUSED


async def settle_due(desk: "CapitalAllocator") -> "list[RecycleEvent]":
    """Free everything whose delay is over."""
    from capdesk.recycler import CapitalRecycler

    return await CapitalRecycler(None, desk).run_due()


async def send(
    desk: "CapitalAllocator",
    market: str,
    *,
    pnl: str | None,
    fees: str | None,
    now: bool,
    strategy: str | None,
    request_id: str | None,
) -> "RecycleEvent":
    """Queue a market, and free it at once when told to; what is queued already keeps its result."""
    from capdesk.recycler import CapitalRecycler

    recycler = CapitalRecycler(None, desk)
    event = None
    if now and pnl is None and fees is None:
        event = await waiting(recycler, market, strategy)
    if event is None:
        event = await recycler.queue_recycle(
            market,
            "0" if pnl is None else pnl,
            fees="0" if fees is None else fees,
            delay_seconds=0 if now else None,
            strategy=strategy,
            request_id=request_id,
        )
    if not now:
        return event
    await recycler.run_due()
    if await waiting(recycler, market, strategy) is not None:
        await recycler.force_recycle(market, strategy)
    freed = await recycler.get_recycle_history(since=event.resolved_at, limit=MOST_FREED_SINCE)
    return next((each for each in freed if each.event_id == event.event_id), event)


async def waiting(recycler: "CapitalRecycler", market: str, strategy: str | None) -> "RecycleEvent | None":
    """Find the queued recycling of what a market holds."""
    for event in await recycler.get_pending_recycles():
        if event.amount and event.market_id == market and strategy in (None, event.strategy):
            return event
    return None


def show_event(event: "RecycleEvent", *, as_json: bool) -> None:
    """Print where one market's capital is on its way."""
    from capdesk.app.commands import allocation_view

    market = render.literal(event.market_id)
    if as_json:
        render.write_json(allocation_view.event_record(event))
    elif not event.amount:
        render.say(f"[red]refused[/]  {market} holds nothing to recycle")
    else:
        done = "[yellow]queued[/]" if event.is_pending() else "[green]recycled[/]"
        render.say(f"{done}  {render.money(event.amount)} of {market}, P&L {render.signed_money(event.pnl)}")


def show_settled(events: "Sequence[RecycleEvent]", *, as_json: bool) -> None:
    """Print what was due and is free now."""
    from capdesk.app.commands import allocation_view

    if as_json:
        render.write_json({"recycled": [allocation_view.event_record(event) for event in events]})
        return
    if not events:
        render.say("nothing is due")
        return
    grid = render.table("recycled", "strategy", ("amount", "right"), ("P&L", "right"))
    for event in events:
        grid.add_row(
            render.literal(event.market_id),
            render.literal(event.strategy),
            render.money(event.amount),
            render.signed_money(event.pnl),
        )
    render.console().print(grid)
