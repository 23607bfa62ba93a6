"""Hundreds of callers at once: never over a limit, every one answered, from several event loops too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator, DeadlineExceeded, LedgerError, Verdict
from capdesk.desk import arguments as read
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, busy_writer, length, roomy


@pytest.fixture
async def desk(tmp_path: Path, clock: Clock) -> AsyncIterator[CapitalAllocator]:
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200, clock=clock) as desk:
        yield desk


async def test_many_markets_at_once_never_exceed_the_total(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    verdicts = await asyncio.gather(*(desk.request_allocation(f"m{number}", 7) for number in range(300)))
    assert sum(verdict.amount for verdict in verdicts) == 60
    assert [verdict.result for verdict in verdicts].count(Result.SUCCESS) == 9
    assert {verdict.result for verdict in verdicts} == {Result.SUCCESS, Result.TOTAL_LIMIT_EXCEEDED}
    assert desk.get_allocation_report()["total_allocated"] == 60


async def test_one_market_asked_for_at_once_is_granted_once(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    verdicts = await asyncio.gather(*(desk.request_allocation("m", 5) for _ in range(200)))
    assert sum(verdict.granted for verdict in verdicts) == 1
    assert sum(verdict.result is Result.ALREADY_ALLOCATED for verdict in verdicts) == 199


async def test_a_shared_market_asked_for_at_once_stays_within_its_limit(make_desk: MakeDesk) -> None:
    desk = await make_desk({"share_markets": True})
    verdicts = await asyncio.gather(*(desk.request_allocation("m", 3, f"s{number}") for number in range(100)))
    assert sum(verdict.amount for verdict in verdicts) == 10


async def test_grants_and_releases_at_once_lose_no_cent(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())

    async def trade(number: int) -> Any:
        verdict = await desk.request_allocation(f"m{number}", 10)
        if verdict.granted:
            assert await desk.release_allocation(f"m{number}", pnl="0.01") == verdict.amount
        return verdict.granted

    traded = await asyncio.gather(*(trade(number) for number in range(200)))
    assert desk.bankroll == 200 + sum(traded) * 100 / 10_000
    assert await desk.get_available() == desk.bankroll
    assert sum(traded) >= 20


async def test_two_event_loops_share_one_desk(desk: CapitalAllocator) -> None:
    both_at_once = threading.Barrier(3)

    async def ask(bot: int) -> list[Verdict]:
        both_at_once.wait()
        return await asyncio.gather(*(desk.request_allocation(f"m{bot}-{each}", 5) for each in range(100)))

    with ThreadPoolExecutor(3) as threads:
        running = asyncio.get_running_loop()
        answers = await asyncio.gather(
            *(running.run_in_executor(threads, asyncio.run, ask(bot)) for bot in range(3))
        )
    granted = [verdict for answer in answers for verdict in answer if verdict.granted]
    assert sum(verdict.amount for verdict in granted) == 60
    assert len({verdict.sequence for verdict in granted}) == 12
    assert await desk.get_available() == 140


async def test_threads_share_a_desk_in_memory() -> None:
    desk = CapitalAllocator(None, 200)

    async def ask(bot: int) -> list[Verdict]:
        return [await desk.request_allocation(f"m{bot}-{each}", 5) for each in range(100)]

    answers = await asyncio.gather(*(asyncio.to_thread(asyncio.run, ask(bot)) for bot in range(4)))
    assert sum(verdict.amount for answer in answers for verdict in answer) == 60


async def test_the_event_loop_is_free_while_the_writer_is_busy(desk: CapitalAllocator) -> None:
    async with busy_writer(desk):
        waiting = asyncio.create_task(desk.request_allocation("m", 5))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
    assert (await waiting).granted


async def test_a_caller_past_its_deadline_gets_a_typed_error_and_takes_nothing(
    desk: CapitalAllocator,
) -> None:
    async with busy_writer(desk):
        with pytest.raises(DeadlineExceeded, match=r"no answer within 0\.001 s for request 'id'") as error:
            await desk.request_allocation("m", 5, request_id="id", deadline_seconds=0.001)
        assert isinstance(error.value, TimeoutError)
        assert error.value.request_id == "id"
    assert await desk.get_outcome("id") is None
    assert await desk.get_allocations() == []
    assert (await desk.request_allocation("m", 5, request_id="id")).granted


async def test_the_deadline_of_the_desk_serves_who_names_none(tmp_path: Path) -> None:
    async with CapitalAllocator.open(
        tmp_path / "desk.db", initial_bankroll=200, deadline_seconds=0.01
    ) as desk:
        async with busy_writer(desk):
            patient = asyncio.create_task(desk.deposit(1, deadline_seconds=60))
            with pytest.raises(DeadlineExceeded):
                await desk.request_allocation("m", 5)
        assert await patient == 201


async def test_a_caller_that_was_cancelled_in_the_queue_takes_nothing(desk: CapitalAllocator) -> None:
    async with busy_writer(desk):
        task = asyncio.create_task(desk.request_allocation("m", 5, request_id="id"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await desk.get_outcome("id") is None
    assert await desk.get_allocations() == []


async def test_an_outcome_is_known_by_its_id(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    granted = await desk.request_allocation("a", 5, request_id="grant")
    legs = await desk.request_allocations([{"market_id": "b", "requested_amount": 5}], request_id="legs")
    confirmed = await desk.confirm_allocation("a", 4, request_id="confirm")
    await desk.deposit(5, request_id="deposit")
    assert await desk.get_outcome("grant") == granted
    assert await desk.get_outcome("legs") == legs
    assert await desk.get_outcome("confirm") == confirmed
    deposited: Any = await desk.get_outcome("deposit")
    assert (deposited.request_id, deposited.events[0].amount) == ("deposit", 5_000_000)
    assert await desk.get_outcome("unknown") is None


async def test_what_waits_is_answered_before_the_ledger_closes(tmp_path: Path) -> None:
    desk = await CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200)
    async with busy_writer(desk):
        waiting = [asyncio.create_task(desk.deposit(1)) for _ in range(20)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(desk.close())
    await closing
    assert sorted(await asyncio.gather(*waiting)) == list(range(201, 221))
    with pytest.raises(LedgerError, match="closed"):
        await desk.deposit(1)
    await desk.close()


async def test_a_request_that_fails_leaves_the_others_of_its_batch_alone(desk: CapitalAllocator) -> None:
    async with busy_writer(desk):
        tasks = [
            asyncio.create_task(desk.deposit(1)),
            asyncio.create_task(desk.withdraw(500)),
            asyncio.create_task(desk.deposit(2)),
        ]
        await asyncio.sleep(0)
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, third) == (201, 203)
    assert "cannot withdraw $500.00" in str(second)
    assert length(desk) == 3


async def test_an_increase_finds_what_another_desk_has_opened(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, initial_bankroll=200) as one,
        CapitalAllocator.open(path) as two,
    ):
        await one.request_allocation("m", 4, "momentum")
        assert (await two.increase_allocation("m", 2)).amount == 2


async def test_the_repeat_of_an_increase_is_answered_after_its_market_was_released(
    make_desk: MakeDesk,
) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 4, "momentum")
    first = await desk.increase_allocation("m", 2, request_id="id")
    await desk.release_allocation("m")
    assert await desk.increase_allocation("m", 2, request_id="id") == first


async def test_a_loop_that_closes_while_its_answer_is_on_its_way_harms_nobody(tmp_path: Path) -> None:
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200) as desk:

        async def ask() -> None:
            desk.ledger.submit(read.request("gone", 5, "sniper"))

        loop = asyncio.new_event_loop()
        # What the writer sees when it looks just before the loop closes.
        loop.is_closed = lambda: False  # type: ignore[method-assign]
        async with busy_writer(desk):
            await asyncio.to_thread(loop.run_until_complete, ask())
            loop.close()
        assert (await desk.request_allocation("here", 5, deadline_seconds=10)).granted
        assert await desk.get_allocation("gone") is not None
        del loop.is_closed
