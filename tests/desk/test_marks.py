"""Equity: free cash and open allocations at their marks; the limits follow it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from capdesk import AllocationResult as Result
from capdesk import Amount, CapdeskError, CapitalAllocator, InvalidInput, UnknownAllocation
from tests.desk.conftest import MakeDesk
from tests.desk.support import START, Clock, roomy


async def marked(desk: CapitalAllocator, value: object) -> CapitalAllocator:
    await desk.request_allocation("m", 100)
    await desk.mark_allocation("m", value)
    return desk


async def test_an_allocation_counts_at_cost_until_it_is_marked(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    assert (desk.bankroll, desk.equity) == (200, 200)
    assert await desk.mark_allocation("m", 130) == 230
    assert (desk.bankroll, desk.equity) == (200, 230)
    assert await desk.mark_allocation("m", 60) == 160
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.mark) == (100, 60)


async def test_limits_follow_equity(make_desk: MakeDesk) -> None:
    desk = await marked(await make_desk(roomy(max_exposure_per_market_percent=50)), 60)
    assert desk.get_allocation_report()["max_total_allowed"] == 160
    verdict = await desk.quote("n", 100)
    assert (verdict.amount, verdict.bound_by) == (60, "total")
    await desk.mark_allocation("m", 140)
    verdict = await desk.quote("n", 200)
    assert (verdict.amount, verdict.bound_by) == (100, "available")


async def test_a_mark_is_no_cash(make_desk: MakeDesk) -> None:
    desk = await marked(await make_desk(roomy()), 1_000)
    assert await desk.get_available() == 100
    assert (await desk.quote("n", 500)).amount == 100


async def test_a_mark_goes_with_its_allocation(make_desk: MakeDesk) -> None:
    desk = await marked(await make_desk(roomy()), 60)
    await desk.release_allocation("m", -30)
    assert (desk.bankroll, desk.equity) == (170, 170)


async def test_a_part_released_leaves_its_share_of_the_mark(make_desk: MakeDesk) -> None:
    desk = await marked(await make_desk(roomy()), 60)
    await desk.release_allocation("m", -10, amount=25)
    assert (desk.bankroll, desk.equity) == (190, 160)


async def test_an_increase_is_marked_at_cost(make_desk: MakeDesk) -> None:
    desk = await marked(await make_desk(roomy()), 160)
    await desk.increase_allocation("m", 50)
    assert desk.equity == 260


async def test_a_stale_gain_falls_back_to_cost_and_a_stale_loss_stays(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await make_desk(roomy(max_mark_age_seconds=60))
    for market, value in (("gain", 70), ("loss", 20)):
        await desk.request_allocation(market, 50)
        await desk.mark_allocation(market, value)
    assert desk.equity == 190
    clock.advance(59.999999)
    await desk.deposit(1)
    assert desk.equity == 191
    clock.advance(0.000001)
    await desk.deposit(1)
    assert desk.equity == 172


async def test_equity_knows_that_a_mark_has_turned_stale(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await marked(await make_desk(roomy(max_mark_age_seconds=60)), 130)
    clock.advance(60)
    assert (await desk.quote("n", 500)).rooms[1].limit == 200
    assert desk.equity == 200


async def test_a_mark_is_as_old_as_the_time_it_was_seen(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy(max_mark_age_seconds=60))
    await desk.request_allocation("m", 100)
    assert await desk.mark_allocation("m", 130, START - timedelta(seconds=59)) == 230
    clock.advance(1)
    await desk.deposit(1)
    assert desk.equity == 201


async def test_an_older_mark_does_not_replace_a_later_one(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await marked(await make_desk(roomy()), 130)
    with pytest.raises(InvalidInput, match="m has a later mark"):
        await desk.mark_allocation("m", 120, START - timedelta(seconds=1))
    assert desk.equity == 230


async def test_a_market_that_holds_nothing_cannot_be_marked(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    with pytest.raises(UnknownAllocation, match="m holds no allocation"):
        await desk.mark_allocation("m", 5)


async def test_a_loss_beyond_the_bankroll_is_recorded_and_grants_stop(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    assert await desk.release_allocation("m", -250) == 100
    assert (desk.bankroll, desk.equity, await desk.get_available()) == (-50, -50, 0)
    verdict = await desk.request_allocation("n", 5)
    assert (verdict.result, verdict.amount) == (Result.INSUFFICIENT_CAPITAL, 0)
    assert all(room.room == 0 for room in verdict.rooms)
    report = desk.get_allocation_report()
    assert (report["bankroll"], report["headroom"], report["utilization_percent"]) == (-50, 0, 0)


async def test_a_bankroll_of_exactly_zero_grants_nothing(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    await desk.release_allocation("m", -200)
    assert desk.bankroll == 0
    assert (await desk.request_allocation("n", 5)).result is Result.INSUFFICIENT_CAPITAL


async def test_open_allocations_at_nothing_refuse_grants_while_cash_is_left(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    await desk.withdraw(95)
    assert await desk.mark_allocation("m", 0) == 5
    verdict = await desk.request_allocation("n", 5)
    assert (verdict.result, verdict.granted) == (Result.TOTAL_LIMIT_EXCEEDED, False)


async def test_a_deposit_after_a_total_loss_grants_again_and_is_no_recovery(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    await desk.release_allocation("m", -200)
    await desk.deposit(100)
    assert (await desk.request_allocation("n", 40)).amount == 40
    assert desk.drawdown > Amount("0.99")


async def test_flows_are_neither_drawdown_nor_recovery(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    await desk.release_allocation("m", -50)
    assert desk.drawdown == 0.25
    await desk.deposit(1_000)
    assert abs(desk.drawdown - 0.25) < Amount("1e-8")
    await desk.withdraw(900)
    assert abs(desk.drawdown - 0.25) < Amount("1e-8")


async def test_fees_are_a_line_of_their_own(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 100)
    await desk.release_allocation("m", 10, fees="0.25")
    assert desk.bankroll == 209.75
    assert (desk.ledger.state.pnl, desk.ledger.state.fees) == (10_000_000, 250_000)


async def test_marks_of_one_moment_move_the_equity_once(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(max_exposure_per_market_percent=25, max_drawdown_percent=30))
    for market in ("a", "b", "c"):
        await desk.request_allocation(market, 50)
    for values in ({"a": 100, "b": 0, "c": 49}, {"a": 0, "b": 99, "c": 50}):
        assert await desk.mark_allocations(values) == 199
        assert (desk.equity, desk.drawdown, desk.halted) == (199, Amount("0.005"), None)
    assert [entry.events[0].market for entry in (await desk.explain("b"))[1:]] == ["a", "a"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a": 40, "zzz": 1}, "zzz holds no allocation"),
        ({"a": 40, ("a", "sniper"): 41}, "each allocation once"),
        ({"a": -1}, "the value of a must be 0 or more"),
        ({("a", "sniper", "x"): 1}, "by market or by"),
        ({}, "at least one market"),
    ],
)
async def test_of_marks_that_cannot_be_made_together_none_is(
    make_desk: MakeDesk, values: Any, said: str
) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("a", 50)
    with pytest.raises(CapdeskError, match=said):
        await desk.mark_allocations(values)
    assert desk.equity == 200
