"""The pools demo's plots: where the money lay, what was promised and paid, the rivals, the costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import plotly.graph_objects as go

from capdesk.app.pages import BLUE, FAINT, GREEN, RED, figure
from capdesk.model.pool_plans import Position
from capdesk.study.pools_demo.record import OURS, contest, elapsed
from capdesk.study.pools_demo.result import PoolsDemo, Rival
from capdesk.study.pools_demo.setting import TREASURY_USD

COLOURS = (BLUE, "#e0a030", GREEN, "#b15cb8", "#4c93a8", RED, "#8c6d46", "#6b7785", "#e97f5f", "#59607a")


def by_protocol(demo: PoolsDemo) -> go.Figure:
    """Dollars in each protocol, day by day."""
    return _stacked(demo, "Allocation by protocol", lambda each: each.protocol)


def by_chain(demo: PoolsDemo) -> go.Figure:
    """Dollars on each chain, day by day."""
    return _stacked(demo, "Allocation by chain", lambda each: each.chain)


def _stacked(demo: PoolsDemo, title: str, of: Callable[[Position], str]) -> go.Figure:
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(demo.days))
    for number, day in enumerate(demo.days):
        for each in day.plan.positions:
            sums[of(each)][number] += float(each.amount)
        if day.plan.cash >= 1:
            sums["cash"][number] += float(day.plan.cash)
    plot = figure(title, "dollars", tickformat="$,.3s")
    ordered = sorted(sums, key=lambda name: -sum(sums[name]))
    for number, name in enumerate(ordered):
        plot.add_bar(
            x=_days(demo),
            y=sums[name],
            name=name,
            marker={"color": COLOURS[number % len(COLOURS)] if name != "cash" else FAINT},
            hovertemplate="%{y:$,.0f}",
        )
    plot.update_layout(barmode="stack", bargap=0.25)
    return plot


def promised_and_paid(demo: PoolsDemo) -> go.Figure:
    """What each plan promised until the next figures, and what the pools then paid."""
    plot = figure("Yield promised and paid", "dollars a day", tickformat="$,.0f")
    days = [elapsed(demo, number).days for number in range(1, len(demo.days))]
    promised = [day.promised for day in demo.days[:-1]]
    paid = [float(day.earned) / count for day, count in zip(demo.days[1:], days, strict=True)]
    for name, values, colour in (("promised", promised, FAINT), ("paid", paid, GREEN)):
        plot.add_bar(
            x=_days(demo)[1:], y=values, name=name, marker={"color": colour}, hovertemplate="%{y:$,.2f}"
        )
    plot.update_layout(barmode="group", bargap=0.3)
    return plot


def against_rivals(demo: PoolsDemo) -> go.Figure:
    """What each treasury gained since the beginning."""
    return _gains(demo, "Gain against simpler treasuries", contest(demo))


def choices(demo: PoolsDemo) -> go.Figure:
    """What each answer to the iced coin came to."""
    chosen = Rival(str(demo.on_ice), demo.values, demo.costs, ())
    return _gains(demo, "Exit, reduce or freeze", (chosen, *demo.choices))


def _gains(demo: PoolsDemo, title: str, each: tuple[Rival, ...]) -> go.Figure:
    plot = figure(title, "dollars since the beginning", tickformat="$,.0f")
    for number, rival in enumerate(each):
        plot.add_scatter(
            x=_days(demo),
            y=[float(value) - TREASURY_USD for value in rival.values],
            name=rival.name,
            mode="lines+markers",
            line={"color": COLOURS[number], "width": 2.8 if rival.name == OURS or not number else 1.6},
            hovertemplate="%{y:$,.2f}",
        )
    plot.add_hline(y=0, line={"color": FAINT, "width": 1})
    return plot


def costs(demo: PoolsDemo) -> go.Figure:
    """What moving money cost each day; the scale is logarithmic, as the first day's is a hundred times the others'."""
    plot = figure("Costs of moving money", "dollars, logarithmic", tickformat="$,.2f", type="log")
    for name, values, colour in (
        ("gas", [day.plan.costs.gas for day in demo.days], BLUE),
        ("swaps and bridges", [day.plan.costs.conversion for day in demo.days], "#e0a030"),
    ):
        plot.add_bar(
            x=_days(demo),
            y=[float(value) or None for value in values],
            name=name,
            marker={"color": colour},
            hovertemplate="%{y:$,.2f}",
        )
    plot.update_layout(barmode="group", bargap=0.3)
    return plot


def _days(demo: PoolsDemo) -> list[str]:
    return [f"{day.day:%d %b}" for day in demo.days]
