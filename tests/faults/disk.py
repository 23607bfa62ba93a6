"""What a power loss leaves of files, from the record of what was done to them.

What was synced is kept. Each write and truncation that was not, and each change of the
directory, may be there or not, in any order; a write may be torn between sectors of 512
bytes. After a failed sync nothing is known of what it should have carried: a later
successful sync does not help it, only writing the same bytes again does (the kernel
reports a lost page once and then counts it as clean).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.recording_vfs import Operation

SECTOR_BYTES = 512

Fate = Callable[[Operation, int], Iterable[Operation]]
"""What remains of an operation that was not synced, given the size of its file."""


def dropped(operation: Operation, size: int) -> Iterable[Operation]:
    """Nothing that was not synced is there."""
    return ()


def kept(operation: Operation, size: int) -> Iterable[Operation]:
    """Everything is there, synced or not."""
    return (operation,)


def torn(chance: random.Random) -> Fate:
    """Each operation and each sector of a write is there or not; what is missing at the end may read as zeros."""
    share = chance.choice((0.1, 0.5, 0.9))
    whole = chance.random() < 0.5

    def fate(operation: Operation, size: int) -> Iterable[Operation]:
        if operation.kind != "write" or (whole and chance.random() < 0.8):
            if chance.random() < share:
                yield operation
            return
        start, end = operation.offset, operation.offset + len(operation.data)
        while start < end:
            stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
            piece = operation.data[start - operation.offset : stop - operation.offset]
            if chance.random() < share:
                yield operation._replace(offset=start, data=piece)
            elif start >= size and chance.random() < 0.25:
                yield operation._replace(offset=start, data=bytes(len(piece)))
            start = stop

    return fate


@dataclass(slots=True)
class _File:
    """The bytes that are safe, and what came after the last of them that is not."""

    safe: bytearray = field(default_factory=bytearray)
    later: list[tuple[Operation, str]] = field(default_factory=list)

    def settle(self, outcome: str) -> None:
        self.later = [(done, outcome if state == "waiting" else state) for done, state in self.later]
        while self.later and self.later[0][1] == "synced":
            apply(self.safe, self.later.pop(0)[0])

    def after_loss(self, fate: Fate) -> bytearray:
        content = bytearray(self.safe)
        for operation, state in self.later:
            remains = (operation,) if state == "synced" else tuple(fate(operation, len(content)))
            for piece in remains:
                apply(content, piece)
        return content


def apply(content: bytearray, operation: Operation) -> None:
    """Carry out a write or a truncation."""
    if operation.kind == "truncate":
        del content[operation.offset :]
        return
    if operation.offset > len(content):
        content.extend(bytes(operation.offset - len(content)))
    content[operation.offset : operation.offset + len(operation.data)] = operation.data


class Disk:
    """Follows a record, operation by operation, and can be cut off after any of them.

    Parameters
    ----------
    existing
        Files that were there before, all of it safe; inodes are numbered from 1 in this order.
    """

    def __init__(self, existing: dict[str, bytes] | None = None) -> None:
        before = existing or {}
        self._files = {number: _File(bytearray(body)) for number, body in enumerate(before.values(), start=1)}
        self._safe_names = {name: number for number, name in enumerate(before, start=1)}
        self._directory: list[Operation] = []

    def follow(self, operation: Operation) -> None:
        """Let an operation happen."""
        if operation.kind in ("write", "truncate"):
            self._files[operation.inode].later.append((operation, "waiting"))
        elif operation.kind in ("sync", "sync_failed"):
            self._files[operation.inode].settle("synced" if operation.kind == "sync" else "unknown")
        elif operation.kind in ("link", "unlink"):
            if operation.kind == "link":
                self._files[operation.inode] = _File()
            self._directory.append(operation)
        elif operation.kind == "sync_directory":
            for change in self._directory:
                _rename(self._safe_names, change)
            self._directory = []

    def after_loss(self, fate: Fate) -> dict[str, bytes]:
        """The files that are there after a power loss at this moment."""
        names = dict(self._safe_names)
        lost: set[str] = set()
        for change in self._directory:
            # Changes of one name happen in order; the first that is lost loses the later ones.
            if change.name in lost or not tuple(fate(change, 0)):
                lost.add(change.name)
            else:
                _rename(names, change)
        return {name: bytes(self._files[inode].after_loss(fate)) for name, inode in names.items()}


def _rename(names: dict[str, int], change: Operation) -> None:
    if change.kind == "link":
        names[change.name] = change.inode
    else:
        names.pop(change.name, None)


def put_down(files: dict[str, bytes], folder: Path) -> None:
    """Write files into a directory that holds nothing else."""
    for old in folder.iterdir():
        old.unlink()
    for name, body in files.items():
        (folder / name).write_bytes(body)
