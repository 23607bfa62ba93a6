"""The planning records: the universe, the lists and the runs, on SQLite or PostgreSQL.

Start in `store.py`; the tables are in `tables.py`, `list_tables.py` and `run_tables.py`.
"""

from capdesk.records.store import Records

__all__ = ["Records"]
