"""Leases: capital that is reserved until its order is confirmed, in whole or in part."""

from __future__ import annotations

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator, InvalidInput
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, roomy


async def leased(desk: CapitalAllocator, seconds: float = 60) -> CapitalAllocator:
    await desk.request_allocation("m", 30, lease_seconds=seconds)
    return desk


async def test_a_lease_reserves_until_it_is_confirmed(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy()))
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.confirmed, held.held) == (30, False, False)
    assert held.lease_until is not None
    assert (held.lease_until - clock.time).total_seconds() == 60
    assert await desk.get_available() == 170
    verdict = await desk.confirm_allocation("m")
    assert (verdict.result, verdict.amount) == (Result.SUCCESS, 30)
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.confirmed, held.lease_until) == (True, None)


async def test_a_partial_fill_gives_the_rest_back(make_desk: MakeDesk) -> None:
    desk = await leased(await make_desk(roomy()))
    verdict = await desk.confirm_allocation("m", "12.5")
    assert (verdict.result, verdict.amount, verdict.asked) == (Result.SUCCESS, 12.5, 30)
    assert await desk.get_available() == 187.5
    assert desk.bankroll == 200


async def test_an_order_that_was_not_filled_frees_the_market(make_desk: MakeDesk) -> None:
    desk = await leased(await make_desk(roomy()))
    assert (await desk.confirm_allocation("m", 0)).amount == 0
    assert await desk.get_allocation("m") is None
    assert (await desk.request_allocation("m", 30)).granted


async def test_a_confirmed_allocation_never_expires(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy(on_expiry="free")))
    await desk.confirm_allocation("m")
    clock.advance(10**6)
    await desk.deposit(1)
    assert await desk.get_available() == 171


async def test_a_lease_that_ends_is_held_and_reported(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy()))
    assert await desk.get_orphans() == []
    clock.advance(60)
    await desk.deposit(1)
    (orphan,) = await desk.get_orphans()
    assert (orphan.market_id, orphan.amount, orphan.held, orphan.confirmed) == ("m", 30, True, False)
    assert await desk.get_available() == 171
    assert (await desk.request_allocation("m", 5)).result is Result.ALREADY_ALLOCATED


async def test_a_held_lease_can_still_be_confirmed(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy()))
    clock.advance(60)
    await desk.deposit(1)
    assert (await desk.confirm_allocation("m", 20)).amount == 20
    assert await desk.get_orphans() == []
    assert await desk.get_available() == 181


async def test_a_lease_ends_at_its_time_and_not_before(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy(on_expiry="free")))
    clock.advance(59.999999)
    await desk.deposit(1)
    assert await desk.get_available() == 171
    clock.advance(0.000001)
    await desk.deposit(1)
    assert await desk.get_available() == 202


async def test_a_lease_that_was_freed_cannot_be_confirmed(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy(on_expiry="free")))
    clock.advance(60)
    verdict = await desk.confirm_allocation("m")
    assert (verdict.result, verdict.amount) == (Result.LEASE_EXPIRED, 0)
    assert "request it again" in verdict.why
    assert await desk.get_available() == 200
    assert (await desk.confirm_allocation("other")).result is Result.NOT_ALLOCATED


async def test_a_market_whose_lease_was_freed_may_be_requested_again(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await leased(await make_desk(roomy(on_expiry="free")))
    clock.advance(60)
    assert (await desk.request_allocation("m", 40)).amount == 40
    assert (await desk.confirm_allocation("m")).amount == 40


async def test_capital_of_an_ended_lease_is_granted_to_the_next_who_asks(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await leased(await make_desk(roomy(on_expiry="free")))
    clock.advance(60)
    assert (await desk.quote("n", 200)).amount == 200
    assert (await desk.request_allocation("n", 200)).amount == 200


@pytest.mark.parametrize("on_expiry", ["hold", "free"])
async def test_what_is_read_knows_that_a_lease_has_ended(
    make_desk: MakeDesk, clock: Clock, on_expiry: str
) -> None:
    desk = await leased(await make_desk(roomy(on_expiry=on_expiry)))
    clock.advance(60)
    if on_expiry == "hold":
        assert [orphan.held for orphan in await desk.get_orphans()] == [True]
    else:
        assert await desk.get_available() == 200


async def test_a_leased_allocation_is_released_like_any_other(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await leased(await make_desk(roomy()))
    assert await desk.release_allocation("m", 2) == 30
    clock.advance(60)
    await desk.deposit(1)
    assert await desk.get_orphans() == []
    assert desk.bankroll == 203


async def test_more_than_was_reserved_cannot_be_confirmed(make_desk: MakeDesk) -> None:
    desk = await leased(await make_desk(roomy()))
    with pytest.raises(InvalidInput, match=r"filled must lie between 0 and the \$30.00 that m holds"):
        await desk.confirm_allocation("m", "30.000001")


async def test_an_owner_that_is_silent_leaves_orphans(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy(owner_silent_seconds=3600))
    await desk.request_allocation("a", 10, "quiet")
    await desk.request_allocation("b", 10, "busy")
    clock.advance(3599)
    await desk.request_allocation("b", 10, "busy")
    clock.advance(1)
    assert [orphan.market_id for orphan in await desk.get_orphans()] == ["a"]
    assert {orphan.market_id for orphan in await desk.get_orphans(1)} == {"a", "b"}
    assert await desk.get_orphans(3601) == []
