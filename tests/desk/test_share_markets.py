"""Several strategies in one market: each holds its own allocation, all share the market's limits."""

from __future__ import annotations

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator, CapitalRecycler, InvalidInput
from tests.desk.conftest import MakeDesk

SHARED = {"share_markets": True}


async def two_in_one(make_desk: MakeDesk) -> CapitalAllocator:
    desk = await make_desk(SHARED)
    await desk.request_allocation("m", 4, "sniper")
    await desk.request_allocation("m", 3, "momentum")
    return desk


async def test_strategies_share_the_limit_of_a_market(make_desk: MakeDesk) -> None:
    desk = await two_in_one(make_desk)
    verdict = await desk.request_allocation("m", 5, "third")
    assert (verdict.amount, verdict.bound_by) == (3, "market_percent")
    assert (await desk.request_allocation("m", 5, "fourth")).result is Result.MARKET_LIMIT_EXCEEDED


async def test_a_strategy_holds_a_market_once(make_desk: MakeDesk) -> None:
    desk = await two_in_one(make_desk)
    verdict = await desk.request_allocation("m", 2, "sniper")
    assert verdict.result is Result.ALREADY_ALLOCATED
    assert "for sniper" in verdict.why


async def test_the_strategy_must_be_named_where_there_are_several(make_desk: MakeDesk) -> None:
    desk = await two_in_one(make_desk)
    recycler = CapitalRecycler(None, desk)
    for unnamed in (
        lambda: desk.release_allocation("m"),
        lambda: desk.confirm_allocation("m"),
        lambda: desk.mark_allocation("m", 5),
        lambda: desk.increase_allocation("m", 2),
        lambda: desk.get_allocation("m"),
        lambda: recycler.queue_recycle("m"),
        lambda: recycler.force_recycle("m"),
    ):
        with pytest.raises(InvalidInput, match="m holds capital for sniper, momentum: name one"):
            await unnamed()
    assert len(await desk.get_allocations()) == 2


async def test_each_allocation_is_released_alone(make_desk: MakeDesk) -> None:
    desk = await two_in_one(make_desk)
    assert await desk.release_allocation("m", 1, strategy="momentum") == 3
    assert [(held.strategy, held.amount) for held in await desk.get_allocations()] == [("sniper", 4)]
    assert await desk.release_allocation("m") == 4
    assert desk.bankroll == 201


async def test_each_allocation_is_increased_and_recycled_alone(make_desk: MakeDesk) -> None:
    desk = await two_in_one(make_desk)
    assert (await desk.increase_allocation("m", 2, "momentum")).amount == 2
    recycler = CapitalRecycler(None, desk)
    await recycler.queue_recycle("m", 1, strategy="sniper")
    await recycler.queue_recycle("m", 2, strategy="momentum")
    assert await recycler.force_recycle("m", "momentum") == 5
    assert [event.strategy for event in await recycler.get_pending_recycles()] == ["sniper"]
    assert desk.bankroll == 202


async def test_a_market_of_two_strategies_counts_once_in_the_report(make_desk: MakeDesk) -> None:
    report = (await two_in_one(make_desk)).get_allocation_report()
    assert report["num_allocated_markets"] == 1
    assert [(each["strategy"], each["amount"]) for each in report["allocations"]] == [
        ("sniper", 4),
        ("momentum", 3),
    ]


async def test_by_default_a_market_belongs_to_one_strategy(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 4, "sniper")
    verdict = await desk.request_allocation("m", 4, "momentum")
    assert verdict.result is Result.ALREADY_ALLOCATED
    assert "for sniper" in verdict.why


async def test_an_allocation_is_increased_without_its_strategy_being_named(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 4, "momentum")
    assert (await desk.increase_allocation("m", 2)).granted
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.strategy, held.amount) == ("momentum", 6)
