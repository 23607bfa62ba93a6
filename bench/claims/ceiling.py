"""Durable grants by 512 callers, against the disk's own ceiling for the same bytes."""

from __future__ import annotations

import asyncio
from statistics import median

from bench.callers import Wishes, ask_all, expect
from bench.desk import open_desk
from bench.peers.files import connect
from bench.peers.raw_disk import read_batches, write_batches
from bench.place import Place
from bench.rounds import ratio, take_turns
from bench.rows import Row

CALLERS = 512
GRANTS = 32 * CALLERS


def measure(place: Place) -> list[Row]:
    """One row."""
    return [asyncio.run(_measure(place))]


async def _measure(place: Place) -> Row:
    wishes, path = Wishes(1), place.file("desk.db")
    raw = connect(place.file("raw.db"))
    sizes: list[int] = []
    async with open_desk(path) as desk:
        written = 1

        async def our_turn() -> float:
            return GRANTS / await ask_all(desk, wishes.take(GRANTS), CALLERS)

        async def their_turn() -> float:
            nonlocal written
            batches = read_batches(path, written)
            rows = sum(len(batch) for batch, _ in batches)
            expect(rows, GRANTS, "rows to write again")
            written += rows
            sizes.extend(len(batch) for batch, _ in batches)
            return rows / write_batches(raw, batches)

        rates = await take_turns({"capdesk": our_turn, "raw": their_turn}, place.rounds(8), rotate=False)
        expect(desk.get_allocation_report()["total_allocated"], wishes.total, "dollars granted")
    expect(raw.execute("SELECT count(*) FROM journal").get, wishes.made, "rows written again")
    raw.close()
    return Row(
        task=f"durable grants, {CALLERS} callers",
        against="executemany of the same bytes in the same batches",
        unit="/s",
        capdesk=median(rates["capdesk"]),
        peer=median(rates["raw"]),
        ratio=ratio(rates["capdesk"], rates["raw"]),
        goal=0.4,
        note=f"batches of {median(sizes):.0f} rows (median)",
    )
