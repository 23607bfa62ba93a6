"""What staying places obeys the limits that a new plan obeys: the number of pools, and no cash left over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from capdesk.decide.pools import building
from capdesk.decide.pools.reallocation import Prospect, decide
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.model.pools import Holding, Pool
from capdesk.pools import optimize_allocations

WIDE = {
    "group1_max_pct": 1.0,
    "max_alloc_percentage": 1.0,
    "position_max_pct_total_assets": 1.0,
}


def pool(name: str, apy: float, gas: float, **fields: Any) -> Pool:
    return Pool(name, ("USDC",), "aave", "ethereum", apy, 1e9, 1, gas, 1.0, **fields)


POOLS = [pool("held", 4.0, 1.0, status="reduce"), pool("good", 4.0, 1.0), pool("dear", 4.0, 500.0)]


def plan_of(cash: float, **parameters: Any) -> PoolPlan:
    return optimize_allocations(POOLS, {"held": 1_000.0}, {"USDC": cash}, {**WIDE, **parameters})


def test_staying_places_new_money_in_no_fewer_pools_than_a_new_plan() -> None:
    plan = plan_of(300_000.0, min_pools=3)
    assert len(plan.allocations) == 3
    assert plan.decision.net_stay == pytest.approx(plan.decision.net_new, abs=1e-3)
    assert len(plan_of(300_000.0, min_pools=2).allocations) == 2


def test_a_number_of_pools_that_yesterdays_yield_cannot_reach_forces_nothing() -> None:
    plan = plan_of(400.0, min_pools=3)
    assert plan.decision.kind == "place_yield"
    assert plan.allocations["held"] == 1_000


def test_staying_leaves_no_cash_where_none_is_allowed() -> None:
    plan = plan_of(100_000.0, min_pools=1, allow_cash=False, horizon_days=0.001)
    assert plan.decision.net_new < 0
    assert plan.cash == 0
    assert set(plan.allocations) == {"held", "good"}


def test_staying_that_cannot_place_all_is_no_alternative_where_no_cash_is_allowed() -> None:
    pools = [pool("held", 4.0, 1.0), pool("twin", 1.0, 50.0)]
    parameters = {**WIDE, "min_pools": 1, "allow_cash": False, "minimum_move_usd": 5_000.0}
    plan = optimize_allocations(pools, {"held": 100_000.0}, {"USDC": 500.0}, parameters)
    assert plan.cash == 0
    assert plan.decision.kind == "reallocate"
    assert plan.decision.reason.startswith("staying leaves cash, which allow_cash forbids")


def test_a_solvers_rounding_is_no_win_over_staying() -> None:
    its = building.state(POOLS, {"held": Holding(1_000.0)}, {}, PoolParameters())
    nothing = np.zeros(its.problem.size)
    stay = Prospect(3.0, nothing)
    for more, kind in ((1e-13, "place_yield"), (1e-3, "reallocate")):
        made = decide(its, Prospect(3.0 + more, nothing), stay, stay_places_all=True)
        assert made.kind == kind
