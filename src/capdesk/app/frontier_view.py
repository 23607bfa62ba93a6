"""How a frontier looks on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from capdesk.app import render
from capdesk.app.plan_view import percent, source
from capdesk.app.planning_file import Asked
from capdesk.frontiers import Frontier
from capdesk.model.plans import Plan

THIRDS = {"cvar": "worst 5 % of a period", "concentration": "concentration"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A frontier and what it was asked with."""

    asked: Asked
    frontier: Frontier

    @property
    def years(self) -> list[tuple[float, float]]:
        """Expected return and volatility of a year, plan by plan."""
        count = self.asked.periods_per_year
        return [(it.expected_return * count, it.volatility * sqrt(count)) for it in self.frontier.points]


def record(sheet: Sheet) -> dict[str, object]:
    """Give a frontier as the JSON object that `frontier --json` prints."""
    found = sheet.frontier
    return {
        "file": sheet.asked.file,
        "kind": sheet.asked.table.kind,
        "dropped_lines": sheet.asked.table.dropped,
        "criterion": found.criterion,
        "knee": found.knee_index,
        "points": [
            {
                "expected_return": earned,
                "volatility": volatility,
                "third": point.third,
                "weights": dict(plan.weights),
                "cash": plan.cash,
                "gap": plan.certificate.gap,
            }
            for (earned, volatility), point, plan in zip(sheet.years, found.points, found, strict=True)
        ],
    }


def draw(sheet: Sheet) -> None:
    """Print a frontier for a person."""
    out, found = render.console(), sheet.frontier
    out.print(
        f"[bold]frontier[/]  [dim]{len(found)} plans; {render.literal(source(sheet.asked))}; of a year[/]\n"
    )
    titles = [("", "whole"), ("return", "right"), ("volatility", "right")]
    if found.criterion is not None:
        titles.append((THIRDS.get(found.criterion, found.criterion), "right"))
    grid = render.table(*titles, "largest weights")
    for place, (plan, point) in enumerate(zip(found, found.points, strict=True)):
        earned, volatility = sheet.years[place]
        mark = "[bold]knee[/]" if place == found.knee_index else ""
        third = [] if point.third is None else [_third(found.criterion, point.third)]
        grid.add_row(
            mark, f"{earned * 100:.2f} %", f"{volatility * 100:.2f} %", *third, render.literal(largest(plan))
        )
    out.print(grid)
    out.print("\n[bold]the knee[/]")
    held = render.table("name", ("weight", "right"))
    for name, weight in found.knee.weights.items():
        if weight:
            held.add_row(render.literal(name), percent(weight))
    out.print(held)
    out.print()


def _third(criterion: str | None, value: float) -> str:
    """A tail loss is a fraction of the capital; the others are no shares of anything."""
    return f"{value * 100:.2f} %" if criterion == "cvar" else f"{value:.4f}"


def largest(plan: Plan, count: int = 3) -> str:
    """The names with the largest weights."""
    ranked = sorted(plan.weights.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{name} {weight * 100:.0f} %" for name, weight in ranked[:count] if weight)
