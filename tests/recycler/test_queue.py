"""The queue of resolved markets: freed after their delay, exactly once, whoever asks and however often."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from capdesk import AllocationResult, CapitalAllocator, CapitalRecycler, InvalidInput, MandateMismatch
from tests.desk.conftest import MakeDesk
from tests.desk.support import DAY_SECONDS, Clock, length


async def prepared(make_desk: MakeDesk) -> tuple[CapitalAllocator, CapitalRecycler]:
    desk = await make_desk()
    for market in ("a", "b", "c"):
        await desk.request_allocation(market, 10)
    return desk, CapitalRecycler(None, desk)


async def test_capital_is_freed_after_the_delay_and_not_before(make_desk: MakeDesk, clock: Clock) -> None:
    desk, recycler = await prepared(make_desk)
    resolved = clock.time
    event = await recycler.queue_recycle("a", pnl=0.75)
    assert (event.amount, event.pnl, event.is_pending(), event.recycled_at) == (10, 0.75, True, None)
    clock.advance(4.999999)
    assert await recycler.run_due() == []
    assert (desk.bankroll, await desk.get_available()) == (200, 170)
    clock.advance(0.000001)
    (freed,) = await recycler.run_due()
    assert (freed.event_id, freed.amount, freed.pnl) == (event.event_id, 10, 0.75)
    assert (freed.resolved_at, freed.recycled_at, freed.is_pending()) == (resolved, clock.time, False)
    assert (desk.bankroll, await desk.get_available()) == (200.75, 180.75)
    assert await recycler.run_due() == []


async def test_events_are_freed_in_the_order_of_their_time(make_desk: MakeDesk, clock: Clock) -> None:
    _, recycler = await prepared(make_desk)
    for market, delay in (("a", 30), ("b", 10), ("c", 20)):
        await recycler.queue_recycle(market, delay_seconds=delay)
    assert [event.market_id for event in await recycler.get_pending_recycles()] == ["b", "c", "a"]
    clock.advance(20)
    assert [event.market_id for event in await recycler.run_due()] == ["b", "c"]
    clock.advance(10)
    assert [event.market_id for event in await recycler.run_due()] == ["a"]


async def test_the_delay_is_the_mandates_unless_it_is_given(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk({"recycle_delay_seconds": 60})
    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("a", 5)
    await desk.request_allocation("b", 5)
    await recycler.queue_recycle("a")
    await recycler.queue_recycle("b", delay_seconds=0)
    assert [event.market_id for event in await recycler.run_due()] == ["b"]
    clock.advance(60)
    assert [event.market_id for event in await recycler.run_due()] == ["a"]


async def test_force_recycles_at_once_with_the_queued_profit(make_desk: MakeDesk) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a", pnl=-2, fees="0.5", delay_seconds=3600)
    assert await recycler.force_recycle("a") == 10
    assert (desk.bankroll, await recycler.get_pending_recycles()) == (197.5, [])
    assert await recycler.force_recycle("a") == 0
    assert desk.bankroll == 197.5


async def test_force_recycles_what_was_not_queued(make_desk: MakeDesk) -> None:
    desk, recycler = await prepared(make_desk)
    assert await recycler.force_recycle("a") == 10
    assert (desk.bankroll, await desk.get_available()) == (200, 180)


async def test_a_market_that_holds_nothing_is_recorded_and_books_nothing(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, recycler = await prepared(make_desk)
    event = await recycler.queue_recycle("unknown", pnl=50)
    assert (event.amount, event.is_pending()) == (0, True)
    clock.advance(5)
    (freed,) = await recycler.run_due()
    assert (freed.market_id, freed.amount, freed.pnl) == ("unknown", 0, 0)
    assert [event.amount for event in await recycler.get_recycle_history()] == [0]
    assert desk.bankroll == 200


async def test_queueing_twice_books_the_profit_once(make_desk: MakeDesk, clock: Clock) -> None:
    desk, recycler = await prepared(make_desk)
    first = await recycler.queue_recycle("a", pnl=3)
    before = length(desk)
    assert await recycler.queue_recycle("a", pnl=3) == first
    assert length(desk) == before
    clock.advance(5)
    await recycler.run_due()
    assert desk.bankroll == 203


async def test_queueing_again_with_another_profit_is_refused(make_desk: MakeDesk) -> None:
    _, recycler = await prepared(make_desk)
    event = await recycler.queue_recycle("a", pnl=3)
    with pytest.raises(InvalidInput, match=rf"a is queued already as {event.event_id} with P&L \$3.00"):
        await recycler.queue_recycle("a", pnl=4)
    assert [event.pnl for event in await recycler.get_pending_recycles()] == [3]


async def test_an_old_entry_does_not_free_a_market_that_was_allocated_anew(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a", pnl=3)
    await desk.release_allocation("a", 1)
    assert (await desk.request_allocation("a", 5)).granted
    clock.advance(5)
    (event,) = await recycler.run_due()
    assert (event.amount, event.pnl) == (0, 0)
    held = await desk.get_allocation("a")
    assert held is not None
    assert (held.amount, desk.bankroll) == (5, 201)


async def test_a_market_that_was_allocated_anew_is_queued_on_its_own(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, recycler = await prepared(make_desk)
    old = await recycler.queue_recycle("a", pnl=3)
    await desk.release_allocation("a", 1)
    await desk.request_allocation("a", 5)
    new = await recycler.queue_recycle("a", pnl=4)
    assert new.event_id != old.event_id
    clock.advance(5)
    assert sorted(event.amount for event in await recycler.run_due()) == [0, 5]
    assert desk.bankroll == 205


async def test_a_market_queued_after_a_reversal_books_the_profit_given_last(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a", pnl=5, delay_seconds=60)
    await desk.release_allocation("a", 1, request_id="out")
    await desk.reverse_release("out", reason="disputed")
    try:
        await recycler.queue_recycle("a", pnl=2, delay_seconds=120)
        expected = 202
    except InvalidInput:
        expected = 205
    clock.advance(120)
    await recycler.run_due()
    assert desk.bankroll == expected


async def test_a_queued_market_is_still_taken(make_desk: MakeDesk) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a")
    verdict = await desk.request_allocation("a", 5)
    assert verdict.result is AllocationResult.ALREADY_ALLOCATED


async def test_what_is_partly_released_frees_the_rest(make_desk: MakeDesk, clock: Clock) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a", pnl=3)
    await desk.release_allocation("a", amount=4)
    clock.advance(5)
    assert [event.amount for event in await recycler.run_due()] == [6]
    assert (desk.bankroll, await desk.get_available()) == (203, 183)


async def test_recyclers_of_two_desks_free_each_event_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, initial_bankroll=2_000, clock=clock) as one,
        CapitalAllocator.open(path, clock=clock) as two,
    ):
        recyclers = [CapitalRecycler(None, desk) for desk in (one, one, two)]
        recyclers[2].on_capital_freed = lambda amount: None
        markets = [f"m{number}" for number in range(10)]
        for market in markets:
            await one.request_allocation(market, 50)
            await recyclers[0].queue_recycle(market, pnl=1)
        clock.advance(5)
        await asyncio.gather(*(recycler.run_due() for recycler in recyclers))
        assert await two.get_available() == 2_010
        assert await one.get_available() == 2_010
        history = await recyclers[0].get_recycle_history()
        assert sorted(event.market_id for event in history) == markets
        assert {event.amount for event in history} == {50}
        assert recyclers[2].get_daily_stats()["recycles_today"] == 10


async def test_a_restart_resumes_the_queue(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        await desk.request_allocation("a", 10)
        await CapitalRecycler(None, desk).queue_recycle("a", pnl=2)
    clock.advance(3600)
    async with CapitalAllocator.open(path, clock=clock) as desk:
        recycler = CapitalRecycler(None, desk)
        assert [event.market_id for event in await recycler.get_pending_recycles()] == ["a"]
        assert [event.pnl for event in await recycler.run_due()] == [2]
        assert desk.bankroll == 202


async def test_a_recycler_of_another_configuration_is_refused() -> None:
    desk = CapitalAllocator(None, 200)
    CapitalRecycler({"recycle_delay_seconds": 5}, desk)
    with pytest.raises(MandateMismatch) as error:
        CapitalRecycler({"recycle_delay_seconds": 6}, desk)
    assert error.value.differences == [("recycle_delay_seconds", "5", "6")]


@pytest.mark.parametrize("queued_for_days", [10, 60], ids=["recycled", "waiting"])
async def test_the_id_of_an_earlier_event_is_refused_though_it_is_no_longer_kept(
    make_desk: MakeDesk, clock: Clock, queued_for_days: int
) -> None:
    desk, recycler = await prepared(make_desk)
    await recycler.queue_recycle("a", 7, delay_seconds=queued_for_days * DAY_SECONDS, request_id="id")
    for days in (10, 8):
        clock.advance(days * DAY_SECONDS)
        await recycler.run_due()
        await desk.deposit(1)
    assert await desk.get_outcome("id") is None
    with pytest.raises(InvalidInput, match="'id' names an event that"):
        await recycler.queue_recycle("b", 3, request_id="id")
    await recycler.queue_recycle("b", 3, request_id="another")
    clock.advance(60 * DAY_SECONDS)
    await recycler.run_due()
    assert (desk.bankroll, await desk.get_allocation("a"), await desk.get_allocation("b")) == (
        212,
        None,
        None,
    )


async def test_no_command_takes_the_id_of_a_recycling(make_desk: MakeDesk) -> None:
    desk, recycler = await prepared(make_desk)
    with pytest.raises(InvalidInput, match="request_id must not begin with 'recycle:'"):
        await desk.deposit(1, request_id="recycle:id")
    await recycler.queue_recycle("a", delay_seconds=0, request_id="id")
    assert [event.event_id for event in await recycler.run_due()] == ["id"]
