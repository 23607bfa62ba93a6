"""What the tests of sleeves and supervision share: a clock that stands still, roomy rules, a fold, small questions."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from capdesk import CapitalAllocator, CapitalConfig
from capdesk.decide import transition
from capdesk.ledger import tools
from capdesk.model import commands as c
from capdesk.model.errors import CapdeskError
from capdesk.model.journal import Entry, Event
from capdesk.model.mandate import DAY, SECOND
from capdesk.model.standing import SleeveBudget
from capdesk.model.state import State

START = 1_800_000_000 * SECOND // DAY * DAY + 8 * 3600 * SECOND
"""Eight in the morning (UTC) of some day."""

HOUR = 3600 * SECOND

ROOMY: dict[str, Any] = {
    "max_exposure_per_market_percent": 100,
    "max_exposure_per_market_absolute": None,
    "max_total_exposure_percent": 100,
    "min_order_size": "0.000001",
    "order_split_count": 1,
    "max_drawdown_percent": None,
}
"""Rules under which only what a test adds to them binds."""


def sleeve(name: str, percent: object, **more: Any) -> dict[str, Any]:
    return {"name": name, "percent": percent, **more}


class VirtualClock:
    """Stands still until it is told to go on."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)


class Fold:
    """A desk without a ledger: commands go through the transition as a writer would send them, one a batch."""

    def __init__(self, config: dict[str, Any], bankroll: int = 100_000_000, at: int = START) -> None:
        self.state = State()
        self.at = at
        self.entries: list[Entry] = []
        self.do(c.Found(CapitalConfig(**config).mandate(), bankroll))

    def do(self, command: c.Command, seconds: float = 0) -> tuple[Event, ...]:
        """Carry a command out, `seconds` after the one before; what is due comes first."""
        self.at += int(seconds * SECOND)
        transition.tick(self.state, self.at)
        for due in transition.due(self.state, self.at):
            self._enter(due)
        return self._enter(command)

    def tried(self, command: c.Command, seconds: float = 0) -> tuple[Event, ...] | CapdeskError:
        """The same, and the error where it cannot be carried out."""
        try:
            return self.do(command, seconds)
        except CapdeskError as error:
            return error

    def _enter(self, command: c.Command) -> tuple[Event, ...]:
        number = self.state.sequence + 1
        events = transition.decide(self.state, command, f"id-{number}", self.at)
        if events:
            for event in events:
                transition.evolve(self.state, event, number, self.at)
            self.state.sequence, self.state.at = number, self.at
            self.entries.append(Entry(number, self.at, f"id-{number}", command, events))
        return events


async def journal(desk: CapitalAllocator) -> list[Entry]:
    """Every entry of a desk's journal, oldest first."""
    path = desk.path
    if path is not None:
        return await asyncio.to_thread(lambda: list(tools.journal(path)))
    return await desk.ledger.entries(lambda store: iter(store.rows(0)))


async def events_of(desk: CapitalAllocator, kind: type) -> list[Any]:
    """Every event of one kind in a desk's journal, oldest first."""
    return [event for entry in await journal(desk) for event in entry.events if isinstance(event, kind)]


async def budget(desk: CapitalAllocator, name: str) -> SleeveBudget:
    """One sleeve's budget at this moment."""
    return next(it for it in await desk.get_budgets() if it.sleeve == name)


async def lose(desk: CapitalAllocator, dollars: Any) -> None:
    """Book a loss (a gain, if negative) by what a wallet shows."""
    held = desk.get_allocation_report()["total_allocated"]
    await desk.sync_with_wallet(desk.bankroll - held - dollars)


@contextmanager
def held_up(desk: CapitalAllocator) -> Iterator[None]:
    """The writer of a file waits in here, so that all that is submitted meanwhile is one batch."""
    free, waits = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        waits.set()
        free.wait(30)

    question = asyncio.ensure_future(desk.ledger.ask(wait))
    try:
        yield
    finally:
        asyncio.get_running_loop().call_later(0, free.set)
        question.add_done_callback(lambda done: done.exception())


async def as_one_batch(desk: CapitalAllocator, *calls: Awaitable[Any]) -> list[Any]:
    """Several commands that the writer of a file takes together."""
    with held_up(desk):
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
    return await asyncio.gather(*waiting)


def copy_as_after_a_crash(path: Path, target: Path) -> Path:
    """The file as the disk has it while the desk is still open: nothing was closed or tidied."""
    shutil.copy(path, target)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        shutil.copy(log, target.with_name(target.name + "-wal"))
    return target
