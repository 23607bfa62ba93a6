"""A tear sheet's plots: growth, drawdown, the distribution of returns, and the year that ran up to each day."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from capdesk.app.metrics_view import Sheet
from capdesk.app.pages import BLUE, FAINT, GREEN, INK, RED, figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

Array = NDArray[np.float64]
AMBER = "#e0a030"
NO_LEGEND = {"showlegend": False, "margin": {"l": 76, "r": 24, "t": 64, "b": 48}, "height": 350}


def all_plots(sheet: Sheet) -> tuple[go.Figure, ...]:
    """The plots in the order of the page."""
    returns = _array(sheet, sheet.name)
    rolling = () if len(returns) < _window(sheet) + 2 else (rolling_plot(sheet, returns),)
    return (
        growth_plot(sheet, returns),
        drawdown_plot(sheet, returns),
        distribution_plot(sheet, returns),
        *rolling,
    )


def growth_plot(sheet: Sheet, returns: Array) -> go.Figure:
    """What one dollar has become, on a scale on which equal growth has equal height."""
    plot = figure("What $1 became", "dollars, logarithmic", tickformat="$,.2f")
    when = _times(sheet, len(returns) + 1)
    lines = [(sheet.name, returns, BLUE, 2.2)]
    if sheet.benchmark is not None:
        lines.append((sheet.benchmark, _array(sheet, sheet.benchmark), FAINT, 1.6))
    for name, each, colour, width in lines:
        plot.add_scatter(
            x=when,
            y=np.concatenate([[1.0], np.cumprod(1 + each)]),
            name=name,
            mode="lines",
            line={"color": colour, "width": width},
            hovertemplate="%{y:$,.3f}",
        )
    plot.add_hline(y=1, line={"color": FAINT, "width": 1})
    ruined = bool(np.any(1 + returns <= 0))
    plot.update_yaxes(type="linear" if ruined else "log")
    if not ruined:
        plot.update_yaxes(dtick="D2")
    if sheet.benchmark is None:
        plot.update_layout(**NO_LEGEND)
    return plot


def drawdown_plot(sheet: Sheet, returns: Array) -> go.Figure:
    """How far the capital was below its highest at each moment; the deepest fall is marked."""
    plot = figure("Drawdown", "percent below the highest", ticksuffix=" %")
    path = np.concatenate([[1.0], np.cumprod(1 + returns)])
    below = (path / np.maximum.accumulate(path) - 1) * 100
    when = _times(sheet, len(path))
    plot.add_scatter(
        x=when,
        y=below,
        mode="lines",
        fill="tozeroy",
        line={"color": RED, "width": 1.4},
        fillcolor="rgba(200, 68, 60, 0.18)",
        hovertemplate="%{y:.1f} %",
        name="drawdown",
    )
    deepest = sheet.metrics.drawdown
    if deepest.depth:
        plot.add_annotation(
            x=when[deepest.trough],
            y=float(below[deepest.trough]),
            text=f"{float(-deepest.depth) * 100:.1f} %",
            showarrow=True,
            arrowcolor=INK,
            ax=36,
            ay=-44,
        )
    plot.update_layout(**NO_LEGEND)
    return plot


def distribution_plot(sheet: Sheet, returns: Array) -> go.Figure:
    """How often returns of each size were, beside a normal distribution of their mean and deviation."""
    plot = figure("Distribution of returns", "periods")
    shown = returns * 100
    bins = int(min(60, max(12, 2 * sqrt(len(shown)))))
    counts, edges = np.histogram(shown, bins=bins)
    middles, width = (edges[1:] + edges[:-1]) / 2, float(edges[1] - edges[0])
    plot.add_bar(
        x=middles,
        y=counts,
        width=width * 0.92,
        marker={"color": [RED if middle < 0 else GREEN for middle in middles], "opacity": 0.75},
        name="returns",
        hovertemplate="%{y} periods around %{x:.2f} %<extra></extra>",
    )
    deviation = float(shown.std(ddof=1)) if len(shown) > 1 else 0.0
    if deviation > 0:
        grid = np.linspace(float(edges[0]), float(edges[-1]), 200)
        density = np.exp(-(((grid - shown.mean()) / deviation) ** 2) / 2) / (deviation * sqrt(2 * np.pi))
        plot.add_scatter(
            x=grid,
            y=density * len(shown) * width,
            mode="lines",
            line={"color": INK, "width": 1.4, "dash": "dot"},
            name="normal, same mean and deviation",
            hoverinfo="skip",
        )
    for value, name, place in (
        (sheet.metrics.value_at_risk, "value at risk", 1.0),
        (sheet.metrics.conditional_value_at_risk, "mean of the worst 5 %", 0.9),
    ):
        plot.add_vline(x=float(-value) * 100, line={"color": AMBER, "width": 1.6, "dash": "dash"})
        plot.add_annotation(
            x=float(-value) * 100,
            y=place,
            yref="paper",
            xanchor="right",
            yanchor="top",
            showarrow=False,
            text=f"{name} {float(-value) * 100:.1f} % ",
            font={"color": "#96670f"},
        )
    plot.update_layout(hovermode="closest", bargap=0)
    plot.update_xaxes(title="return of a period", ticksuffix=" %")
    return plot


def rolling_plot(sheet: Sheet, returns: Array) -> go.Figure:
    """Volatility and Sharpe ratio of the periods that ran up to each moment."""
    window, per_year = _window(sheet), float(sheet.metrics.periods_per_year)
    plot = figure(f"The {window} periods before", "volatility, percent a year", ticksuffix=" %")
    windows = np.lib.stride_tricks.sliding_window_view(returns, window)
    deviations = windows.std(axis=1, ddof=1)
    ratios = np.divide(
        windows.mean(axis=1), deviations, out=np.full(len(windows), np.nan), where=deviations > 0
    )
    when = _times(sheet, len(returns) + 1)[window:]
    plot.add_scatter(
        x=when,
        y=deviations * sqrt(per_year) * 100,
        name="volatility",
        mode="lines",
        line={"color": BLUE, "width": 1.8},
        hovertemplate="%{y:.1f} %",
    )
    plot.add_scatter(
        x=when,
        y=ratios * sqrt(per_year),
        name="mean over deviation (right)",
        mode="lines",
        yaxis="y2",
        line={"color": AMBER, "width": 1.6},
        hovertemplate="%{y:.2f}",
    )
    plot.update_layout(
        yaxis2={
            "title": "ratio",
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "tickmode": "auto",
            "nticks": 6,
            "tickformat": ".1f",
        },
        margin={"l": 76, "r": 76, "t": 64, "b": 96},
    )
    plot.update_yaxes(rangemode="tozero", selector={"side": None})
    return plot


def _window(sheet: Sheet) -> int:
    """A year of periods, or less where there are not many."""
    return max(12, min(round(float(sheet.metrics.periods_per_year)), sheet.metrics.periods // 4))


def _array(sheet: Sheet, name: str) -> Array:
    return np.array([float(each) for each in sheet.table.returns_of(name)])


def _times(sheet: Sheet, count: int) -> Sequence[object]:
    """The beginning and the end of every period, by date or by number."""
    dates = sheet.table.dates
    if not dates:
        return list(range(count))
    if len(dates) == count:
        return list(dates)
    first, second = dates[0], dates[min(1, len(dates) - 1)]
    return [first - (second - first), *dates]
