"""The database of the records: a SQLite file of its own, or PostgreSQL; one transaction at a time.

SQLite keeps a rollback journal and never shares a file with a ledger: the ledger brings a
SQLite of its own, and two SQLite libraries on one file break each other's locks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError

from capdesk.model.errors import CapdeskError, InvalidInput, NotRecords, RecordsError

APPLICATION_ID = 0x43415052  # "CAPR"
TURN = int.from_bytes(b"CAPRECOR")  # any number that nobody else locks
BUSY_SECONDS = 30
_MAGIC = b"SQLite format 3\x00"
_WRITES = "capdesk_writes"


class Database:
    """Where the records are, and the transactions on it.

    Parameters
    ----------
    location
        A path, or ``postgresql://user@host/database``.

    Raises
    ------
    NotRecords
        If the file is another program's: the ledger of a desk, for example.
    InvalidInput
        If the address cannot be read, or is of a database that is not known.
    """

    def __init__(self, location: str | Path) -> None:
        self.path = None if is_address(location) else Path(location)
        if self.path is None:
            self.engine = _postgres(str(location))
        else:
            inspect_file(self.path)
            self.engine = _sqlite(self.path)
        self.name = str(self.path) if self.path else self.engine.url.render_as_string(hide_password=True)

    @property
    def is_new(self) -> bool:
        """Whether there is no file yet, or an empty one."""
        return self.path is not None and (not self.path.exists() or self.path.stat().st_size == 0)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view of the records as they are now."""
        with _readable(self.name), self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all that is done in it, or nothing. Writers take turns."""
        with self._transaction(writes=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with (
                self.engine.connect().execution_options(**{_WRITES: writes}) as connection,
                connection.begin(),
            ):
                yield connection
        except DBAPIError as error:
            said = " ".join(str(error.orig).split())
            raise RecordsError(f"the records at {self.name} could not be used: {said}") from error
        except OverflowError as error:
            raise RecordsError(f"the records hold integers of 64 bits: {error}") from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


class Held:
    """A transaction that somebody else has begun and will end: what is done here is a part of it.

    Parameters
    ----------
    connection
        A writing transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view of the records as the transaction has made them so far."""
        with _readable(str(self._connection.engine.url.database)):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All that is done here, or nothing of it, where the transaction goes on after an error."""
        with self._connection.begin_nested():
            yield self._connection


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Say of a cell that holds something else than was written there what it is."""
    try:
        yield
    except (CapdeskError, DBAPIError):
        raise
    except (ValueError, ArithmeticError, StatementError) as error:
        raise RecordsError(
            f"the records at {name} hold something that cannot be read, so they were changed: {error}"
        ) from error


def is_address(location: str | Path) -> bool:
    """Whether a location is the address of a database, not a path."""
    return isinstance(location, str) and "://" in location


def inspect_file(path: Path) -> None:
    """Look at a file's first bytes without opening it as a database.

    Raises
    ------
    NotRecords
        If another program made it.
    RecordsError
        If it cannot be read.
    """
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise RecordsError(f"{path} cannot be read: {error.strerror}") from error
    if not header:
        return
    if not header.startswith(_MAGIC) or int.from_bytes(header[68:72]) != APPLICATION_ID:
        raise NotRecords(
            f"{path} holds no planning records: name another file (a desk's ledger is a file of its own)"
        )


def _sqlite(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path.absolute()))
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver itself would begin only before the first change of a row, so the schema's
        # changes would be outside, and two who have read could not both go on to write.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(address: str) -> Engine:
    try:
        url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", address))
    except (ArgumentError, ValueError):
        raise InvalidInput(
            "the address of the records cannot be read; it looks like postgresql://user@host/database"
        ) from None
    if url.drivername != "postgresql+psycopg":
        raise InvalidInput(
            f"records are a SQLite file or postgresql://user@host/database, not {url.drivername!r}"
        )
    try:
        return create_engine(url, poolclass=NullPool)
    except ModuleNotFoundError:
        raise InvalidInput("PostgreSQL needs psycopg: install capdesk with its extra 'postgres'") from None
