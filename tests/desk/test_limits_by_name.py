"""Limits for some markets: profiles by their names, groups of correlated ones, tiers of priority."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator
from tests.desk.conftest import MakeDesk
from tests.desk.support import roomy

TIERS = {"critical": 100, "high": 80, "normal": 50}


def desk_of(**fields: Any) -> CapitalAllocator:
    return CapitalAllocator(roomy(**fields), 200)


@pytest.mark.parametrize(
    ("market", "granted", "bound_by"),
    [
        ("btc-5m", 20, "market_percent"),
        ("btc-1h", 15, "market_absolute"),
        ("eth-5m", 100, "market_absolute"),
        ("BTC-5m", 100, "market_absolute"),
    ],
)
async def test_the_first_profile_that_matches_a_market_limits_it(
    market: str, granted: int, bound_by: str
) -> None:
    desk = desk_of(
        max_exposure_per_market_absolute=100,
        market_profiles=[
            {"pattern": "btc-?m", "max_percent": 10},
            {"pattern": "btc-*", "max_absolute": 15},
            {"pattern": "btc-5m", "max_absolute": 1},
        ],
    )
    verdict = await desk.request_allocation(market, 150)
    assert (verdict.amount, verdict.bound_by) == (granted, bound_by)


async def test_what_a_profile_leaves_out_is_the_general_limit() -> None:
    desk = desk_of(max_exposure_per_market_percent=10, market_profiles=[{"pattern": "m", "max_absolute": 15}])
    assert (await desk.request_allocation("m", 150)).amount == 15
    assert (await desk.request_allocation("n", 150)).amount == 20


async def test_a_profile_may_raise_a_limit() -> None:
    desk = CapitalAllocator({"market_profiles": [{"pattern": "m", "max_percent": 20}]}, 200)
    assert (await desk.request_allocation("m", 150)).amount == 40


async def test_a_group_limits_its_markets_together(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(groups={"btc": {"max_absolute": 50, "patterns": ["btc-*", "bitcoin"]}}))
    assert (await desk.request_allocation("btc-1", 30)).amount == 30
    verdict = await desk.request_allocation("bitcoin", 30)
    assert (verdict.amount, verdict.bound_by) == (20, "group:btc")
    verdict = await desk.request_allocation("btc-2", 30)
    assert (verdict.result, verdict.bound_by) == (Result.GROUP_LIMIT_EXCEEDED, "group:btc")
    assert (await desk.request_allocation("eth-1", 30)).amount == 30
    await desk.release_allocation("btc-1")
    assert (await desk.request_allocation("btc-2", 30)).amount == 30


async def test_a_group_is_named_in_the_request_or_found_by_pattern() -> None:
    desk = desk_of(groups={"a": {"max_absolute": 50, "patterns": ["*"]}, "b": {"max_percent": 5}})
    assert (await desk.request_allocation("m", 100, group="b")).bound_by == "group:b"
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.group) == (10, "b")
    assert (await desk.request_allocation("n", 100)).amount == 50


@pytest.mark.parametrize(("percent", "absolute", "granted"), [(10, 30, 20), (20, 30, 30), (20, None, 40)])
async def test_the_smaller_limit_of_a_group_binds(percent: int, absolute: int | None, granted: int) -> None:
    desk = desk_of(groups={"g": {"max_percent": percent, "max_absolute": absolute, "patterns": ["*"]}})
    assert (await desk.request_allocation("m", 100)).amount == granted


async def test_an_increase_counts_for_the_group_of_its_allocation() -> None:
    desk = desk_of(groups={"a": {"max_absolute": 50}, "b": {"max_absolute": 10, "patterns": ["m*"]}})
    await desk.request_allocation("m", 30, group="a")
    verdict = await desk.increase_allocation("m", 30)
    assert (verdict.amount, verdict.bound_by) == (20, "group:a")
    assert desk.ledger.state.by_group == {"a": 50_000_000}


@pytest.mark.parametrize(("priority", "granted"), [("critical", 200), ("high", 160), ("normal", 100)])
async def test_a_priority_fills_its_share_of_the_total(priority: str, granted: int) -> None:
    desk = desk_of(priority_tiers=TIERS)
    verdict = await desk.request_allocation("m", 200, priority=priority)
    assert (verdict.result, verdict.amount) == (Result.SUCCESS, granted)


async def test_what_normal_requests_may_not_fill_is_left_for_urgent_ones(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(priority_tiers=TIERS, max_total_exposure_percent=50))
    assert (await desk.request_allocation("a", 100)).amount == 50
    verdict = await desk.request_allocation("b", 100)
    assert (verdict.result, verdict.bound_by) == (Result.TOTAL_LIMIT_EXCEEDED, "priority:normal")
    assert (await desk.request_allocation("c", 100, priority="high")).amount == 30
    assert (await desk.request_allocation("d", 100, priority="critical")).amount == 20
    assert (await desk.request_allocation("e", 100, priority="critical")).bound_by == "total"


async def test_a_priority_means_nothing_where_no_tiers_are_configured() -> None:
    desk = desk_of(max_total_exposure_percent=50)
    verdict = await desk.request_allocation("m", 200)
    assert verdict.amount == 100
    assert [room.name for room in verdict.rooms] == ["available", "total", "market_percent"]


async def test_an_increase_of_an_allocation_in_a_named_group_stays_within_its_limit() -> None:
    desk = desk_of(groups={"a": {"max_absolute": 50}})
    await desk.request_allocation("m", 30, group="a")
    await desk.increase_allocation("m", 100)
    assert desk.ledger.state.by_group["a"] <= 50_000_000


async def test_an_increase_draws_on_the_account_of_its_allocation() -> None:
    desk = desk_of(accounts=["venue", "wallet"])
    await desk.transfer(50, "venue", "wallet")
    await desk.request_allocation("m", 30, account="wallet")
    verdict = await desk.increase_allocation("m", 100)
    assert (verdict.amount, verdict.bound_by) == (20, "account:wallet")
