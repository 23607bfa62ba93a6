"""The model of a disk itself: what it keeps, loses and tears, and that its record of a real file is whole."""

from __future__ import annotations

import os
import random
from pathlib import Path

import apsw
import pytest

from tests.faults.disk import SECTOR_BYTES, Disk, dropped, kept, torn
from tests.faults.recording_vfs import Operation, RecordingVFS, Refuse

OLD, NEW = b"o" * (SECTOR_BYTES * 4), b"n" * (SECTOR_BYTES * 4)


def a_disk(*operations: Operation) -> Disk:
    disk = Disk({"file": OLD})
    for operation in operations:
        disk.follow(operation)
    return disk


def write(data: bytes, offset: int = 0) -> Operation:
    return Operation("write", "file", 1, offset, data)


SYNC, SYNC_FAILED = Operation("sync", "file", 1), Operation("sync_failed", "file", 1)


def test_what_was_synced_is_kept() -> None:
    assert a_disk(write(NEW), SYNC).after_loss(dropped) == {"file": NEW}


def test_what_was_not_synced_may_be_there_or_not() -> None:
    disk = a_disk(write(NEW))
    assert disk.after_loss(dropped) == {"file": OLD}
    assert disk.after_loss(kept) == {"file": NEW}


def test_a_write_is_torn_between_sectors_alone() -> None:
    disk, seen = a_disk(write(NEW)), set()
    for seed in range(2_000):
        body = disk.after_loss(torn(random.Random(seed)))["file"]
        sectors = [body[at : at + SECTOR_BYTES] for at in range(0, len(body), SECTOR_BYTES)]
        assert all(sector in (OLD[:SECTOR_BYTES], NEW[:SECTOR_BYTES]) for sector in sectors)
        seen.add(body)
    assert len(seen) == 2**4


def test_a_sync_after_a_failed_one_does_not_bring_back_what_was_lost() -> None:
    disk = a_disk(write(NEW), SYNC_FAILED, SYNC)
    assert disk.after_loss(dropped) == {"file": OLD}
    assert disk.after_loss(kept) == {"file": NEW}


def test_writing_again_after_a_failed_sync_does() -> None:
    disk = a_disk(write(NEW), SYNC_FAILED, write(NEW), SYNC)
    assert disk.after_loss(dropped) == {"file": NEW}


def test_what_follows_a_lost_write_overwrites_it() -> None:
    half = len(NEW) // 2
    disk = a_disk(write(NEW), SYNC_FAILED, write(OLD[:half]), SYNC)
    assert disk.after_loss(dropped) == {"file": OLD}
    assert disk.after_loss(kept) == {"file": OLD[:half] + NEW[half:]}


def test_a_name_is_safe_only_when_its_directory_was_synced() -> None:
    made = (Operation("link", "more", 2), Operation("write", "more", 2, 0, NEW), Operation("sync", "more", 2))
    assert a_disk(*made).after_loss(dropped) == {"file": OLD}
    assert a_disk(*made).after_loss(kept) == {"file": OLD, "more": NEW}
    assert a_disk(*made, Operation("sync_directory", "")).after_loss(dropped) == {"file": OLD, "more": NEW}


def test_a_deleted_file_may_come_back_until_its_directory_was_synced() -> None:
    gone = Operation("unlink", "file", 1)
    assert a_disk(gone).after_loss(dropped) == {"file": OLD}
    assert a_disk(gone).after_loss(kept) == {}
    assert a_disk(gone, Operation("sync_directory", "")).after_loss(dropped) == {}


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_record_of_a_database_is_the_database(tmp_path: Path, mode: str) -> None:
    vfs = RecordingVFS(f"whole-{mode}-{os.getpid()}")
    db = apsw.Connection(str(tmp_path / "x.db"), vfs=vfs.name)
    db.pragma("journal_mode", mode)
    db.pragma("wal_autocheckpoint", 10)
    db.execute("CREATE TABLE t (a)")
    for number in range(60):
        db.execute("INSERT INTO t VALUES (randomblob(?))", (number * 50,))
    db.execute("DELETE FROM t WHERE rowid % 2; VACUUM")
    disk = Disk()
    for operation in vfs.log:
        disk.follow(operation)
    there = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
    assert disk.after_loss(kept) == there
    db.close()
    vfs.unregister()


def test_a_refused_operation_gives_its_code(tmp_path: Path) -> None:
    vfs = RecordingVFS(f"refusing-{os.getpid()}")
    db = apsw.Connection(str(tmp_path / "x.db"), vfs=vfs.name)
    db.execute("CREATE TABLE t (a)")

    def full(kind: str, name: str) -> None:
        if kind == "write":
            raise Refuse(apsw.SQLITE_FULL)

    vfs.gate = full
    with pytest.raises(apsw.FullError):
        db.execute("INSERT INTO t VALUES (1)")
    db.close()
    vfs.unregister()
