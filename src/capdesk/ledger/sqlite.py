"""A ledger in a SQLite file, through apsw and the current SQLite that comes with it.

WAL with ``synchronous=FULL``: what is committed survives a power loss. No memory map,
no network file system. The connection belongs to the writer's thread; readers open
their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import apsw

from capdesk.ledger.codec import Row
from capdesk.ledger.files import InUse, Turn, own_name, refuse_network_file_system, sync_directory
from capdesk.ledger.schema import inspect_file, log_size, newest_version, upgrade, version_of
from capdesk.ledger.sqlite_reading import BUSY_MILLISECONDS, COLUMNS, SqliteReading
from capdesk.ledger.store import DuplicateId, StoredSnapshot
from capdesk.ledger.write_ahead_log import WriteAheadLog
from capdesk.model.errors import CorruptLedger, LedgerUnavailable, NotALedger

_AT_ONCE = 16


def _insertion(table: str, columns: int) -> tuple[str, str]:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {row}", f"INSERT INTO {table} VALUES {', '.join([row] * _AT_ONCE)}"


_INSERT_ROW = _insertion("journal", 7)
_INSERT_ID = _insertion("requests", 3)
_FORGET_AT_ONCE = 500


class SqliteStore(SqliteReading):
    """A store in one file that several processes may share.

    Parameters
    ----------
    path
        The file; it is made if `create` is true.
    vfs
        The SQLite VFS to go through (for fault injection); None: the system's.

    Attributes
    ----------
    pages_when_idle, pages_when_busy
        How long the write-ahead log grows before it is folded into the file.

    Raises
    ------
    NotALedger, NewerSchema, CorruptLedger, NetworkFileSystem, LedgerUnavailable
        The file is left as it was.
    """

    shared = True

    def __init__(self, path: Path, *, create: bool = True, vfs: str | None = None) -> None:
        path = own_name(path)
        super().__init__(path)
        self.pages_when_idle, self.pages_when_busy = 1_000, 4_000
        refuse_network_file_system(path)
        logged = log_size(path)
        self.fresh = not path.exists() or path.stat().st_size == 0
        if self.fresh and logged:
            raise CorruptLedger(
                f"{path} is gone or empty, but the write-ahead log beside it is not: "
                f"restore the file, or move {path.name}-wal away"
            )
        if self.fresh and not create:
            raise NotALedger(
                f"there is no ledger at {path}: make one with capdesk init, or give initial_bankroll"
            )
        if not path.parent.is_dir():
            raise LedgerUnavailable(f"the directory {path.parent} does not exist: make it first")
        self._writing = self._trusted = False
        self._seen, self._appended = (-1, 0), 0
        self._name = InUse(path, look=None if self.fresh else inspect_file)
        try:
            self._connect(vfs)
        except BaseException:
            self._name.close()
            raise

    def _connect(self, vfs: str | None) -> None:
        with self._errors:
            self._turn = Turn(self.path)
            try:
                self._db = apsw.Connection(str(self.path), vfs=vfs)
                try:
                    self._configure()
                    self._turn.share()
                    self._name.opened()
                except BaseException:
                    self._db.close()
                    raise
            except BaseException:
                self._turn.close()
                raise

    def _configure(self) -> None:
        db = self._db
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.set_busy_timeout(BUSY_MILLISECONDS)
        self._log = WriteAheadLog(db, self.path)
        if db.readonly("main"):
            raise LedgerUnavailable(f"{self.path} may not be written: change its permissions")
        if version_of(db, self.path) != newest_version("sqlite") or db.pragma("journal_mode") != "wal":
            self._make_ready()
        db.pragma("synchronous", "full")
        db.pragma("mmap_size", 0)
        db.pragma("cache_size", -16_000)
        # SQLite does so for a write-ahead log that this connection made, not for one that it found.
        sync_directory(self.path.parent)

    def _make_ready(self) -> None:
        """Found or upgrade the file, one process at a time."""
        self._turn.take()
        try:
            mode = self._db.pragma("journal_mode", "wal")
            if mode != "wal":
                raise LedgerUnavailable(f"{self.path} cannot use a write-ahead log (journal mode is {mode})")
            self._db.pragma("synchronous", "full")
            unproven = self._log.unproven_bytes()
            self._db.execute("BEGIN IMMEDIATE")
            self._prove(unproven)
            self._db.execute("COMMIT")
            upgrade(self._db, "sqlite")
        finally:
            self._turn.give_up()

    def trust(self) -> None:
        """The file was read and found sound: closing may fold its write-ahead log into it."""
        self._trusted = True

    def begin(self, patient: Callable[[], bool]) -> None:
        self._turn.take()
        try:
            self._name.must_be_the_same()
            with self._errors:
                unproven = self._log.unproven_bytes()
                while not self._begun():
                    if not patient():
                        raise LedgerUnavailable(
                            f"{self.path} is locked by another program: end it and try again"
                        )
                if not self._log.proven:
                    self._prove(unproven)
            self._writing, self._appended = True, 0
        except BaseException:
            self._turn.give_up()
            raise

    def _prove(self, unproven: int) -> None:
        try:
            self._log.prove(unproven)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _begun(self) -> bool:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            # Only a stranger to `Turn` (a backup, a database shell) can hold the lock here.
            return False
        return True

    def commit(self) -> None:
        with self._errors:
            version, last = self._seen
            alone = version == self._db.data_version()
            self._db.execute("COMMIT")
            if alone:
                self._seen = (self._db.data_version(), self._appended or last)
        self._writing = False
        self._turn.give_up()

    def rollback(self) -> None:
        if not self._writing:
            return
        self._writing = False
        try:
            if self._db.in_transaction:
                with self._errors:
                    self._db.execute("ROLLBACK")
        finally:
            self._turn.give_up()

    @property
    def untended(self) -> bool:
        return self._log.is_long(self.pages_when_idle)

    def tend(self, *, idle: bool) -> None:
        if not self._log.is_long(self.pages_when_idle if idle else self.pages_when_busy):
            return
        # In its turn, so that no sync of the log but the committing one ever carries what is not committed.
        self._turn.take()
        try:
            self._log.fold()
        finally:
            self._turn.give_up()

    def rows(self, after: int) -> Iterable[Row]:
        with self._errors:
            if self._writing and (self._db.data_version(), after) == self._seen:
                return
            last = after
            for row in self._db.execute(
                f"SELECT {COLUMNS} FROM journal WHERE sequence > ? ORDER BY sequence", (after,)
            ):
                yield Row(*row)
                last = row[0]
            self._seen = (self._db.data_version(), last)

    def append(self, rows: list[Row]) -> None:
        with self._errors:
            self._insert(_INSERT_ROW, rows)
        self._appended = rows[-1].sequence

    def _insert(self, statements: tuple[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows, many with each statement.

        After every statement the thread has to win the interpreter back from the callers' event loops.
        """
        one, many = statements
        whole = len(rows) - len(rows) % _AT_ONCE
        if whole:
            flat = chain.from_iterable
            groups = (rows[first : first + _AT_ONCE] for first in range(0, whole, _AT_ONCE))
            self._db.executemany(many, (tuple(flat(group)) for group in groups))
        if whole < len(rows):
            self._db.executemany(one, rows[whole:])

    def remember(self, ids: list[tuple[int, str, int]]) -> None:
        try:
            with self._errors:
                self._insert(_INSERT_ID, ids)
        except apsw.ConstraintError as error:
            raise DuplicateId(str(error)) from error

    def recall(self, periods: tuple[int, ...], ids: Iterable[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        with self._errors:
            for period in periods:
                known.update(
                    self._db.execute(
                        "SELECT request_id, sequence FROM requests WHERE period = ? "
                        "AND request_id IN (SELECT value FROM json_each(?))",
                        (period, json.dumps(list(ids))),
                    )
                )
        return known

    def forget(self, before: int) -> None:
        with self._errors:
            self._db.execute(
                "DELETE FROM requests WHERE (period, request_id) IN "
                "(SELECT period, request_id FROM requests WHERE period < ? LIMIT ?)",
                (before, _FORGET_AT_ONCE),
            )

    def row(self, sequence: int) -> Row | None:
        with self._errors:
            found = self._db.execute(
                f"SELECT {COLUMNS} FROM journal WHERE sequence = ?", (sequence,)
            ).fetchone()
        return None if found is None else Row(*found)

    def count_repeats(self, repeats: list[tuple[int, int]]) -> None:
        with self._errors:
            self._db.executemany(
                "INSERT INTO repeats VALUES (?, 1, ?) "
                "ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at",
                repeats,
            )

    def snapshot(self, newest: int) -> StoredSnapshot | None:
        with self._errors:
            for sequence, form, body, digest in self._db.execute(
                "SELECT sequence, format, body, digest FROM snapshots WHERE sequence <= ? ORDER BY sequence DESC",
                (newest,),
            ):
                if sha256(body).digest() != digest:
                    raise CorruptLedger(f"{self.path}: the snapshot of entry {sequence} is damaged")
                return StoredSnapshot(sequence, form, body)
        return None

    def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        with self._errors:
            self._db.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
                (*snapshot, sha256(snapshot.body).digest()),
            )
            self._db.execute(
                "DELETE FROM snapshots WHERE sequence NOT IN "
                "(SELECT sequence FROM snapshots ORDER BY sequence DESC LIMIT 2)"
            )

    def compact(self, oldest_period: int) -> None:
        """Forget all ids of earlier periods, keep one snapshot, and give free pages back."""
        self.begin(lambda: True)
        try:
            with self._errors:
                self._db.execute("DELETE FROM requests WHERE period < ?", (oldest_period,))
                self._db.execute(
                    "DELETE FROM snapshots WHERE sequence < (SELECT max(sequence) FROM snapshots)"
                )
            self.commit()
        except BaseException:
            self.rollback()
            raise
        self._turn.take()
        try:
            with self._errors:
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._turn.give_up()

    def close(self) -> None:
        try:
            with self._errors:
                try:
                    if self._trusted and not self._log.unproven_bytes():
                        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
                finally:
                    self._db.close()
        finally:
            self._name.close()
            self._turn.close()
