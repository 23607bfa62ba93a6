"""Refusals are journaled; one that is asked for again and refused alike is counted."""

from __future__ import annotations

from capdesk import AllocationResult, Verdict
from tests.desk.conftest import MakeDesk
from tests.desk.support import length


async def test_repeats_of_a_refusal_are_counted_and_not_appended(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 5)
    first = await desk.request_allocation("m", 5)
    before = length(desk)
    for _ in range(4):
        again = await desk.request_allocation("m", 5)
        assert (again.result, again.why) == (AllocationResult.ALREADY_ALLOCATED, first.why)
    assert length(desk) == before
    refusal = (await desk.explain("m"))[-1]
    assert await desk.get_repeats(refusal) == 4
    assert await desk.get_repeats((await desk.explain("m"))[0]) == 0


async def test_a_refusal_for_another_reason_is_appended(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 5)
    await desk.request_allocation("m", 5)
    before = length(desk)
    await desk.request_allocation("m", 6)
    assert length(desk) == before + 1


async def test_the_repeat_of_a_refusal_keeps_its_own_id(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 5, request_id="first")
    refused = [await desk.request_allocation("m", 6, request_id=name) for name in ("a", "b", "b")]
    assert [verdict.request_id for verdict in refused] == ["a", "b", "b"]
    outcome = await desk.get_outcome("b")
    assert isinstance(outcome, Verdict)
    assert outcome == refused[1]


async def test_the_stored_reply_of_a_refusal_outlives_its_reason(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 5)
    await desk.request_allocation("m", 6, request_id="a")
    await desk.request_allocation("m", 6, request_id="b")
    await desk.release_allocation("m")
    assert (await desk.request_allocation("m", 6, request_id="b")).result == "already_allocated"
    assert (await desk.request_allocation("m", 6, request_id="c")).granted


async def test_repeats_of_refused_legs_are_counted_and_not_appended(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 5)
    legs = [{"market_id": "m", "requested_amount": 5}, {"market_id": "n", "requested_amount": 5}]
    first = await desk.request_allocations(legs)
    before = length(desk)
    again = await desk.request_allocations(legs)
    assert [verdict.why for verdict in again] == [verdict.why for verdict in first]
    assert length(desk) == before
