"""Where a ledger file may lie, and whose turn it is to write."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

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


class Turn:
    """Whose turn it is to write: a lock that waits in the kernel instead of asking again and again."""

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.with_name(ledger.name + "-turn")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerUnavailable(f"cannot open {self.path} for writing: {error.strerror}") from error

    def take(self) -> None:
        """Wait for the turn."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def give_up(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the lock goes with it."""
        os.close(self._file)
