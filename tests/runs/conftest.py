"""The records that runs are stored in: the same two databases as the records' own tests."""

from tests.records.conftest import location, postgres_server

__all__ = ["location", "postgres_server"]
