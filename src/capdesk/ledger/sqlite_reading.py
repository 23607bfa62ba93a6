"""Looking at a ledger file from any thread, on a connection of one's own, so that nobody is held up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw

from capdesk.ledger.codec import Row
from capdesk.ledger.sqlite_errors import SqliteErrors

COLUMNS = "sequence, at, kind, market, request_id, body, hash"
BUSY_MILLISECONDS = 2_000


class SqliteReading:
    """What may be asked of a ledger file beside its writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._errors = SqliteErrors(path)

    def history(self, kind: str, limit: int, since: int) -> Iterator[Row]:
        # "kind = 'recycle'" is written out so that the partial index serves it.
        condition = "kind = 'recycle'" if kind == "recycle" else "kind = ?"
        given = () if kind == "recycle" else (kind,)
        return self._read(
            f"SELECT {COLUMNS} FROM journal WHERE {condition} AND at >= ? ORDER BY sequence DESC LIMIT ?",
            (*given, since, limit),
        )

    def about(self, market: str) -> Iterator[Row]:
        return self._read(
            f"SELECT {COLUMNS} FROM journal WHERE market IN (?, '') ORDER BY sequence", (market,)
        )

    def repeats(self, sequence: int) -> int:
        rows = self._reader().execute("SELECT count FROM repeats WHERE sequence = ?", (sequence,))
        return rows.get or 0

    def repeated(self, since: int) -> Iterator[Row]:
        return self._read(
            f"SELECT {COLUMNS} FROM journal WHERE sequence IN (SELECT sequence FROM repeats WHERE last_at >= ?)",
            (since,),
        )

    def _read(self, query: str, given: tuple[object, ...]) -> Iterator[Row]:
        with self._errors:
            for row in self._reader().execute(query, given):
                yield Row(*row)

    def _reader(self) -> apsw.Connection:
        reader = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        reader.set_busy_timeout(BUSY_MILLISECONDS)
        return reader
