"""Rules that change while capital is open: what is open counts under the new ones, and goes nowhere unknown."""

from __future__ import annotations

import pytest

from capdesk import CapdeskError
from tests.desk.conftest import MakeDesk
from tests.desk.support import roomy

BTC = {"btc": {"max_percent": 10, "patterns": ["btc-*"]}}


async def test_a_new_group_counts_what_its_markets_hold_already(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("btc-1", 50)
    await desk.update_mandate(roomy(groups=BTC), reason="bitcoin moves as one")
    verdict = await desk.request_allocation("btc-2", 10)
    assert (verdict.granted, verdict.bound_by) == (False, "group:btc")


async def test_a_group_that_is_dropped_and_comes_back_counts_what_is_open(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(groups=BTC))
    await desk.request_allocation("btc-1", 15)
    await desk.update_mandate(roomy(), reason="off")
    await desk.update_mandate(roomy(groups=BTC), reason="on")
    assert (await desk.request_allocation("btc-2", 10)).amount == 5


async def test_a_group_that_comes_back_under_another_name_counts_what_is_open(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(groups=BTC))
    await desk.request_allocation("btc-1", 15)
    await desk.update_mandate(roomy(), reason="off")
    await desk.update_mandate(roomy(groups={"bitcoin": BTC["btc"]}), reason="on")
    verdict = await desk.request_allocation("btc-2", 10)
    assert (verdict.amount, verdict.bound_by) == (5, "group:bitcoin")


async def test_a_group_that_a_request_named_is_not_replaced_by_a_pattern(make_desk: MakeDesk) -> None:
    pairs = {"pairs": {"max_percent": 10}}
    desk = await make_desk(roomy(groups=pairs))
    await desk.request_allocation("btc-1", 15, group="pairs")
    await desk.update_mandate(roomy(groups={**pairs, **BTC}), reason="bitcoin too")
    assert (await desk.request_allocation("btc-2", 20)).amount == 20
    assert (await desk.request_allocation("eth-1", 20, group="pairs")).amount == 5


async def test_a_reversed_release_counts_in_the_group_that_its_market_has_now(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("btc-1", 15)
    await desk.release_allocation("btc-1", request_id="release")
    await desk.update_mandate(roomy(groups=BTC), reason="bitcoin moves as one")
    await desk.reverse_release("release", reason="disputed")
    assert (await desk.request_allocation("btc-2", 10)).amount == 5


async def test_a_release_is_not_reversed_into_an_account_that_is_gone(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(accounts=["main", "venue"]))
    await desk.deposit(10, "venue")
    await desk.request_allocation("a", 5, account="venue")
    await desk.release_allocation("a", 1, request_id="release")
    await desk.withdraw(11, "venue")
    await desk.update_mandate(roomy(accounts=["main"]), reason="venue closed")
    with pytest.raises(CapdeskError, match="venue"):
        await desk.reverse_release("release", reason="disputed")
    assert desk.get_allocation_report()["total_allocated"] == 0
    await desk.update_mandate(roomy(accounts=["main", "venue"]), reason="venue opens again")
    assert await desk.reverse_release("release", reason="disputed") == 5


async def test_new_limits_bind_the_next_request_and_take_nothing_back(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("a", 100)
    assert await desk.update_mandate(roomy(max_total_exposure_percent=30), reason="careful") == 2
    verdict = await desk.request_allocation("b", 10)
    assert (verdict.granted, verdict.bound_by, verdict.mandate_version) == (False, "total", 2)
    assert desk.get_allocation_report()["total_allocated"] == 100
