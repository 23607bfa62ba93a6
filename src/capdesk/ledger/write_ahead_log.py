"""The write-ahead log beside a ledger file: proved when it is found, folded into the file when it is long.

Folding writes and syncs the file itself, for which no answer should wait: it is not done
within a commit, as SQLite does it by itself, but when the answers are out.
"""

from __future__ import annotations

import logging
from pathlib import Path

import apsw

from capdesk.ledger.files import write_again
from capdesk.ledger.sqlite_errors import SqliteErrors
from capdesk.model.errors import LedgerError

logger = logging.getLogger("capdesk.ledger")

_LOG_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24


class WriteAheadLog:
    """The log of one connection's file; used by the writer's thread alone.

    Attributes
    ----------
    proven
        Whether all that the log holds is known to be durable.
    """

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self.proven = False
        self._db, self._path = db, path
        self._errors = SqliteErrors(path)
        self._page_bytes: int = db.pragma("page_size")
        self._pages = self._not_before = 0
        # In place of SQLite's own, which folds within COMMIT.
        db.set_wal_hook(self._grown)

    def _grown(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    def unproven_bytes(self) -> int:
        """How much of the log no process that is known to have proved it has folded in."""
        if self.proven:
            return 0
        _, frames, folded = self._db.execute("PRAGMA wal_checkpoint(NOOP)").get
        if folded or not frames:
            return 0
        return _LOG_HEADER_BYTES + frames * (_FRAME_HEADER_BYTES + self._page_bytes)

    def prove(self, unproven: int) -> None:
        """Make what is found in the log durable before anything is built upon it.

        A process whose sync failed may have ended since. The system then still shows what
        it wrote, though no disk has it and no later sync carries it; what followed would
        be lost with it. Written once more it is synced like anything else.
        """
        write_again(self._path.with_name(self._path.name + "-wal"), unproven)
        self.proven = True

    def is_long(self, pages: int) -> bool:
        """Whether it holds so many pages, and folding has not just failed."""
        return self._pages >= max(pages, self._not_before)

    def fold(self) -> None:
        """Fold it into the file, so that it begins anew; a failure only lets it go on growing."""
        try:
            with self._errors:
                _, pages, folded = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").get
        except LedgerError:
            logger.warning("the write-ahead log could not be folded into the file", exc_info=True)
            folded, pages = 0, self._pages
        self._pages = pages - folded
        # A reader may still need the rest.
        self._not_before = 2 * self._pages
