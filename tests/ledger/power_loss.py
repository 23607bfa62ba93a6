"""A fixed workload on a disk that is recorded, and what must be true of whatever a power loss leaves of it."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from capdesk import CapitalAllocator, CapitalConfig, CapitalRecycler
from capdesk.ledger import files as ledger_files
from capdesk.ledger.tools import check
from capdesk.model.errors import LedgerUnavailable
from tests.faults.disk import Disk, Fate, dropped, kept, put_down, torn
from tests.faults.recording_vfs import Gate, Operation, RecordingVFS, Refuse, open_gate
from tests.ledger.support import Audit, assert_replays_to, audit, read_journal

CONFIG = CapitalConfig(recycle_delay_seconds=0)
TIGHTER = CapitalConfig(recycle_delay_seconds=0, max_total_exposure_percent=20)
BANKROLL = 1_000
PAGES_UNTIL_CHECKPOINT = 16


def clock() -> Callable[[], int]:
    """A clock that moves on by a millisecond whenever it is read."""
    ticks = itertools.count(1_785_000_000_000_000, 1_000)
    return lambda: next(ticks)


async def patiently(verb: Callable[[], Awaitable[Any]]) -> Any:
    """Try again on the same desk when the disk has failed."""
    for _ in range(3):
        with suppress(LedgerUnavailable):
            return await verb()
    return await verb()


class Acknowledging:
    """Notes in the record, the moment an answer is there, the id of what was answered."""

    def __init__(self, vfs: RecordingVFS, prefix: str) -> None:
        self._vfs = vfs
        self._prefix = prefix
        self._numbers = itertools.count(1)

    async def __call__(self, verb: Callable[..., Awaitable[Any]], *given: Any, **more: Any) -> Any:
        request_id = f"{self._prefix}-{next(self._numbers)}"
        answer = await patiently(lambda: verb(*given, **more, request_id=request_id))
        self._vfs.note(request_id)
        return answer


async def checkpoint_often(desk: CapitalAllocator) -> None:
    """Fold the log into the database after a few pages rather than a thousand."""
    await desk.ledger.ask(lambda writer: setattr(writer.store, "pages_when_busy", PAGES_UNTIL_CHECKPOINT))


@asynccontextmanager
async def opened(vfs: RecordingVFS, path: Path, *given: Any, **more: Any) -> AsyncIterator[CapitalAllocator]:
    """A desk on the recorded disk; closing may fail with the disk."""

    async def open_it() -> CapitalAllocator:
        return await CapitalAllocator.open(path, *given, vfs=vfs.name, **more)

    desk = await patiently(open_it)
    await checkpoint_often(desk)
    yield desk
    with suppress(LedgerUnavailable):
        await desk.close()


async def work(vfs: RecordingVFS, path: Path) -> None:
    """Two sessions on one ledger: every kind of command, alone and in batches, checkpoints, a snapshot, closing."""
    ticks = clock()
    async with opened(vfs, path, CONFIG, initial_bankroll=BANKROLL, clock=ticks) as desk:
        told = Acknowledging(vfs, "first")
        for number in range(12):
            await told(desk.request_allocation, f"m{number % 9}", 30 + number)
        for _ in range(4):
            await told(desk.request_allocation, "m0", 30)
        await asyncio.gather(*(told(desk.request_allocation, f"batch{number}", 5) for number in range(12)))
        for number in range(5):
            await told(desk.release_allocation, f"m{number}", number - 2)
    # A reader that comes first makes the write-ahead log, whose name is then not yet safe.
    check(path)
    async with opened(vfs, path, clock=ticks) as desk:
        told = Acknowledging(vfs, "second")
        recycler = CapitalRecycler(None, desk)
        for number in range(5, 9):
            await told(recycler.queue_recycle, f"m{number}", number)
        await patiently(recycler.run_due)
        await told(desk.deposit, 100)
        await told(desk.update_mandate, TIGHTER, reason="a quieter week")
        for number in range(8):
            await told(desk.request_allocation, f"n{number}", 12, lease_seconds=900)
            await told(desk.confirm_allocation, f"n{number}", 10)
        await patiently(lambda: desk.ledger.ask(lambda writer: writer.save_snapshot()))
        await asyncio.gather(
            *(told(desk.release_allocation, f"n{number}", 1) for number in range(6)),
            *(told(desk.request_allocation, f"late{number}", 7) for number in range(6)),
        )
        await told(desk.withdraw, 50)
        await told(
            desk.request_allocations, [{"market_id": f"leg{n}", "requested_amount": 5} for n in range(3)]
        )
        for number in range(6):
            await told(desk.request_allocation, f"last{number}", 9)


async def work_a_little(vfs: RecordingVFS, path: Path) -> None:
    """A session after a power loss: recovery, a few commands, a checkpoint, closing."""
    async with opened(vfs, path, initial_bankroll=BANKROLL, clock=clock()) as desk:
        told = Acknowledging(vfs, "again")
        for number in range(6):
            await told(desk.request_allocation, f"again{number}", 2)
            await told(desk.deposit, 1)


async def work_with_crashes(vfs: RecordingVFS, path: Path) -> None:
    """A program that ends at once, as if killed, whenever the disk fails, and is begun again."""
    ticks = clock()

    async def open_it() -> CapitalAllocator:
        return await CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL, vfs=vfs.name, clock=ticks)

    desk = await patiently(open_it)
    for number in range(10):
        request_id = f"crash-{number}"
        try:
            await desk.deposit(1, request_id=request_id)
        except LedgerUnavailable:
            await crash(desk)
            desk = await patiently(open_it)
            await desk.deposit(1, request_id=request_id)
        vfs.note(request_id)
    await crash(desk)


async def crash(desk: CapitalAllocator) -> None:
    """Leave the files as they are, as a killed process does."""
    ledger = desk.ledger
    ledger._writer.stopped = LedgerUnavailable("killed")
    ledger._store._trusted = False
    await desk.close()


@dataclass(frozen=True, slots=True)
class Recording:
    """What was done to the disk, and the journal that came of it.

    `existing` is what lay on the disk before, `answered` what had been answered by then.
    """

    log: list[Operation]
    journal: Audit
    existing: dict[str, bytes] = field(default_factory=dict)
    answered: frozenset[str] = frozenset()

    def follow(self) -> Iterator[tuple[int, Operation, Disk, frozenset[str]]]:
        """After each operation: its number, itself, the disk, and the ids answered by then."""
        disk, answered = Disk(self.existing), self.answered
        for number, operation in enumerate(self.log, start=1):
            disk.follow(operation)
            if operation.kind == "note":
                answered |= {operation.name}
            yield number, operation, disk, answered


Work = Callable[[RecordingVFS, Path], Awaitable[None]]


def record(folder: Path, name: str, do: Work = work, gate: Gate = open_gate) -> Recording:
    """Run a workload on what lies in a directory and record it."""
    existing = {file.name: file.read_bytes() for file in folder.glob("desk.db*") if file.suffix != ".db-shm"}
    existing.pop("desk.db-turn", None)
    vfs = RecordingVFS(name, tuple(existing))
    vfs.gate = gate
    path = folder / "desk.db"
    try:
        with own_syncs(vfs):
            asyncio.run(do(vfs, path))
    finally:
        vfs.unregister()
    return Recording(vfs.log, read_journal(path), existing)


@contextmanager
def own_syncs(vfs: RecordingVFS) -> Iterator[None]:
    """Record what the ledger does itself, beside SQLite: two kinds of sync."""

    def sync_directory(folder: Path) -> None:
        ledger_files.sync_directory(folder)
        vfs.record(Operation("sync_directory", ""))

    def write_again(path: Path, size: int) -> None:
        if size:
            with vfs.open_beside(path) as file:
                for offset in range(0, size, 4_096):
                    file.xWrite(file.xRead(min(4_096, size - offset), offset), offset)
                file.xSync(apsw.SQLITE_SYNC_NORMAL)

    with (
        patch("capdesk.ledger.sqlite.sync_directory", sync_directory),
        patch("capdesk.ledger.write_ahead_log.write_again", write_again),
    ):
        yield


def losses_at_every_boundary(
    recording: Recording, boundaries: range, folder: Path, fate: Fate
) -> Iterator[str]:
    """Lose power after each operation in turn; yields what is wrong."""
    before = None
    for number, operation, disk, answered in recording.follow():
        if number not in boundaries:
            continue
        after = (disk.after_loss(fate), answered)
        if after != before:
            before = after
            yield from _trial(recording, f"after operation {number} ({operation.kind})", *after, folder)


def losses_at_random(recording: Recording, seeds: Iterable[int], folder: Path) -> Iterator[str]:
    """Lose power somewhere, each time keeping another part of what was not synced; yields what is wrong."""
    for seed, number, files, answered in images_at_random(recording, seeds):
        yield from _trial(recording, f"after operation {number}, seed {seed}", files, answered, folder)


def images_at_random(
    recording: Recording, seeds: Iterable[int], first: int = 1
) -> Iterator[tuple[int, int, dict[str, bytes], frozenset[str]]]:
    """For each seed an operation after which power is lost, what is left of the files, and what was answered."""
    by_boundary: dict[int, list[int]] = {}
    for seed in seeds:
        by_boundary.setdefault(random.Random(seed).randint(first, len(recording.log)), []).append(seed)
    for number, _, disk, answered in recording.follow():
        for seed in by_boundary.get(number, ()):
            chance = random.Random(f"torn {seed}")
            files = disk.after_loss(torn(chance))
            if chance.random() < 0.5:
                files["desk.db-shm"] = chance.randbytes(32_768)
            yield seed, number, files, answered


def losses_while_recovering(recording: Recording, seeds: range, folder: Path) -> Iterator[str]:
    """Lose power, begin again, and lose it once more; yields what is wrong."""
    for seed, number, files, answered in images_at_random(recording, seeds):
        put_down(files, folder)
        again = record(folder, f"again-{os.getpid()}", work_a_little)
        again = replace(again, answered=answered)
        for problem in losses_at_random(again, [seed, seed + 1_000_000, seed + 2_000_000], folder):
            yield f"after operation {number}, seed {seed}, then {problem}"


def losses_after_a_failed_sync(do: Work, syncs: range, losses: int, folder: Path) -> Iterator[str]:
    """Let one sync fail, go on, and lose power later; yields what is wrong."""
    for failing in syncs:
        put_down({}, folder)
        recording = record(folder, f"failing-{os.getpid()}", do, gate=fail_once("sync", failing))
        failed = next(
            n for n, operation in enumerate(recording.log, start=1) if operation.kind == "sync_failed"
        )
        seeds = range(failing * losses, failing * losses + losses)
        for seed, number, files, answered in images_at_random(recording, seeds, failed):
            when = f"after operation {number}, seed {seed}, sync {failing} having failed"
            yield from _trial(recording, when, files, answered, folder)


def fail_once(kind: str, number: int, code: int = apsw.SQLITE_IOERR_FSYNC) -> Gate:
    """A gate that refuses the given occurrence of a kind of operation."""
    occurrences = itertools.count(1)

    def gate(what: str, name: str) -> None:
        if what == kind and next(occurrences) == number:
            raise Refuse(code)

    return gate


def _trial(
    recording: Recording, when: str, files: dict[str, bytes], answered: frozenset[str], folder: Path
) -> Iterator[str]:
    put_down(files, folder)
    try:
        asyncio.run(go_on_after_loss(recording, folder / "desk.db", answered))
    except Exception as error:
        yield f"power loss {when}: {type(error).__name__}: {error}"


async def go_on_after_loss(recording: Recording, path: Path, answered: frozenset[str]) -> None:
    """Open what is left with the real stack: nothing answered is lost, nothing is corrupt, and the desk goes on."""
    async with CapitalAllocator.open(path, initial_bankroll=BANKROLL, clock=clock()) as desk:
        found = read_journal(path)
        assert answered <= found.ids.keys(), f"lost: {sorted(answered - found.ids.keys())}"
        last = max((recording.journal.ids[request_id] for request_id in answered), default=0)
        assert found.rows[:last] == recording.journal.rows[:last], "what was answered is not what is there"
        assert_replays_to(desk.ledger.state, found)
        await desk.request_allocation("after the loss", 1, request_id="after the loss")
    assert "after the loss" in audit(path).ids


def part(recording: Recording, kind: str, numbers: range, folder: Path) -> list[str]:
    """One process's share of the trials."""
    own = folder / f"{kind}-{os.getpid()}".replace(" ", "-")
    own.mkdir(exist_ok=True)
    trials: dict[str, Callable[[], Iterator[str]]] = {
        "dropped": lambda: losses_at_every_boundary(recording, numbers, own, dropped),
        "kept": lambda: losses_at_every_boundary(recording, numbers, own, kept),
        "torn": lambda: losses_at_random(recording, numbers, own),
        "twice": lambda: losses_while_recovering(recording, numbers, own),
        "failed sync": lambda: losses_after_a_failed_sync(work, numbers, 5, own),
        "failed sync and crash": lambda: losses_after_a_failed_sync(work_with_crashes, numbers, 20, own),
    }
    return list(trials[kind]())
