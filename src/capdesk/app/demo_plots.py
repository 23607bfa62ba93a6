"""The demo's plots: the bankroll, how much of it works, who was granted and refused, what each strategy earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from capdesk.app.pages import BLUE, FAINT, GREEN, RED, figure
from capdesk.model.money import Amount
from capdesk.study.demo.bots import STRATEGIES
from capdesk.study.demo.day import Ask, Day
from capdesk.study.demo.mandate import rules
from capdesk.study.demo.run import DemoResult

BIN_SECONDS = 1800
OBSTACLE_COLOURS = (
    "#e0a030",
    "#b15cb8",
    "#c8443c",
    "#e97f5f",
    "#4c93a8",
    "#a9b4c0",
    "#3f4a57",
    "#6b7785",
    "#8c6d46",
    "#59607a",
)
STRATEGY_COLOURS = ("#2864c7", "#e0a030", "#2a9d6f", "#b15cb8", "#6b7785")


def bankroll_plot(result: DemoResult) -> go.Figure:
    """The bankroll after every payout, and what it would have been a tick either way."""
    figure = _figure("Bankroll", "dollars", tickformat="$,.0f")
    for day, name, colour, dash, width in (
        (result.tick_better, "a tick better", GREEN, "dot", 1.2),
        (result.tick_worse, "a tick worse", RED, "dot", 1.2),
        (result.day, "as quoted", BLUE, "solid", 2.4),
    ):
        figure.add_scatter(
            x=[_utc(day.starts_at), *(_utc(level.at) for level in day.levels)],
            y=[float(day.initial_bankroll), *(float(level.bankroll) for level in day.levels)],
            name=name,
            mode="lines",
            line={"shape": "hv", "color": colour, "dash": dash, "width": width},
            hovertemplate="%{y:$,.2f}",
        )
    figure.add_hline(y=float(result.day.initial_bankroll), line={"color": FAINT, "width": 1})
    _mark_stop(figure, result.day)
    return figure


def utilisation_plot(day: Day) -> go.Figure:
    """The share of the bankroll that is allocated, under the limit for all markets."""
    figure = _figure("Capital at work", "percent of the bankroll", ticksuffix=" %")
    times = [_utc(level.at) for level in day.levels]
    figure.add_scatter(
        x=times,
        y=[float(level.utilisation * 100) for level in day.levels],
        name="allocated",
        mode="lines",
        fill="tozeroy",
        line={"shape": "hv", "color": BLUE, "width": 1.4},
        fillcolor="rgba(40, 100, 199, 0.18)",
        customdata=[[float(level.allocated), level.open_allocations] for level in day.levels],
        hovertemplate="%{y:.1f} %: %{customdata[0]:$,.2f} in %{customdata[1]} allocations",
    )
    figure.add_scatter(
        x=times,
        y=[float(level.limit / level.bankroll * 100) for level in day.levels],
        name="limit for all markets",
        mode="lines",
        line={"color": RED, "dash": "dash", "width": 1.6},
        hovertemplate="%{y:.1f} %",
    )
    figure.update_yaxes(rangemode="tozero")
    _mark_stop(figure, day)
    return figure


def risk_plot(day: Day) -> go.Figure:
    """The volatility that each heartbeat saw, and the multiplier that it set."""
    figure = _figure("Market risk", "volatility, percent a year", ticksuffix=" %")
    sightings = day.supervised.sightings
    times = [_utc(each.at) for each in sightings]
    figure.add_scatter(
        x=times,
        y=[None if each.volatility is None else each.volatility * 100 for each in sightings],
        name="volatility",
        mode="lines",
        line={"color": BLUE, "width": 1.6},
        hovertemplate="%{y:.1f} %",
    )
    figure.add_scatter(
        x=times,
        y=[float(each.multiplier) for each in sightings],
        name="multiplier of every budget",
        mode="lines",
        yaxis="y2",
        line={"shape": "hv", "color": RED, "dash": "dash", "width": 1.6},
        hovertemplate="x %{y:g}",
    )
    figure.update_layout(
        yaxis2={
            "title": "multiplier",
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.05],
            "tickvals": sorted({0.0, *(float(each.multiplier) for each in sightings)}),
            "showgrid": False,
        },
        margin={"l": 76, "r": 76, "t": 64, "b": 96},
    )
    figure.update_yaxes(rangemode="tozero", selector={"side": None})
    _mark_stop(figure, day)
    return figure


def _mark_stop(figure: go.Figure, day: Day) -> None:
    """Draw where the kill switch fired, if it did."""
    stop = day.supervised.stop
    if stop is not None:
        figure.add_vline(x=_utc(stop.at), line={"color": RED, "width": 1.2})
        figure.add_annotation(
            x=_utc(stop.at),
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            text="kill switch",
            font={"color": RED},
        )


def answers_plot(day: Day) -> go.Figure:
    """How many asks were granted (upwards) and refused (downwards) in each half hour, by limit."""
    figure = _figure("What the desk answered in each half hour", "asks: refused ↓  granted ↑")
    colours = dict(zip(_obstacles(day), OBSTACLE_COLOURS, strict=False))
    _add_bars(figure, (ask for ask in day.asks if ask.answer == "full"), "granted in full", GREEN)
    for name, colour in colours.items():
        met = [ask for ask in day.asks if ask.obstacle == name]
        cut = [ask for ask in met if ask.answer == "cut"]
        if cut:
            _add_bars(figure, cut, f"cut: {name}", colour, pattern="/")
        _add_bars(
            figure, (ask for ask in met if ask.answer == "refused"), f"refused: {name}", colour, sign=-1
        )
    figure.update_layout(barmode="relative", bargap=0.12, hovermode="x unified")
    tallest = max(Counter(_bin(ask.at) for ask in day.asks).values(), default=1)
    step = 5 if tallest < 40 else 20
    ticks = range(-step * (tallest // step + 1), tallest + step, step)
    figure.update_yaxes(tickvals=list(ticks), ticktext=[str(abs(tick)) for tick in ticks])
    return figure


def strategies_plot(day: Day) -> go.Figure:
    """What each strategy had earned by each moment, after fees."""
    figure = _figure("Profit and loss by strategy, after fees", "dollars, running sum", tickformat="$,.0f")
    for strategy, colour in zip(STRATEGIES, STRATEGY_COLOURS, strict=False):
        payouts = [payout for payout in day.payouts if payout.position.strategy == strategy]
        earned = list(accumulate((payout.net for payout in payouts), initial=Amount(0)))
        figure.add_scatter(
            x=[_utc(day.starts_at), *(_utc(payout.at) for payout in payouts)],
            y=[float(each) for each in earned],
            name=f"{strategy} {'-' if earned[-1] < 0 else '+'}${abs(earned[-1]):,.2f}",
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2},
            hovertemplate="%{y:$,.2f}",
        )
    figure.add_hline(y=0, line={"color": FAINT, "width": 1})
    return figure


def _add_bars(
    figure: go.Figure, asks: Iterable[Ask], name: str, colour: str, *, sign: int = 1, pattern: str = ""
) -> None:
    counts = Counter(_bin(ask.at) for ask in asks)
    if not counts:
        return
    figure.add_bar(
        x=[_utc(start + BIN_SECONDS // 2) for start in sorted(counts)],
        y=[sign * counts[start] for start in sorted(counts)],
        width=BIN_SECONDS * 1000 * 0.88,
        name=name,
        marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "size": 5}},
        customdata=[counts[start] for start in sorted(counts)],
        hovertemplate="%{customdata}",
    )


def _obstacles(day: Day) -> list[str]:
    """What stood in the way at least once: the limits in their usual order, then the rest."""
    met = {ask.obstacle for ask in day.asks if ask.obstacle is not None}
    known = [name for name in rules() if name in met]
    return [*known, *sorted(met - set(known))]


def _bin(at: int) -> int:
    return at // BIN_SECONDS * BIN_SECONDS


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _figure(title: str, unit: str, **y_axis: Any) -> go.Figure:
    """An empty plot over the day in the page's look."""
    plot = figure(title, unit, **y_axis)
    plot.update_xaxes(title="time of day, UTC", tickformat="%H:%M", hoverformat="%d %b %H:%M:%S")
    return plot
