"""What a request gets: codes and their precedence, cuts, and the orders a grant is split into."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk import AllocationResult as Result
from capdesk import Amount, CapitalAllocator
from tests.desk.conftest import MakeDesk
from tests.desk.support import length, roomy


def limited(**fields: Any) -> CapitalAllocator:
    return CapitalAllocator(roomy(**fields), 200)


async def test_a_request_within_all_limits_is_granted_in_full(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    result, amount = verdict = await desk.request_allocation("m", 7.5, "momentum")
    assert (result, amount) == (Result.SUCCESS, Amount("7.5"))
    assert (verdict.granted, verdict.asked, verdict.bound_by) == (True, 7.5, None)
    assert (verdict.market_id, verdict.strategy, verdict.mandate_version) == ("m", "momentum", 1)
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.strategy, held.confirmed) == (7.5, "momentum", True)


def test_codes_are_lower_case_text() -> None:
    assert Result.TOTAL_LIMIT_EXCEEDED == "total_limit_exceeded"
    assert all(code.value == code.name.lower() for code in Result)


@pytest.mark.parametrize(
    ("fields", "asked", "granted", "bound_by"),
    [
        ({"max_exposure_per_market_percent": 5}, 15, 10, "market_percent"),
        ({"max_exposure_per_market_absolute": 8}, 15, 8, "market_absolute"),
        ({"max_total_exposure_percent": 30}, 70, 60, "total"),
        ({}, 300, 200, "available"),
        ({"groups": {"btc": {"max_absolute": 12, "patterns": ["m*"]}}}, 15, 12, "group:btc"),
        ({"priority_tiers": {"critical": 100, "high": 50, "normal": 5}}, 15, 10, "priority:normal"),
        ({"accounts": ["main", "other"]}, 300, 200, "available"),
    ],
)
async def test_a_grant_is_cut_to_the_tightest_limit(
    fields: dict[str, Any], asked: int, granted: int, bound_by: str
) -> None:
    verdict = await limited(**fields).request_allocation("m", asked)
    assert (verdict.result, verdict.amount, verdict.bound_by) == (Result.SUCCESS, granted, bound_by)
    assert min(room.room for room in verdict.rooms) == granted
    assert f"granted ${granted}.00 of ${asked}.00" in verdict.why
    assert bound_by in verdict.why


@pytest.mark.parametrize(
    ("fields", "code", "bound_by"),
    [
        ({}, Result.INSUFFICIENT_CAPITAL, "available"),
        ({"max_total_exposure_percent": 50}, Result.TOTAL_LIMIT_EXCEEDED, "total"),
        (
            {"priority_tiers": {"critical": 100, "high": 60, "normal": 50}},
            Result.TOTAL_LIMIT_EXCEEDED,
            "priority:normal",
        ),
        (
            {"groups": {"btc": {"max_percent": 50, "patterns": ["*"]}}},
            Result.GROUP_LIMIT_EXCEEDED,
            "group:btc",
        ),
    ],
)
async def test_a_limit_without_room_refuses_with_its_code(
    fields: dict[str, Any], code: Result, bound_by: str
) -> None:
    desk = limited(**fields)
    await desk.request_allocation("first", 200)
    verdict = await desk.request_allocation("m", 5)
    assert (verdict.result, verdict.amount, verdict.bound_by) == (code, 0, bound_by)
    assert not verdict.granted
    assert "refused $5.00" in verdict.why


@pytest.mark.parametrize("field", ["max_exposure_per_market_percent", "max_exposure_per_market_absolute"])
async def test_a_market_limit_below_the_minimum_order_refuses_with_its_code(field: str) -> None:
    desk = limited(**{field: 1}, min_order_size=3)
    verdict = await desk.request_allocation("m", 5)
    assert (verdict.result, verdict.bound_by) == (
        Result.MARKET_LIMIT_EXCEEDED,
        field.replace("max_exposure_per_", ""),
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"max_exposure_per_market_absolute": 100}, Result.INSUFFICIENT_CAPITAL),
        (
            {"max_total_exposure_percent": 50, "max_exposure_per_market_percent": 50},
            Result.TOTAL_LIMIT_EXCEEDED,
        ),
        (
            {"groups": {"g": {"max_percent": 50, "patterns": ["*"]}}, "max_exposure_per_market_percent": 50},
            Result.GROUP_LIMIT_EXCEEDED,
        ),
    ],
)
async def test_limits_with_the_same_room_answer_in_the_order_of_precedence(
    fields: dict[str, Any], code: Result
) -> None:
    """Every limit of the case leaves $100 for a market, of which all or none of $150 was asked."""
    desk = limited(**fields)
    if code is Result.INSUFFICIENT_CAPITAL:
        await desk.withdraw(100)
    verdict = await desk.request_allocation("m", 150, all_or_none=True)
    assert min(room.room for room in verdict.rooms) == 100
    assert sum(room.room == 100 for room in verdict.rooms) >= 2
    assert verdict.result is code


async def test_an_amount_that_is_too_small_answers_before_a_market_that_is_taken() -> None:
    desk = limited()
    await desk.request_allocation("m", 5)
    assert (await desk.request_allocation("m", "0.99")).result is Result.INVALID_AMOUNT
    assert (await desk.request_allocation("m", 1)).result is Result.ALREADY_ALLOCATED


async def test_a_market_that_is_taken_answers_before_any_limit() -> None:
    desk = limited()
    await desk.request_allocation("m", 200)
    assert (await desk.request_allocation("m", 5, "other")).result is Result.ALREADY_ALLOCATED


async def test_a_grant_below_the_minimum_order_is_refused_with_what_made_it_small() -> None:
    desk = limited(min_order_size=5, max_total_exposure_percent=50)
    await desk.request_allocation("a", 96)
    verdict = await desk.request_allocation("b", 10)
    assert (verdict.result, verdict.amount) == (Result.TOTAL_LIMIT_EXCEEDED, 0)
    assert "$4.00 is left" in verdict.why
    assert "minimum order" in verdict.why


async def test_a_grant_of_exactly_the_minimum_order_is_given() -> None:
    desk = limited(min_order_size=5, max_total_exposure_percent=50)
    await desk.request_allocation("a", 95)
    assert (await desk.request_allocation("b", 10)).amount == 5


@pytest.mark.parametrize(("least", "granted"), [(9, 10), (10, 10), ("10.000001", 0), (12, 0)])
async def test_min_amount_refuses_a_smaller_grant(least: object, granted: int) -> None:
    desk = limited(max_exposure_per_market_absolute=10)
    verdict = await desk.request_allocation("m", 15, min_amount=least)
    assert verdict.amount == granted
    assert verdict.result is (Result.SUCCESS if granted else Result.MARKET_LIMIT_EXCEEDED)


@pytest.mark.parametrize(("asked", "granted"), [(10, 10), ("10.000001", 0)])
async def test_all_or_none_is_never_cut(asked: object, granted: int) -> None:
    desk = limited(max_exposure_per_market_absolute=10)
    verdict = await desk.request_allocation("m", asked, all_or_none=True)
    assert verdict.amount == granted
    assert verdict.granted is bool(granted)


async def test_rooms_show_every_limit_before_the_request() -> None:
    desk = CapitalAllocator(None, 200)
    await desk.request_allocation("a", 8)
    verdict = await desk.request_allocation("b", 8)
    assert verdict.rooms == (
        ("available", 200, 8, 192),
        ("total", 60, 8, 52),
        ("market_percent", 10, 0, 10),
        ("market_absolute", 50, 0, 50),
    )


async def test_what_is_asked_is_rounded_down_to_the_unit() -> None:
    verdict = await limited().request_allocation("m", "5.0000019")
    assert verdict.asked == verdict.amount == Amount("5.000001")


async def test_a_quote_is_the_verdict_that_a_request_would_get_and_takes_nothing(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    before, report = length(desk), desk.get_allocation_report()
    quote = await desk.quote("m", 15, "momentum", min_amount=2)
    assert (length(desk), desk.get_allocation_report()) == (before, report)
    verdict = await desk.request_allocation("m", 15, "momentum", min_amount=2)
    assert quote.outcome == verdict.outcome
    assert (await desk.quote("m", 15)).result is Result.ALREADY_ALLOCATED
    assert (await desk.quote("m", 0)).result is Result.INVALID_AMOUNT


async def test_an_increase_adds_to_what_is_open_under_the_same_limits(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("m", 6)
    verdict = await desk.increase_allocation("m", 6)
    assert (verdict.amount, verdict.bound_by) == (4, "market_percent")
    held = await desk.get_allocation("m")
    assert held is not None
    assert held.amount == 10
    assert (await desk.increase_allocation("m", 6)).result is Result.MARKET_LIMIT_EXCEEDED
    assert (await desk.increase_allocation("other", 6)).result is Result.NOT_ALLOCATED
