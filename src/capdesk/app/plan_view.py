"""How a plan looks on a terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capdesk.app import render
from capdesk.app.metrics_view import day
from capdesk.app.planning_file import Asked
from capdesk.desk.adoption import plan_hash
from capdesk.model.explanation import Binding, objective_of
from capdesk.model.money import Amount
from capdesk.model.plans import Plan

if TYPE_CHECKING:
    from rich.table import Table

_TO_RAISE = ("the Sharpe ratio", "the utility")


def record(plan: Plan, asked: Asked) -> dict[str, object]:
    """Give a plan as the JSON object that `weights --json` prints."""
    certificate = plan.certificate
    return {
        "strategy": plan.strategy,
        "file": asked.file,
        "kind": asked.table.kind,
        "dropped_lines": asked.table.dropped,
        "weights": dict(plan.weights),
        "cash": plan.cash,
        "budget": plan.budget,
        "binding": [
            {"limit": it.limit, "name": it.name, "value": it.value, "shadow_price": it.shadow_price}
            for it in plan.binding
        ],
        "shadow_price_unit": objective_of(plan.evidence),
        "certificate": {name: getattr(certificate, name) for name in certificate.__struct_fields__},
        "history": history(plan, asked),
        "solver": plan.solver,
        "version": plan.version,
        "notes": plan.notes,
        "why": plan.explain(),
        "hash": plan_hash(plan),
    }


def history(plan: Plan, asked: Asked) -> dict[str, float] | None:
    """What the weights would have earned and how they would have varied, a year; None for moments."""
    returns = asked.returns
    if returns is None or len(returns) < 2:
        return None
    earned = returns @ np.array([float(plan.weights.get(name, Amount(0))) for name in asked.names])
    return {
        "mean_return": float(earned.mean()) * asked.periods_per_year,
        "volatility": float(earned.std(ddof=1)) * asked.periods_per_year**0.5,
    }


def draw(plan: Plan, asked: Asked, *, explain: bool) -> None:
    """Print a plan for a person."""
    out = render.console()
    out.print(f"[bold]{render.literal(plan.strategy)}[/]  [dim]{render.literal(source(asked))}[/]\n")
    out.print(_weights(plan, max(10, min(40, out.width - 40))))
    out.print()
    out.print(render.facts(_facts(plan, asked)))
    if explain:
        out.print()
        out.print(render.facts((name, render.literal(why)) for name, why in plan.explain().items()))


def source(asked: Asked) -> str:
    """Say what was read."""
    table = asked.table
    if table.kind == "moments":
        return f"moments of {len(asked.names)} names in {asked.file}"
    span = f", {day(table.dates[0])} to {day(table.dates[-1])}" if table.dates else ""
    return f"{table.kind} of {len(asked.names)} names in {asked.file}{span}{table.left_out}"


def _weights(plan: Plan, width: int) -> Table:
    grid = render.table("name", ("weight", "right"), ("", "whole"))
    largest = max((abs(weight) for weight in plan.weights.values()), default=Amount(1)) or Amount(1)
    for name, weight in plan.weights.items():
        colour = "red" if weight < 0 else "cyan"
        bar = "━" * max(0, round(width * float(abs(weight) / largest)))
        grid.add_row(render.literal(name), percent(weight), f"[{colour}]{bar}[/]")
    if plan.cash:
        grid.add_row("[dim]cash[/]", f"[dim]{percent(plan.cash)}[/]", "")
    return grid


def _facts(plan: Plan, asked: Asked) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if (past := history(plan, asked)) is not None:
        pairs.append(
            (
                "in the file",
                f"mean return {past['mean_return'] * 100:.1f} % a year, "
                f"volatility {past['volatility'] * 100:.1f} % a year",
            )
        )
    pairs += [("binding", binding(it, objective_of(plan.evidence))) for it in plan.binding[:8]]
    if len(plan.binding) > 8:
        pairs.append(("", f"[dim]and {len(plan.binding) - 8} more: --json shows all[/]"))
    if any(it.shadow_price is not None for it in plan.binding):
        span = "a year" if asked.table.kind == "moments" else "one period, a row of the file"
        pairs.append(("", f"[dim]each in the objective of {span}[/]"))
    pairs.append(("certificate", render.literal(plan.certificate.says)))
    pairs.append(("solver", render.literal(plan.solver)))
    pairs += [("note", render.literal(note)) for note in plan.notes]
    return pairs


def binding(it: Binding, objective: str) -> str:
    """A limit that binds, and what room at it is worth, in words.

    Weights are moved by a percentage point, what has a unit of its own (exposures, a return) by one.
    """
    shown = f"{it.limit} {it.name}".strip().replace("_", " ")
    if it.shadow_price is None:
        return f"{render.literal(shown)} {it.value:.4g}"
    own = it.limit.startswith(("exposure", "return"))
    price = it.shadow_price if own else it.shadow_price / 100
    better = "raises" if (objective in _TO_RAISE) == (price >= 0) else "lowers"
    step = "one unit" if own else "1 % more" if it.limit == "budget" else "1 % of room"
    return f"{render.literal(shown)} {it.value:.4g}  [dim]{step} {better} {objective} by {abs(price):.3g}[/]"


def percent(weight: Amount) -> str:
    """Show a weight in percent, to a millionth."""
    return f"{weight * 100:.4f} %"
