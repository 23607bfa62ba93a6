"""What SQLite could not do, in the ledger's own words."""

from __future__ import annotations

from pathlib import Path

import apsw

from capdesk.model.errors import CorruptLedger, DiskFull, LedgerError, LedgerUnavailable, NotALedger

_UNUSABLE = (apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError, apsw.LockedError)


class SqliteErrors:
    """``with SqliteErrors(path): ...`` raises a `LedgerError` where SQLite gave up; may be entered again."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        told = None if error is None else self._tell(error)
        if told is not None:
            raise told from error

    def _tell(self, error: BaseException) -> LedgerError | None:
        path = self._path
        if isinstance(error, apsw.FullError):
            return DiskFull(f"the disk of {path} is full: nothing was written; free some space and try again")
        if isinstance(error, apsw.NotADBError):
            return NotALedger(f"{path} is not a capdesk ledger ({error})")
        if isinstance(error, apsw.CorruptError | apsw.SQLError):
            # The ledger's own statements are sound: one that fails has met another schema than it wrote.
            return CorruptLedger(f"{path} is damaged: {error}")
        if isinstance(error, _UNUSABLE):
            return LedgerUnavailable(f"{path} cannot be used: {type(error).__name__}: {error}")
        return None
