"""Sleeves on a desk: whose capital a request draws on, and which code refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, Verdict
from tests.desks import ROOMY, VirtualClock, budget, lose, sleeve

SLEEVES = [sleeve("maker", 50), sleeve("taker", 30), sleeve("small", 10, minimum=20)]


def desk_of(dollars: object = 100, **rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**ROOMY, "sleeves": SLEEVES, **rules}, dollars, clock=VirtualClock())


async def ask(
    desk: CapitalAllocator, strategy: str, amount: object, market: str = "m", **more: Any
) -> Verdict:
    return await desk.request_allocation(market, amount, strategy, **more)


async def test_a_request_is_cut_to_what_its_sleeve_has_left() -> None:
    desk = desk_of()
    await ask(desk, "maker", 20)
    verdict = await ask(desk, "maker", 80, "n")

    assert (verdict.result, verdict.amount, verdict.bound_by) == ("success", 30, "sleeve:maker")
    assert "the limit sleeve:maker is $50.00, $20.00 of it in use" in verdict.why


async def test_a_full_sleeve_refuses_and_the_others_go_on() -> None:
    desk = desk_of()
    await ask(desk, "maker", 50)

    refused = await ask(desk, "maker", 10, "n")
    assert (refused.result, refused.amount) == ("sleeve_limit_exceeded", 0)
    assert (await ask(desk, "taker", 30, "n")).amount == 30


async def test_a_minimum_that_the_sleeve_cannot_meet_is_its_limit_too() -> None:
    verdict = await ask(desk_of(), "maker", 60, all_or_none=True)

    assert verdict.result == "sleeve_limit_exceeded"


async def test_what_a_sleeve_gets_back_it_may_have_again() -> None:
    desk = desk_of()
    await ask(desk, "maker", 50)
    await desk.release_allocation("m", -10)

    # Half of the 90 that are left.
    assert (await ask(desk, "maker", 50, "n")).amount == 45


async def test_a_sleeve_under_its_minimum_is_disabled_and_says_why() -> None:
    verdict = await ask(desk_of(), "small", 5)

    assert verdict.result == "strategy_disabled"
    assert verdict.why == "the sleeve small is disabled: $10.00 is its share, its minimum is $20.00"


async def test_a_strategy_without_a_sleeve_is_unknown_and_told_which_there_are() -> None:
    verdict = await ask(desk_of(), "stranger", 5)

    assert verdict.result == "unknown_strategy"
    assert (
        verdict.why == "stranger has no sleeve: the sleeves are maker, taker, small, and none is the default"
    )


async def test_the_default_sleeve_takes_strategies_without_one() -> None:
    desk = desk_of(default_sleeve="taker")
    first = await ask(desk, "stranger", 20)
    second = await ask(desk, "taker", 20, "n")

    assert (first.result, second.amount, second.bound_by) == ("success", 10, "sleeve:taker")
    assert (await budget(desk, "taker")).amount == 30


async def test_without_sleeves_there_are_the_limits_of_seed_001_and_no_sleeve_to_know() -> None:
    desk = CapitalAllocator(None, 1000, clock=VirtualClock())
    verdict = await ask(desk, "anyone", 100)

    assert (verdict.amount, verdict.bound_by) == (50, "market_percent")
    assert [room.name for room in verdict.rooms] == [
        "available",
        "total",
        "market_percent",
        "market_absolute",
    ]


async def test_rooms_stand_in_the_order_of_precedence() -> None:
    desk = desk_of(groups={"all": {"max_percent": 90, "patterns": ["*"]}})
    verdict = await ask(desk, "maker", 5)

    assert [room.name for room in verdict.rooms] == [
        "available",
        "total",
        "sleeve:maker",
        "group:all",
        "market_percent",
    ]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({}, "sleeve_limit_exceeded"),
        ({"max_total_exposure_percent": 50}, "total_limit_exceeded"),
        ({"groups": {"all": {"max_percent": 50, "patterns": ["*"]}}}, "sleeve_limit_exceeded"),
        ({"groups": {"all": {"max_percent": 49, "patterns": ["*"]}}}, "group_limit_exceeded"),
    ],
)
async def test_limits_that_leave_the_same_room_answer_in_order(rules: dict[str, Any], code: str) -> None:
    desk = desk_of(**rules)
    await ask(desk, "maker", 50)

    assert (await ask(desk, "maker", 10, "n")).result == code


@pytest.mark.parametrize(
    ("strategy", "amount", "market", "code"),
    [
        ("stranger", 0, "m", "unknown_strategy"),
        ("small", 0, "m", "strategy_disabled"),
        ("maker", 0, "m", "invalid_amount"),
        ("maker", 5, "m", "already_allocated"),
        ("taker", 5, "m", "already_allocated"),
        ("maker", 5, "n", "sleeve_limit_exceeded"),
    ],
)
async def test_reasons_come_in_their_order(strategy: str, amount: int, market: str, code: str) -> None:
    desk = desk_of()
    await ask(desk, "maker", 50)

    assert (await ask(desk, strategy, amount, market)).result == code


async def test_an_increase_draws_on_the_sleeve_as_well() -> None:
    desk = desk_of()
    await ask(desk, "maker", 30)
    verdict = await desk.increase_allocation("m", 40)

    assert (verdict.amount, verdict.bound_by) == (20, "sleeve:maker")


async def test_legs_of_one_sleeve_are_granted_together_or_not_at_all() -> None:
    desk = desk_of()
    legs = [{"market_id": market, "requested_amount": 30, "strategy": "maker"} for market in ("m", "n")]
    refused = await desk.request_allocations(legs)
    assert {leg.result.value for leg in refused} == {"sleeve_limit_exceeded"}
    assert await desk.get_allocations() == []
    legs[1]["requested_amount"] = 20

    assert [leg.amount for leg in await desk.request_allocations(legs)] == [30, 20]


async def test_budgets_follow_equity_at_once() -> None:
    desk = desk_of()
    await lose(desk, 50)
    assert (await budget(desk, "maker")).amount == 25
    await lose(desk, -150)
    assert (await budget(desk, "maker")).amount == 100
    assert (await budget(desk, "small")).enabled


async def test_marks_move_budgets_too() -> None:
    desk = desk_of()
    await ask(desk, "maker", 50)
    await desk.mark_allocation("m", 30)

    assert (await budget(desk, "taker")).amount == 24


@pytest.mark.parametrize(("idle", "amount"), [("keep", 30), ("share", Amount("33.75"))])
async def test_what_a_disabled_sleeve_leaves_is_kept_or_shared(idle: str, amount: object) -> None:
    desk = desk_of(idle=idle)

    # The 10 of the small sleeve go to 50 and 30 in that proportion.
    assert (await ask(desk, "taker", 90)).amount == amount


@pytest.mark.parametrize(("compounding", "amount"), [("full", 100), ("half", 75), ("fixed", 50)])
async def test_how_much_profit_enters_the_budgets(compounding: str, amount: int) -> None:
    desk = desk_of(compounding=compounding)
    await lose(desk, -100)

    assert (await ask(desk, "maker", 200)).amount == amount


async def test_a_dropped_sleeves_strategy_is_unknown_and_its_allocation_stays() -> None:
    desk = desk_of()
    await ask(desk, "taker", 30)
    await desk.update_mandate({**ROOMY, "sleeves": SLEEVES[:1]}, reason="the taker retires")

    assert (await ask(desk, "taker", 5, "n")).result == "unknown_strategy"
    (held,) = await desk.get_allocations()
    assert (held.strategy, held.amount) == ("taker", 30)


async def test_sleeves_may_come_and_go_around_open_allocations() -> None:
    desk = CapitalAllocator(ROOMY, 100, clock=VirtualClock())
    await ask(desk, "maker", 40, "before")
    await desk.update_mandate({**ROOMY, "sleeves": SLEEVES}, reason="sleeves from now on")

    # What the strategy holds already is in its sleeve from the first moment on.
    more = await ask(desk, "maker", 90)
    assert (more.amount, more.bound_by) == (10, "sleeve:maker")
    await desk.update_mandate(ROOMY, reason="no sleeves again")
    await desk.release_allocation("before")
    assert (await ask(desk, "stranger", 90, "o")).amount == 90


async def test_a_strategy_that_gets_a_sleeve_of_its_own_takes_its_capital_out_of_the_default_one() -> None:
    desk = CapitalAllocator(
        {**ROOMY, "sleeves": SLEEVES, "default_sleeve": "taker"}, 100, clock=VirtualClock()
    )
    await ask(desk, "stranger", 25)
    await desk.update_mandate(
        {**ROOMY, "sleeves": [*SLEEVES[:2], sleeve("stranger", 15)], "default_sleeve": "taker"},
        reason="its own",
    )

    assert (await ask(desk, "taker", 90, "n")).amount == 30
    await desk.review()
    assert [(recall.sleeve, recall.amount) for recall in await desk.get_recalls()] == [("stranger", 10)]


async def test_a_sleeve_keeps_its_use_through_a_change_of_its_share() -> None:
    desk = desk_of()
    await ask(desk, "maker", 40)
    await desk.update_mandate({**ROOMY, "sleeves": [sleeve("maker", 45)]}, reason="a little less")

    assert (await ask(desk, "maker", 40, "n")).amount == 5
