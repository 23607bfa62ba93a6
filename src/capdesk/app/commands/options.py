"""The arguments that commands share, so that one option means one thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_LEDGER = Path("desk.db")
DEFAULT_RECORDS = "records.db"
DEFAULT_CONFIG = Path("capdesk.toml")

Ledger = Annotated[
    Path,
    typer.Option("--ledger", envvar="CAPDESK_LEDGER", help="The ledger file of the desk.", metavar="FILE"),
]
Records = Annotated[
    str,
    typer.Option(
        "--records",
        envvar="CAPDESK_RECORDS",
        help="The planning records: a file, or postgresql://user@host/database.",
        metavar="FILE",
    ),
]
Run = Annotated[str, typer.Argument(help="The run's number, or 'latest'.", metavar="RUN", show_default=False)]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON, amounts as exact strings."),
]
RequestId = Annotated[
    str | None,
    typer.Option(
        help="Name this command: given again under its name, it takes effect once and repeats its answer.",
        metavar="ID",
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(help="Which strategy's allocation, where several share the market.", metavar="NAME"),
]
Account = Annotated[
    str | None,
    typer.Option(help="Where the money lies; the mandate's first account when left out.", metavar="NAME"),
]
Market = Annotated[str, typer.Argument(help="The market's id.", metavar="MARKET", show_default=False)]
Amount = Annotated[str, typer.Argument(help="Dollars, exact: 15 or 0.000001.", metavar="AMOUNT")]
Pnl = Annotated[
    str, typer.Option(help="Profit (3.5) or loss (-3.5) before fees.", metavar="AMOUNT", show_default="0")
]
Fees = Annotated[str, typer.Option(help="Fees paid, not negative.", metavar="AMOUNT", show_default="0")]
SeriesFile = Annotated[
    Path,
    typer.Argument(
        help="A CSV of prices or returns: dates, then a column for each name.",
        metavar="FILE",
        show_default=False,
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(help="prices or returns, where the file does not show it.", metavar="KIND"),
]
DropIncomplete = Annotated[
    bool,
    typer.Option(
        "--drop-incomplete", help="Leave out lines in which a name has no value; their count is told."
    ),
]
RiskFreeRate = Annotated[
    str | None,
    typer.Option(
        help="A year's, as a fraction (0.02).",
        metavar="FRACTION",
        show_default="CAPITAL_RISK_FREE_RATE, 0.02",
    ),
]
PeriodsPerYear = Annotated[
    str | None,
    typer.Option(help="How many rows make a year.", metavar="COUNT", show_default="by the dates, else 365"),
]
TableFile = Annotated[
    Path,
    typer.Argument(help="A CSV of prices, returns or moments.", metavar="FILE", show_default=False),
]
PlanStrategy = Annotated[
    str | None,
    typer.Option(
        help="equal_weight, risk_parity, min_variance, mean_variance, max_sharpe, kelly_criterion, "
        "black_litterman, min_cvar or hierarchical_risk_parity.",
        metavar="NAME",
        show_default="CAPITAL_STRATEGY, equal_weight",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Plan with this name; may be given again. All without it.", metavar="NAME"),
]
MaxWeight = Annotated[
    str | None, typer.Option(help="The largest weight, as a fraction (0.2).", metavar="FRACTION")
]
Estimator = Annotated[
    str,
    typer.Option(
        help="How covariances are estimated: sample, exponential, ledoit_wolf, ledoit_wolf_identity or factor_model.",
        metavar="NAME",
    ),
]
PlanningFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="CAPDESK_CONFIG",
        help="Whose fields of planning count where neither an option nor the environment says them.",
        metavar="FILE",
        show_default="capdesk.toml where it exists",
    ),
]
