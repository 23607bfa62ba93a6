"""Several processes on one ledger, and what may happen to one of them while the others go on."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from statistics import mean

import pytest

from capdesk import CapitalAllocator, CapitalRecycler
from capdesk.ledger import ledger, sqlite
from capdesk.ledger.files import Turn
from capdesk.ledger.sqlite import SqliteStore
from capdesk.model.errors import DeadlineExceeded, ForkedLedger, LedgerClosed, LedgerUnavailable
from capdesk.model.journal import Founded
from tests.faults.recording_vfs import RecordingVFS
from tests.ledger import children
from tests.ledger.support import assert_replays_to, audit

PROCESSES, BOTS, SECONDS = 8, 6, 4.0


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    children.end_all()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


@pytest.fixture
async def desk(path: Path) -> AsyncIterator[CapitalAllocator]:
    async with CapitalAllocator.open(path, initial_bankroll=1_000) as opened:
        yield opened


async def receive(line: object) -> object:
    return await asyncio.to_thread(line.recv)


def test_eight_processes_share_one_bankroll(path: Path) -> None:
    started = [
        children.start(children.serve_until_told, str(path), f"process{number}", BOTS)
        for number in range(PROCESSES)
    ]
    for _, line in started:
        assert line.recv() == "ready"
    for _, line in started:
        line.send("begin")
    time.sleep(SECONDS)
    for _, line in started:
        line.send("end")
    reports = [line.recv() for _, line in started]
    for process, _ in started:
        process.join()
        assert process.exitcode == 0
    errors = [error for report in reports for error in report["errors"]]
    assert errors == [], "an error reached a caller"
    assert [report["late"] for report in reports] == [[f"process{n}-late"] for n in range(PROCESSES)]
    journal = audit(path)
    assert sum(isinstance(event, Founded) for entry in journal.entries for event in entry.events) == 1
    grants = [report["granted"] for report in reports]
    assert sum(grants) == journal.grants
    assert sum(report["refused"] for report in reports) > 0, "no limit was ever reached"
    assert min(grants) >= mean(grants) / 10, f"one process starved: {grants}"


async def test_a_stranger_that_holds_the_lock_is_waited_for_until_the_deadline(
    desk: CapitalAllocator, path: Path
) -> None:
    process, line = children.start(children.hold_sqlite_lock, str(path))
    assert await receive(line) == "held"
    with pytest.raises(DeadlineExceeded) as late:
        await desk.request_allocation("m", 10, request_id="late", deadline_seconds=0.2)
    assert late.value.request_id == "late"
    patient = asyncio.create_task(desk.request_allocation("m", 10, request_id="patient"))
    line.send("release")
    assert (await patient).granted
    assert await desk.get_outcome("late") is None, "it was carried out though nobody waited for it"
    assert await receive(line) == "released"
    process.join()
    await desk.close()
    audit(path)


async def test_closing_while_a_stranger_holds_the_lock_ends_and_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS", 100)
    desk = await CapitalAllocator.open(path, initial_bankroll=1_000)
    await desk.deposit(1, request_id="before")
    process, line = children.start(children.hold_sqlite_lock, str(path))
    assert await receive(line) == "held"
    waiting = asyncio.create_task(desk.deposit(1, request_id="during", deadline_seconds=0.2))
    await asyncio.sleep(0)
    await desk.close()
    with pytest.raises(DeadlineExceeded):
        await waiting
    line.send("release")
    process.join()
    ids = audit(path).ids
    assert "before" in ids
    assert "during" not in ids


async def test_closing_an_idle_desk_while_a_stranger_holds_the_lock_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS", 100)
    desk = await CapitalAllocator.open(path, initial_bankroll=1_000)
    process, line = children.start(children.hold_sqlite_lock, str(path))
    assert await receive(line) == "held"
    await desk.close()
    line.send("release")
    process.join()
    assert len(audit(path).entries) == 1


async def test_questions_are_answered_while_a_lease_that_ended_waits_for_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS", 100)
    clock = [1_785_000_000_000_000]
    async with CapitalAllocator.open(path, initial_bankroll=1_000, clock=lambda: clock[0]) as desk:
        await desk.request_allocation("m", 10, lease_seconds=60, request_id="leased")
        process, line = children.start(children.hold_sqlite_lock, str(path))
        assert await receive(line) == "held"
        clock[0] += 61_000_000
        for _ in range(5):
            assert (await desk.get_outcome("leased")).granted
        line.send("release")
        process.join()
        await desk.deposit(1)
        assert (await desk.get_allocation("m")).held


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
async def test_a_process_stopped_or_killed_in_its_commit(
    desk: CapitalAllocator, path: Path, number: int
) -> None:
    process, line = children.start(children.stop_in_commit, str(path), number)
    assert await receive(line) == "in the middle"
    if number == signal.SIGSTOP:
        with pytest.raises(DeadlineExceeded):
            await desk.request_allocation("m", 10, request_id="impatient", deadline_seconds=0.2)
        async with CapitalAllocator.open(path) as looking:
            assert looking.bankroll == 1_001, "opening waits for no writer"
            os.kill(process.pid, signal.SIGCONT)
        assert await receive(line) == "done"
    verdict = await desk.request_allocation("m", 10, request_id="patient")
    assert verdict.granted
    process.join()
    if number == signal.SIGSTOP:
        assert await desk.get_outcome("impatient") is None, "it was carried out though nobody waited for it"
    await desk.close()
    ids = audit(path).ids
    assert {"before the stop", "patient"} <= ids.keys()
    assert ("after the stop" in ids) == (number == signal.SIGSTOP)


def test_closing_while_a_stopped_process_has_the_turn_gives_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_LEAST_PATIENCE_SECONDS", 0.1)

    async def run() -> None:
        desk = await CapitalAllocator.open(path, initial_bankroll=1_000, deadline_seconds=0.2)
        turn = Turn(path)
        turn.take()
        with pytest.raises(DeadlineExceeded):
            await desk.deposit(1, request_id="during")
        with pytest.raises(LedgerUnavailable, match="could not be closed"):
            await desk.close()
        turn.close()

    asyncio.run(run())
    assert len(audit(path).entries) == 1


def test_founding_while_a_stopped_process_has_the_turn_keeps_its_deadline(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The founding itself is what waits; the schema is there already."""
    monkeypatch.setattr(ledger, "_LEAST_PATIENCE_SECONDS", 0.1)
    SqliteStore(path).close()
    turn = Turn(path)
    turn.take()

    async def run() -> None:
        await CapitalAllocator.open(path, initial_bankroll=1_000, deadline_seconds=0.2)

    with pytest.raises((DeadlineExceeded, LedgerUnavailable)):
        asyncio.run(run())
    turn.close()


async def test_a_child_that_outlives_its_parent_does_not_keep_the_turn(path: Path) -> None:
    await (await CapitalAllocator.open(path, initial_bankroll=1_000)).close()
    parent, line = children.start(children.fork_with_the_turn, str(path))
    child = await receive(line)
    assert isinstance(child, int)
    parent.kill()
    parent.join()
    try:
        other, answers = children.start(children.open_once, str(path))
        done = await asyncio.to_thread(answers.poll, 30)
        other.kill()
        other.join()
    finally:
        os.kill(child, signal.SIGKILL)
    assert done, "the turn is still held by the dead process's child"
    assert "once" in audit(path).ids


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
async def test_a_fork_is_told_and_the_parent_goes_on(desk: CapitalAllocator, path: Path) -> None:
    await desk.deposit(1, request_id="before")
    verbs = [
        lambda: desk.request_allocation("m", 10, request_id="in the child"),
        desk.get_available,
        lambda: desk.get_outcome("before"),
        lambda: desk.explain("m"),
        lambda: desk.quote("m", 1),
    ]
    views = [
        desk.get_allocation_report,
        CapitalRecycler(None, desk).get_daily_stats,
        *(
            partial(getattr, desk, name)
            for name in ("bankroll", "equity", "drawdown", "config", "halted", "mandate_version")
        ),
    ]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        told = 0
        for verb in verbs:
            try:
                verb().send(None)
            except ForkedLedger:
                told += 1
            except BaseException:
                break
        for view in views:
            try:
                view()
            except ForkedLedger:
                told += 1
            except BaseException:
                break
        desk.ledger.close()
        os.write(write, bytes([told]))
        os._exit(0)
    os.close(write)
    assert await asyncio.to_thread(os.read, read, 1) == bytes([len(verbs) + len(views)])
    os.waitpid(child, 0)
    os.close(read)
    assert (await desk.request_allocation("m", 10, request_id="in the parent")).granted
    await desk.close()
    ids = audit(path).ids
    assert "in the parent" in ids
    assert "in the child" not in ids


async def test_a_child_may_open_the_ledger_anew(desk: CapitalAllocator, path: Path) -> None:
    await desk.deposit(1, request_id="before")
    process, line = children.start(children.open_once, str(path))
    assert await receive(line) == "done"
    process.join()
    assert await desk.get_available() == 1_002


async def test_a_command_cancelled_before_the_writer_begins_it_is_dropped(
    desk: CapitalAllocator, path: Path
) -> None:
    turn = Turn(path)
    turn.take()
    asked = asyncio.create_task(desk.request_allocation("m", 10, request_id="cancelled"))
    kept = asyncio.create_task(desk.request_allocation("n", 10, request_id="kept"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    turn.close()
    assert (await kept).granted
    assert await desk.get_outcome("cancelled") is None
    assert (await desk.request_allocation("m", 10, request_id="cancelled")).granted


async def test_a_command_past_its_deadline_before_the_writer_begins_it_is_dropped(
    desk: CapitalAllocator, path: Path
) -> None:
    turn = Turn(path)
    turn.take()
    with pytest.raises(DeadlineExceeded):
        await desk.request_allocation("m", 10, request_id="late", deadline_seconds=0.05)
    turn.close()
    assert await desk.get_outcome("late") is None
    assert await desk.get_allocation("m") is None


@pytest.mark.parametrize("how", ["cancelled", "past its deadline"])
async def test_a_command_given_up_while_it_is_committed_stands(path: Path, how: str) -> None:
    vfs = RecordingVFS(f"slow-{os.getpid()}")
    in_commit, go_on = threading.Event(), threading.Event()

    def gate(kind: str, name: str) -> None:
        if kind == "sync":
            in_commit.set()
            go_on.wait()

    async with CapitalAllocator.open(path, initial_bankroll=1_000, vfs=vfs.name) as desk:
        vfs.gate = gate
        deadline = 0.1 if how == "past its deadline" else None
        asked = asyncio.create_task(
            desk.request_allocation("m", 10, request_id="given up", deadline_seconds=deadline)
        )
        await asyncio.to_thread(in_commit.wait)
        if deadline is None:
            asked.cancel()
        with pytest.raises(asyncio.CancelledError if deadline is None else DeadlineExceeded):
            await asked
        go_on.set()
        outcome = await desk.get_outcome("given up")
        assert outcome.granted
        again = await desk.request_allocation("m", 10, request_id="given up")
        assert again.sequence == outcome.sequence
    vfs.unregister()
    assert audit(path).grants == 1


async def test_the_event_loop_runs_on_while_a_commit_waits_for_the_disk(path: Path) -> None:
    vfs = RecordingVFS(f"waiting-{os.getpid()}")
    in_commit, go_on = threading.Event(), threading.Event()

    def gate(kind: str, name: str) -> None:
        if kind == "sync":
            in_commit.set()
            go_on.wait()

    async with CapitalAllocator.open(path, initial_bankroll=1_000, vfs=vfs.name) as desk:
        vfs.gate = gate
        asked = asyncio.create_task(desk.request_allocation("m", 10))
        await asyncio.to_thread(in_commit.wait)
        assert desk.get_allocation_report()["total_allocated"] == 0, "what is not on disk is not shown"
        assert not asked.done()
        go_on.set()
        assert (await asked).granted
        assert desk.get_allocation_report()["total_allocated"] == 10
    vfs.unregister()


async def test_closing_answers_what_waits_and_refuses_what_comes_later(path: Path) -> None:
    desk = await CapitalAllocator.open(path, initial_bankroll=1_000)
    waiting = [
        asyncio.create_task(desk.request_allocation(f"m{number}", 1, request_id=f"r{number}"))
        for number in range(200)
    ]
    await asyncio.sleep(0)
    await desk.close()
    verdicts = await asyncio.gather(*waiting)
    assert sum(verdict.granted for verdict in verdicts) == 200
    with pytest.raises(LedgerClosed):
        await desk.request_allocation("late", 1)
    await desk.close()
    ids = audit(path).ids
    assert {f"r{number}" for number in range(200)} <= ids.keys()


async def test_entries_never_go_back_in_time(path: Path) -> None:
    start, hour, day = 1_785_000_000_000_000, 3_600_000_000, 86_400_000_000
    clock, seen = [start], []
    async with CapitalAllocator.open(path, initial_bankroll=1_000, clock=lambda: clock[0]) as desk:
        for number, now in enumerate((10, -hour, hour, -day, day, 0, -start)):
            clock[0] = start + now
            await desk.request_allocation(f"m{number}", 2, lease_seconds=60, request_id=f"r{number}")
            seen.append(desk.get_allocation_report()["as_of"].sequence)
    entries = audit(path).entries
    times = [entries[sequence - 1].at - start for sequence in seen]
    assert times == [10, 10, hour, hour, day, day, day]
    assert [entry.command.__struct_config__.tag for entry in entries].count("expire") == 2


async def test_clocks_that_differ_between_processes_do_not_turn_time_back(path: Path) -> None:
    now = 1_785_000_000_000_000
    async with (
        CapitalAllocator.open(path, initial_bankroll=1_000, clock=lambda: now) as slow,
        CapitalAllocator.open(path, clock=lambda: now + 3_600_000_000) as fast,
    ):
        for number in range(10):
            await (slow, fast)[number % 2].deposit(1)
        assert slow.ledger.now() == fast.ledger.now()
    times = [entry.at - now for entry in audit(path).entries]
    assert times == [0, 0, *[3_600_000_000] * 9]


async def test_two_event_loops_in_one_process_share_a_desk(desk: CapitalAllocator, path: Path) -> None:
    async def elsewhere() -> bool:
        asked = [desk.request_allocation(f"there{number}", 1) for number in range(50)]
        return all(verdict.granted for verdict in await asyncio.gather(*asked))

    there = asyncio.to_thread(lambda: asyncio.run(elsewhere()))
    here = asyncio.gather(*(desk.request_allocation(f"here{number}", 1) for number in range(50)))
    granted, verdicts = await asyncio.gather(there, here)
    assert granted
    assert all(verdict.granted for verdict in verdicts)
    await desk.close()
    journal = audit(path)
    assert journal.grants == 100
    assert_replays_to(desk.ledger.state, journal)
