"""Tables in files: CSV (also gzipped) and Parquet, with pools, balances, prices or gas."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from capdesk.model import letters
from capdesk.model.errors import InvalidInput, MalformedDocument
from capdesk.model.market_rows import (
    BadField,
    Balance,
    Gas,
    PoolDay,
    PoolFacts,
    Price,
    Rejected,
    check_price,
)
from capdesk.model.tokens import NATIVE, Token, known_peg
from capdesk.sources import fields
from capdesk.sources.fields import Record
from capdesk.sources.pool_records import pool_rows


class Table:
    """A file of rows under named columns.

    Raises
    ------
    MalformedDocument
        If it is no such file, or lacks a column.
    InvalidInput
        If its name ends in neither .csv, .csv.gz nor .parquet, or it has no rows.
    """

    def __init__(self, path: str | Path, *needed: tuple[str, ...]) -> None:
        self.path, self.needed = Path(path), needed

    def records(self) -> Iterator[tuple[int, Record]]:
        """The rows, numbered from 1 (a CSV's heading is not counted)."""
        row = 0
        for row, record in self._read():
            yield row, record
        if not row:
            raise InvalidInput(f"{self.path} has a heading and no rows: there is nothing to read")

    def _read(self) -> Iterator[tuple[int, Record]]:
        if self.path.suffix == ".parquet":
            yield from self._parquet()
        elif self.path.name.endswith((".csv", ".csv.gz")):
            yield from self._csv()
        else:
            raise InvalidInput(f"{self.path} is no table: its name must end in .csv, .csv.gz or .parquet")

    def _csv(self) -> Iterator[tuple[int, Record]]:
        opened = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opened(self.path, "rt", encoding="utf-8-sig", newline="") as file:
                lines = csv.DictReader(file, strict=True)
                self._check(lines.fieldnames or ())
                yield from enumerate(lines, 1)
        except (csv.Error, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise MalformedDocument(f"{self.path} is no CSV: {error}") from None

    def _parquet(self) -> Iterator[tuple[int, Record]]:
        try:
            from pyarrow import ArrowException, parquet
        except ModuleNotFoundError:
            raise InvalidInput("Parquet needs pyarrow: install capdesk with its extra 'sources'") from None
        try:
            with self.path.open("rb") as file:
                table = parquet.read_table(file)
            records = table.to_pylist()
        except (ArrowException, UnicodeDecodeError) as error:
            raise MalformedDocument(f"{self.path} is no Parquet file: {error}") from None
        except OSError as error:
            # pyarrow tells of broken pages so; an error of the system has a number.
            if error.errno is not None:
                raise
            raise MalformedDocument(f"{self.path} is no Parquet file: {error}") from None
        self._check(table.column_names)
        yield from enumerate(records, 1)

    def _check(self, columns: Any) -> None:
        columns = [str(name) for name in columns]
        for names in self.needed:
            if not set(names) & set(columns):
                wanted, there = " or ".join(map(repr, names)), ", ".join(columns) or "none"
                raise MalformedDocument(f"{self.path} lacks the column {wanted}: it has {there}")
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            raise MalformedDocument(f"{self.path} has two columns {twice[0]!r}")


class PoolTable:
    """Pools and their days, a row each.

    Parameters
    ----------
    path
        With the columns date, pool, chain, project, symbol, tvl_usd, apy and, where known,
        apy_base, apy_reward, apy_30d_avg, mu, sigma, observations, outlier, stablecoin,
        il_risk, exposure, underlying_tokens, reward_tokens, liquidity_usd.
    """

    def __init__(self, path: str | Path) -> None:
        names = (("date", "day"), ("pool", "pool_id"), ("chain",), ("project", "protocol"), ("symbol",))
        self.table = Table(path, *names, ("tvl_usd", "tvlUsd"), ("apy",))

    def rows(self) -> Iterator[PoolFacts | PoolDay | Rejected]:
        """What each row tells of its pool, and of the day."""
        return pool_rows(self.table.records(), None)


class BalanceTable:
    """What accounts hold: date, account, chain, symbol, amount and, where known, address and pool."""

    def __init__(self, path: str | Path) -> None:
        self.table = Table(path, ("date", "day"), ("account",), ("chain",), ("symbol",), ("amount",))

    def rows(self) -> Iterator[Balance | Rejected]:
        """One balance a row."""
        return _each(self.table, _balance, lambda it: (it.day, it.account, it.token.token_id, it.pool_id))


class PriceTable:
    """Prices in dollars: date, chain, symbol, usd and, where known, address; or a date and a column a symbol.

    Parameters
    ----------
    known
        The tokens of the records, by id: a row without an address is of the one token of that
        symbol on that chain. None: it is of a token without an address.
    """

    def __init__(self, path: str | Path, *, known: Mapping[str, Token] | None = None) -> None:
        self.table, self.known = Table(path, ("date", "day")), known

    def rows(self) -> Iterator[Price | Rejected]:
        """One price a row, or one for each filled cell."""
        return _each(
            self.table, lambda record: _prices(record, self.known), lambda it: (it.day, it.token.token_id)
        )


class GasTable:
    """Gas prices: date, gas_gwei and, for others than `chain`, chain."""

    def __init__(self, path: str | Path, *, chain: str = "ethereum") -> None:
        self.table, self.chain = Table(path, ("date", "day"), ("gas_gwei",)), chain

    def rows(self) -> Iterator[Gas | Rejected]:
        """One gas price a row."""

        def gas(record: Record) -> Iterator[Gas]:
            chain = fields.chain(record) if "chain" in record else self.chain
            yield Gas(
                fields.day(record, "date", "day"), letters.lower(chain), fields.decimal(record, "gas_gwei")
            )

        return _each(self.table, gas, lambda it: (it.day, it.chain))


def _each(table: Table, read: Callable[[Record], Iterator[Any]], key: Callable[[Any], Any]) -> Iterator[Any]:
    """Read each row; one that repeats the key of another is refused whole."""
    seen: dict[Any, int] = {}
    for row, record in table.records():
        try:
            fields.check_shape(record)
            found = list(read(record))
            for each in found:
                first = seen.setdefault(key(each), row)
                if first != row:
                    raise BadField("date", each.day, f"is told of the same thing in row {first} already")
        except BadField as error:
            yield error.at(row)
        else:
            yield from found


def _token(record: Record) -> Token:
    symbol = letters.upper(fields.word(record, "symbol"))
    address = next(iter(fields.addresses(record, "address")), None)
    return Token(fields.chain(record), symbol, address, known_peg(symbol))


def _balance(record: Record) -> Iterator[Balance]:
    in_pool = fields.find(record, "pool", "pool_id")[1] is not None
    yield Balance(
        fields.day(record, "date", "day"),
        fields.word(record, "account"),
        _token(record),
        fields.decimal(record, "amount"),
        fields.word(record, "pool", "pool_id") if in_pool else None,
    )


def _prices(record: Record, known: Mapping[str, Token] | None) -> Iterator[Price]:
    day = fields.day(record, "date", "day")
    if "usd" in record:
        token = _token(record)
        if known is not None:
            token = _called(token, known) if token.address is None else known.get(token.token_id, token)
        yield Price(day, token, check_price(fields.decimal(record, "usd"), token))
        return
    for name in record:
        if name not in ("date", "day") and fields.find(record, name)[1] is not None:
            if not fields.is_plain(name):
                raise BadField(name, record[name], "stands under a name with characters that cannot be seen")
            token = Token("", letters.upper(name), None, known_peg(name))
            yield Price(day, token, check_price(fields.decimal(record, name), token, name))


def _called(token: Token, known: Mapping[str, Token]) -> Token:
    """The token that a symbol stands for on its chain; one with an address, where there is one."""
    where, symbol = letters.lower(token.chain), letters.upper(token.symbol)
    found = {
        name: each
        for name, each in known.items()
        if letters.lower(each.chain) == where and letters.upper(each.symbol) == symbol
    }
    found = {name: each for name, each in found.items() if each.address is not None} or found
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        why = f"stands for {len(found)} tokens on {token.chain}: {', '.join(found)}; tell the address"
    else:
        why = (
            f"is no token that is known on {token.chain}: tell its address (a chain's own coin has the address "
            f"{NATIVE!r}), or import its pools first"
        )
    raise BadField("symbol", token.symbol, why)
