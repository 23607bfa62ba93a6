"""Power loss at every write and sync, and at random with torn writes: nothing answered is lost, nothing is corrupt.

``CAPDESK_POWER_LOSSES`` sets how many random losses are tried.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.faults.disk import kept
from tests.ledger import power_loss
from tests.ledger.children import CONTEXT
from tests.ledger.power_loss import Recording

RANDOM_LOSSES = int(os.environ.get("CAPDESK_POWER_LOSSES", "1000"))
_PROCESSES = min(4, os.cpu_count() or 1)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return power_loss.record(tmp_path_factory.mktemp("recorded"), "recorded")


def in_processes(recording: Recording, kind: str, numbers: range, folder: Path) -> list[str]:
    """Spread trials over processes; the sentences say what went wrong."""
    step = -(-len(numbers) // (_PROCESSES * 2)) or 1
    with ProcessPoolExecutor(_PROCESSES, mp_context=CONTEXT) as pool:
        parts = [
            pool.submit(power_loss.part, recording, kind, numbers[start : start + step], folder)
            for start in range(0, len(numbers), step)
        ]
        return [problem for part in parts for problem in part.result()]


def test_the_workload_does_all_that_a_disk_can_lose(recording: Recording) -> None:
    done = [(operation.kind, operation.name) for operation in recording.log]
    assert done.count(("sync", "desk.db")) >= 6, "too few checkpoints"
    assert done.count(("unlink", "desk.db-wal")) == 2, "the log was not folded in at closing"
    assert sum(operation.kind == "note" for operation in recording.log) >= 60
    restarts = [
        op for op in recording.log if op.kind == "write" and op.name == "desk.db-wal" and op.offset == 0
    ]
    assert len(restarts) >= 6, "the log was not written over from its beginning"


def test_the_record_is_of_all_that_was_written(tmp_path: Path) -> None:
    recording = power_loss.record(tmp_path, "whole")
    *_, (_, _, disk, _) = recording.follow()
    there = {
        file.name: file.read_bytes()
        for file in tmp_path.iterdir()
        if file.stat().st_size and not file.name.endswith(("-shm", "-turn"))
    }
    assert disk.after_loss(kept) == there


@pytest.mark.parametrize("unsynced", ["dropped", "kept"])
def test_power_loss_at_every_write_and_sync_loses_nothing_answered(
    recording: Recording, unsynced: str, tmp_path: Path
) -> None:
    boundaries = range(1, len(recording.log) + 1)
    assert in_processes(recording, unsynced, boundaries, tmp_path) == []


def test_power_loss_with_torn_writes_loses_nothing_answered(recording: Recording, tmp_path: Path) -> None:
    assert in_processes(recording, "torn", range(RANDOM_LOSSES), tmp_path) == []


def test_a_second_power_loss_while_the_first_is_recovered_loses_nothing_answered(
    recording: Recording, tmp_path: Path
) -> None:
    assert in_processes(recording, "twice", range(RANDOM_LOSSES // 20), tmp_path) == []


def test_a_failed_sync_before_a_power_loss_loses_nothing_answered(
    recording: Recording, tmp_path: Path
) -> None:
    syncs = sum(operation.kind == "sync" for operation in recording.log)
    assert in_processes(recording, "failed sync", range(1, syncs + 1), tmp_path) == []


def test_a_failed_sync_and_a_crash_before_a_power_loss_lose_nothing_answered(
    recording: Recording, tmp_path: Path
) -> None:
    """The next process must not build on what the first could not sync, though the system still shows it."""
    plain = power_loss.record(tmp_path, "plain", power_loss.work_with_crashes)
    syncs = sum(operation.kind == "sync" for operation in plain.log)
    assert syncs > 12
    assert in_processes(recording, "failed sync and crash", range(1, syncs + 1), tmp_path) == []
