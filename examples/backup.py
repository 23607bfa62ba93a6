"""Copy a ledger that is in use, and check the copy.

    python examples/backup.py desk.db desk-backup.db

The copy is the ledger as of one entry. Bots go on meanwhile: a reader of a write-ahead
log holds nobody up. It goes through apsw, because the SQLite of the system may be one
that can damage a write-ahead log which another connection writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import apsw

from capdesk.ledger.tools import check


def back_up(ledger: Path, copy: Path) -> str:
    """Copy a ledger to a new file and check it whole; the hash of its last entry."""
    if copy.exists():
        sys.exit(f"{copy} exists: name another file")
    source = apsw.Connection(str(ledger), flags=apsw.SQLITE_OPEN_READONLY)
    target = apsw.Connection(str(copy))
    with target.backup("main", source, "main") as transfer:
        transfer.step(-1)
    # One file, without a write-ahead log beside it; a desk that opens it makes its own.
    target.pragma("journal_mode", "delete")
    source.close()
    target.close()
    report = check(copy)
    if report.problems:
        sys.exit("\n".join(report.problems))
    return f"{report.entries} entries, last hash {report.last_hash}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python backup.py LEDGER COPY")
    print(back_up(Path(sys.argv[1]), Path(sys.argv[2])))
