"""Grants do not slow down with the number of open allocations."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from statistics import median

from bench.callers import Wishes, ask_all, expect, release_all
from bench.desk import open_desk
from bench.place import Place
from bench.rounds import Turn, ratio, take_turns
from bench.rows import Row
from capdesk import CapitalAllocator

CALLERS = 512
LEVELS = (10, 100, 1_000, 10_000, 100_000)


def measure(place: Place) -> list[Row]:
    """A row for each number of open allocations, against the fewest."""
    return asyncio.run(_measure(place))


async def _measure(place: Place) -> list[Row]:
    async with AsyncExitStack() as stack:
        turns: dict[str, Turn] = {}
        for level in LEVELS:
            desk = await stack.enter_async_context(open_desk(place.file("desk.db")))
            turns[str(level)] = await _with_open(desk, level)
        rates = await take_turns(turns, place.rounds(60))
    fewest = rates[str(LEVELS[0])]
    return [
        Row(
            task=f"durable grants, {level:,} open, {CALLERS} callers",
            against=f"capdesk with {LEVELS[0]} open",
            unit="/s",
            capdesk=median(rates[str(level)]),
            peer=median(fewest),
            ratio=ratio(rates[str(level)], fewest),
            goal=0.85,
        )
        for level in LEVELS[1:]
    ]


async def _with_open(desk: CapitalAllocator, level: int) -> Turn:
    """One turn: every caller is granted one more, then all that is beyond the level is given back."""
    wishes = Wishes(level)
    await ask_all(desk, wishes.take(level), min(CALLERS, level))

    async def grants() -> float:
        taken = wishes.take(CALLERS)
        seconds = await ask_all(desk, taken, CALLERS)
        expect(len(desk.ledger.state.positions), level + CALLERS, "open allocations")
        await release_all(desk, taken)
        return CALLERS / seconds

    return grants
