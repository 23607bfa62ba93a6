"""A ledger as the desk uses it: commands go in from any event loop, answers come when they are durable.

A file has a writer thread, so that no caller's event loop waits for a disk. A ledger in
memory decides at once, in the caller's thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from weakref import WeakSet

from capdesk.ledger.codec import read_row
from capdesk.ledger.deadlines import Deadlines
from capdesk.ledger.memory import MemoryStore
from capdesk.ledger.store import Store
from capdesk.ledger.waiting import Item, ThreadWaiter
from capdesk.ledger.writer import Transition, Writer
from capdesk.model.commands import Command
from capdesk.model.errors import (
    DeadlineExceeded,
    ForkedLedger,
    LedgerClosed,
    LedgerError,
    LedgerUnavailable,
)
from capdesk.model.journal import Entry
from capdesk.model.state import State

logger = logging.getLogger("capdesk.ledger")

BATCH_LIMIT = 4_096
_LEAST_PATIENCE_SECONDS = 5.0
_REST_SECONDS = 1.0
_LULL_SECONDS = 0.05


class Ledger:
    """One process's hold on a ledger.

    Parameters
    ----------
    store
        Where it rests; a store that is not shared is written in the caller's thread.
    clock
        Microseconds since 1970 (UTC).
    deadline_seconds
        How long a caller waits unless it says otherwise.
    """

    def __init__(
        self, store: Store, transition: Transition, clock: Callable[[], int], deadline_seconds: float = 30.0
    ) -> None:
        self._store = store
        self._writer = Writer(store, transition, clock)
        self._inherited = False
        _ledgers.add(self)
        self._ids = (f"{prefix}-{number}" for prefix in (secrets.token_hex(8),) for number in count(1))
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._deadlines = Deadlines(deadline_seconds)
        self._deadline_seconds = deadline_seconds
        self._inline = threading.Lock()
        self._closed = False
        self._writer.load()
        self._thread: threading.Thread | None = None
        if store.shared:
            self._thread = threading.Thread(target=self._work, name="capdesk-writer", daemon=True)
            self._thread.start()

    @classmethod
    def in_memory(cls, transition: Transition, clock: Callable[[], int]) -> Ledger:
        """A ledger that is gone with the process."""
        return cls(MemoryStore(), transition, clock)

    @classmethod
    def open(
        cls,
        path: Path,
        transition: Transition,
        clock: Callable[[], int],
        *,
        create: bool,
        deadline_seconds: float = 30.0,
        vfs: str | None = None,
    ) -> Ledger:
        """Open a file; blocks while it is read.

        Raises
        ------
        LedgerError
            If the file cannot be used; it is left as it was.
        """
        from capdesk.ledger.sqlite import SqliteStore

        store = SqliteStore(path, create=create, vfs=vfs)
        try:
            ledger = cls(store, transition, clock, deadline_seconds)
        except BaseException:
            store.close()
            raise
        store.trust()
        return ledger

    @property
    def state(self) -> State:
        """The state as of the last entry this process has seen; hold `reading` to walk its tables."""
        self._guard_fork()
        return self._writer.state

    @property
    def reading(self) -> threading.Lock:
        """Held for a moment while a new state is published."""
        self._guard_fork()
        return self._writer.publishing

    def now(self) -> int:
        """The ledger's time in microseconds since 1970 (UTC)."""
        return self._writer.now()

    def decide_now(self, command: Command, request_id: str | None = None) -> Entry:
        """Carry out a command from a thread that may wait (opening, in-memory ledgers).

        A deadline that suits a grant may be too short for a file that is being made: at
        least a few seconds are waited.
        """
        self._guard()
        item = Item(command, request_id or next(self._ids), request_id is not None, None, None)
        if self._thread is None:
            with self._inline:
                self._writer.run([item])
        else:
            done = threading.Event()
            item.future = ThreadWaiter(done)
            self._queue.put(item)
            patience = max(self._deadline_seconds, _LEAST_PATIENCE_SECONDS)
            if not done.wait(patience):
                done.set()
                raise DeadlineExceeded(item.request_id, patience)
        return item.result()

    def submit(
        self, command: Command, request_id: str | None = None, deadline_seconds: float | None = None
    ) -> Awaitable[Entry]:
        """Carry out a command; the answer comes when it is durable.

        Raises
        ------
        DeadlineExceeded
            If it did not come in time. A command that the writer had not begun is dropped.
        CapdeskError
            What the decision or the ledger says.
        """
        if self._thread is None:
            return self._at_once(command, request_id)
        return self._send(command, request_id, None, deadline_seconds)

    async def _at_once(self, command: Command, request_id: str | None) -> Entry:
        return self.decide_now(command, request_id)

    async def ask(self, question: Callable[[Writer], Any], deadline_seconds: float | None = None) -> Any:
        """Put a question to the writer, after all that was submitted before it."""
        if self._thread is None:
            self._guard()
            with self._inline:
                return question(self._writer)
        return await self._send(None, None, question, deadline_seconds)

    async def outcome(self, request_id: str) -> Entry | None:
        """The entry that answered a request id; None if it was never decided."""
        return await self.ask(lambda writer: writer.outcome(request_id))

    async def refresh(self) -> None:
        """Bring the state up to what all processes have committed."""
        await self.ask(lambda writer: writer.refresh())

    async def entries(self, read: Callable[[Store], Iterator[Any]]) -> list[Entry]:
        """Read journal entries without holding up the writer."""
        self._guard()
        return await asyncio.to_thread(lambda: [read_row(row) for row in read(self._store)])

    async def read(self, question: Callable[[Store], Any]) -> Any:
        """Ask the store something that any thread may ask, without holding up the writer."""
        self._guard()
        return await asyncio.to_thread(question, self._store)

    def _send(
        self, command: Any, request_id: str | None, question: Any, deadline: float | None
    ) -> asyncio.Future[Any]:
        self._guard()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        item = Item(command, request_id or next(self._ids), request_id is not None, question, future, loop)
        self._deadlines.watch(loop, item, deadline)
        self._queue.put(item)
        return future

    def _guard(self) -> None:
        if self._closed or self._inherited:
            self._guard_fork()
            raise LedgerClosed("the ledger is closed: open it again")

    def _guard_fork(self) -> None:
        """No writer keeps the state up to date in a child, and nobody there gives up a lock that was held."""
        if self._inherited:
            raise ForkedLedger(
                "this process was forked after the ledger was opened: open it anew in the child "
                "(a SQLite connection must not cross a fork)"
            )

    def _work(self) -> None:
        queue, writer = self._queue, self._writer
        closing = False
        while not closing:
            batch: list[Item] = []
            try:
                item = queue.get(timeout=self._patience())
                while item is not None and len(batch) < BATCH_LIMIT:
                    batch.append(item)
                    item = queue.get_nowait()
                closing = item is None
                if item is not None:
                    batch.append(item)
            except Empty:
                pass
            commands = [item for item in batch if item.question is None]
            if commands or not (batch or closing):
                writer.run(commands)
            if len(commands) < len(batch):
                for item in batch:
                    if item.question is not None and not item.abandoned():
                        self._answer_question(item)
            self._deliver(batch)
            self._store.tend(idle=not batch)
            if writer.snapshot_is_due():
                self._keep_snapshot()
        if writer.stopped is None:
            self._keep_snapshot()

    def _deliver(self, batch: list[Item]) -> None:
        """Wake each loop once for all its answers."""
        for loop in {item.loop for item in batch}:
            items = [item for item in batch if item.loop is loop]
            if loop is None:
                for item in items:
                    item.future.finish()
            elif not loop.is_closed():
                # It may be closed in this very moment: then nobody waits in it any more.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._resolve, loop, items)

    def _resolve(self, loop: asyncio.AbstractEventLoop, items: list[Item]) -> None:
        self._deadlines.forget(loop, items)
        for item in items:
            future = item.future
            if future.done():
                continue
            if item.error is None:
                future.set_result(item.reply)
            else:
                future.set_exception(item.error)

    def _keep_snapshot(self) -> None:
        """A snapshot only makes the next opening faster: where it cannot be kept, the journal is read instead."""
        try:
            self._writer.save_snapshot()
        except LedgerError:
            logger.warning(
                "no snapshot could be kept; the next opening reads more of the journal", exc_info=True
            )

    def _patience(self) -> float | None:
        """Seconds until time itself has something to say; a rest after a failure, at least a millisecond."""
        if self._writer.trouble is not None:
            return _REST_SECONDS
        due = self._writer.next_due()
        longest = _LULL_SECONDS if self._store.untended else 3600.0
        if due is None:
            return longest if self._store.untended else None
        return min(longest, max(0.001, (due - self._writer.now()) / 1e6))

    def _answer_question(self, item: Item) -> None:
        try:
            item.reply = item.question(self._writer)
        except Exception as error:
            item.error = error

    def close(self) -> None:
        """Decide what still waits, keep a snapshot, close the file. Blocks.

        Raises
        ------
        LedgerUnavailable
            If another process kept the writer from ending.
        """
        if self._closed:
            return
        self._closed = True
        if self._inherited:
            return
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(max(self._deadline_seconds, _LEAST_PATIENCE_SECONDS))
            if self._thread.is_alive():
                raise LedgerUnavailable(
                    "the ledger could not be closed: another process holds its lock; "
                    "ask by their request ids, once it is open again, what became of the last commands"
                )
            self._refuse_latecomers()
        self._store.close()

    def _refuse_latecomers(self) -> None:
        """Tell those whose command came in while the writer was ending."""
        late: list[Item] = []
        while not self._queue.empty():
            item = self._queue.get()
            if item is not None:
                item.error = LedgerClosed("the ledger was closed: open it again")
                late.append(item)
        self._deliver(late)


_ledgers: WeakSet[Ledger] = WeakSet()


def _inherit() -> None:
    """Told once by the fork itself: to ask for the process's number with every command would cost more."""
    for ledger in list(_ledgers):
        ledger._inherited = True  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_inherit)
