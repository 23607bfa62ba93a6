"""The universe as plans need it: pools, their days and forecasts, balances, prices and gas."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Balance, Gas, PoolDay, PoolFacts, Price
from capdesk.model.tokens import Token
from capdesk.records.tables import BalanceRow, GasRow, PoolDayRow, PoolRow, PoolTokenRow, PriceRow, TokenRow


def write_forecasts(
    connection: Connection,
    day: dt.date,
    forecasts: Mapping[str, tuple[float, int]],
    errors: Mapping[str, tuple[float | None, float | None]],
) -> None:
    """Write beside each pool's day the APY (percent a year) and TVL (micro-units) forecast from it.

    Parameters
    ----------
    errors
        Pool -> how far its forecasts were off so far, and the naive ones, in percentage points.

    Raises
    ------
    InvalidInput
        For a pool without a row of that day.
    """
    for pool_id, (apy, tvl) in forecasts.items():
        error, naive = errors.get(pool_id, (None, None))
        changed = connection.execute(
            update(PoolDayRow)
            .where(PoolDayRow.pool_id == pool_id, PoolDayRow.day == day)
            .values(forecasted_apy=apy, forecasted_tvl=tvl, forecast_error=error, naive_error=naive)
        )
        if changed.rowcount != 1:
            raise InvalidInput(
                f"the pool {pool_id!r} has no metrics of {day} that a forecast could stand beside"
            )


def forecast_errors(connection: Connection, day: dt.date) -> dict[str, tuple[float | None, float | None]]:
    """How far the forecasts made on a day had been off so far, and the naive ones, in percentage points."""
    query = select(PoolDayRow.pool_id, PoolDayRow.forecast_error, PoolDayRow.naive_error)
    made = query.where(PoolDayRow.day == day, PoolDayRow.forecasted_apy.is_not(None))
    return {pool_id: (error, naive) for pool_id, error, naive in connection.execute(made)}


def forecasts(connection: Connection, day: dt.date) -> dict[str, tuple[float, int]]:
    """What was forecast from a day: pool -> APY in percent a year and TVL in micro-units."""
    query = select(PoolDayRow.pool_id, PoolDayRow.forecasted_apy, PoolDayRow.forecasted_tvl)
    rows = connection.execute(query.where(PoolDayRow.day == day).order_by(PoolDayRow.pool_id))
    return {pool_id: (apy, tvl) for pool_id, apy, tvl in rows if apy is not None and tvl is not None}


def pools(connection: Connection) -> dict[str, PoolFacts]:
    """Every pool, by its id."""
    known = tokens(connection)
    of_pool: dict[str, list[Token]] = {}
    order = select(PoolTokenRow.pool_id, PoolTokenRow.token_id).order_by(
        PoolTokenRow.pool_id, PoolTokenRow.position
    )
    for pool_id, token_id in connection.execute(order):
        of_pool.setdefault(pool_id, []).append(known[token_id])
    found: dict[str, PoolFacts] = {}
    for row in connection.execute(select(PoolRow.__table__).order_by(PoolRow.pool_id)).mappings():
        told = {name: value for name, value in row.items() if name != "reward_tokens"}
        rewards = tuple(row["reward_tokens"] or ())
        its = tuple(of_pool.get(row["pool_id"], ()))
        found[row["pool_id"]] = PoolFacts(**told, tokens=its, reward_tokens=rewards)
    return found


def tokens(connection: Connection) -> dict[str, Token]:
    """Every token, by its id."""
    return {
        row.token_id: Token(row.chain, row.symbol, row.address, row.peg, row.decimals)
        for row in connection.execute(select(TokenRow.__table__).order_by(TokenRow.token_id))
    }


def history(
    connection: Connection, until: dt.date | None = None, since: dt.date | None = None
) -> list[PoolDay]:
    """The days of all pools from `since` to `until`, both included, by day and pool."""
    query = select(*(getattr(PoolDayRow, name) for name in PoolDay.__struct_fields__))
    query = _between(query, PoolDayRow.day, since, until).order_by(PoolDayRow.day, PoolDayRow.pool_id)
    return [PoolDay(**row._mapping) for row in connection.execute(query)]


def last_day(connection: Connection) -> dt.date | None:
    """The last day that pools have metrics of."""
    return connection.scalar(select(func.max(PoolDayRow.day)))


def balances(connection: Connection, day: dt.date, account: str | None = None) -> list[Balance]:
    """What accounts held on the last day up to `day` that has anything of them, account by account."""
    known, found = tokens(connection), []
    last = select(BalanceRow.account, func.max(BalanceRow.day)).where(BalanceRow.day <= day)
    if account is not None:
        last = last.where(BalanceRow.account == account)
    for name, of_day in connection.execute(
        last.group_by(BalanceRow.account).order_by(BalanceRow.account)
    ).all():
        rows = select(BalanceRow.token_id, BalanceRow.amount, BalanceRow.pool_id).where(
            BalanceRow.account == name, BalanceRow.day == of_day
        )
        rows = rows.order_by(BalanceRow.token_id, BalanceRow.pool_id)
        found += [
            Balance(of_day, name, known[token_id], amount, pool_id or None)
            for token_id, amount, pool_id in connection.execute(rows)
        ]
    return found


def prices(connection: Connection, until: dt.date, since: dt.date | None = None) -> list[Price]:
    """Prices from `since` to `until`, by day and token."""
    known = tokens(connection)
    query = _between(select(PriceRow.day, PriceRow.token_id, PriceRow.usd), PriceRow.day, since, until)
    rows: Iterable[Any] = connection.execute(query.order_by(PriceRow.day, PriceRow.token_id))
    return [Price(day, known[token_id], usd) for day, token_id, usd in rows]


def gas(connection: Connection, until: dt.date, since: dt.date | None = None) -> list[Gas]:
    """Gas prices from `since` to `until`, by day and chain."""
    query = _between(select(GasRow.day, GasRow.chain, GasRow.gwei), GasRow.day, since, until)
    return [Gas(*row) for row in connection.execute(query.order_by(GasRow.day, GasRow.chain))]


def _between(query: Any, column: Any, since: dt.date | None, until: dt.date | None) -> Any:
    if since is not None:
        query = query.where(column >= since)
    return query if until is None else query.where(column <= until)
