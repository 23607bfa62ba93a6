"""How orders look on a terminal and as JSON."""

from __future__ import annotations

from capdesk.app import render
from capdesk.model.portfolio import RebalanceAction, RebalanceOrder, Rebalancing


def record(orders: Rebalancing) -> dict[str, object]:
    """Give orders as the JSON object that `rebalance --json` prints."""
    return {
        "orders": list(orders),
        "cash_change": orders.cash_change,
        "costs": orders.costs,
        "left_out": orders.left_out,
    }


def draw(orders: Rebalancing) -> None:
    """Print orders for a person."""
    out = render.console()
    if len(orders):
        grid = render.table(("", "right"), ("order", "whole"), "name", ("amount", "right"), ("", "whole"))
        for order in orders:
            colour = "yellow" if order.action is RebalanceAction.DECREASE else "green"
            grid.add_row(
                str(order.priority),
                f"[{colour}]{order.action}[/]",
                render.literal(order.protocol),
                render.money(order.amount),
                part(order),
            )
        out.print(grid)
    else:
        out.print("no orders")
    out.print()
    facts = [("cash", cash(orders))]
    if orders.costs:
        facts.append(("costs", render.money(round(orders.costs, 2))))
    facts += [
        ("left", f"{render.literal(it.protocol)} by {it.deviation * 100:+.2f} %: {render.literal(it.reason)}")
        for it in orders.left_out
    ]
    out.print(render.facts(facts))


def part(order: RebalanceOrder) -> str:
    """Say which part of a split trade an order is."""
    return f"[dim]{order.part} of {order.parts}[/]" if order.parts > 1 else ""


def cash(orders: Rebalancing) -> str:
    """Say what the orders do to cash."""
    change = orders.cash_change
    if not change:
        return "unchanged"
    return f"{'grows' if change > 0 else 'falls'} by {render.money(abs(change))}"
