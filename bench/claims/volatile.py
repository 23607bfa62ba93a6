"""Durable grants with 10,000 open allocations, against the volatile toys of seed 001."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from statistics import median

from bench.callers import Wishes, ask_all, expect, release_all
from bench.desk import BANKROLL, open_desk
from bench.peers.toy import RunningToy, SummingToy
from bench.place import Place
from bench.rounds import Turn, ratio, take_turns
from bench.rows import Row
from capdesk import CapitalAllocator

CALLERS = 512
OPEN = 10_000
GRANTS = 4 * CALLERS


def measure(place: Place) -> list[Row]:
    """A row for each toy."""
    return asyncio.run(_measure(place))


async def _measure(place: Place) -> list[Row]:
    running, summing = RunningToy(BANKROLL), SummingToy(BANKROLL)
    async with open_desk(place.file("desk.db")) as desk:
        wishes = {name: Wishes(2) for name in ("capdesk", "sum", "total")}
        desks = {"capdesk": desk, "sum": summing, "total": running}
        for name, each in desks.items():
            await ask_all(each, wishes[name].take(OPEN), CALLERS)

        def turn(name: str) -> Turn:
            async def grants() -> float:
                taken = wishes[name].take(GRANTS)
                seconds = await ask_all(desks[name], taken, CALLERS)
                expect(_open(desks[name]), OPEN + GRANTS, f"open allocations of {name}")
                await release_all(desks[name], taken)
                return GRANTS / seconds

            return grants

        rates = await take_turns({name: turn(name) for name in desks}, place.rounds(20))
        due = Wishes(2).take(OPEN)
        total = sum((Decimal(repr(wish.amount)) for wish in due), Decimal(0))
        expect(desk.get_allocation_report()["total_allocated"], total, "dollars that stay allocated")
        expect(round(running.allocated(), 2), float(total), "what the toy has allocated")
        expect(round(summing.allocated(), 2), float(total), "what the toy has allocated")
    return [
        Row(
            task=f"durable grants, {OPEN:,} open, {CALLERS} callers",
            against=f"volatile toy, {against}",
            unit="/s",
            capdesk=median(rates["capdesk"]),
            peer=median(rates[name]),
            ratio=ratio(rates["capdesk"], rates[name]),
            goal=goal,
        )
        for name, against, goal in (
            ("sum", "a sum of all for each request", 2.0),
            ("total", "a running total", 0.1),
        )
    ]


def _open(desk: CapitalAllocator | SummingToy) -> int:
    return len(desk.allocations if isinstance(desk, SummingToy) else desk.ledger.state.positions)
