"""The decision: forced only by what may not stay, and every limit kept whichever way it falls."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from capdesk.pools import Holding, Pool, PoolPlan, explain, optimize_allocations

STAY: dict[str, Any] = {
    "group1_max_pct": 1.0,
    "max_alloc_percentage": 1.0,
    "position_max_pct_total_assets": 1.0,
    "reallocation_margin": 100.0,
    "yesterday_yield_usd": 40.0,
}
"""Limits that leave room, and a margin that no plan wins by."""


def pool(name: str, apy: float, tvl: float = 1e8, **fields: Any) -> Pool:
    return Pool(name, ("USDC",), "aave", "ethereum", apy, tvl, 1, 1.0, 1.0, **fields)


POOLS = [pool("a", 4.0), pool("b", 5.0), pool("c", 6.0), pool("d", 7.0)]
SHRUNK = [pool("a", 4.0, 2_100_000.0), *POOLS[1:]]
HELD: dict[str, float | Holding] = {"a": 200_000.0, "b": 300_000.0}
LIMIT = 0.05 * (2_100_000 - 200_000)


def plan_of(pools: list[Pool], held: dict[str, float | Holding] = HELD, **parameters: Any) -> PoolPlan:
    return optimize_allocations(pools, held, {"USDC": 40.0}, STAY | parameters)


def test_a_pool_that_shrank_under_a_position_takes_the_excess_out_and_moves_nothing_else() -> None:
    plan = plan_of(SHRUNK)
    assert plan.decision.kind == "place_yield"
    (breach,) = plan.decision.breaches
    assert (breach.limit, breach.pool_id) == ("tvl_limit_percentage", "a")
    assert (breach.allowed, breach.held) == pytest.approx((LIMIT, 200_000))
    assert breach.excess == pytest.approx(200_000 - LIMIT)
    (trim,) = plan.decision.trimmed
    assert (trim.pool_id, trim.amount, trim.limits) == ("a", Decimal("105000"), ("tvl_limit_percentage",))
    assert trim.reason == "tvl_limit_percentage allows $95,000.00, $200,000.00 is held: $105,000.00 too much"
    assert plan.allocations == {"a": 95_000, "b": 300_000}
    (step,) = plan.transactions
    assert (step.verb, step.pool_id, step.reason) == ("withdraw", "a", trim.reason)
    assert plan.cash == 40 + 105_000 - 1
    assert "$105,000.00 leave a" in plan.decision.reason
    assert explain(plan, "a").endswith(trim.reason)


def test_a_plan_that_wins_ends_the_breach_too() -> None:
    plan = plan_of(SHRUNK, reallocation_margin=0.0, yesterday_yield_usd=None)
    assert plan.decision.kind == "reallocate"
    assert [each.pool_id for each in plan.decision.breaches] == ["a"]
    assert plan.allocations.get("a", 0) <= Decimal("95000")
    assert "it ends 1 broken limit" in plan.decision.reason


def test_growth_within_the_tolerance_is_no_breach_and_moves_nothing() -> None:
    plan = plan_of(POOLS, token_max_pct={"USDC": 0.99}, growth_tolerance=0.02)
    assert plan.decision.breaches == plan.decision.trimmed == plan.transactions == ()
    beyond = plan_of(POOLS, token_max_pct={"USDC": 0.9}, growth_tolerance=0.02)
    assert beyond.decision.kind == "place_yield"
    assert [each.limit for each in beyond.decision.breaches] == ["token_max_pct usdc"]
    (trim,) = beyond.decision.trimmed
    assert trim.pool_id == "a"
    assert float(trim.amount) == pytest.approx(500_000 - 0.9 * 500_040)


@pytest.mark.parametrize("status", ["freeze", "reduce", "open"])
def test_only_what_may_not_be_held_forces_the_new_plan(status: Any) -> None:
    assert plan_of([replace(SHRUNK[0], status=status), *POOLS[1:]]).decision.kind == "place_yield"
    gone = plan_of([replace(SHRUNK[0], status="exit", reason="USDC is iced"), *POOLS[1:]])
    assert gone.decision.kind == "forced"
    assert [each.reason for each in gone.decision.forced] == ["USDC is iced"]
    assert gone.decision.breaches == ()


@pytest.mark.parametrize(
    ("fields", "parameters", "why"),
    [
        ({"status": "freeze", "reason": "USDC is iced"}, {}, "USDC is iced"),
        ({}, {"cool_down_days": 3.0}, "moved 1 days ago, the cool-down is 3 days"),
        ({"withdrawable_usd": 0.0}, {}, "only $0.00 of $200,000.00 can be withdrawn"),
    ],
)
def test_a_breach_that_cannot_be_ended_is_told_with_what_keeps_it(
    fields: dict[str, Any], parameters: dict[str, Any], why: str
) -> None:
    pools = [replace(SHRUNK[0], **fields), *POOLS[1:]]
    plan = plan_of(pools, {"a": Holding(200_000, 1.0), "b": 300_000.0}, **parameters)
    assert plan.decision.kind == "place_yield"
    (breach,) = plan.decision.breaches
    assert breach.stuck == pytest.approx(105_000)
    assert breach.reason.endswith(f"$105,000.00 too much, of which $105,000.00 cannot leave: {why}")
    assert plan.decision.trimmed == plan.transactions == ()
    assert "nothing can leave" in plan.decision.reason
    (position,) = [each for each in plan.positions if each.pool_id == "a"]
    assert position.stuck == 105_000
    assert why in explain(plan, "a")


def test_a_shared_limit_tells_whose_money_is_stuck_in_it() -> None:
    pools = [replace(POOLS[0], withdrawable_usd=50_000.0), *POOLS[1:]]
    plan = plan_of(pools, token_max_pct={"USDC": 0.2})
    (breach,) = plan.decision.breaches
    assert breach.stuck == pytest.approx(150_000 - 0.2 * 500_040)
    assert breach.reason.endswith("cannot leave: a: only $50,000.00 of $200,000.00 can be withdrawn")
    assert {each.pool_id: each.amount for each in plan.decision.trimmed} == {"a": 50_000, "b": 300_000}


def test_more_than_the_breach_is_taken_out_only_with_its_reason() -> None:
    smallest = plan_of(SHRUNK, minimum_move_usd=150_000.0)
    (trim,) = smallest.decision.trimmed
    assert trim.amount == 150_000
    assert trim.reason.endswith("$105,000.00 too much; the smallest move is $150,000.00")
    whole = plan_of(SHRUNK, minimum_ticket_usd=100_000.0)
    (trim,) = whole.decision.trimmed
    assert trim.amount == 200_000
    assert trim.reason.endswith("what would remain is under the smallest position of $100,000.00")


def test_a_position_that_breaks_two_limits_is_trimmed_once_and_told_both() -> None:
    plan = plan_of(SHRUNK, protocol_max_pct={"aave": 0.75})
    (trim,) = plan.decision.trimmed
    assert (trim.pool_id, trim.limits) == ("a", ("tvl_limit_percentage", "protocol_max_pct aave"))
    assert float(trim.amount) == pytest.approx(500_000 - 0.75 * 500_040)


def test_a_number_of_pools_that_is_broken_is_kept_by_leaving_the_poorest() -> None:
    plan = plan_of(POOLS, max_pools=1, min_pools=1)
    (breach,) = plan.decision.breaches
    assert (breach.limit, breach.allowed, breach.held) == ("max_pools", 1, 2)
    assert [each.pool_id for each in plan.decision.trimmed] == ["a"]
    assert plan.allocations == {"b": 300_000}


def test_staying_is_worth_what_the_trimmed_positions_earn() -> None:
    plan = plan_of(SHRUNK, horizon_days=365.0)
    income = 95_000 * math.log(1.04) + 300_040 * math.log(1.05)
    assert plan.decision.net_stay == pytest.approx(income - 2.0, abs=1e-3)
