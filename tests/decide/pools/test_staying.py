"""Staying: what is taken out to keep the limits, that it is the least and the cheapest, and what is placed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from capdesk.decide.pools import building, exact, whole
from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.certificate import certify
from capdesk.decide.pools.problem import Array, PoolProblem
from capdesk.decide.pools.staying import curing, staying
from capdesk.model.pool_parameters import ChainCosts, PoolParameters
from capdesk.model.pools import Holding, Pool
from tests.decide.pools import instances

PLENTY = 1e9


def pool(name: str, apy: float, token: str = "USDC", **fields: Any) -> Pool:
    return Pool(
        name, (token,), "aave", "ethereum", apy, fields.pop("forecasted_tvl", PLENTY), 1, 3.0, 3.0, **fields
    )


def desk_of(
    pools: list[Pool], held: Mapping[str, float | Holding], cash: float = 0.0, **parameters: Any
) -> Desk:
    holdings = {name: each if isinstance(each, Holding) else Holding(each) for name, each in held.items()}
    chosen: dict[str, Any] = {
        "group1_max_pct": 1.0,
        "max_alloc_percentage": 1.0,
        "position_max_pct_total_assets": 1.0,
    }
    return building.state(
        pools,
        holdings,
        {"ethereum:USDC": cash} if cash else {},
        PoolParameters(**(chosen | parameters)),
    )


def trims(desk: Desk) -> dict[str, float]:
    """What is taken out of each pool, to the cent."""
    cure = curing(desk)
    if cure is None:
        return {}
    out = exact.solve(cure).answer.withdrawals
    return {
        name: round(float(amount), 2)
        for name, amount in zip(desk.problem.pool_ids, out, strict=True)
        if amount > 0.005
    }


TWO = [pool("low", 2.0), pool("high", 6.0), pool("dai", 4.0, "DAI")]


def test_what_keeps_its_limits_is_not_touched() -> None:
    assert curing(desk_of(TWO, {"low": 100_000, "high": 100_000}, token_max_pct={"USDC": 1.0})) is None


def test_a_shared_limit_is_kept_by_the_position_that_earns_least() -> None:
    desk = desk_of(TWO, {"low": 300_000, "high": 300_000, "dai": 400_000}, token_max_pct={"USDC": 0.5})
    assert trims(desk) == {"low": 100_000}


def test_gas_decides_where_yields_are_alike() -> None:
    alike = [pool("a", 4.0, withdrawable_usd=60_000.0), pool("b", 4.0), pool("dai", 4.0, "DAI")]
    desk = desk_of(alike, {"a": 300_000, "b": 300_000, "dai": 400_000}, token_max_pct={"USDC": 0.5})
    assert trims(desk) == {"b": 100_000}


def test_a_position_under_its_pools_shrunken_tvl_gives_up_just_the_excess() -> None:
    shrunk = [pool("low", 2.0, forecasted_tvl=1_100_000.0), *TWO[1:]]
    desk = desk_of(shrunk, {"low": 100_000, "high": 400_000})
    assert trims(desk) == {"low": 50_000}
    assert trims(desk_of(shrunk, {"low": 100_000, "high": 400_000}, growth_tolerance=1.0)) == {}


def test_one_position_ends_two_breaches_with_one_withdrawal() -> None:
    shrunk = [pool("low", 2.0, forecasted_tvl=1_300_000.0), *TWO[1:]]
    desk = desk_of(shrunk, {"low": 300_000, "high": 300_000, "dai": 400_000}, token_max_pct={"USDC": 0.35})
    # Its own limit asks for 250,000 of it, the token's for 250,000 of both.
    assert trims(desk) == {"low": 250_000}


def test_a_breach_smaller_than_the_smallest_move_takes_the_smallest_move() -> None:
    held = {"low": 300_000, "high": 300_000, "dai": 400_000}
    rules: dict[str, Any] = {"token_max_pct": {"USDC": 0.56}, "minimum_move_usd": 90_000.0}
    assert trims(desk_of(TWO, held, **rules)) == {"low": 90_000}
    rules["minimum_ticket_usd"] = 250_000.0
    assert trims(desk_of(TWO, held, **rules)) == {"low": 300_000}


def test_without_cash_a_withdrawal_brings_its_own_gas() -> None:
    dear = [replace(TWO[0], gas_out_usd=80.0, forecasted_tvl=2_100_000.0), *TWO[1:]]
    held = {"low": 100_050.0, "high": 400_000.0}
    rules: dict[str, Any] = {"growth_tolerance": 0.0}
    overdue = 100_050.0 - 0.05 * (2_100_000 - 100_050)
    assert overdue == pytest.approx(52.5)
    assert trims(desk_of(dear, held, **rules)) == {"low": 80.0}
    assert trims(desk_of(dear, held, cash=1_000.0, **rules)) == {"low": 52.5}


def test_nothing_is_taken_out_beyond_the_breach_of_a_position_that_loses_money() -> None:
    bad = [pool("low", 0.0), pool("worse", -30.0), pool("dai", 4.0, "DAI")]
    held = {"low": 300_000, "worse": 300_000, "dai": 400_000}
    desk = desk_of(bad, held, token_max_pct={"USDC": 0.5}, cash_apy=5.0)
    assert trims(desk) == {"worse": 100_000}


def test_too_many_pools_are_brought_to_their_number() -> None:
    desk = desk_of(TWO, {"low": 300_000, "high": 300_000, "dai": 400_000}, max_pools=2, min_pools=1)
    assert trims(desk) == {"low": 300_000}


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({"status": "freeze"}, {}),
        ({}, {"cool_down_days": 3.0}),
        ({}, {"max_gas_gwei": 1.0, "chains": {"ethereum": ChainCosts(5.0, 1.0)}}),
    ],
    ids=["freeze", "cool-down", "gas ceiling"],
)
def test_what_may_not_leave_is_no_reason_to_move_anything_else(
    fields: dict[str, Any], parameters: dict[str, Any]
) -> None:
    shrunk = [pool("low", 2.0, forecasted_tvl=1_100_000.0, **fields), *TWO[1:]]
    held = {"low": Holding(100_000, 1.0), "high": Holding(400_000, 1.0)}
    assert trims(desk_of(shrunk, held, **parameters)) == {}


def test_the_rest_of_a_stuck_excess_is_taken_from_others_in_the_limit() -> None:
    stuck = [replace(TWO[0], withdrawable_usd=40_000.0), *TWO[1:]]
    held = {"low": 300_000, "high": 300_000, "dai": 400_000}
    assert trims(desk_of(stuck, held, token_max_pct={"USDC": 0.5})) == {"low": 40_000, "high": 60_000}
    most = desk_of(stuck, held, token_max_pct={"USDC": 0.1})
    assert trims(most) == {"low": 40_000, "high": 300_000}


def worth_of_staying(desk: Desk) -> float:
    cure = curing(desk)
    out = np.zeros(desk.problem.size) if cure is None else exact.solve(cure).answer.withdrawals
    stay = staying(desk, out)
    return exact.solve(stay.problem).answer.objective + stay.idle_income()


def test_the_cheapest_trims_are_those_of_an_enumeration() -> None:
    pools = [pool("a", 2.0), pool("b", 2.5), pool("c", 3.0, "DAI"), pool("d", 3.5, "DAI")]
    pools = [replace(each, gas_out_usd=gas) for each, gas in zip(pools, (90.0, 10.0, 5.0, 40.0), strict=True)]
    held = {"a": 250_000.0, "b": 50_000.0, "c": 300_000.0, "d": 400_000.0}
    desk = desk_of(pools, held, token_max_pct={"USDC": 0.26, "DAI": 0.62}, minimum_move_usd=30_000.0)
    income = {each.pool_id: np.log1p(each.forecasted_apy / 100) * 30 / 365 for each in pools}
    gas = {each.pool_id: each.gas_out_usd for each in pools}
    step = 10_000

    def cost(taken: dict[str, int]) -> float:
        return sum(amount * income[name] + gas[name] for name, amount in taken.items() if amount)

    ways = {name: [0, *range(30_000, int(amount) + 1, step)] for name, amount in held.items()}
    best = min(
        (
            dict(zip(ways, taken, strict=True))
            for taken in product(*ways.values())
            if 300_000 - taken[0] - taken[1] <= 260_000 and 700_000 - taken[2] - taken[3] <= 620_000
        ),
        key=cost,
    )
    assert trims(desk) == {name: amount for name, amount in best.items() if amount}


def test_what_was_taken_out_may_be_placed_where_all_cash_is_yesterdays_yield() -> None:
    shrunk = [pool("low", 6.0, forecasted_tvl=1_100_000.0), pool("high", 6.0), pool("new", 5.0)]
    held = {"low": 100_000.0, "high": 400_000.0}
    free = desk_of(shrunk, held, 2_000.0)
    stay = staying(free, np.array([50_000.0, 0.0, 0.0]))
    placed = exact.solve(stay.problem).answer.deposits.sum()
    assert placed == pytest.approx(52_000, abs=50)
    given = desk_of(shrunk, held, 2_000.0, yesterday_yield_usd=1_500.0)
    stay = staying(given, np.array([50_000.0, 0.0, 0.0]))
    answer = exact.solve(stay.problem).answer
    assert answer.deposits.sum() == pytest.approx(1_500, abs=5)
    assert answer.withdrawals.sum() == pytest.approx(50_000)


def checked(problem: PoolProblem, seed: int) -> Array:
    """The exact answer's withdrawals, once HiGHS has found the same optimum of the whole program."""
    reference, solved = whole.solve(problem), exact.solve(problem)
    proof = certify(problem, solved)
    tolerance = 2e-6 * max(1.0, abs(reference.objective)) + 1e-5
    assert proof.objective == pytest.approx(reference.objective, abs=tolerance), seed
    assert proof.gap <= 1.01e-6, seed
    assert proof.worst_violation < 1e-3, seed
    return solved.answer.withdrawals


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_staying_can_always_be_solved_takes_the_least_and_is_the_optimum(first: int) -> None:
    cured = 0
    for seed in range(first, first + 30):
        pools, holdings, cash, parameters = instances.small(seed)
        fresh = 0.3 * sum(cash.values())
        if seed % 2:
            parameters = replace(parameters, yesterday_yield_usd=fresh)
        desk = building.state(pools, holdings, cash, parameters)
        p, cure = desk.problem, curing(desk)
        out = np.zeros(p.size)
        if cure is not None:
            cured += 1
            out = checked(cure, seed)
            assert (p.limits @ (p.held - out) <= p.limit_caps + 0.01).all(), seed
            assert_least(p, out, seed)
        stay = staying(desk, out).problem
        np.testing.assert_allclose(checked(stay, seed), out, atol=1e-4)
        if seed % 2:
            assert exact.solve(stay).answer.deposits.sum() <= fresh + 0.01, seed
    assert cured > 10


def assert_least(p: PoolProblem, out: Array, seed: int) -> None:
    """A dollar less of any part withdrawal breaks a limit, the smallest move, or does not bring its gas."""
    for number in np.flatnonzero(out > 1e-6):
        if p.held[number] - out[number] < 1e-4:
            continue
        fewer = out.copy()
        fewer[number] -= 1.0
        moves = fewer[number] >= max(p.least_exit[number], p.gas_out[number])
        assert not moves or (p.limits @ (p.held - fewer) > p.limit_caps).any(), seed
