"""The write-ahead log is folded into the file between commits: soon in a lull, late while many ask."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from capdesk import CapitalAllocator
from capdesk.ledger.sqlite import SqliteStore
from tests.faults.recording_vfs import RecordingVFS
from tests.ledger.test_store_contract import keep_rows, row


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "ledger.db")
    yield opened
    opened.close()


def unfolded_pages(path: Path) -> int:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    _, pages, folded = db.execute("PRAGMA wal_checkpoint(NOOP)").get
    db.close()
    return pages - folded


def fill(store: SqliteStore, pages: int) -> None:
    for sequence in range(1, pages + 1):
        keep_rows(store, row(sequence))
    assert unfolded_pages(store.path) >= pages


def test_a_commit_folds_nothing(store: SqliteStore) -> None:
    store.pages_when_busy = store.pages_when_idle = 1
    fill(store, 20)


def test_a_log_that_is_long_enough_is_folded_while_many_ask(store: SqliteStore) -> None:
    fill(store, 20)
    store.pages_when_busy = 10_000
    store.tend(idle=False)
    assert unfolded_pages(store.path) >= 20
    store.pages_when_busy = 20
    store.tend(idle=False)
    assert unfolded_pages(store.path) == 0


def test_a_lull_folds_a_shorter_log(store: SqliteStore) -> None:
    fill(store, 20)
    store.pages_when_idle = 20
    assert store.untended
    store.tend(idle=True)
    assert unfolded_pages(store.path) == 0
    assert not store.untended


def test_what_a_reader_still_needs_is_folded_later(store: SqliteStore) -> None:
    fill(store, 20)
    store.pages_when_idle = 20
    reader = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT count(*) FROM journal")
    for sequence in range(21, 51):
        keep_rows(store, row(sequence))
    store.tend(idle=True)
    assert unfolded_pages(store.path) > 0
    assert not store.untended, "it would be tried again and again"
    reader.close()
    for sequence in range(51, 150):
        keep_rows(store, row(sequence))
    assert store.untended
    store.tend(idle=True)
    assert unfolded_pages(store.path) == 0


async def test_a_desk_at_rest_folds_its_log(tmp_path: Path) -> None:
    vfs = RecordingVFS(f"resting-{os.getpid()}")
    folded = threading.Event()
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=1_000, vfs=vfs.name) as desk:
        await desk.ledger.ask(lambda writer: setattr(writer.store, "pages_when_idle", 4))
        vfs.gate = lambda kind, name: folded.set() if (kind, name) == ("sync", "desk.db") else None
        for number in range(4):
            await desk.deposit(number + 1)
        assert await asyncio.to_thread(folded.wait, 60)


async def test_an_answer_comes_before_the_log_is_folded(tmp_path: Path) -> None:
    vfs = RecordingVFS(f"folding-{os.getpid()}")
    answered, reached = threading.Event(), threading.Event()

    def gate(kind: str, name: str) -> None:
        if (kind, name) == ("write", "desk.db"):
            reached.set()
            assert answered.wait(60)

    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=1_000, vfs=vfs.name) as desk:
        await desk.ledger.ask(lambda writer: setattr(writer.store, "pages_when_busy", 1))
        await desk.ledger.refresh()  # after the founding was folded
        vfs.gate = gate
        await desk.deposit(1)
        assert await asyncio.to_thread(reached.wait, 60)
        answered.set()
