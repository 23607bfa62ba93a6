"""The figures of a series of returns, and a page with its plots: `metrics`."""

from pathlib import Path
from typing import Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode


def metrics(
    file: options.SeriesFile,
    column: Annotated[
        str | None, typer.Option(help="Which column; the first without it.", metavar="NAME")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="A column to compare with.", metavar="NAME")] = None,
    kind: options.Kind = None,
    drop_incomplete: options.DropIncomplete = False,
    risk_free_rate: options.RiskFreeRate = None,
    periods_per_year: options.PeriodsPerYear = None,
    initial_value: Annotated[
        str | None, typer.Option(help="Dollars at the beginning.", metavar="AMOUNT")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with plots to this file.", metavar="PAGE")
    ] = None,
    config: options.PlanningFile = None,
    json_output: options.Json = False,
) -> ExitCode:
    """Measure a series: return, risk, Sharpe ratios and how far to trust them, drawdown, tail losses."""
    from capdesk.app import metrics_view, saving, series
    from capdesk.app.planning_file import settings_of
    from capdesk.planner import Planner

    if html is not None:
        from capdesk.app.pages import require_plotly

        require_plotly()
    chosen = [name for name in (column, benchmark) if name is not None]
    table = series.read_table(file, kind, chosen, drop_incomplete=drop_incomplete)
    name = column or table.names[0]
    given: dict[str, object] = {"periods_per_year": periods_per_year or table.periods_per_year}
    if benchmark is not None:
        given["benchmark"] = table.returns_of(benchmark)
    if table.dates:
        given["dates"] = table.dates
    settings = settings_of(config, risk_free_rate=risk_free_rate)
    measured = Planner(settings.model_dump()).calculate_efficiency_metrics(
        table.returns_of(name), initial_value=initial_value, **given
    )
    sheet = metrics_view.Sheet(file, table, name, benchmark, measured)
    done = ""
    if html is not None:
        from capdesk.app import tearsheet

        done = saving.save(html, tearsheet.page(sheet))
    if json_output:
        render.write_json(metrics_view.record(sheet))
    else:
        metrics_view.draw(sheet)
        if done:
            render.say(f"\n[green]{done}[/]  {render.literal(str(html))}")
    return ExitCode.DONE
