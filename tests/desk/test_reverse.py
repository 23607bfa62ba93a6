"""A disputed outcome: a release is undone by a new entry, and its capital can be released aright."""

from __future__ import annotations

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator, CapitalRecycler, InvalidInput, UnknownAllocation
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, length, roomy


async def released(make_desk: MakeDesk, **fields: object) -> CapitalAllocator:
    desk = await make_desk(roomy(**fields))
    await desk.request_allocation("m", 40, "momentum")
    await desk.release_allocation("m", 10, fees="0.5", request_id="out")
    return desk


async def test_a_reversal_opens_the_allocation_again_and_takes_its_profit_back(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    assert desk.bankroll == 209.5
    before = length(desk)
    assert await desk.reverse_release("out", reason="the venue changed the outcome") == 40
    assert length(desk) == before + 1
    assert (desk.bankroll, await desk.get_available()) == (200, 160)
    assert (desk.ledger.state.pnl, desk.ledger.state.fees) == (0, 0)
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.strategy, held.confirmed) == (40, "momentum", True)
    assert await desk.release_allocation("m", -40) == 40
    assert desk.bankroll == 160


async def test_a_release_is_reversed_once(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.reverse_release("out", reason="disputed")
    with pytest.raises(InvalidInput, match="was reversed before"):
        await desk.reverse_release("out", reason="disputed")
    assert desk.bankroll == 200


async def test_a_part_that_was_released_comes_back_to_its_allocation(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 40)
    await desk.release_allocation("m", 5, amount=15, request_id="part")
    assert await desk.reverse_release("part", reason="disputed") == 15
    assert [held.amount for held in await desk.get_allocations()] == [40]
    assert desk.bankroll == 200


async def test_a_market_that_was_allocated_anew_is_not_mixed_up(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.request_allocation("m", 30, "momentum")
    with pytest.raises(InvalidInput, match=r"m holds \$30.00 anew for momentum"):
        await desk.reverse_release("out", reason="disputed")
    await desk.release_allocation("m")
    assert await desk.reverse_release("out", reason="disputed") == 40


async def test_a_market_that_another_strategy_holds_is_not_shared_by_a_reversal(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.request_allocation("m", 30, "sniper")
    with pytest.raises(InvalidInput, match="m is held by another strategy"):
        await desk.reverse_release("out", reason="disputed")
    shared = await released(make_desk, share_markets=True)
    await shared.request_allocation("m", 30, "sniper")
    assert await shared.reverse_release("out", reason="disputed") == 40


async def test_a_recycling_is_reversed_by_its_event(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy())
    told: list[object] = []
    for callback in (None, told.append):
        recycler = CapitalRecycler(None, desk, callback)
        await desk.request_allocation("m", 40)
        event = await recycler.queue_recycle("m", pnl=10)
        clock.advance(5)
        await recycler.run_due()
        assert desk.bankroll == 210
        assert await desk.reverse_release(event.event_id, reason="disputed") == 40
        assert desk.bankroll == 200
        assert await recycler.force_recycle("m") == 40
    assert told == [40, 40]


async def test_what_is_no_release_cannot_be_reversed(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.deposit(5, request_id="deposit")
    await desk.release_allocation("nothing", request_id="empty")
    for release_id in ("unknown", "deposit", "empty"):
        with pytest.raises(UnknownAllocation, match=f"no release is known by the id '{release_id}'"):
            await desk.reverse_release(release_id, reason="disputed")


async def test_a_reversed_loss_is_no_drawdown_any_more(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 40)
    await desk.release_allocation("m", -20, request_id="out")
    assert desk.drawdown == 0.1
    await desk.reverse_release("out", reason="disputed")
    assert desk.drawdown == 0


async def test_a_reversal_is_in_the_story_of_its_market(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.reverse_release("out", reason="the venue changed the outcome")
    entries = await desk.explain("m")
    assert [type(event).__name__ for entry in entries for event in entry.events] == [
        "Granted",
        "Released",
        "Restored",
    ]
    assert entries[-1].events[0].reason == "the venue changed the outcome"  # type: ignore[union-attr]


async def test_a_restored_allocation_takes_its_market(make_desk: MakeDesk) -> None:
    desk = await released(make_desk)
    await desk.reverse_release("out", reason="disputed")
    assert (await desk.request_allocation("m", 5)).result is Result.ALREADY_ALLOCATED
