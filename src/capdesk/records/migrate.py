"""Bring the records to the newest schema, wholly or not at all."""

from __future__ import annotations

from importlib import resources

from sqlalchemy import Connection, inspect, text

from capdesk.model.errors import NewerRecords, NotRecords
from capdesk.records.database import APPLICATION_ID, Database


def newest() -> str:
    """The version of the schema that this release writes: the number of its last migration."""
    folder = resources.files("capdesk.records") / "migrations" / "versions"
    return max(entry.name.partition("_")[0] for entry in folder.iterdir() if entry.name[:4].isdigit())


def version(connection: Connection) -> str | None:
    """The version of the schema there; None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def upgrade(database: Database) -> None:
    """Carry out the migrations that are not done yet, in one transaction.

    Raises
    ------
    NewerRecords
        If a newer capdesk wrote them.
    RecordsError
        If a migration fails. The file is left as it was.
    """
    new = database.is_new
    if not new:
        with database.reading() as connection:
            if is_current(connection, database.name):
                return
    try:
        with database.writing() as connection:
            if not is_current(connection, database.name):
                _run(connection)
    except BaseException:
        if new and database.path is not None and database.is_new:
            database.path.unlink(missing_ok=True)
        raise


def require_current(database: Database) -> None:
    """Check, without writing, that the records are there and of a version this release can use or upgrade.

    Raises
    ------
    NotRecords
        If there are none.
    """
    if database.is_new:
        raise NotRecords(
            f"there are no planning records at {database.name}: make them with 'capdesk pools import FILE', "
            "or name existing ones with --records or CAPDESK_RECORDS"
        )
    with database.reading() as connection:
        there = version(connection)
        if there is None:
            raise NotRecords(
                f"there are no planning records at {database.name}: import a table of pools first"
            )
        is_current(connection, database.name)


def is_current(connection: Connection, name: str) -> bool:
    """Whether nothing is left to be migrated.

    Raises
    ------
    NewerRecords
        If a newer capdesk wrote the records.
    """
    there = version(connection)
    if there is not None and there > newest():
        raise NewerRecords(
            f"the records at {name} were written by a newer capdesk (schema {there}, this one knows {newest()}): "
            "upgrade capdesk"
        )
    return there == newest()


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "capdesk.records:migrations")
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
