"""A disk that is full or fails: a clear error, nothing lost, and the same desk goes on when the disk does."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import apsw
import pytest

from capdesk import CapitalAllocator
from capdesk.model.errors import DiskFull, LedgerError, LedgerUnavailable
from tests.faults.disk import kept, put_down, torn
from tests.faults.recording_vfs import Gate, RecordingVFS, Refuse, open_gate
from tests.ledger import power_loss
from tests.ledger.children import start
from tests.ledger.power_loss import BANKROLL, CONFIG
from tests.ledger.support import assert_replays_to, audit, read_journal

FULL, SYNC_FAILS, WRITE_FAILS, READ_FAILS = (
    apsw.SQLITE_FULL,
    apsw.SQLITE_IOERR_FSYNC,
    apsw.SQLITE_IOERR_WRITE,
    apsw.SQLITE_IOERR_READ,
)


@pytest.fixture
def vfs(request: pytest.FixtureRequest) -> Iterator[RecordingVFS]:
    made = RecordingVFS(f"faulty-{os.getpid()}-{id(request)}")
    yield made
    made.unregister()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


@pytest.fixture
async def desk(vfs: RecordingVFS, path: Path) -> AsyncIterator[CapitalAllocator]:
    async with CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL, vfs=vfs.name) as opened:
        for number in range(4):
            await opened.request_allocation(f"before{number}", 10, request_id=f"before{number}")
        yield opened
        vfs.gate = open_gate


def refuse(what: str, code: int, *, after: int = 0, file: str = "", written: int = 0) -> Gate:
    """Refuse one kind of operation on files whose names end so, once some were let through."""
    seen = itertools.count()

    def gate(kind: str, name: str) -> None:
        if kind == what and name.endswith(file) and next(seen) >= after:
            raise Refuse(code, written)

    return gate


FAULTS: dict[str, tuple[Callable[[], Gate], type[LedgerError]]] = {
    "disk full": (lambda: refuse("write", FULL, file="-wal"), DiskFull),
    "disk full in the middle of a commit": (lambda: refuse("write", FULL, file="-wal", after=3), DiskFull),
    "disk full in the middle of a page": (lambda: refuse("write", FULL, after=1, written=1_000), DiskFull),
    "failing write": (lambda: refuse("write", WRITE_FAILS), LedgerUnavailable),
    "failing sync": (lambda: refuse("sync", SYNC_FAILS), LedgerUnavailable),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failing_disk_gives_its_error_and_the_desk_goes_on_when_it_is_well(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path, fault: str
) -> None:
    before = desk.get_allocation_report()
    fails, error = FAULTS[fault]
    for attempt in range(3):
        vfs.gate = fails()
        with pytest.raises(error, match=r"desk\.db"):
            await desk.request_allocation("m", 10, request_id="m")
        vfs.gate = fails()
        with pytest.raises(error):
            await desk.release_allocation("before0", 5, request_id=f"release{attempt}")
        assert desk.get_allocation_report() == before, "the state went ahead of the disk"
        assert await desk.get_outcome("m") is None
    vfs.gate = open_gate
    verdict = await desk.request_allocation("m", 10, request_id="m")
    assert verdict.granted
    assert verdict.sequence == before["as_of"].sequence + 1
    assert (await desk.request_allocation("m", 10, request_id="m")).sequence == verdict.sequence
    await desk.close()
    journal = audit(path)
    assert len(journal.entries) == verdict.sequence
    async with CapitalAllocator.open(path) as again:
        assert_replays_to(again.ledger.state, journal)


@pytest.mark.parametrize("fault", FAULTS)
async def test_all_who_wait_are_told_and_none_is_granted_twice(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path, fault: str
) -> None:
    fails, error = FAULTS[fault]
    vfs.gate = fails()
    asked = [desk.request_allocation(f"m{number}", 5, request_id=f"m{number}") for number in range(40)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {error}
    vfs.gate = open_gate
    again = [desk.request_allocation(f"m{number}", 5, request_id=f"m{number}") for number in range(40)]
    verdicts = await asyncio.gather(*again)
    assert sum(verdict.granted for verdict in verdicts) == 40
    await desk.close()
    assert audit(path).grants == 44


async def test_reports_and_quotes_still_serve_while_the_disk_is_full(
    desk: CapitalAllocator, vfs: RecordingVFS
) -> None:
    vfs.gate = refuse("write", FULL)
    with pytest.raises(DiskFull):
        await desk.deposit(1)
    assert (await desk.quote("m", 10)).granted
    assert len(await desk.get_allocations()) == 4
    assert await desk.get_outcome("before1") is not None
    assert len(await desk.explain("before1")) == 1


async def test_a_failing_read_leaves_the_state_whole(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path
) -> None:
    async with CapitalAllocator.open(path) as other:
        for number in range(60):
            await other.request_allocation(f"other{number}", 2)
        before = desk.get_allocation_report()
        failed = 0
        for after in range(6):
            vfs.gate = refuse("read", READ_FAILS, after=after)
            try:
                await desk.request_allocation("m", 10, request_id=f"m-{after}")
            except LedgerUnavailable:
                failed += 1
                assert_replays_to_some_entry(desk, path)
        assert failed, "no read failed"
        vfs.gate = open_gate
        assert desk.get_allocation_report() != before
        assert (await desk.request_allocation("m2", 10)).granted
        journal = read_journal(path)
        assert_replays_to(desk.ledger.state, journal)
    await desk.close()
    audit(path)


def assert_replays_to_some_entry(desk: CapitalAllocator, path: Path) -> None:
    journal = read_journal(path)
    del journal.entries[desk.ledger.state.sequence :]
    assert_replays_to(desk.ledger.state, journal)


async def test_a_checkpoint_that_fails_loses_nothing(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path, tmp_path: Path
) -> None:
    await power_loss.checkpoint_often(desk)
    for kind, code in (("write", FULL), ("sync", SYNC_FAILS), ("truncate", WRITE_FAILS)):
        vfs.gate = refuse(kind, code, file="desk.db")
        for number in range(10):
            request_id = f"{kind}{number}"
            await desk.deposit(1, request_id=request_id)
            vfs.note(request_id)
            assert await desk.get_outcome(request_id) is not None
    vfs.gate = open_gate
    await desk.deposit(1, request_id="well again")
    await desk.close()
    assert len(audit(path).ids) == 4 + 1 + 30 + 1


async def test_a_disk_full_at_the_founding_leaves_room_for_another_try(vfs: RecordingVFS, path: Path) -> None:
    for tries in itertools.count():
        vfs.gate = refuse("write", FULL, after=tries)
        try:
            desk = await CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL, vfs=vfs.name)
        except DiskFull:
            continue
        vfs.gate = open_gate
        await desk.close()
        break
    assert tries > 5
    assert len(audit(path).entries) == 1


async def test_a_disk_full_at_closing_loses_nothing(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path
) -> None:
    vfs.gate = refuse("write", FULL)
    with suppress(LedgerError):
        await desk.close()
    journal = audit(path)
    assert len(journal.entries) == 5
    async with CapitalAllocator.open(path) as again:
        assert_replays_to(again.ledger.state, journal)


async def test_a_snapshot_that_cannot_be_kept_disturbs_nobody(
    desk: CapitalAllocator, vfs: RecordingVFS, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capdesk.ledger.writer.SNAPSHOT_EVERY", 1)
    monkeypatch.setattr(
        "capdesk.ledger.sqlite.SqliteStore.save_snapshot",
        lambda store, snapshot: (_ for _ in ()).throw(DiskFull("no room for a snapshot")),
    )
    verdicts = [await desk.request_allocation(f"m{number}", 2) for number in range(10)]
    assert all(verdict.granted for verdict in verdicts)
    await desk.close()
    assert audit(path).grants == 14


def losses_under_chaos(
    folder: Path, seed: int
) -> Iterator[tuple[str, dict[str, bytes], power_loss.Recording]]:
    chance = random.Random(seed)

    def gate(kind: str, name: str) -> None:
        if kind == "write" and chance.random() < 0.03:
            raise Refuse(chance.choice((FULL, WRITE_FAILS)), chance.choice((0, 0, 512, 4_095)))
        if kind == "sync" and chance.random() < 0.2:
            raise Refuse(SYNC_FAILS)

    recording = power_loss.record(folder, f"chaos-{os.getpid()}", little_work_in_chaos, gate)
    assert any(operation.kind == "sync_failed" for operation in recording.log)
    *_, (_, _, disk, answered) = recording.follow()
    recording = power_loss.replace(recording, answered=answered)
    yield "all kept", disk.after_loss(kept), recording
    for number in range(3):
        yield f"torn {number}", disk.after_loss(torn(chance)), recording


async def insist(verb: Callable[[], Awaitable[Any]]) -> Any:
    """Try until the disk lets it through."""
    for _ in range(200):
        with suppress(LedgerError):
            return await verb()
    return await verb()


async def little_work_in_chaos(vfs: RecordingVFS, path: Path) -> None:
    """Ask until answered, on a disk that fails now and then; there is no closing."""
    ticks = power_loss.clock()

    async def open_it() -> CapitalAllocator:
        return await CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL, vfs=vfs.name, clock=ticks)

    desk = await insist(open_it)
    await power_loss.checkpoint_often(desk)

    async def ask(number: int) -> None:
        await insist(lambda: desk.request_allocation(f"m{number}", 5, request_id=f"m{number}"))
        vfs.note(f"m{number}")

    for first in range(0, 36, 4):
        await ask(first)
        await asyncio.gather(*(ask(first + more) for more in range(1, 4)))
    ended = len(vfs.log)
    vfs.gate = open_gate
    await desk.close()
    del vfs.log[ended:]


@pytest.mark.parametrize("seed", range(12))
def test_random_faults_and_then_a_power_loss_lose_nothing_answered(tmp_path: Path, seed: int) -> None:
    folder, after = tmp_path / "before", tmp_path / "after"
    folder.mkdir()
    after.mkdir()
    for when, files, recording in losses_under_chaos(folder, seed):
        put_down(files, after)
        assert len(recording.answered) == 36
        try:
            asyncio.run(power_loss.go_on_after_loss(recording, after / "desk.db", recording.answered))
        except Exception as error:
            error.add_note(when)
            raise


def meet_the_limit(path: str, answers: Connection) -> None:
    """A real limit of the operating system, with no VFS of ours between: files may not grow any more."""
    answers.send(asyncio.run(_meet_the_limit(Path(path))))


async def _meet_the_limit(path: Path) -> list[str]:
    seen: list[str] = []
    async with CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL) as desk:
        await desk.deposit(1, request_id="before")
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("desk.db-wal").stat().st_size, hard))
        for _ in range(3):
            try:
                await desk.deposit(1, request_id="during")
            except LedgerError as error:
                seen.append(type(error).__name__)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await desk.deposit(1, request_id="during")
        await desk.deposit(1, request_id="after")
    return seen


def test_a_file_that_may_not_grow_is_told_and_goes_on_when_it_may(path: Path) -> None:
    process, line = start(meet_the_limit, str(path))
    assert line.recv() == ["LedgerUnavailable"] * 3
    process.join()
    journal = audit(path)
    assert len(journal.entries) == 4
    assert {"before", "during", "after"} <= journal.ids.keys()


def meet_a_file_that_takes_no_log(path: str, answers: Connection) -> None:
    """The log may grow and the ledger's file may not, by a real limit of the operating system."""
    answers.send(asyncio.run(_meet_a_file_that_takes_no_log(Path(path))))


async def _meet_a_file_that_takes_no_log(path: Path) -> tuple[int, int]:
    async with CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL) as desk:
        for round_ in range(4):
            await asyncio.gather(*(desk.deposit(1, request_id=f"{round_}-{it}") for it in range(1_000)))
        await power_loss.checkpoint_often(desk)
        await desk.ledger.ask(
            lambda writer: writer.store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        )
        size = path.stat().st_size
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        for number in range(40):
            await desk.deposit(1, request_id=f"during{number}")
        kept = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        for number in range(10):
            await desk.deposit(1, request_id=f"after{number}")
        return kept - size, path.stat().st_size - size


def test_a_log_that_cannot_be_folded_in_is_told_to_nobody_and_is_folded_in_later(path: Path) -> None:
    process, line = start(meet_a_file_that_takes_no_log, str(path))
    while_it_failed, afterwards = line.recv()
    process.join()
    assert (while_it_failed, afterwards > 0) == (0, True)
    assert len(audit(path).entries) == 1 + 4_000 + 40 + 10
