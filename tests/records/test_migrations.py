"""The schema: one on both databases, and a migration is done wholly or not at all."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text

from capdesk.ledger import schema as ledger_schema
from capdesk.model.errors import NewerRecords, NotRecords, RecordsError
from capdesk.model.market_rows import PoolDay
from capdesk.records import Records, migrate
from capdesk.records.database import APPLICATION_ID, Database
from capdesk.records.tables import Base

DAY = dt.date(2026, 2, 16)
TABLES = {
    "pools",
    "pool_daily_metrics",
    "daily_ledger",
    "allocation_parameters",
    "asset_allocations",
    "asset_allocation_details",
    "approved_tokens",
    "blacklisted_tokens",
    "approved_protocols",
    "icebox_tokens",
    "tokens",
    "pool_tokens",
    "token_prices",
    "gas_prices",
    "runs",
}


class PowerCut(Exception):
    """Stands for whatever ends a migration half-way."""


def failing_at(engine: Engine, statement: int) -> Callable[[], int]:
    """Let the n-th statement from now on fail; tells how many there were."""
    count = 0

    @event.listens_for(engine, "before_cursor_execute")
    def fail(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == statement:
            raise PowerCut

    return lambda: count


def test_the_tables_are_those_that_were_asked_for(records: Records) -> None:
    with records._database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == TABLES | {"alembic_version"}


def test_the_migrations_make_what_the_models_say(records: Records) -> None:
    with records._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_json_is_binary_json_on_postgres_and_balances_are_exact(records: Records) -> None:
    with records._database.reading() as connection:
        columns = {
            (table, column["name"]): str(column["type"])
            for table in TABLES
            for column in inspect(connection).get_columns(table)
        }
        postgres = connection.dialect.name == "postgresql"
    for name in (
        "approved_tokens",
        "blacklisted_tokens",
        "approved_protocols",
        "icebox_tokens",
        "parameters",
    ):
        assert columns["allocation_parameters", name] == ("JSONB" if postgres else "JSON")
    assert columns["daily_ledger", "amount"] == ("NUMERIC" if postgres else "VARCHAR(80)")
    assert columns["asset_allocations", "amount"] == "BIGINT"


def test_the_newest_version_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "capdesk.records:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.newest()]


def test_a_migration_that_fails_anywhere_leaves_no_file(tmp_path: Path) -> None:
    statements = 0
    for failing in range(1, 200):
        path = tmp_path / f"{failing}.db"
        database = Database(path)
        told = failing_at(database.engine, failing)
        if failing_is_past(database, told, failing):
            statements = failing
            break
        assert not path.exists(), f"a failure at statement {failing} left a file"
    assert statements > len(TABLES)


def failing_is_past(database: Database, told: Callable[[], int], failing: int) -> bool:
    """Whether the migration had fewer statements than that and went through."""
    try:
        migrate.upgrade(database)
    except PowerCut:
        return False
    finally:
        database.close()
    assert told() < failing
    return True


def half_migrated(path: Path) -> None:
    """Records of an older version, as far as a migration can tell: most tables are still to be made."""
    Records(path, create=True).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    for table in (*sorted(TABLES - {"gas_prices"}), "alembic_version"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("INSERT INTO gas_prices VALUES ('ethereum', '2026-02-16', '1.5')")
    connection.execute("ALTER TABLE gas_prices RENAME TO older_gas")
    connection.commit()
    connection.close()


def test_a_migration_that_fails_leaves_the_bytes_of_the_file_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    half_migrated(path)
    before = path.read_bytes()
    failed = 0
    for failing in range(1, 200):
        database = Database(path)
        told = failing_at(database.engine, failing)
        if failing_is_past(database, told, failing):
            break
        failed += 1
        assert path.read_bytes() == before
        assert sorted(each.name for each in tmp_path.iterdir()) == ["records.db"]
    assert failed > len(TABLES)
    assert path.read_bytes() != before


FIGURES = """
INSERT INTO pools VALUES ('p', 'Base', 'aave', 'USDC', false, true, 'single');
INSERT INTO pool_daily_metrics (pool_id, day, tvl, apy, outlier, forecasted_apy, forecasted_tvl)
VALUES ('p', '2026-02-16', 5000000, 3.5, false, 3.25, 5000000)
"""


def of_the_first_release(location: Path | str) -> None:
    """Records as the first migration made them, with a day in them."""
    database = Database(location)
    with database.writing() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "capdesk.records:migrations")
        command.upgrade(config, "0001")
        for statement in FIGURES.split(";"):
            connection.execute(text(statement))
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def test_records_of_an_older_release_are_upgraded_with_all_that_is_in_them(location: Path | str) -> None:
    of_the_first_release(location)
    with Records(location) as records:
        assert records.history() == [PoolDay("p", DAY, 5_000_000, 3.5)]
        assert records.forecasts(DAY) == {"p": (3.25, 5_000_000)}
        assert records.forecast_errors(DAY) == {"p": (None, None)}
        records.write_forecasts(DAY, {"p": (3.5, 1)}, {"p": (0.25, 0.5)})
        assert records.forecast_errors(DAY) == {"p": (0.25, 0.5)}


def test_an_upgrade_that_fails_anywhere_leaves_the_older_release(location: Path | str) -> None:
    of_the_first_release(location)
    before = location.read_bytes() if isinstance(location, Path) else b""
    failed = 0
    for failing in range(1, 60):
        database = Database(location)
        told = failing_at(database.engine, failing)
        if failing_is_past(database, told, failing):
            break
        failed += 1
        if isinstance(location, Path):
            assert location.read_bytes() == before
        with Database(location).reading() as connection:
            assert migrate.version(connection) == "0001"
            columns = inspect(connection).get_columns("pool_daily_metrics")
            assert "naive_error" not in {column["name"] for column in columns}
    assert failed > 3


@pytest.mark.parametrize("failing", [5, 12, 25])
def test_a_migration_that_fails_leaves_the_database_as_it_was(location: Path | str, failing: int) -> None:
    database = Database(location)
    failing_at(database.engine, failing)
    with pytest.raises(PowerCut):
        migrate.upgrade(database)
    fresh = Database(location)
    with fresh.reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_opening_again_changes_nothing(location: Path | str) -> None:
    Records(location, create=True).close()
    if isinstance(location, Path):
        before = location.read_bytes()
        Records(location).close()
        assert location.read_bytes() == before
    Records(location, create=True).close()


def test_records_of_a_newer_capdesk_are_refused(location: Path | str) -> None:
    with Records(location, create=True) as records, records._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(NewerRecords, match="schema 0999, this one knows"):
        Records(location)


def test_where_there_are_none_none_are_made_unless_asked(location: Path | str) -> None:
    with pytest.raises(NotRecords, match="there are no planning records"):
        Records(location)
    if isinstance(location, Path):
        assert not location.exists()


def test_a_ledger_is_never_opened_as_records(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {ledger_schema.APPLICATION_ID}")
    connection.execute("CREATE TABLE journal (number INTEGER)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NotRecords, match="name another file"):
        Records(path, create=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"date,pool\n", b"x", b"SQLite format 3\x00"])
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pools.csv"
    path.write_bytes(content)
    with pytest.raises(NotRecords):
        Records(path, create=True)
    assert path.read_bytes() == content


def test_the_file_keeps_a_rollback_journal_and_its_references(tmp_path: Path) -> None:
    with Records(tmp_path / "records.db", create=True) as records, records._database.reading() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "delete"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA synchronous")) == 2


def test_a_reference_to_nothing_is_refused(records: Records) -> None:
    with pytest.raises(RecordsError, match=r"(?i)foreign key"), records._database.writing() as connection:
        connection.execute(text("INSERT INTO pool_tokens VALUES ('nowhere', 'nothing', 0)"))


def test_a_server_that_is_not_there_is_an_error_without_its_password() -> None:
    with pytest.raises(RecordsError) as caught:
        Records("postgresql://someone:secret@localhost:1/nothing")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
