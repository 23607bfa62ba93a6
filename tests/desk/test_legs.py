"""Several requests decided as one: all are granted or none."""

from __future__ import annotations

from typing import Any

from capdesk import AllocationResult as Result
from tests.desk.conftest import MakeDesk
from tests.desk.support import length, roomy


def leg(market: str, amount: object, **fields: Any) -> dict[str, Any]:
    return {"market_id": market, "requested_amount": amount, **fields}


async def test_legs_within_all_limits_are_all_granted_in_one_entry(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    before = length(desk)
    verdicts = await desk.request_allocations([leg("a", 5), leg("b", 10, strategy="momentum")])
    assert [(verdict.result, verdict.amount) for verdict in verdicts] == [
        (Result.SUCCESS, 5),
        (Result.SUCCESS, 10),
    ]
    assert length(desk) == before + 1
    assert {held.market_id: held.strategy for held in await desk.get_allocations()} == {
        "a": "sniper",
        "b": "momentum",
    }


async def test_one_leg_that_cannot_be_granted_refuses_all(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    verdicts = await desk.request_allocations([leg("a", 5), leg("b", 11), leg("c", 5)])
    assert [verdict.result for verdict in verdicts] == [Result.MARKET_LIMIT_EXCEEDED] * 3
    assert [verdict.amount for verdict in verdicts] == [0, 0, 0]
    assert "market_percent" in verdicts[1].why
    assert "refused with b" in verdicts[0].why
    assert await desk.get_allocations() == []


async def test_legs_share_the_limits(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(max_total_exposure_percent=10))
    assert not (await desk.request_allocations([leg("a", 15), leg("b", 6)]))[0].granted
    verdicts = await desk.request_allocations([leg("a", 15), leg("b", 5)])
    assert all(verdict.granted for verdict in verdicts)
    assert (await desk.request_allocation("c", 1)).result is Result.TOTAL_LIMIT_EXCEEDED


async def test_a_leg_with_a_min_amount_may_be_cut_to_it(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    verdicts = await desk.request_allocations([leg("a", 15, min_amount=8), leg("b", 5)])
    assert [verdict.amount for verdict in verdicts] == [10, 5]
    verdicts = await desk.request_allocations([leg("c", 15, min_amount=11), leg("d", 5)])
    assert [verdict.amount for verdict in verdicts] == [0, 0]


async def test_legs_in_a_market_that_is_taken_refuse_all(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("b", 5)
    verdicts = await desk.request_allocations([leg("a", 5), leg("b", 5)])
    assert [verdict.result for verdict in verdicts] == [Result.ALREADY_ALLOCATED] * 2
    assert [held.market_id for held in await desk.get_allocations()] == ["b"]


async def test_two_strategies_are_two_legs_of_one_market_where_markets_are_shared(
    make_desk: MakeDesk,
) -> None:
    legs = [leg("a", 4, strategy="up"), leg("a", 5, strategy="down")]
    alone = await make_desk()
    assert (await alone.request_allocations(legs))[1].result is Result.ALREADY_ALLOCATED
    shared = await make_desk({"share_markets": True})
    assert [verdict.amount for verdict in await shared.request_allocations(legs)] == [4, 5]


async def test_leases_of_legs_are_confirmed_one_by_one(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocations([leg("a", 5, lease_seconds=60), leg("b", 5, lease_seconds=60)])
    await desk.confirm_allocation("a")
    assert {held.market_id: held.confirmed for held in await desk.get_allocations()} == {
        "a": True,
        "b": False,
    }
