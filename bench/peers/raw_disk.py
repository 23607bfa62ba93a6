"""The disk's own ceiling: the bytes of a ledger, written again with nothing else to do.

The rows of the journal and the request ids that capdesk wrote are read back from its file,
in the batches in which it committed them (the entries of a batch bear one time), and
written with ``executemany`` to the same tables under the same pragmas, a durable commit
for each batch. Nothing is decided, encoded or hashed, and nobody waits for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter

import apsw

from bench.peers.files import INSERT_ID, INSERT_ROW

Batch = tuple[list[tuple[object, ...]], list[tuple[object, ...]]]
"""The rows of the journal and of the request ids of one commit."""


def read_batches(path: Path, after: int) -> list[Batch]:
    """What a ledger's file holds after an entry, as it was committed."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = db.execute("SELECT * FROM journal WHERE sequence > ? ORDER BY sequence", (after,)).fetchall()
    ids = {
        sequence: (period, request_id, sequence)
        for period, request_id, sequence in db.execute("SELECT * FROM requests WHERE sequence > ?", (after,))
    }
    db.close()
    batches = (list(batch) for _, batch in groupby(rows, key=lambda row: row[1]))
    return [(batch, [ids[row[0]] for row in batch]) for batch in batches]


def write_batches(db: apsw.Connection, batches: Sequence[Batch]) -> float:
    """Write them durably; seconds."""
    began = perf_counter()
    for rows, ids in batches:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(INSERT_ROW, rows)
        db.executemany(INSERT_ID, ids)
        db.execute("COMMIT")
    return perf_counter() - began
