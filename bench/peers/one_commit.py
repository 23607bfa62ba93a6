"""The peer of the grant claims: one durable commit per request.

This is how a desk is usually made durable, done well. It reads the same arguments, takes
the same decision (`decide.transition`), writes the same rows (journal with its hash chain,
request id) into the same tables under the same pragmas, with statements that SQLite keeps
prepared, on a writer thread of its own, so that no event loop waits for the disk.

It is spared what capdesk does beyond that: it decides on the state itself without a
working copy, looks for no other process's entries, takes no lock but SQLite's, checks no
invariants, counts no repeated refusals, keeps no deadlines and no snapshots.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from queue import SimpleQueue
from time import time_ns
from typing import Any

from bench.peers.files import INSERT_ID, INSERT_ROW, connect
from capdesk import CapitalConfig, Verdict
from capdesk.decide.transition import decide, evolve
from capdesk.desk import arguments as read
from capdesk.ledger.codec import GENESIS, write_row
from capdesk.model.commands import Command, Found
from capdesk.model.journal import Body, Event
from capdesk.model.money import to_micro
from capdesk.model.state import State


class OneCommitDesk:
    """A desk that commits every request by itself.

    Parameters
    ----------
    path
        A new file.
    bankroll
        Dollars.
    """

    def __init__(self, path: Path, config: CapitalConfig, bankroll: int) -> None:
        self.state = State()
        self.db = connect(path)
        self._hash = GENESIS
        self._queue: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._commit(Found(config.mandate(), to_micro(bankroll)), "found")
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    async def request_allocation(
        self, market_id: str, requested_amount: object, strategy: str = "sniper", *, request_id: str
    ) -> Verdict:
        """Ask for capital; the answer comes when it is durable."""
        request = read.request(market_id, requested_amount, strategy)
        read.name(request_id, "request_id")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Verdict] = loop.create_future()
        self._queue.put((request, request_id, loop, future))
        return await future

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            request, request_id, loop, future = item
            (outcome,) = self._commit(request, request_id)
            verdict = Verdict(request, outcome, request_id, self.state.sequence)  # pyright: ignore
            loop.call_soon_threadsafe(future.set_result, verdict)

    def _commit(self, command: Command, request_id: str) -> tuple[Event, ...]:
        state, execute = self.state, self.db.execute
        sequence, at = state.sequence + 1, max(time_ns() // 1_000, state.at)
        execute("BEGIN IMMEDIATE")
        events = decide(state, command, request_id, at)
        row = write_row(self._hash, sequence, at, request_id, Body(command, events))
        execute(INSERT_ROW, row)
        execute(INSERT_ID, (0, request_id, sequence))
        execute("COMMIT")
        for event in events:
            evolve(state, event, sequence, at)
        state.sequence, state.at, self._hash = sequence, at, row.hash
        return events

    def close(self) -> None:
        """End the thread and close the file."""
        self._queue.put(None)
        self._thread.join()
        self.db.close()
