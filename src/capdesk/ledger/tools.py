"""Tools for a ledger file: check it whole, write it out, make it small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec

from capdesk.ledger.codec import GENESIS, Row, read_entry, read_row, verify_row
from capdesk.ledger.files import InUse, own_name
from capdesk.ledger.invariants import check_in_full
from capdesk.ledger.rules import TRANSITION
from capdesk.ledger.schema import inspect_file, newest_version, version_of
from capdesk.ledger.snapshot import FORMAT, read_snapshot, same_state
from capdesk.ledger.sqlite import SqliteStore
from capdesk.ledger.sqlite_errors import SqliteErrors
from capdesk.ledger.sqlite_reading import COLUMNS
from capdesk.ledger.writer import Writer
from capdesk.model.commands import ReverseRelease
from capdesk.model.errors import CapdeskError, LedgerUnavailable, NotALedger
from capdesk.model.journal import Entry
from capdesk.model.requests import moment
from capdesk.model.state import State


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a full check found.

    Attributes
    ----------
    entries
        How many entries were read and hold.
    last_hash
        The hash of the last of them, in hexadecimal: note it down to prove later that
        nothing before it was changed.
    problems
        One sentence each; empty for a sound ledger.
    """

    entries: int
    last_hash: str
    problems: list[str]


@dataclass(frozen=True, slots=True)
class CompactReport:
    """Size of a ledger file in bytes, before and after."""

    before: int
    after: int


def check(path: Path) -> CheckReport:
    """Read a whole ledger: pages, hash chain, replay, totals, snapshots and request ids.

    Raises
    ------
    NotALedger, NewerSchema, LedgerUnavailable
        If there is nothing to check.
    """
    problems: list[str] = []
    state, last_hash = State(), GENESIS
    began: dict[int, int] = {}
    with SqliteErrors(path), _reading(path) as db:
        try:
            problems += _check_pages(db)
            snapshots = _snapshots(db, problems)
            for row in _rows(db):
                verify_row(row, last_hash, state.sequence + 1)
                _replay(state, row)
                began.setdefault(state.id_period, row.sequence)
                last_hash = row.hash
                if row.sequence in snapshots:
                    problems += _check_snapshot(snapshots.pop(row.sequence), state, row)
            check_in_full(state)
            problems += [f"the snapshot of entry {number} is of no entry" for number in snapshots]
            problems += _check_ids(db, began.get(state.id_period - 1, began.get(state.id_period, 1)))
        except (CapdeskError, apsw.Error, AssertionError) as error:
            problems.append(str(error) or type(error).__name__)
    return CheckReport(state.sequence, last_hash.hex(), problems)


@contextmanager
def _reading(path: Path) -> Iterator[apsw.Connection]:
    """A connection that only reads, within one transaction."""
    if not path.exists():
        raise NotALedger(f"there is no ledger at {path}")
    path = own_name(path)
    name = InUse(path, inspect_file)
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.set_busy_timeout(2_000)
            db.execute("BEGIN")
            if version_of(db, path) != newest_version("sqlite"):
                raise LedgerUnavailable(
                    f"{path} has an older schema: open it once with capdesk to upgrade it"
                )
            yield db
        finally:
            db.close()
    finally:
        name.close()


def _check_pages(db: apsw.Connection) -> list[str]:
    found = [str(text) for (text,) in db.execute("PRAGMA quick_check(5)")]
    return [] if found == ["ok"] else found


def _snapshots(db: apsw.Connection, problems: list[str]) -> dict[int, bytes]:
    import hashlib

    kept: dict[int, bytes] = {}
    for sequence, form, body, digest in db.execute("SELECT sequence, format, body, digest FROM snapshots"):
        if hashlib.sha256(body).digest() != digest:
            problems.append(f"the snapshot of entry {sequence} is damaged")
        elif form == FORMAT:
            kept[sequence] = body
    return kept


def _check_snapshot(body: bytes, state: State, row: Row) -> list[str]:
    try:
        kept, kept_hash = read_snapshot(body)
    except CapdeskError as error:
        return [f"the snapshot of entry {row.sequence}: {error}"]
    if kept_hash != row.hash or not same_state(kept, state):
        return [f"the snapshot of entry {row.sequence} is not what the journal gives"]
    return []


def _check_ids(db: apsw.Connection, kept_from: int) -> list[str]:
    stray = db.execute(
        "SELECT count(*) FROM requests WHERE NOT EXISTS "
        "(SELECT 1 FROM journal WHERE journal.sequence = requests.sequence)"
    ).get
    lost = db.execute(
        "SELECT count(*) FROM (SELECT request_id, sequence FROM journal "
        "WHERE sequence >= ? AND kind NOT IN ('expire', 'arrive', 'trip') "
        "EXCEPT SELECT request_id, sequence FROM requests)",
        (kept_from,),
    ).get
    return [
        *([f"{stray} request ids point to entries that are not there"] if stray else []),
        *([f"{lost} entries would not be known by their request ids again"] if lost else []),
    ]


def _rows(db: apsw.Connection) -> Iterator[Row]:
    for row in db.execute(f"SELECT {COLUMNS} FROM journal ORDER BY sequence"):
        yield Row(*row)


def _replay(state: State, row: Row) -> None:
    entry = read_row(row)
    TRANSITION.tick(state, entry.at)
    for event in entry.events:
        TRANSITION.evolve(state, event, entry.sequence, entry.at)
    state.sequence, state.at = entry.sequence, entry.at


def journal(path: Path) -> Iterator[Entry]:
    """Every entry, oldest first, each read when it is asked for: a long journal takes no more memory than a short one.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    with SqliteErrors(path), _reading(path) as db:
        for row in db.execute("SELECT sequence, at, request_id, body FROM journal ORDER BY sequence"):
            yield read_entry(*row)


def length(path: Path) -> int:
    """How many entries the journal has.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    with SqliteErrors(path), _reading(path) as db:
        return db.execute("SELECT coalesce(max(sequence), 0) FROM journal").get


def undone(path: Path) -> frozenset[int]:
    """The numbers of the releases that the journal undoes later.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    with SqliteErrors(path), _reading(path) as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM journal WHERE kind = 'reverse_release'")
        commands = [read_row(Row(*row)).command for row in rows]
    return frozenset(command.release for command in commands if isinstance(command, ReverseRelease))


def export(path: Path) -> Iterator[dict[str, Any]]:
    """Every entry as plain data, oldest first; amounts in micro-units, times in microseconds since 1970 (UTC).

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    with SqliteErrors(path), _reading(path) as db:
        for row in _rows(db):
            body = msgspec.json.decode(row.body)
            yield {
                "sequence": row.sequence,
                "at": row.at,
                "time": moment(row.at).isoformat(),
                "request_id": row.request_id,
                "command": body["command"],
                "events": body["events"],
                "hash": row.hash.hex(),
            }


def compact(path: Path) -> CompactReport:
    """Drop what is no longer needed (old request ids, older snapshots) and give the space back.

    The journal is never shortened: every decision can be replayed for ever.

    Raises
    ------
    LedgerError
        If the file cannot be written.
    """
    before = path.stat().st_size if path.exists() else 0
    store = SqliteStore(path, create=False)
    try:
        writer = Writer(store, TRANSITION, lambda: 0)
        writer.load()
        store.trust()
        writer.save_snapshot()
        store.compact(writer.oldest_period())
    finally:
        store.close()
    return CompactReport(before, path.stat().st_size)
