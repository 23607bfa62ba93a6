"""What sources tell comes into the tables: new rows are added, changed ones revised, the rest left alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, bindparam, insert, select, update

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Balance, Gas, PoolDay, PoolFacts, Price, Row
from capdesk.model.tokens import Token
from capdesk.records.tables import BalanceRow, GasRow, PoolDayRow, PoolRow, PoolTokenRow, PriceRow, TokenRow


class Written(Struct, frozen=True):
    """What became of the rows of an import, `PoolFacts` aside.

    Attributes
    ----------
    added, revised, unchanged
        How many were new, had been written before with other figures, and just so.
    """

    added: int = 0
    revised: int = 0
    unchanged: int = 0


def write(connection: Connection, rows: Iterable[Row]) -> Written:
    """Write rows; one that is there already takes the new figures.

    Raises
    ------
    InvalidInput
        For the day of a pool that is not known, and for two rows of one thing on one day.
    """
    sheets = _Sheets(connection)
    for row in rows:
        _WRITERS[type(row)](sheets, row)
    return sheets.flush()


class _Sheet:
    """One table during an import: what is there is asked for once, what is new is written at once.

    Parameters
    ----------
    keys
        The columns that tell rows apart.
    page
        The key by which what is there is asked for; None asks for all.
    """

    def __init__(
        self, connection: Connection, table: type[Any], keys: tuple[str, ...], page: str | None
    ) -> None:
        self.connection, self.table, self.keys, self.page = connection, table.__table__, keys, page
        self.pages: set[Any] = set()
        self.there: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.taken: set[tuple[Any, ...]] = set()
        self.new: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.changed: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.unchanged = 0

    def put(self, values: dict[str, Any]) -> None:
        """Take a row; of several with one key the last counts."""
        self._turn_to(values[self.page] if self.page else None, tuple(values))
        key = tuple(values[name] for name in self.keys)
        there = self.there.get(key)
        if there is None:
            self.new[key] = values
        elif there != values:
            self.changed[key] = values
        else:
            self.unchanged += 1

    def put_once(self, values: dict[str, Any]) -> None:
        """Take a row whose key may come once in an import."""
        key = tuple(values[name] for name in self.keys)
        if key in self.taken:
            names = ", ".join(f"{name} {value}" for name, value in zip(self.keys, key, strict=True) if value)
            raise InvalidInput(f"{self.table.name} has one row for {names}, and two were given")
        self.taken.add(key)
        self.put(values)

    def find(self, *key: str) -> dict[str, Any] | None:
        """The row of a key, as it is or will be."""
        self._turn_to(None, tuple(self.table.c.keys()))
        return self.new.get(key) or self.changed.get(key) or self.there.get(key)

    def _turn_to(self, page: Any, columns: tuple[str, ...]) -> None:
        if page in self.pages:
            return
        self.pages.add(page)
        query = select(*(self.table.c[name] for name in columns))
        if self.page is not None:
            query = query.where(self.table.c[self.page] == page)
        for row in self.connection.execute(query).mappings():
            self.there[tuple(row[name] for name in self.keys)] = dict(row)

    def flush(self) -> None:
        """Write what was taken."""
        if self.new:
            self.connection.execute(insert(self.table), list(self.new.values()))
        if not self.changed:
            return
        values = [name for name in next(iter(self.changed.values())) if name not in self.keys]
        where = [self.table.c[name] == bindparam(f"key_{name}") for name in self.keys]
        self.connection.execute(
            update(self.table).where(*where).values({name: bindparam(f"new_{name}") for name in values}),
            [
                {f"{'key' if name in self.keys else 'new'}_{name}": value for name, value in row.items()}
                for row in self.changed.values()
            ],
        )


class _Sheets:
    """The tables of an import, in the order in which their rows refer to each other."""

    def __init__(self, connection: Connection) -> None:
        def sheet(table: type[Any], *keys: str, page: str | None = None) -> _Sheet:
            return _Sheet(connection, table, keys, page)

        self.tokens = sheet(TokenRow, "token_id")
        self.pools = sheet(PoolRow, "pool_id")
        self.pool_tokens = sheet(PoolTokenRow, "pool_id", "token_id")
        self.days = sheet(PoolDayRow, "pool_id", "day", page="day")
        self.prices = sheet(PriceRow, "token_id", "day", page="day")
        self.gas = sheet(GasRow, "chain", "day", page="day")
        self.balances = sheet(BalanceRow, "day", "account", "token_id", "pool_id", page="day")

    def token(self, token: Token) -> str:
        """See to it that a token is known; what was told of it stays, and what was not is filled in."""
        told = {"token_id": token.token_id, **structs.asdict(token)}
        known = self.tokens.find(token.token_id) or told
        self.tokens.put({name: value if value is not None else told[name] for name, value in known.items()})
        return token.token_id

    def flush(self) -> Written:
        """Write everything."""
        counted = (self.days, self.prices, self.gas, self.balances)
        for sheet in (self.tokens, self.pools, self.pool_tokens, *counted):
            sheet.flush()
        return Written(
            added=sum(len(sheet.new) for sheet in counted),
            revised=sum(len(sheet.changed) for sheet in counted),
            unchanged=sum(sheet.unchanged for sheet in counted),
        )


def _pool(sheets: _Sheets, pool: PoolFacts) -> None:
    values = structs.asdict(pool)
    del values["tokens"]
    values["reward_tokens"] = list(pool.reward_tokens) or None
    sheets.pools.put(values)
    for position, token in enumerate(pool.tokens):
        keys = {"pool_id": pool.pool_id, "token_id": sheets.token(token)}
        sheets.pool_tokens.put({**keys, "position": position})


def _pool_day(sheets: _Sheets, day: PoolDay) -> None:
    if sheets.pools.find(day.pool_id) is None:
        raise InvalidInput(
            f"the pool {day.pool_id!r} is not known: import a table that says what it is before its history"
        )
    sheets.days.put_once(structs.asdict(day))


def _balance(sheets: _Sheets, balance: Balance) -> None:
    values = structs.asdict(balance)
    token = sheets.token(values.pop("token"))
    sheets.balances.put_once({**values, "token_id": token, "pool_id": balance.pool_id or ""})


def _price(sheets: _Sheets, price: Price) -> None:
    sheets.prices.put_once({"token_id": sheets.token(price.token), "day": price.day, "usd": price.usd})


def _gas(sheets: _Sheets, gas: Gas) -> None:
    sheets.gas.put_once({"chain": letters.lower(gas.chain), "day": gas.day, "gwei": gas.gwei})


_WRITERS: dict[type, Any] = {
    PoolFacts: _pool,
    PoolDay: _pool_day,
    Balance: _balance,
    Price: _price,
    Gas: _gas,
}
