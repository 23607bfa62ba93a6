"""Where a ledger file may lie, and whose turn it is to write."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

from capdesk.model.errors import LedgerUnavailable, NetworkFileSystem

NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "afs",
        "ncpfs",
        "ceph",
        "glusterfs",
        "lustre",
        "9p",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.gcsfuse",
        "fuse.rclone",
        "davfs",
        "fuse.davfs2",
        "beegfs",
        "gpfs",
        "ocfs2",
        "gfs2",
    ]
)

_READ_AND_WRITE = 0o666
_CHUNK_BYTES = 1 << 20
_DIRECTORIES_ARE_NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP)


def file_system(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that a path lies on; ``unknown`` where the system does not tell.

    Parameters
    ----------
    mounts
        The text of ``/proc/self/mounts``; read from there by default.
    """
    if mounts is None:
        table = Path("/proc/self/mounts")
        if not table.exists():
            return "unknown"
        mounts = table.read_text(encoding="utf-8", errors="surrogateescape")
    real = str(path.resolve())
    kind, depth = "unknown", -1
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        at = fields[1].replace("\\040", " ")
        inside = real == at or real.startswith(at.rstrip("/") + "/")
        if inside and len(at) >= depth:
            kind, depth = fields[2], len(at)
    return kind


def refuse_network_file_system(path: Path, mounts: str | None = None) -> None:
    """Refuse a file system whose locks and syncs SQLite cannot rely on.

    Raises
    ------
    NetworkFileSystem
        Naming its type.
    """
    kind = file_system(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise NetworkFileSystem(
            f"{path} lies on a network file system ({kind}), where locks and syncs cannot be trusted: "
            "put the ledger on a local disk"
        )


def own_name(path: Path) -> Path:
    """The name beside which a ledger's log and lock lie: a symbolic link is followed.

    Raises
    ------
    LedgerUnavailable
        For a file with several names, each of which would have a log of its own.
    """
    real = path.resolve() if path.is_symlink() else path
    names = real.stat().st_nlink if real.is_file() else 1
    if names > 1:
        raise LedgerUnavailable(
            f"{path} has {names} names (hard links), under which it would be two ledgers: "
            "keep one name, and use a symbolic link for another"
        )
    return real


def sync_directory(folder: Path) -> None:
    """Make the names of the files in a directory survive a power loss.

    Raises
    ------
    LedgerUnavailable
        If the disk fails.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _DIRECTORIES_ARE_NOT_SYNCED:
            raise LedgerUnavailable(f"cannot sync the directory {folder}: {error.strerror}") from error
    finally:
        os.close(handle)


def write_again(path: Path, size: int) -> None:
    """Write the first bytes of a file once more, as they are, and sync them.

    Raises
    ------
    LedgerUnavailable
        If the disk fails.
    """
    if not size:
        return
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            for offset in range(0, size, _CHUNK_BYTES):
                os.pwrite(handle, os.pread(handle, min(_CHUNK_BYTES, size - offset), offset), offset)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise LedgerUnavailable(f"cannot write {path} again: {error.strerror}") from error


class InUse:
    """A ledger file that this process has open through SQLite.

    Closing any handle on a file gives up all of a process's POSIX locks on it, SQLite's
    too. So a file is looked at directly only while no connection of this process has it.

    Parameters
    ----------
    look
        Called with the path, unless the file is open in this process already.
    """

    def __init__(self, path: Path, look: Callable[[Path], None] | None) -> None:
        self._path = path.resolve()
        with _in_use_lock:
            if look is not None and _in_use[self._path] == 0:
                look(path)
            _in_use[self._path] += 1
        self._counted = True
        self._file = (0, 0)

    def opened(self) -> None:
        """A connection has the file that the name stands for now."""
        self._file = self._stands_for()

    def must_be_the_same(self) -> None:
        """Refuse to go on in a file that the name no longer stands for: others would open another ledger.

        Raises
        ------
        LedgerUnavailable
            If the file was moved, removed or replaced since it was opened.
        """
        if self._stands_for() != self._file:
            raise LedgerUnavailable(
                f"{self._path} was moved, removed or replaced while it was open, so nothing is written: "
                "put the file back with its -wal, or close this desk and open what lies there now"
            )

    def _stands_for(self) -> tuple[int, int]:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return (-1, -1)
        except OSError as error:
            raise LedgerUnavailable(f"cannot look at {self._path}: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """The connection is closed."""
        with _in_use_lock:
            _in_use[self._path] -= self._counted
            self._counted = False


_in_use: Counter[Path] = Counter()
_in_use_lock = threading.Lock()


class Turn:
    """Whose turn it is to write: a lock that waits in the kernel instead of asking again and again."""

    def __init__(self, ledger: Path) -> None:
        self.path, self._ledger = ledger.with_name(ledger.name + "-turn"), ledger
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerUnavailable(f"cannot open {self.path} for writing: {error.strerror}") from error
        _open_turns.add(self)

    def share(self) -> None:
        """Let whoever may write the ledger take turns: give the lock its mode and group, and as root its owner.

        Raises
        ------
        LedgerUnavailable
            If the system does not allow it.
        """
        like, own, user = self._ledger.stat(), os.fstat(self._file), os.geteuid()
        if user not in (0, own.st_uid):
            return
        owner = like.st_uid if user == 0 else own.st_uid
        group = like.st_gid if user == 0 or like.st_gid in os.getgroups() else own.st_gid
        mode = like.st_mode & _READ_AND_WRITE
        try:
            if (owner, group) != (own.st_uid, own.st_gid):
                os.fchown(self._file, owner, group)
            if mode != own.st_mode & _READ_AND_WRITE:
                os.fchmod(self._file, mode)
        except OSError as error:
            raise LedgerUnavailable(
                f"{self.path} cannot be given the mode and group of {self._ledger.name}: {error.strerror}"
            ) from error

    def take(self) -> None:
        """Wait for the turn."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def give_up(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the lock goes with it."""
        if self in _open_turns:
            _open_turns.discard(self)
            os.close(self._file)


_open_turns: WeakSet[Turn] = WeakSet()


def _leave_turns() -> None:
    """A child that kept its parent's lock open would hold it for as long as it lives, even if the parent is killed."""
    for turn in list(_open_turns):
        turn.close()


os.register_at_fork(after_in_child=_leave_turns)
