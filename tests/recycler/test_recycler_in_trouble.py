"""A recycler in trouble: what cannot be carried out holds up nothing else and burns no core."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest

from capdesk import CapitalAllocator, CapitalRecycler
from capdesk.model.commands import Recycle
from capdesk.model.errors import CapdeskError, DiskFull, InvalidInput
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, roomy
from tests.virtual_loop import run_virtually

BEYOND = 9_223_372_036_854


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("capdesk.recycler").setLevel(logging.CRITICAL)


async def poisoned(desk: CapitalAllocator, recycler: CapitalRecycler) -> None:
    """Two markets are queued, one of them, where the desk lets it in, with a profit no ledger can hold."""
    for market in ("bad", "good"):
        await desk.request_allocation(market, 10)
    try:
        await recycler.queue_recycle("bad", BEYOND, delay_seconds=0)
    except InvalidInput:
        await recycler.queue_recycle("bad", 1, delay_seconds=0)
    await recycler.queue_recycle("good", 1, delay_seconds=0)


async def test_an_event_that_cannot_be_carried_out_holds_up_no_callback(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    told: list[str] = []

    def on_capital_freed(amount: Any, event_id: str) -> None:
        told.append(event_id)

    recycler = CapitalRecycler(None, desk, on_capital_freed)
    await poisoned(desk, recycler)
    with suppress(CapdeskError):
        await recycler.run_due()
    freed = [event.event_id for event in await recycler.get_recycle_history() if event.market_id == "good"]
    assert len(freed) == 1
    assert freed[0] in told


async def test_profit_beyond_what_a_ledger_holds_is_refused_when_it_is_queued(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("bad", 10)
    recycler = CapitalRecycler(None, desk)
    with pytest.raises(InvalidInput, match="bankroll must stay within"):
        await recycler.queue_recycle("bad", BEYOND)


def test_a_full_disk_is_tried_again_once_in_a_while_and_not_all_the_time() -> None:
    async def main() -> None:
        desk, tries = CapitalAllocator(roomy(), 200), 0
        submit = desk.ledger.submit

        async def full(command: Any, *given: Any) -> Any:
            nonlocal tries
            if isinstance(command, Recycle):
                tries += 1
                raise DiskFull("the disk is full")
            return await submit(command, *given)

        await desk.request_allocation("m", 10)
        recycler = CapitalRecycler(None, desk)
        await recycler.queue_recycle("m", 1, delay_seconds=0)
        desk.ledger.submit = full  # type: ignore[method-assign]
        await recycler.start()
        await asyncio.sleep(10)
        assert 2 <= tries <= 30
        desk.ledger.submit = submit  # type: ignore[method-assign]
        await asyncio.sleep(61)
        await recycler.stop()
        assert desk.bankroll == 201

    run_virtually(main())


async def test_recyclers_that_meet_leave_no_gap_in_the_history(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    one, other = CapitalRecycler(None, desk, lambda amount: None), CapitalRecycler(None, desk)
    for number in range(3):
        await desk.request_allocation(f"m{number}", 10)
        await one.queue_recycle(f"m{number}", 1, delay_seconds=0)
        await asyncio.gather(one.run_due(), other.run_due())
    assert desk.bankroll == 203
    history = await one.get_recycle_history(limit=2)
    assert [event.market_id for event in history] == ["m2", "m1"]


async def test_reversed_recycling_is_queued_anew(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy())
    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("m", 10)
    event = await recycler.queue_recycle("m", 5, delay_seconds=0)
    await recycler.run_due()
    assert await desk.reverse_release(event.event_id, reason="disputed") == 10
    await recycler.queue_recycle("m", -10, delay_seconds=0)
    await recycler.run_due()
    assert desk.bankroll == 190
    assert [(it.amount, it.pnl) for it in await recycler.get_recycle_history()] == [(10, -10), (10, 5)]
