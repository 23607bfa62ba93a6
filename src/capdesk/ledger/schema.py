"""The schema of a ledger file: numbered SQL files, applied in one transaction."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import apsw

from capdesk.model.errors import NewerSchema, NotALedger

APPLICATION_ID = 0x43415044  # "CAPD"


def schema_files(dialect: str) -> list[tuple[int, str]]:
    """The numbered SQL files of a dialect: version and text, in order."""
    folder = resources.files("capdesk.ledger") / "sql" / dialect
    files = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.partition("_")[0]), entry.read_text(encoding="utf-8")) for name, entry in files]


def newest_version(dialect: str) -> int:
    """The version of the schema that this release writes."""
    return schema_files(dialect)[-1][0]


def inspect_file(path: Path, vfs: str | None = None) -> int:
    """The schema version of a ledger file, which is only read.

    Raises
    ------
    NotALedger
        If another program made it.
    NewerSchema
        If a newer release of capdesk wrote it.
    apsw.Error
        If SQLite cannot read it.
    """
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    try:
        db.set_busy_timeout(2_000)
        return _version(db, path)
    finally:
        db.close()


def _version(db: apsw.Connection, path: Path | str) -> int:
    mark, version = db.pragma("application_id"), db.pragma("user_version")
    tables = db.execute("SELECT count(*) FROM sqlite_schema").get
    if mark != APPLICATION_ID and (mark or version or tables):
        raise NotALedger(f"{path} is a database of another program: choose another file for the ledger")
    newest = newest_version("sqlite")
    if version > newest:
        raise NewerSchema(
            f"{path} was written by a newer capdesk (schema {version}, this one knows {newest}): upgrade capdesk"
        )
    return version


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
        version = _version(db, db.filename)
        for number, text in schema_files(dialect):
            if number > version:
                db.execute(text)
        db.pragma("application_id", APPLICATION_ID)
        db.pragma("user_version", newest)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
