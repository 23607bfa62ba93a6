"""Pages that open without a network: their look, their tiles and their plots."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from capdesk.model.errors import InvalidInput

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, FAINT, GRID = "#1f2933", "#8a97a6", "#e6eaef"
BLUE, GREEN, RED = "#2864c7", "#2a9d6f", "#c8443c"

STYLE = """\
  :root { color-scheme: light; }
  body { margin: 0; background: #f4f6f8; color: #1f2933;
         font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 48px; }
  h1 { font-size: 26px; margin: 0 0 4px; }
  h2 { font-size: 17px; margin: 0 0 8px; }
  .sub { color: #5b6875; margin: 0 0 20px; }
  .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; }
  .tile, section { background: #fff; border: 1px solid #e1e6eb; border-radius: 8px; }
  .tile { padding: 12px 16px; }
  .tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
  .tile small { color: #5b6875; font-size: 13px; }
  section { margin-top: 16px; padding: 16px; overflow-x: auto; }
  section.plot { padding: 8px 4px 0; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid #edf0f3; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; }
  tr:last-child td { border-bottom: 0; font-weight: 600; }
  dt { font-weight: 600; } dd { margin: 0 0 8px; color: #3c4854; }
  .good { color: #1d7d57; } .bad { color: #b5372f; }
  code { background: #eef1f4; border-radius: 4px; padding: 1px 5px; }
  .names { color: #5b6875; font-size: 13px; overflow-wrap: anywhere; }
"""


def require_plotly() -> None:
    """Check that plotly is installed.

    Raises
    ------
    InvalidInput
        Naming the extra that brings it.
    """
    if find_spec("plotly") is None:
        raise InvalidInput(
            "--html needs plotly, which is not installed: install capdesk with its extra 'report', "
            "or leave --html out"
        )


def section(figure: go.Figure, *, first: bool) -> str:
    """A plot as a part of a page; the first brings the plotting library with it."""
    plot = figure.to_html(
        full_html=False,
        include_plotlyjs=first,
        config={"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d"]},
    )
    return f'<section class="plot">{plot}</section>'


def tile(name: str, value: str) -> str:
    """One figure with its name."""
    return f'<div class="tile"><small>{name}</small><b>{value}</b></div>'


def figure(title: str, unit: str, **y_axis: Any) -> go.Figure:
    """An empty plot in the page's look."""
    import plotly.graph_objects as go

    plot = go.Figure()
    plot.update_layout(
        template="plotly_white",
        title={
            "text": f"<b>{title}</b>",
            "x": 0,
            "xref": "container",
            "pad": {"l": 16},
            "font": {"size": 17},
        },
        font={"family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", "color": INK, "size": 13},
        height=400,
        margin={"l": 76, "r": 24, "t": 64, "b": 96},
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.2, "x": 0, "yanchor": "top"},
    )
    plot.update_xaxes(gridcolor=GRID)
    plot.update_yaxes(title=unit, gridcolor=GRID, zerolinecolor=FAINT, **y_axis)
    return plot
