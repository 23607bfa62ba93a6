"""Child processes of the durability proofs: bots that use a ledger until they are told to stop, or are killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import apsw

from capdesk import CapitalAllocator, CapitalConfig, CapitalRecycler
from capdesk.ledger.files import Turn
from capdesk.model.errors import DeadlineExceeded
from tests.faults.recording_vfs import RecordingVFS, open_gate

CONTEXT = multiprocessing.get_context("forkserver")
"""Children are forked from a small process that has imported capdesk once."""
CONTEXT.set_forkserver_preload(["capdesk.recycler", "capdesk.config", "capdesk.ledger.sqlite", __name__])

CONFIG = CapitalConfig(
    max_exposure_per_market_percent=2,
    max_exposure_per_market_absolute=15,
    max_total_exposure_percent=20,
    recycle_delay_seconds=0,
)
BANKROLL = 1_000


def start(target: Any, *given: Any) -> tuple[BaseProcess, Connection]:
    """A child process and the line to it."""
    here, there = CONTEXT.Pipe()
    process = begin(target, *given, there)
    there.close()
    return process, here


def begin(target: Any, *given: Any) -> BaseProcess:
    """A child process, which `end_all` ends if it has not ended by then."""
    process = CONTEXT.Process(target=target, args=given)
    process.start()
    _started.append(process)
    return process


_started: list[BaseProcess] = []


def end_all() -> None:
    """Kill what a failed test left running, or stopped."""
    while _started:
        process = _started.pop()
        process.kill()
        process.join()


def serve_until_told(path: str, name: str, bots: int, orders: Connection) -> None:
    """Open a ledger, say so, ask for capital until anything is received, then report."""
    report = asyncio.run(_serve(path, name, bots, orders))
    orders.send(report)


async def _serve(path: str, name: str, bots: int, orders: Connection) -> dict[str, Any]:
    async with CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL) as desk:
        await asyncio.to_thread(_ready, orders)
        trader = _Trader(desk, name)
        tasks = [asyncio.create_task(trader.trade(number)) for number in range(bots)]
        await asyncio.to_thread(orders.poll, None)
        trader.stopping = True
        await asyncio.gather(*tasks)
        late = await trader.miss_a_deadline()
        return {"granted": trader.granted, "refused": trader.refused, "errors": trader.errors, "late": late}


def _ready(orders: Connection) -> None:
    orders.send("ready")
    orders.recv()


class _Trader:
    def __init__(self, desk: CapitalAllocator, name: str) -> None:
        self.desk = desk
        self.name = name
        self.granted = self.refused = 0
        self.errors: list[str] = []
        self.stopping = False

    async def trade(self, number: int) -> None:
        chance = random.Random(f"{self.name}-{number}")
        turn = 0
        while not self.stopping:
            turn += 1
            market = f"market-{chance.randrange(40)}"
            try:
                verdict = await self.desk.request_allocation(
                    market, chance.randrange(1, 40), self.name, request_id=f"{self.name}-{number}-{turn}"
                )
                if verdict.granted:
                    self.granted += 1
                    await self.desk.release_allocation(market, chance.randrange(-2, 3), strategy=self.name)
                else:
                    self.refused += 1
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")

    async def miss_a_deadline(self) -> list[str]:
        """What a caller gets whose deadline is too short, and what it gets when it asks again."""
        request_id = f"{self.name}-late"
        seen: list[str] = []
        try:
            await self.desk.deposit(1, request_id=request_id, deadline_seconds=1e-6)
        except DeadlineExceeded as error:
            seen.append(error.request_id)
        known = await self.desk.get_outcome(request_id)
        await self.desk.deposit(1, request_id=request_id)
        settled = await self.desk.get_outcome(request_id)
        if known is not None and known != settled:
            seen.append("two answers")
        return seen


def hold_sqlite_lock(path: str, orders: Connection) -> None:
    """A stranger, such as a database shell, that holds SQLite's write lock until told."""
    db = apsw.Connection(path)
    db.execute("BEGIN IMMEDIATE")
    orders.send("held")
    orders.recv()
    db.execute("ROLLBACK")
    orders.send("released")


def stop_in_commit(path: str, number: int, orders: Connection) -> None:
    """Commit commands until told to, then send this very process a signal in the middle of the next commit."""
    vfs = RecordingVFS("stopping")
    asyncio.run(_stop_in_commit(path, number, orders, vfs))


async def _stop_in_commit(path: str, number: int, orders: Connection, vfs: RecordingVFS) -> None:
    async with CapitalAllocator.open(path, vfs=vfs.name) as desk:
        await desk.deposit(1, request_id="before the stop")

        written = False

        def gate(kind: str, name: str) -> None:
            # The log may also be synced to fold it, when no command is under way: a commit writes first.
            nonlocal written
            written = written or (kind == "write" and name.endswith("-wal"))
            if kind == "sync" and written:
                vfs.gate = open_gate
                orders.send("in the middle")
                os.kill(os.getpid(), number)

        vfs.gate = gate
        await desk.deposit(1, request_id="in the stop")
        await desk.deposit(1, request_id="after the stop")
    orders.send("done")


def fork_with_the_turn(path: str, orders: Connection) -> None:
    """Hold the turn to write, and leave a child of this process's own that outlives it."""
    turn = Turn(Path(path))
    turn.take()
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    orders.send(child)
    signal.pause()


def open_once(path: str, orders: Connection) -> None:
    """Open a ledger, write, close, and say so."""

    async def write() -> None:
        async with CapitalAllocator.open(path) as desk:
            await desk.deposit(1, request_id="once")

    asyncio.run(write())
    orders.send("done")


def trade_until_killed(path: str, run: str, bots: int, log: Any) -> None:
    """Write every id to `log` before it is asked for (+) and as soon as it is answered (-)."""
    asyncio.run(_trade_until_killed(path, run, bots, log.detach()))


async def _trade_until_killed(path: str, run: str, bots: int, log: int) -> None:
    desk = await CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL)
    recycler = CapitalRecycler(None, desk)
    await recycler.run_due()
    for left in await desk.get_allocations():
        await desk.release_allocation(left.market_id, strategy=left.strategy)
    await asyncio.gather(*(_churn(desk, recycler, f"{run}-{number}", log) for number in range(bots)))


async def _churn(desk: CapitalAllocator, recycler: CapitalRecycler, name: str, log: int) -> None:
    chance = random.Random(name)
    turn = 0

    async def told(verb: Any, *given: Any) -> Any:
        nonlocal turn
        turn += 1
        request_id = f"{name}-{turn}"
        os.write(log, f"+{request_id}\n".encode())
        answer = await verb(*given, request_id=request_id)
        os.write(log, f"-{request_id}\n".encode())
        return answer

    while True:
        market = f"market-{chance.randrange(60)}"
        verdict = await told(desk.request_allocation, market, chance.randrange(1, 30), name.split("-")[1])
        if not verdict.granted:
            continue
        if chance.random() < 0.5:
            await told(desk.release_allocation, market, chance.randrange(-2, 3))
        else:
            await told(recycler.queue_recycle, market, chance.randrange(-2, 3))
            await recycler.run_due()
