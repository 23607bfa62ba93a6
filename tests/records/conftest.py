"""The records under test: on SQLite, and on a PostgreSQL server that runs for the session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from capdesk.records import Records
from tests import postgres

NOW = dt.datetime(2026, 2, 16, 12, tzinfo=dt.UTC)

_databases = count(1)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **length: float) -> None:
        self.at += dt.timedelta(**length)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where records can be made: no file yet, or an empty database."""
    if request.param == "sqlite":
        return tmp_path / "records.db"
    import psycopg

    address: str = request.getfixturevalue("postgres_server")
    name = f"records_{next(_databases)}"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return address.format(name)


@pytest.fixture
def records(location: Path | str, clock: Clock) -> Iterator[Records]:
    with Records(location, create=True, clock=clock) as opened:
        yield opened
