"""The callback is told of every freed sum at least once, with the event's id; a failing one is told again."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, CapitalRecycler, delivery
from capdesk import recycler as module
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock


class Callback:
    """Notes what it is told, after failing as often as it is set to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.tries: list[str] = []
        self.told: list[tuple[Amount, str]] = []
        self.heard = asyncio.Event()

    async def __call__(self, amount: Amount, event_id: str) -> None:
        self.tries.append(event_id)
        if len(self.tries) <= self.failures:
            raise ConnectionError("the bot does not answer")
        self.told.append((amount, event_id))
        self.heard.set()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 0.0)


async def allocated(make_desk: MakeDesk, *markets: str) -> CapitalAllocator:
    desk = await make_desk()
    for market in markets:
        await desk.request_allocation(market, 10)
    return desk


async def test_the_callback_is_told_the_principal_and_the_event(make_desk: MakeDesk, clock: Clock) -> None:
    desk, callback = await allocated(make_desk, "a"), Callback()
    recycler = CapitalRecycler(None, desk, on_capital_freed=callback)
    event = await recycler.queue_recycle("a", pnl=5)
    clock.advance(5)
    await recycler.run_due()
    await recycler.run_due()
    assert callback.told == [(10, event.event_id)]
    assert type(callback.told[0][0]) is Amount


async def test_a_callback_may_be_plain_and_take_the_amount_alone(make_desk: MakeDesk) -> None:
    desk = await allocated(make_desk, "a", "b")
    told: list[Any] = []
    recycler = CapitalRecycler(None, desk)
    await recycler.force_recycle("a")
    recycler.on_capital_freed = told.append
    await recycler.force_recycle("b")
    assert told == [10]


async def test_the_capital_is_free_when_the_callback_is_told(make_desk: MakeDesk) -> None:
    desk = await allocated(make_desk, "a")
    granted: list[bool] = []

    async def ask_again(amount: Amount) -> None:
        granted.append((await desk.request_allocation("a", amount)).granted)

    await CapitalRecycler(None, desk, ask_again).force_recycle("a")
    assert granted == [True]


async def test_a_callback_may_recycle_the_next_market(make_desk: MakeDesk) -> None:
    desk = await allocated(make_desk, "a", "b")
    recycler = CapitalRecycler(None, desk)
    told: list[str] = []

    async def chain(amount: Amount, event_id: str) -> None:
        assert len(told) < 10, "told of the same events again and again"
        told.append(event_id)
        await recycler.force_recycle("b")

    recycler.on_capital_freed = chain
    await recycler.force_recycle("a")
    assert await desk.get_allocations() == []
    assert len(told) <= 4


async def test_a_failing_callback_is_told_again_until_it_succeeds(
    make_desk: MakeDesk, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    desk, callback = await allocated(make_desk, "a"), Callback(failures=3)
    recycler = CapitalRecycler(None, desk, callback)
    event = await recycler.queue_recycle("a", pnl=5)
    clock.advance(5)
    with caplog.at_level(logging.ERROR, "capdesk.recycler"):
        for _ in range(6):
            await recycler.run_due()
    assert callback.tries == [event.event_id] * 4
    assert callback.told == [(10, event.event_id)]
    assert desk.bankroll == 205
    assert "the bot does not answer" in caplog.text


async def test_the_wait_after_each_failure_doubles_up_to_the_longest(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 4.0)
    monkeypatch.setattr(delivery, "LONGEST_RETRY_SECONDS", 10.0)
    desk, callback = await allocated(make_desk, "a"), Callback(failures=9)
    recycler = CapitalRecycler(None, desk, callback)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    await recycler.force_recycle("a")
    tried_at = []
    for _ in range(40):
        if len(callback.tries) > len(tried_at):
            tried_at.append(now)
        now += 1
        await recycler.run_due()
    assert [later - sooner for sooner, later in pairwise(tried_at)] == [4, 8, 10, 10]


async def test_one_failing_event_does_not_hold_up_the_others(make_desk: MakeDesk) -> None:
    desk = await allocated(make_desk, "a", "b")
    callback = Callback(failures=1)
    recycler = CapitalRecycler(None, desk, callback)
    first, second = await recycler.queue_recycle("a"), await recycler.queue_recycle("b")
    await recycler.force_recycle("a")
    await recycler.force_recycle("b")
    assert sorted(event_id for _, event_id in callback.told) == sorted([first.event_id, second.event_id])


async def test_what_was_not_told_is_told_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        await desk.request_allocation("a", 10)
        failing = Callback(failures=1)
        await CapitalRecycler(None, desk, failing).force_recycle("a")
        assert failing.told == []
    async with CapitalAllocator.open(path, clock=clock) as desk:
        callback = Callback()
        recycler = CapitalRecycler(None, desk, callback)
        await recycler.start()
        await callback.heard.wait()
        await recycler.stop()
        assert set(callback.told) == {(10, failing.tries[0])}
        await recycler.run_due()
        told = len(callback.told)
        await recycler.run_due()
        assert len(callback.told) == told
        assert desk.bankroll == 200


async def test_a_background_recycler_frees_and_tells(tmp_path: Path) -> None:
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200) as desk:
        callback = Callback()
        recycler = CapitalRecycler(None, desk, callback)
        await desk.request_allocation("a", 10)
        await recycler.start()
        event = await recycler.queue_recycle("a", pnl=1, delay_seconds=0)
        await callback.heard.wait()
        await recycler.stop()
        assert callback.told[0] == (10, event.event_id)
        assert desk.bankroll == 201


async def test_starting_and_stopping_twice_is_harmless(make_desk: MakeDesk, clock: Clock) -> None:
    desk, callback = await allocated(make_desk, "a"), Callback()
    recycler = CapitalRecycler(None, desk, callback)
    await recycler.stop()
    await recycler.start()
    await recycler.start()
    assert sum(task.get_name() == "capdesk-recycler" for task in asyncio.all_tasks()) == 1
    await recycler.stop()
    await recycler.stop()
    assert not any(task.get_name() == "capdesk-recycler" for task in asyncio.all_tasks())
    await recycler.queue_recycle("a", delay_seconds=0)
    await recycler.start()
    await callback.heard.wait()
    await recycler.stop()
    assert len(callback.told) == 1


async def test_stopping_leaves_the_queue(make_desk: MakeDesk) -> None:
    desk = await allocated(make_desk, "a")
    recycler = CapitalRecycler(None, desk)
    await recycler.start()
    await recycler.queue_recycle("a")
    await recycler.stop()
    assert [event.market_id for event in await recycler.get_pending_recycles()] == ["a"]
    assert len(await desk.get_allocations()) == 1


async def test_the_callback_of_one_desk_is_told_what_another_desk_freed_for_it(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as one,
        CapitalAllocator.open(path, clock=clock) as two,
    ):
        await one.request_allocation("a", 10)
        await CapitalRecycler(None, one, Callback(failures=1)).force_recycle("a")
        callback = Callback()
        await CapitalRecycler(None, two, callback).run_due()
        assert [amount for amount, _ in callback.told] == [10]


async def test_what_was_queued_beside_a_callback_is_told_whoever_frees_it(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, callback = await allocated(make_desk, "a"), Callback()
    telling, silent = CapitalRecycler(None, desk, callback), CapitalRecycler(None, desk)
    event = await telling.queue_recycle("a", pnl=5)
    clock.advance(5)
    assert [freed.event_id for freed in await silent.run_due()] == [event.event_id]
    assert callback.told == []
    await telling.run_due()
    await telling.run_due()
    assert callback.told == [(10, event.event_id)]


async def test_what_a_callback_was_there_to_see_queued_is_told_whoever_frees_it(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk, callback = await allocated(make_desk, "a", "b"), Callback()
    telling, silent = CapitalRecycler(None, desk, callback), CapitalRecycler(None, desk)
    event = await silent.queue_recycle("a", pnl=5)
    assert await telling.run_due() == []
    await silent.queue_recycle("a", pnl=5)
    await silent.force_recycle("a")
    await silent.force_recycle("b")
    await telling.run_due()
    assert callback.told == [(10, event.event_id)]


async def test_what_is_to_be_told_outlives_a_restart(tmp_path: Path, clock: Clock) -> None:
    path, callback = tmp_path / "desk.db", Callback()
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        await desk.request_allocation("a", 10)
        event = await CapitalRecycler(None, desk, callback).queue_recycle("a")
    async with CapitalAllocator.open(path, clock=clock) as desk:
        await CapitalRecycler(None, desk).force_recycle("a")
    async with CapitalAllocator.open(path, clock=clock) as desk:
        await CapitalRecycler(None, desk, callback).run_due()
    assert callback.told == [(10, event.event_id)]


async def test_what_fails_for_days_is_still_tried_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 1.0)
    back_off = delivery.BackOff()
    waits = [back_off.failed("a") for _ in range(5_000)]
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(waits[8:]) == {60}
