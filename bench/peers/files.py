"""A ledger file as the peers open it: the same schema from the same SQL files, the same pragmas.

Their write-ahead log is folded into the file by SQLite itself, within the commit that finds it long.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from capdesk.ledger.schema import upgrade

INSERT_ROW = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)"
INSERT_ID = "INSERT INTO requests VALUES (?, ?, ?)"


def connect(path: Path) -> apsw.Connection:
    """A connection to a new file, in WAL mode with ``synchronous=FULL``."""
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    db.pragma("mmap_size", 0)
    db.pragma("cache_size", -16_000)
    # As rarely as capdesk does it while many ask.
    db.pragma("wal_autocheckpoint", 4_000)
    upgrade(db, "sqlite")
    return db
