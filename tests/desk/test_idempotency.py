"""A request id is answered once: the same body gets the stored reply, another body an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, CapitalRecycler, IdConflict, InsufficientFunds
from capdesk.ledger.tools import check
from tests.desk.conftest import MakeDesk
from tests.desk.support import DAY_SECONDS, Clock, busy_writer, length

CONFIG = {"accounts": ["main", "other"]}
Verb = Callable[[CapitalAllocator], Awaitable[Any]]

# Each twice: the verb, and the same verb with another body. "held" is open, "gone" was released as "out".
VERBS: dict[str, tuple[Verb, Verb]] = {
    "request": (
        lambda desk: desk.request_allocation("m", 5, request_id="id"),
        lambda desk: desk.request_allocation("m", 6, request_id="id"),
    ),
    "request several": (
        lambda desk: desk.request_allocations([{"market_id": "m", "requested_amount": 5}], request_id="id"),
        lambda desk: desk.request_allocations([{"market_id": "m", "requested_amount": 6}], request_id="id"),
    ),
    "increase": (
        lambda desk: desk.increase_allocation("held", 2, request_id="id"),
        lambda desk: desk.increase_allocation("held", 3, request_id="id"),
    ),
    "confirm": (
        lambda desk: desk.confirm_allocation("held", 4, request_id="id"),
        lambda desk: desk.confirm_allocation("held", 3, request_id="id"),
    ),
    "mark": (
        lambda desk: desk.mark_allocation("held", 4, request_id="id"),
        lambda desk: desk.mark_allocation("held", 3, request_id="id"),
    ),
    "release": (
        lambda desk: desk.release_allocation("held", 1, request_id="id"),
        lambda desk: desk.release_allocation("held", 2, request_id="id"),
    ),
    "reverse": (
        lambda desk: desk.reverse_release("out", reason="disputed", request_id="id"),
        lambda desk: desk.reverse_release("out", reason="voided", request_id="id"),
    ),
    "deposit": (
        lambda desk: desk.deposit(10, request_id="id"),
        lambda desk: desk.deposit(11, request_id="id"),
    ),
    "withdraw": (
        lambda desk: desk.withdraw(10, request_id="id"),
        lambda desk: desk.withdraw(11, request_id="id"),
    ),
    "update_bankroll": (
        lambda desk: desk.update_bankroll(250, request_id="id"),
        lambda desk: desk.update_bankroll(251, request_id="id"),
    ),
    "sync_with_wallet": (
        lambda desk: desk.sync_with_wallet(180, request_id="id"),
        lambda desk: desk.sync_with_wallet(181, request_id="id"),
    ),
    "sync that finds nothing": (
        lambda desk: desk.sync_with_wallet(0, "other", request_id="id"),
        lambda desk: desk.sync_with_wallet(1, "other", request_id="id"),
    ),
    "transfer": (
        lambda desk: desk.transfer(10, "main", "other", request_id="id"),
        lambda desk: desk.transfer(11, "main", "other", request_id="id"),
    ),
    "update_mandate": (
        lambda desk: desk.update_mandate(CONFIG | {"min_order_size": 2}, reason="x", request_id="id"),
        lambda desk: desk.update_mandate(CONFIG | {"min_order_size": 3}, reason="x", request_id="id"),
    ),
    "queue_recycle": (
        lambda desk: CapitalRecycler(None, desk).queue_recycle("held", 1, request_id="id"),
        lambda desk: CapitalRecycler(None, desk).queue_recycle("held", 2, request_id="id"),
    ),
}


async def prepared(make_desk: MakeDesk) -> CapitalAllocator:
    desk = await make_desk(CONFIG)
    await desk.request_allocation("held", 5)
    await desk.request_allocation("gone", 5)
    await desk.release_allocation("gone", 3, request_id="out")
    return desk


@pytest.mark.parametrize("name", VERBS)
async def test_the_same_command_again_gets_the_same_reply_and_changes_nothing(
    make_desk: MakeDesk, name: str
) -> None:
    desk = await prepared(make_desk)
    first = await VERBS[name][0](desk)
    before, report = length(desk), desk.get_allocation_report()
    assert await VERBS[name][0](desk) == first
    assert length(desk) == before
    assert desk.get_allocation_report() == report


@pytest.mark.parametrize("name", VERBS)
async def test_the_reply_stays_the_same_after_other_commands(make_desk: MakeDesk, name: str) -> None:
    desk = await prepared(make_desk)
    first = await VERBS[name][0](desk)
    await desk.deposit(70)
    await desk.release_allocation("held")
    before = length(desk)
    assert await VERBS[name][0](desk) == first
    assert length(desk) == before


@pytest.mark.parametrize("name", VERBS)
async def test_another_command_of_the_same_id_is_refused(make_desk: MakeDesk, name: str) -> None:
    desk = await prepared(make_desk)
    await VERBS[name][0](desk)
    before, report = length(desk), desk.get_allocation_report()
    with pytest.raises(IdConflict, match="request_id 'id' belongs to another command") as error:
        await VERBS[name][1](desk)
    assert error.value.request_id == "id"
    assert length(desk) == before
    assert desk.get_allocation_report() == report


async def test_an_id_is_shared_by_all_verbs(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.deposit(10, request_id="id")
    with pytest.raises(IdConflict):
        await desk.withdraw(10, request_id="id")


async def test_a_reply_survives_closing_and_opening(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        first = await desk.request_allocation("m", 5, request_id="id")
        await desk.release_allocation("m")
    async with CapitalAllocator.open(path, clock=clock) as desk:
        assert await desk.request_allocation("m", 5, request_id="id") == first
        assert await desk.get_allocations() == []
        with pytest.raises(IdConflict):
            await desk.request_allocation("m", 6, request_id="id")


async def test_two_desks_on_one_file_answer_an_id_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as one,
        CapitalAllocator.open(path, clock=clock) as two,
    ):
        replies = await asyncio.gather(
            *(desk.deposit(1, request_id=f"id-{number}") for number in range(50) for desk in (one, two))
        )
        assert replies[::2] == replies[1::2]
        assert await two.get_available() == 250


@pytest.mark.parametrize("days", [0, 1, 6.99])
async def test_an_id_is_known_for_its_retention_whenever_it_was_given(
    make_desk: MakeDesk, clock: Clock, days: float
) -> None:
    desk = await make_desk({"id_retention_days": 7})
    clock.advance(6.5 * DAY_SECONDS)
    await desk.deposit(1, request_id="id")
    clock.advance(days * DAY_SECONDS)
    await desk.deposit(1)
    await desk.deposit(1, request_id="id")
    assert desk.bankroll == 202
    assert await desk.get_outcome("id") is not None


async def test_an_id_is_forgotten_after_its_retention(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk({"id_retention_days": 1})
    await desk.deposit(1, request_id="id")
    for _ in range(3):
        clock.advance(DAY_SECONDS)
        await desk.deposit(1)
    assert await desk.get_outcome("id") is None
    await desk.deposit(1, request_id="id")
    assert desk.bankroll == 205


async def test_an_id_is_answered_once_after_its_retention_changed_within_a_batch(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(
        path, {"id_retention_days": 7}, initial_bankroll=200, clock=clock
    ) as one:
        clock.advance(2 * DAY_SECONDS)
        async with busy_writer(one):
            tasks = [
                asyncio.create_task(one.update_mandate({"id_retention_days": 1}, reason="shorter")),
                asyncio.create_task(one.deposit(1)),
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        async with CapitalAllocator.open(path, clock=clock) as two:
            clock.advance(0.5 * DAY_SECONDS)
            await one.deposit(1)
            clock.advance(0.6 * DAY_SECONDS)
            await two.deposit(1, request_id="id")
            await one.deposit(1, request_id="id")
            assert one.bankroll == 203
    assert check(path).problems == []


async def test_one_batch_with_a_repeated_id_answers_it_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        async with busy_writer(desk):
            same = [asyncio.create_task(desk.deposit(1, request_id="id")) for _ in range(3)]
            other = asyncio.create_task(desk.deposit(2, request_id="id"))
            await asyncio.sleep(0)
        assert await asyncio.gather(*same) == [201, 201, 201]
        with pytest.raises(IdConflict):
            await other
        assert length(desk) == 2


async def test_a_large_batch_answers_each_id_once_and_tells_each_failure(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        async with busy_writer(desk):
            deposits = [
                asyncio.create_task(desk.deposit(1, request_id=f"id-{number % 400}")) for number in range(600)
            ]
            conflict = asyncio.create_task(desk.deposit(2, request_id="id-0"))
            too_much = asyncio.create_task(desk.withdraw(5_000, request_id="too much"))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*deposits)
        assert answers[:400] == [200 + number for number in range(1, 401)]
        assert answers[400:] == answers[:200]
        with pytest.raises(IdConflict):
            await conflict
        with pytest.raises(InsufficientFunds):
            await too_much
        assert length(desk) == 401
    assert check(path).problems == []


async def test_a_command_that_failed_leaves_its_id_free(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    with pytest.raises(InsufficientFunds):
        await desk.withdraw(500, request_id="id")
    assert await desk.get_outcome("id") is None
    await desk.deposit(400)
    assert await desk.withdraw(500, request_id="id") == 100


async def test_an_id_is_known_in_the_batch_of_rules_that_keep_ids_for_less_long(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200, clock=clock) as desk:
        await desk.deposit(5, request_id="id")
        clock.advance(DAY_SECONDS)
        async with busy_writer(desk):
            waiting = asyncio.gather(
                desk.update_mandate({"id_retention_days": 0.5}, reason="shorter"),
                desk.deposit(5, request_id="id"),
                desk.release_allocation("holds nothing"),
            )
            await asyncio.sleep(0)
        assert [await waiting, desk.bankroll] == [[2, 205, 0], 205]
    assert check(path).problems == []
