"""A frontier as one page that opens without a network: the curve, what it is made of, and the knee."""

from __future__ import annotations

from html import escape
from math import sqrt
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from capdesk.app.frontier_view import THIRDS, Sheet
from capdesk.app.pages import BLUE, FAINT, INK, RED, STYLE, figure, section, tile
from capdesk.app.plan_view import percent, source

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Efficient frontier</title>
<style>
$style
  table { max-width: 460px; } tr:last-child td { font-weight: 400; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); }
</style>
</head>
<body><main>
<h1>Efficient frontier</h1>
<p class="sub">$subtitle</p>
<div class="tiles">$tiles</div>
$plots
<section><h2>The knee</h2><table><thead><tr><th>name</th><th>weight</th></tr></thead>$knee</table></section>
<section><h2>How to read this</h2><dl>
<dt>Each point</dt><dd>is a plan with a certificate: no other weights within the limits are better in $criteria
and worse in none. Returns and volatilities are those of a year, from the file's own history or moments; what comes
will differ.</dd>
<dt>The knee</dt><dd>$knee_note</dd>
</dl></section>
</main></body></html>
""")

COLOURS = (
    "#2864c7", "#e0a030", "#2a9d6f", "#b15cb8", "#c8443c", "#4c93a8", "#8c6d46", "#6b7785", "#e97f5f", "#3f4a57",
)  # fmt: skip
CHORD = "is the plan furthest from the line between the two ends: beyond it more return starts to cost much."
NEAREST = "is the plan nearest to the best of each criterion, each scaled to its range."


def page(sheet: Sheet) -> str:
    """The page, with the plotting library inside it."""
    found = sheet.frontier
    earned, volatility = sheet.years[found.knee_index]
    safest, boldest = sheet.years[0], sheet.years[-1]
    tiles = (
        ("least volatility", f"{safest[1] * 100:.1f} %"),
        ("return there", f"{safest[0] * 100:.1f} %"),
        ("volatility of the knee", f"{volatility * 100:.1f} %"),
        ("return of the knee", f"{earned * 100:.1f} %"),
        ("greatest return", f"{boldest[0] * 100:.1f} %"),
        ("volatility there", f"{boldest[1] * 100:.1f} %"),
    )
    figures = (
        (curve_plot(sheet), composition_plot(sheet)) if found.criterion is None else (curve_plot(sheet),)
    )
    return PAGE.substitute(
        style=STYLE,
        subtitle=escape(f"{len(found)} plans from {source(sheet.asked)}; of a year."),
        tiles="".join(tile(name, value) for name, value in tiles),
        plots="".join(section(each, first=not number) for number, each in enumerate(figures)),
        knee="".join(
            f"<tr><td>{escape(name)}</td><td>{percent(weight)}</td></tr>"
            for name, weight in found.knee.weights.items()
            if weight
        ),
        criteria="return or volatility"
        if found.criterion is None
        else "return, volatility or the third criterion",
        knee_note=CHORD if found.criterion is None else NEAREST,
    )


def curve_plot(sheet: Sheet) -> go.Figure:
    """Return over volatility, with the names by themselves; a third criterion is the colour."""
    found = sheet.frontier
    plot = figure("Return and volatility", "expected return, percent a year", ticksuffix=" %")
    volatilities = [each[1] * 100 for each in sheet.years]
    returns = [each[0] * 100 for each in sheet.years]
    marker: dict[str, object] = {"size": 8, "color": BLUE}
    if found.criterion is not None:
        title = THIRDS.get(found.criterion, found.criterion)
        tail = found.criterion == "cvar"
        marker = {
            "size": 10,
            "color": [(point.third or 0.0) * (100 if tail else 1) for point in found.points],
            "colorscale": "Viridis",
            "reversescale": True,
            "showscale": True,
            "colorbar": {"title": title.replace(" of ", "<br>of "), "ticksuffix": " %" if tail else ""},
        }
    plot.add_scatter(
        x=volatilities,
        y=returns,
        mode="lines+markers" if found.criterion is None else "markers",
        name="frontier",
        marker=marker,
        line={"color": BLUE, "width": 2},
        hovertemplate="volatility %{x:.1f} %, return %{y:.1f} %<extra></extra>",
    )
    _add_names(plot, sheet)
    plot.add_scatter(
        x=[volatilities[found.knee_index]],
        y=[returns[found.knee_index]],
        mode="markers+text",
        name="knee",
        text=["knee"],
        textposition="top left",
        textfont={"color": RED},
        marker={"size": 14, "color": RED, "symbol": "diamond"},
        hovertemplate="knee: volatility %{x:.1f} %, return %{y:.1f} %<extra></extra>",
    )
    plot.update_layout(hovermode="closest", height=520)
    plot.update_xaxes(title="volatility, percent a year", ticksuffix=" %")
    return plot


def _add_names(plot: go.Figure, sheet: Sheet) -> None:
    """Each name by itself, from the file's returns or moments."""
    count, returns = sheet.asked.periods_per_year, sheet.asked.returns
    if returns is not None:
        means, deviations = returns.mean(axis=0) * count, returns.std(axis=0, ddof=1) * sqrt(count)
    else:
        means = np.asarray(sheet.asked.inputs["mean"])
        deviations = np.sqrt(np.diagonal(sheet.asked.inputs["covariance"]))
    plot.add_scatter(
        x=deviations * 100,
        y=means * 100,
        mode="markers+text",
        name="names by themselves",
        text=list(sheet.asked.names),
        textposition="top center",
        textfont={"color": INK, "size": 11},
        marker={"size": 7, "color": FAINT},
        hovertemplate="%{text}: volatility %{x:.1f} %, return %{y:.1f} %<extra></extra>",
    )


def composition_plot(sheet: Sheet) -> go.Figure:
    """What the plans hold, from the least variance to the greatest return."""
    plot = figure("What the plans hold", "percent of the capital", ticksuffix=" %")
    returns = [each[0] * 100 for each in sheet.years]
    held = [name for name in sheet.asked.names if any(plan.weights[name] for plan in sheet.frontier)]
    for place, name in enumerate(held):
        colour = COLOURS[place % len(COLOURS)]
        plot.add_scatter(
            x=returns,
            y=[float(plan.weights[name]) * 100 for plan in sheet.frontier],
            name=name,
            mode="lines",
            stackgroup="held",
            line={"width": 0.6, "color": colour},
            fillcolor=colour,
            hovertemplate="%{y:.1f} %",
        )
    knee = returns[sheet.frontier.knee_index]
    plot.add_vline(x=knee, line={"color": INK, "width": 1.4, "dash": "dash"})
    plot.add_annotation(x=knee, y=1, yref="paper", yanchor="bottom", showarrow=False, text="knee")
    plot.update_xaxes(title="expected return, percent a year", ticksuffix=" %", hoverformat=".1f")
    plot.update_yaxes(range=[0, 100])
    return plot
