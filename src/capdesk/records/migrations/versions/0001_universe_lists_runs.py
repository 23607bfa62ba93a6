"""The universe, the lists and the runs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from capdesk.records.types import Exact, Instant, Json, RowNumber

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    universe()
    market()
    for name in ("approved_tokens", "blacklisted_tokens", "approved_protocols", "icebox_tokens"):
        listed(name)
    runs()
    allocations()


def need(name: str, kind: Any, *more: Any) -> sa.Column[Any]:
    """A column that every row fills."""
    return sa.Column(name, kind, *more, nullable=False)


def may(name: str, kind: Any) -> sa.Column[Any]:
    """A column that a row may leave empty."""
    return sa.Column(name, kind, nullable=True)


def universe() -> None:
    """What pools and tokens are, and how each day of a pool was."""
    op.create_table(
        "tokens",
        need("token_id", sa.String),
        need("chain", sa.String),
        need("symbol", sa.String),
        may("address", sa.String),
        may("peg", sa.String),
        may("decimals", sa.BigInteger),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
    )
    op.create_index("ix_tokens_symbol", "tokens", ["symbol"])
    op.create_table(
        "pools",
        *(need(name, sa.String) for name in ("pool_id", "chain", "project", "symbol")),
        need("il_risk", sa.Boolean),
        need("stablecoin", sa.Boolean),
        need("exposure", sa.String),
        sa.PrimaryKeyConstraint("pool_id", name="pk_pools"),
    )
    op.create_table(
        "pool_tokens",
        need("pool_id", sa.String, sa.ForeignKey("pools.pool_id", name="fk_pool_tokens_pool_id")),
        need("token_id", sa.String, sa.ForeignKey("tokens.token_id", name="fk_pool_tokens_token_id")),
        need("position", sa.BigInteger),
        sa.PrimaryKeyConstraint("pool_id", "token_id", name="pk_pool_tokens"),
    )
    op.create_table(
        "pool_daily_metrics",
        need("pool_id", sa.String, sa.ForeignKey("pools.pool_id", name="fk_pool_daily_metrics_pool_id")),
        need("day", sa.Date),
        need("tvl", sa.BigInteger),
        need("apy", sa.Double),
        *(may(name, sa.Double) for name in ("apy_base", "apy_reward", "apy_30d_avg", "mu", "sigma")),
        may("observations", sa.BigInteger),
        need("outlier", sa.Boolean),
        may("liquidity", sa.BigInteger),
        may("forecasted_apy", sa.Double),
        may("forecasted_tvl", sa.BigInteger),
        sa.PrimaryKeyConstraint("pool_id", "day", name="pk_pool_daily_metrics"),
    )
    op.create_index("ix_pool_daily_metrics_day", "pool_daily_metrics", ["day"])


def market() -> None:
    """Prices, gas and balances."""
    op.create_table(
        "token_prices",
        need("token_id", sa.String, sa.ForeignKey("tokens.token_id", name="fk_token_prices_token_id")),
        need("day", sa.Date),
        need("usd", Exact),
        sa.PrimaryKeyConstraint("token_id", "day", name="pk_token_prices"),
    )
    op.create_table(
        "gas_prices",
        need("chain", sa.String),
        need("day", sa.Date),
        need("gwei", Exact),
        sa.PrimaryKeyConstraint("chain", "day", name="pk_gas_prices"),
    )
    op.create_table(
        "daily_ledger",
        need("day", sa.Date),
        need("account", sa.String),
        need("token_id", sa.String, sa.ForeignKey("tokens.token_id", name="fk_daily_ledger_token_id")),
        need("pool_id", sa.String),
        need("amount", Exact),
        sa.PrimaryKeyConstraint("day", "account", "token_id", "pool_id", name="pk_daily_ledger"),
    )


def listed(name: str) -> None:
    """One list."""
    op.create_table(
        name,
        need("entry", RowNumber),
        need("name", sa.String),
        need("added_at", Instant),
        need("added_reason", sa.String),
        may("removed_at", Instant),
        may("removed_reason", sa.String),
        sa.PrimaryKeyConstraint("entry", name=f"pk_{name}"),
    )
    there = sa.text("removed_at IS NULL")
    op.create_index(
        f"uq_{name}_there", name, ["name"], unique=True, sqlite_where=there, postgresql_where=there
    )


def runs() -> None:
    """Runs, and the parameters and lists of each."""
    op.create_table(
        "runs",
        need("run", RowNumber),
        need("kind", sa.String),
        need("day", sa.Date),
        need("created_at", Instant),
        need("latest", sa.Boolean),
        need("hash", sa.String),
        *(need(name, Json) for name in ("inputs", "metrics", "balances", "prices", "versions")),
        need("solver", sa.String),
        *(may(name, sa.Double) for name in ("objective", "bound", "gap")),
        need("decision", Json),
        need("result", Json),
        sa.PrimaryKeyConstraint("run", name="pk_runs"),
    )
    last = sa.text("latest")
    op.create_index(
        "uq_runs_latest", "runs", ["kind", "day"], unique=True, sqlite_where=last, postgresql_where=last
    )
    lists = ("approved_tokens", "blacklisted_tokens", "approved_protocols", "icebox_tokens")
    op.create_table(
        "allocation_parameters",
        of_run("allocation_parameters"),
        *(need(name, Json) for name in ("parameters", *lists)),
        sa.PrimaryKeyConstraint("run", name="pk_allocation_parameters"),
    )


def allocations() -> None:
    """What runs put where."""
    op.create_table(
        "asset_allocations",
        of_run("asset_allocations"),
        need("name", sa.String),
        need("weight", sa.Double),
        may("amount", sa.BigInteger),
        sa.PrimaryKeyConstraint("run", "name", name="pk_asset_allocations"),
    )
    op.create_table(
        "asset_allocation_details",
        of_run("asset_allocation_details"),
        need("pool_id", sa.String),
        need("token_id", sa.String),
        need("amount", sa.BigInteger),
        need("weight", sa.Double),
        need("apy", sa.Double),
        *(need(name, sa.BigInteger) for name in ("tvl", "gas", "conversion_cost")),
        may("group", sa.BigInteger),
        may("shadow_price", sa.Double),
        sa.PrimaryKeyConstraint("run", "pool_id", "token_id", name="pk_asset_allocation_details"),
    )


def of_run(table: str) -> sa.Column[Any]:
    """The run that a row belongs to."""
    return need("run", RowNumber, sa.ForeignKey("runs.run", name=f"fk_{table}_run"))
