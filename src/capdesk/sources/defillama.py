"""DefiLlama's yields: the pools of today, the history of one pool, prices; from files or its API.

The documents are described at https://api-docs.defillama.com; APYs are percent a year.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from capdesk.model.errors import MalformedDocument
from capdesk.model.market_rows import BadField, PoolDay, PoolFacts, Price, Rejected, check_price
from capdesk.model.tokens import NATIVE, Token
from capdesk.sources import fields, web
from capdesk.sources.documents import read_json
from capdesk.sources.pool_records import pool_day, pool_rows

YIELDS = "https://yields.llama.fi"
COINS = "https://coins.llama.fi"

Get = Callable[[str], Any]


class Pools:
    """All pools as they are now: DefiLlama's ``/pools``.

    Parameters
    ----------
    location
        A file, or the address of the API.
    day
        The day that the figures are of; the document does not tell it.
    """

    def __init__(self, location: str | Path = YIELDS, *, day: dt.date, get: Get = web.get_json) -> None:
        self.location, self.day, self.get = location, day, get

    def rows(self) -> Iterator[PoolFacts | PoolDay | Rejected]:
        """What each pool is, and how its day is."""
        entries = _entries(_document(self.location, "/pools", self.get), self.location)
        bad, good = [], []
        for row, entry in enumerate(entries, 1):
            if isinstance(entry, dict):
                good.append((row, entry))
            else:
                bad.append(BadField("entry", entry, "must be an object").at(row))
        yield from bad
        yield from pool_rows(good, self.day)


class Chart:
    """The history of one pool: DefiLlama's ``/chart/POOL``.

    Parameters
    ----------
    location
        A file, or the address of the API.
    pool
        The pool's id; what the pool is, the document does not tell.
    """

    def __init__(self, location: str | Path = YIELDS, *, pool: str, get: Get = web.get_json) -> None:
        self.location, self.pool, self.get = location, pool, get

    def rows(self) -> Iterator[PoolDay | Rejected]:
        """The pool's days, one row each; a second row of a day is refused."""
        seen: dict[dt.date, int] = {}
        document = _document(self.location, f"/chart/{self.pool}", self.get)
        for row, entry in enumerate(_entries(document, self.location), 1):
            try:
                if not isinstance(entry, dict):
                    raise BadField("entry", entry, "must be an object")
                day = fields.day(entry, "timestamp")
                if seen.setdefault(day, row) != row:
                    raise BadField("timestamp", entry["timestamp"], f"is of the day of row {seen[day]}")
                yield pool_day(entry, self.pool, day)
            except BadField as error:
                yield error.at(row)


class Prices:
    """What tokens are worth: DefiLlama's ``/prices``.

    Parameters
    ----------
    location
        A file, or the address of the API.
    tokens
        Which tokens; each needs a chain and an address. One with a peg has no price far above it.
    day
        Of its end, in UTC.
    """

    def __init__(
        self,
        location: str | Path = COINS,
        *,
        tokens: Sequence[Token],
        day: dt.date,
        get: Get = web.get_json,
    ) -> None:
        self.location, self.tokens, self.day, self.get = location, tokens, day, get

    def rows(self) -> Iterator[Price | Rejected]:
        """The price of each token; one that DefiLlama does not know is a rejected row."""
        names = [_coin(token) for token in self.tokens]
        end = dt.datetime.combine(self.day + dt.timedelta(days=1), dt.time(), dt.UTC)
        path = f"/prices/historical/{int(end.timestamp()) - 1}/{','.join(names)}"
        document = _document(self.location, path, self.get)
        if not isinstance(document, dict) or not isinstance(document.get("coins"), dict):
            raise MalformedDocument(f"{self.location} gave no prices: an object 'coins' is missing")
        known = {name.casefold(): entry for name, entry in document["coins"].items()}
        for row, (token, name) in enumerate(zip(self.tokens, names, strict=True), 1):
            try:
                entry = known.get(name.casefold())
                if not isinstance(entry, dict):
                    raise BadField("token", name, "has no price there")
                yield Price(self.day, token, check_price(fields.decimal(entry, "price"), token, "price"))
            except BadField as error:
                yield error.at(row)


def _coin(token: Token) -> str:
    address = "0x" + "0" * 40 if token.address == NATIVE else token.address
    return f"{token.chain.casefold()}:{address}"


def _document(location: str | Path, path: str, get: Get) -> Any:
    if str(location).startswith(("http://", "https://")):
        return get(f"{str(location).rstrip('/')}{path}")
    try:
        return read_json(Path(location).read_bytes())
    except ValueError as error:
        raise MalformedDocument(f"{location} is no JSON: {error}") from None


def _entries(document: Any, location: str | Path) -> list[Any]:
    if isinstance(document, dict) and document.get("status", "success") == "success":
        entries = document.get("data")
        if isinstance(entries, list):
            return entries
    raise MalformedDocument(
        f"{location} is not DefiLlama's document: an object with 'status': 'success' and a list 'data' is wanted"
    )
