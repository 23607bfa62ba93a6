"""A SQLite VFS that records every write, truncation, sync and change of the directory, and fails when told to.

From such a record `disk` says what a power loss would leave behind. Shared memory and
locks go straight to the system's VFS, so that what runs above is the real stack.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

_DIRECTORY_IS_SYNCED_WITH = (
    apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL
)


class Operation(NamedTuple):
    """One thing that happened to the disk, in the order in which it was done.

    `kind` is ``link`` (a file was made), ``unlink``, ``write``, ``truncate`` (`offset` is the
    new size), ``sync``, ``sync_failed``, ``sync_directory`` or ``note`` (`name` is what the
    workload had to say). `inode` names a file apart from its name, which another file may get.
    """

    kind: str
    name: str
    inode: int = 0
    offset: int = 0
    data: bytes = b""


class Refuse(Exception):
    """Raised by a `gate`: the operation fails with this SQLite result code.

    Parameters
    ----------
    code
        A SQLite (extended) result code.
    written
        How many bytes of a write reach the file all the same.
    """

    def __init__(self, code: int, written: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.written = written


Gate = Callable[[str, str], None]
"""Called with the kind of an operation (also ``read``) and the file's name before it is done."""


def open_gate(kind: str, name: str) -> None:
    """Let everything through."""


class RecordingVFS(apsw.VFS):
    """Records what is done to the files opened through it, all in one directory.

    Parameters
    ----------
    name
        What the VFS is registered as.
    existing
        Names of files that were there before; their inodes are numbered from 1 in this order.
    """

    def __init__(self, name: str, existing: tuple[str, ...] = ()) -> None:
        self.name = name
        self.log: list[Operation] = []
        self.gate: Gate = open_gate
        self._guard = threading.Lock()
        self._inodes = {known: number for number, known in enumerate(existing, start=1)}
        self._made = len(existing)
        super().__init__(name, "unix")

    def note(self, what: str) -> None:
        """Record what the workload did or learned at this moment."""
        self.record(Operation("note", what))

    def record(self, operation: Operation) -> None:
        """Add an operation to the log."""
        with self._guard:
            self.log.append(operation)

    def inode_of(self, name: str) -> tuple[int, bool]:
        """The inode of a file by its name, and whether it is made by this call."""
        with self._guard:
            known = self._inodes.get(name)
            if known is not None:
                return known, False
            self._made += 1
            self._inodes[name] = self._made
            self.log.append(Operation("link", name, self._made))
            return self._made, True

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        if filename is None:
            return apsw.VFSFile("unix", name, flags)
        self.check("open", Path(filename).name)
        return RecordingFile(self, filename, name, flags)

    @contextmanager
    def open_beside(self, path: Path) -> Iterator[apsw.VFSFile]:
        """A file as the program itself opens it, past SQLite."""
        file = self.xOpen(str(path), [apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_WAL, 0])
        try:
            yield file
        finally:
            file.xClose()

    def xDelete(self, filename: str, syncdir: bool) -> None:
        name = Path(filename).name
        self.check("unlink", name)
        super().xDelete(filename, syncdir)
        with self._guard:
            inode = self._inodes.pop(name, 0)
            self.log.append(Operation("unlink", name, inode))
            if syncdir:
                self.log.append(Operation("sync_directory", ""))

    def check(self, kind: str, name: str) -> None:
        """Ask the gate; an operation that it refuses fails with the code it gives."""
        try:
            self.gate(kind, name)
        except Refuse as refused:
            raise apsw.exception_for(refused.code) from None


class RecordingFile(apsw.VFSFile):
    """A file whose changes are recorded once they are done."""

    def __init__(
        self, vfs: RecordingVFS, filename: str, given: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        found = Path(filename).exists()
        super().__init__("unix", given, flags)
        self._vfs = vfs
        self._name = Path(filename).name
        self._inode, made = vfs.inode_of(self._name)
        self._syncs_directory = made and not found and bool(flags[0] & _DIRECTORY_IS_SYNCED_WITH)
        self._read_only = bool(flags[1] & apsw.SQLITE_OPEN_READONLY)

    def xLock(self, level: int) -> None:
        try:
            super().xLock(level)
        except apsw.IOError:
            # The system refuses a write lock to a reader that closes last, and SQLite does without
            # it; apsw would raise the error all the same, unless it is a lock that another holds.
            if self._read_only:
                raise apsw.BusyError("a reader cannot lock for writing") from None
            raise

    def xRead(self, amount: int, offset: int) -> bytes:
        self._vfs.check("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        try:
            self._vfs.gate("write", self._name)
        except Refuse as refused:
            if refused.written:
                self._write(bytes(data[: refused.written]), offset)
            raise apsw.exception_for(refused.code) from None
        self._write(bytes(data), offset)

    def _write(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._vfs.record(Operation("write", self._name, self._inode, offset, data))

    def xTruncate(self, newsize: int) -> None:
        self._vfs.check("truncate", self._name)
        super().xTruncate(newsize)
        self._vfs.record(Operation("truncate", self._name, self._inode, newsize))

    def xSync(self, flags: int) -> None:
        try:
            self._vfs.gate("sync", self._name)
        except Refuse as refused:
            self._vfs.record(Operation("sync_failed", self._name, self._inode))
            raise apsw.exception_for(refused.code) from None
        super().xSync(flags)
        self._vfs.record(Operation("sync", self._name, self._inode))
        if self._syncs_directory:
            # SQLite's unix VFS syncs the directory with the first sync of a new journal or log.
            self._syncs_directory = False
            self._vfs.record(Operation("sync_directory", ""))
