"""The efficient frontier of a file's names, and a page with its plots: `frontier`."""

from pathlib import Path
from typing import Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.rules import telling_warnings


def frontier(
    file: options.TableFile,
    points: Annotated[str, typer.Option(help="How many returns.", metavar="COUNT")] = "20",
    criterion: Annotated[
        str | None,
        typer.Option(help="A third criterion to keep small: cvar or concentration.", metavar="NAME"),
    ] = None,
    levels: Annotated[
        str, typer.Option(help="How many plans at each return, with a criterion.", metavar="COUNT")
    ] = "5",
    only: options.Only = None,
    max_weight: options.MaxWeight = None,
    kind: options.Kind = None,
    drop_incomplete: options.DropIncomplete = False,
    periods_per_year: options.PeriodsPerYear = None,
    estimator: options.Estimator = "sample",
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with plots to this file.", metavar="PAGE")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the plan of the knee to this file.", metavar="PLAN")
    ] = None,
    config: options.PlanningFile = None,
    json_output: options.Json = False,
) -> ExitCode:
    """Trace the plans that no other weights beat: the least variance for each return, and the knee.

    FILE is as for 'capdesk weights'; moments need a column "mean" and covariances.
    """
    from capdesk.app import frontier_view, planning_file, saving
    from capdesk.frontiers import frontier as trace
    from capdesk.weights import Constraints

    if html is not None:
        from capdesk.app.pages import require_plotly

        require_plotly()
    asked = planning_file.read(
        file,
        kind=kind,
        drop_incomplete=drop_incomplete,
        only=only,
        strategy=None,
        risk_free_rate=None,
        periods_per_year=periods_per_year,
        estimator=estimator,
        config=config,
    )
    inputs = {name: value for name, value in asked.inputs.items() if name != "risk_scores"}
    with telling_warnings():
        found = trace(
            asked.names,
            points=planning_file.whole(points, "points"),
            criterion=criterion,
            levels=planning_file.whole(levels, "levels"),
            constraints=Constraints(max_weight=max_weight),
            **inputs,
        )
    sheet = frontier_view.Sheet(asked, found)
    written: list[tuple[Path, str]] = []
    if html is not None:
        from capdesk.app import frontier_html

        written.append((html, saving.save(html, frontier_html.page(sheet))))
    if save is not None:
        written.append((save, saving.save(save, found.knee.to_json())))
    if json_output:
        render.write_json(frontier_view.record(sheet))
    else:
        frontier_view.draw(sheet)
        for path, done in written:
            render.say(f"[green]{done}[/]  {render.literal(str(path))}")
    return ExitCode.DONE
