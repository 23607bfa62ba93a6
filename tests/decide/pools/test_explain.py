"""Why a pool is in a plan or not, in words that do not contradict themselves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from capdesk.decide.pools.explain import told_apart
from capdesk.pools import Pool, PoolPlan, explain, optimize_allocations


def plan_without(apy: float, entry: float) -> PoolPlan:
    pools = [Pool(f"p{each}", ("USDC",), "aave", "ethereum", 3.0 + each, 1e8, 1, 5.0) for each in range(6)]
    plan = optimize_allocations(pools, {}, {"USDC": 1e5})
    out = next(each for each in plan.left_out if each.entry_apy is not None)
    return replace(plan, left_out=(replace(out, pool_id="out", apy=apy, entry_apy=entry),))


def test_two_rates_that_differ_are_told_apart() -> None:
    assert told_apart(3.375, 3.39) == ("3.375", "3.39")
    assert told_apart(3.3749999, 3.3750001) == ("3.3749999", "3.3750001")
    said = explain(plan_without(3.3749999, 3.3750001), "out")
    assert said == "out is not used: at 3.3749999 % a year it does not pay; from 3.3750001 % on it would have"


@pytest.mark.parametrize("entry", [3.375, 3.0])
def test_a_pool_that_would_pay_already_is_not_said_to_pay_from_its_own_rate_on(entry: float) -> None:
    said = explain(plan_without(3.375, entry), "out")
    assert said == "out is not used: at 3.375 % a year it adds no more than what is used"
