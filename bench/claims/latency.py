"""How long the slowest hundredth of 64 callers waits, against the slowest hundredth of this disk's syncs."""

from __future__ import annotations

import asyncio
import os
from time import perf_counter

from bench.callers import Desk, Wish, Wishes, expect
from bench.desk import open_desk
from bench.place import Place
from bench.rounds import percentile
from bench.rows import Row

CALLERS = 64
GRANTS = 32 * CALLERS
SYNCS = 250
BLOCK = bytes(4_096)


def measure(place: Place) -> list[Row]:
    """One row."""
    return [asyncio.run(_measure(place))]


async def _measure(place: Place) -> Row:
    waits: list[float] = []
    syncs: list[float] = []
    wishes = Wishes(3)
    file = os.open(place.file("appended"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with open_desk(place.file("desk.db")) as desk:
        await _wait_for_grants(desk, wishes.take(GRANTS))
        for _ in range(place.rounds(40)):
            waits += await _wait_for_grants(desk, wishes.take(GRANTS))
            syncs += _wait_for_syncs(file)
        expect(desk.get_allocation_report()["total_allocated"], wishes.total, "dollars granted")
    os.close(file)
    slow, slow_sync = percentile(waits, 0.99), percentile(syncs, 0.99)
    return Row(
        task=f"p99 of one durable grant, {CALLERS} callers",
        against="p99 of fdatasync after appending 4 KiB",
        unit="ms",
        capdesk=slow * 1e3,
        peer=slow_sync * 1e3,
        ratio=slow / slow_sync,
        goal=10,
        at_most=True,
        note=f"medians {percentile(waits, 0.5) * 1e3:.2f} and {percentile(syncs, 0.5) * 1e3:.2f} ms",
    )


async def _wait_for_grants(desk: Desk, wishes: list[Wish]) -> list[float]:
    waits: list[float] = []

    async def caller(mine: list[Wish]) -> None:
        for market, amount, request_id in mine:
            began = perf_counter()
            await desk.request_allocation(market, amount, "sniper", request_id=request_id)
            waits.append(perf_counter() - began)

    await asyncio.gather(*(caller(wishes[number::CALLERS]) for number in range(CALLERS)))
    return waits


def _wait_for_syncs(file: int) -> list[float]:
    waits: list[float] = []
    for _ in range(SYNCS):
        os.write(file, BLOCK)
        began = perf_counter()
        os.fdatasync(file)
        waits.append(perf_counter() - began)
    return waits
