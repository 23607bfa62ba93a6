"""A ledger with millions of entries, as a desk that was killed has left it: made fast, kept between runs.

Every entry is decided, encoded and chained by capdesk's own code; only the commits are
not: the file is written in large transactions that nobody needs to survive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import time_ns

import apsw

from bench.desk import BANKROLL, CONFIG
from bench.peers.files import INSERT_ID, INSERT_ROW, connect
from capdesk.decide.transition import decide, evolve, tick
from capdesk.ledger.codec import GENESIS, Row, write_row
from capdesk.ledger.schema import newest_version
from capdesk.ledger.snapshot import FORMAT, write_snapshot
from capdesk.ledger.writer import SNAPSHOT_EVERY
from capdesk.model.commands import Command, Found, Release
from capdesk.model.journal import Body
from capdesk.model.money import to_micro
from capdesk.model.requests import Request
from capdesk.model.state import State

OPEN = 1_000
"""Allocations that are open at a time: a market is released when so many have followed it."""

_TAIL = SNAPSHOT_EVERY - 1
"""Entries after the last snapshot: as many as there can be, one more would have made a new one."""

_STEP = 250_000
"""Microseconds from an entry to the next: ten million of them are a month."""

_CHUNK = 10_000


def long_ledger(cache: Path, entries: int) -> Path:
    """The path of a ledger with so many entries; made if it is not there yet."""
    path = cache / f"opening-{entries}-{newest_version('sqlite')}-{FORMAT}.db"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        for left in cache.glob(f"{unfinished.name}*"):
            left.unlink()
        _build(unfinished, entries)
        os.replace(unfinished, path)
    return path


def _build(path: Path, entries: int) -> None:
    db = connect(path)
    db.pragma("journal_mode", "off")
    db.pragma("synchronous", "off")
    desk = _Author(entries)
    rows = desk.rows(entries)
    oldest = entries * _STEP // CONFIG.mandate().id_retention - 1
    db.execute("BEGIN")
    while chunk := list(islice(rows, _CHUNK)):
        db.executemany(INSERT_ROW, (row for row, _ in chunk))
        db.executemany(
            INSERT_ID, ((period, row.request_id, row.sequence) for row, period in chunk if period >= oldest)
        )
        if desk.snapshot is not None:
            sequence, body = desk.snapshot
            db.execute(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?)", (sequence, FORMAT, body, sha256(body).digest())
            )
            desk.snapshot = None
    db.execute("COMMIT")
    db.pragma("journal_mode", "wal")
    db.close()


class _Author:
    """Writes a journal of grants and releases, and keeps a snapshot on the way."""

    def __init__(self, entries: int) -> None:
        self.state = State()
        self.snapshot: tuple[int, bytes] | None = None
        self._began = time_ns() // 1_000 - entries * _STEP
        self._hash = GENESIS

    def rows(self, entries: int) -> Iterator[tuple[Row, int]]:
        """Each row with the period of its request id."""
        yield self._row(Found(CONFIG.mandate(), to_micro(BANKROLL)))
        for number in range(1, entries):
            yield self._row(_command(number))
            if self.state.sequence == entries - _TAIL:
                self.snapshot = self.state.sequence, write_snapshot(self.state, self._hash)

    def _row(self, command: Command) -> tuple[Row, int]:
        state = self.state
        sequence, at = state.sequence + 1, self._began + state.sequence * _STEP
        request_id = f"bot-{sequence:016d}"
        tick(state, at)
        events = decide(state, command, request_id, at)
        row = write_row(self._hash, sequence, at, request_id, Body(command, events))
        for event in events:
            evolve(state, event, sequence, at)
        state.sequence, state.at, self._hash = sequence, at, row.hash
        return row, state.id_period


def _command(number: int) -> Command:
    """First grants until enough are open, then in turn the release of the oldest and a new grant."""
    if number <= OPEN or (number - OPEN) % 2 == 0:
        market = number if number <= OPEN else OPEN + (number - OPEN) // 2
        return Request(f"btc-updown-5m-{market:09d}", 15_000_000, "sniper")
    return Release(f"btc-updown-5m-{(number - OPEN) // 2 + 1:09d}", pnl=10_000)


def forget_later_snapshots(path: Path, entries: int) -> None:
    """Leave the ledger as a desk that was killed, whatever an earlier run closed well."""
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM snapshots WHERE sequence > ?", (entries - _TAIL,))
    db.close()
