"""The schema of a ledger file: numbered SQL files, applied in one transaction."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import apsw

from capdesk.model.errors import CorruptLedger, LedgerUnavailable, NewerSchema, NotALedger

APPLICATION_ID = 0x43415044  # "CAPD"
_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_READ_THROUGH_LOG = 2
_LARGEST_PAGE = 65_536


def schema_files(dialect: str) -> list[tuple[int, str]]:
    """The numbered SQL files of a dialect: version and text, in order."""
    folder = resources.files("capdesk.ledger") / "sql" / dialect
    files = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.partition("_")[0]), entry.read_text(encoding="utf-8")) for name, entry in files]


def newest_version(dialect: str) -> int:
    """The version of the schema that this release writes."""
    return schema_files(dialect)[-1][0]


def inspect_file(path: Path) -> None:
    """Look at a file's first bytes without opening it as a database, so that nothing of it can change.

    A file whose first page says nothing yet is let through: its founding, or what it has
    since, may still lie in its write-ahead log. `version_of` knows once it is open.

    Raises
    ------
    NotALedger
        If another program made it.
    NewerSchema
        If a newer release of capdesk wrote it.
    CorruptLedger
        If most of it is gone, or its write-ahead log would be passed over.
    LedgerUnavailable
        If it cannot be read.
    """
    # In this order: what another process does meanwhile can only let the file through.
    logged = log_size(path) > 0
    try:
        with path.open("rb") as file:
            size, header = os.fstat(file.fileno()).st_size, file.read(_HEADER_BYTES)
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
    if not header.startswith(_MAGIC):
        raise NotALedger(f"{path} is not a capdesk ledger: choose another file for the ledger")
    if len(header) < _HEADER_BYTES:
        raise CorruptLedger(f"{path} is damaged: only {size} bytes of it are left")
    if logged and header[19] != _READ_THROUGH_LOG:
        raise CorruptLedger(f"{path} is damaged: it does not know of the write-ahead log beside it")
    mark, version = (int.from_bytes(header[at : at + 4]) for at in (68, 60))
    page = int.from_bytes(header[16:18])
    unwritten = logged or size <= (_LARGEST_PAGE if page == 1 else page)
    _judge(path, mark, version, written=not unwritten)


def log_size(path: Path) -> int:
    """Bytes in the write-ahead log beside a ledger file; 0 without one."""
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def version_of(db: apsw.Connection, path: Path | str) -> int:
    """The schema version of an open ledger file; 0 for a new one.

    Raises
    ------
    NotALedger, NewerSchema
        If it is not this release's to write.
    """
    # In one statement: another process may be founding the ledger in this very moment.
    mark, version, tables = db.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "
        "FROM pragma_application_id, pragma_user_version"
    ).get
    _judge(path, mark, version, written=bool(tables))
    return version


def _judge(path: Path | str, mark: int, version: int, *, written: bool) -> None:
    if mark != APPLICATION_ID and (mark or version or written):
        raise NotALedger(f"{path} is a database of another program: choose another file for the ledger")
    newest = newest_version("sqlite")
    if version > newest:
        raise NewerSchema(
            f"{path} was written by a newer capdesk (schema {version}, this one knows {newest}): upgrade capdesk"
        )


def upgrade(db: apsw.Connection, dialect: str) -> None:
    """Bring a ledger file to the newest schema, in one transaction.

    Raises
    ------
    NotALedger, NewerSchema
        The file is left as it was.
    """
    newest = newest_version(dialect)
    if db.pragma("user_version") == newest and db.pragma("application_id") == APPLICATION_ID:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(db, db.filename)
        for number, text in schema_files(dialect):
            if number > version:
                db.execute(text)
        db.pragma("application_id", APPLICATION_ID)
        db.pragma("user_version", newest)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
