"""Fifty billion dollars are planned as safely as a million: a solver's tolerance is a part of all assets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from capdesk.decide.pools import exact, planning
from capdesk.decide.pools.building import state
from capdesk.model.money import Amount
from capdesk.model.pools import Piecewise, Pool
from tests.decide.pools import instances

LARGE = 50e9


def large(seed: int) -> instances.Instance:
    """A random treasury with every sum multiplied so that all of it is $50bn."""
    pools, holdings, cash, parameters = instances.small(seed)
    times = LARGE / (sum(cash.values()) + sum(each.value_usd for each in holdings.values()))
    return (
        [_scaled(pool, times) for pool in pools],
        {name: replace(each, value_usd=each.value_usd * times) for name, each in holdings.items()},
        {token: amount * times for token, amount in cash.items()},
        replace(parameters, minimum_move_usd=parameters.minimum_move_usd * times),
    )


def _scaled(pool: Pool, times: float) -> Pool:
    model, liquid = pool.rate_model, pool.withdrawable_usd
    if isinstance(model, Piecewise):
        model = replace(model, deposits=tuple(each * times for each in model.deposits))
    return replace(
        pool,
        forecasted_tvl=pool.forecasted_tvl * times,
        withdrawable_usd=None if liquid is None else liquid * times,
        rate_model=model,
    )


@pytest.mark.parametrize("seed", [3, 21, 78, 84, 118])
def test_fifty_billion_dollars_are_planned_and_reconcile(seed: int) -> None:
    given = large(seed)
    plan = planning.plan(*given, None, exact.solve)
    assert plan.gap <= 1e-6
    assert plan.certificate.worst_violation <= 1e-9 * LARGE
    before = sum(given[2].values()) + sum(each.value_usd for each in given[1].values())
    after = sum(plan.allocations.values(), Amount(0)) + plan.cash + plan.costs.total
    assert float(after) == pytest.approx(before, abs=1e-4)
    p = state(*given).problem
    smallest = min((float(step.amount) for step in plan.transactions if step.pool_id), default=p.moved * 2)
    assert smallest > p.moved
