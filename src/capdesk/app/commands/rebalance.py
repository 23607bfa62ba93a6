"""The orders that lead from the weights that are to those that should be: `rebalance`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode

if TYPE_CHECKING:
    from capdesk.app.series import Table

COLUMNS = ("current", "target", "fixed_cost", "proportional_cost", "expected_return")


def rebalance(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV: name, current, target, and where they are known fixed_cost, proportional_cost, "
            "expected_return.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    total: Annotated[str, typer.Argument(help="Dollars in all.", metavar="AMOUNT", show_default=False)],
    threshold: Annotated[
        str | None,
        typer.Option(
            help="The deviation from which a name is traded, as a fraction.",
            metavar="FRACTION",
            show_default="CAPITAL_REBALANCE_THRESHOLD, 0.10",
        ),
    ] = None,
    trade_all: Annotated[
        bool, typer.Option("--trade-all", help="Trade every name once one passes the threshold.")
    ] = False,
    minimum_trade: Annotated[str, typer.Option(help="A smaller trade is left out.", metavar="AMOUNT")] = "0",
    max_transaction: Annotated[
        str | None, typer.Option(help="A larger trade is split into equal orders.", metavar="AMOUNT")
    ] = None,
    covariances: Annotated[
        Path | None,
        typer.Option(
            help="A CSV of a year's covariances: name, then a column for each name.", metavar="MOMENTS"
        ),
    ] = None,
    risk_aversion: Annotated[
        str | None,
        typer.Option(help="The factor of half the variance; with --covariances.", metavar="FACTOR"),
    ] = None,
    horizon_days: Annotated[
        str, typer.Option(help="How long trades have to earn their costs.", metavar="DAYS")
    ] = "365",
    cash_return: Annotated[
        str, typer.Option(help="What cash earns a year, as a fraction.", metavar="FRACTION")
    ] = "0",
    config: options.PlanningFile = None,
    json_output: options.Json = False,
) -> ExitCode:
    """Say which orders lead to the target, and why what is left out is left.

    With expected returns or covariances each trade goes as far as it earns
    its costs; without them a name is traded where its deviation reaches the
    threshold.
    """
    from capdesk.app import rebalance_view, series
    from capdesk.app.planning_file import settings_of
    from capdesk.model.errors import InvalidInput
    from capdesk.planner import Planner

    table = series.read_table(file, "moments")
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown or not {"current", "target"} <= set(table.columns):
        raise InvalidInput(
            f"{file} must have the columns name, current and target, and may have {', '.join(COLUMNS[2:])}; "
            f"it has name, {', '.join(table.columns)}"
        )
    given: dict[str, Any] = {"minimum_trade": minimum_trade, "trade": "all" if trade_all else "triggered"}
    if max_transaction is not None:
        given["max_transaction_size"] = max_transaction
    if costs := costs_of(table):
        given["costs"] = costs
    if "expected_return" in table.columns:
        given["expected_returns"] = by_name(table, "expected_return")
    if covariances is not None:
        given["covariance"] = matrix_of(series.read_table(covariances, "moments"), table.rows)
    if risk_aversion is not None:
        given["risk_aversion"] = risk_aversion
    settings = settings_of(config, rebalance_threshold=threshold)
    orders = Planner(settings.model_dump()).rebalance_portfolio(
        by_name(table, "current"),
        by_name(table, "target"),
        total,
        horizon_days=horizon_days,
        cash_return=cash_return,
        **given,
    )
    if json_output:
        render.write_json(rebalance_view.record(orders))
    else:
        rebalance_view.draw(orders)
    return ExitCode.DONE


def by_name(table: "Table", column: str) -> dict[str, object]:
    """A column of the file by its names."""
    return dict(zip(table.rows, table.columns[column], strict=True))


def costs_of(table: "Table") -> dict[str, dict[str, object]]:
    """The costs of the file; none where it has no column for them."""
    kinds = [name for name in ("fixed", "proportional") if f"{name}_cost" in table.columns]
    return {
        name: {kind: table.columns[f"{kind}_cost"][place] for kind in kinds}
        for place, name in enumerate(table.rows)
        if kinds
    }


def matrix_of(table: "Table", names: tuple[str, ...]) -> list[list[float]]:
    """The covariances of the names, in their order."""
    from capdesk.model.errors import InvalidInput

    missing = [name for name in names if name not in table.rows or name not in table.columns]
    if missing:
        raise InvalidInput(
            f"covariances need a row and a column for each name, none for {', '.join(missing)}"
        )
    return [[float(table.columns[other][table.rows.index(name)]) for other in names] for name in names]
