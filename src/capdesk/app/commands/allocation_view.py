"""How open allocations, and those on their way back, look in a table and in JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from capdesk.app import render

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.model.requests import Allocation, RecycleEvent


def allocation_record(allocation: "Allocation") -> dict[str, object]:
    """Give an open allocation as a JSON object, its order sizes always listed."""
    return {
        "market_id": allocation.market_id,
        "strategy": allocation.strategy,
        "amount": allocation.amount,
        "orders": allocation.get_order_sizes(),
        "timestamp": allocation.timestamp,
        "account": allocation.account,
        "group": allocation.group,
        "confirmed": allocation.confirmed,
        "lease_until": allocation.lease_until,
        "held": allocation.held,
        "mark": allocation.mark,
    }


def event_record(event: "RecycleEvent") -> dict[str, object]:
    """Give a recycling as a JSON object."""
    return {
        "event_id": event.event_id,
        "market_id": event.market_id,
        "strategy": event.strategy,
        "amount": event.amount,
        "pnl": event.pnl,
        "resolved_at": event.resolved_at,
        "recycled_at": event.recycled_at,
        "pending": event.is_pending(),
    }


def allocations_table(
    allocations: "Sequence[Allocation]", now: datetime, pending: "Sequence[RecycleEvent]" = ()
) -> "Table":
    """Tabulate open allocations, with what each waits for; a column that would say nothing is left out."""
    resolved = {(event.market_id, event.strategy) for event in pending}
    columns: list[tuple[str | tuple[str, str], list[str]]] = [
        ("market", [render.literal(each.market_id) for each in allocations]),
        ("strategy", [render.literal(each.strategy) for each in allocations]),
        ("account", [render.literal(each.account) for each in allocations]),
        ("group", [render.literal(each.group or "") for each in allocations]),
        (("amount", "right"), [render.money(each.amount) for each in allocations]),
        (("worth", "right"), ["" if each.mark is None else render.money(each.mark) for each in allocations]),
        (("orders", "right"), [str(len(each.orders) or "") for each in allocations]),
        (("age", "right"), [render.duration((now - each.timestamp).total_seconds()) for each in allocations]),
        (("state", "whole"), [state_of(each, now, resolved) for each in allocations]),
    ]
    told = [
        (title, cells)
        for title, cells in columns
        if any(cells) and (title != "account" or len(set(cells)) > 1)
    ]
    grid = render.table(*(title for title, _ in told))
    for row in zip(*(cells for _, cells in told), strict=True):
        grid.add_row(*row)
    if any(each.held for each in allocations):
        grid.caption = "held: the lease ended unconfirmed, the order may be live at the venue"
        grid.caption_justify = "left"
    return grid


def state_of(allocation: "Allocation", now: datetime, resolved: "set[tuple[str, str]]") -> str:
    """Say what an allocation waits for."""
    if (allocation.market_id, allocation.strategy) in resolved:
        return "[blue]recycling[/]"
    if allocation.held:
        return "[red]held[/]"
    if allocation.lease_until is not None:
        return f"[yellow]reserved {render.duration((allocation.lease_until - now).total_seconds())}[/]"
    return "[green]open[/]"


def pending_table(pending: "Sequence[RecycleEvent]", now: datetime) -> "Table":
    """Tabulate the capital on its way back."""
    grid = render.table(
        "waiting to be recycled", "strategy", ("amount", "right"), ("P&L", "right"), "resolved"
    )
    for event in pending:
        grid.add_row(
            render.literal(event.market_id),
            render.literal(event.strategy),
            render.money(event.amount),
            render.signed_money(event.pnl),
            f"{render.duration((now - event.resolved_at).total_seconds())} ago",
        )
    return grid
