"""The exact solver and the whole program in HiGHS find one optimum, and its proof holds.

`CAPDESK_POOL_INSTANCES` raises the number of random treasuries (250 unless set).
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace

from capdesk.decide.pools import building, exact, readable, whole
from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.certificate import certify, violation
from capdesk.decide.pools.problem import Answer, Infeasible
from capdesk.decide.pools.steps import carry_out
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pools import Holding, Pool
from tests.decide.pools import instances

COUNT = int(os.environ.get("CAPDESK_POOL_INSTANCES", "250"))
CHUNK = 25
SHARE = 0.05
KINDS = (
    "share of all assets",
    "share of TVL",
    "group",
    "token",
    "protocol",
    "chain",
    "max_pools",
    "min_pools",
    "ticket",
    "smallest move",
    "withdrawable",
    "forced exit",
    "cool-down or freeze",
    "conversion",
)
SEEN: Counter[str] = Counter()
SOLVED: list[str] = []


def binding(desk: Desk, answer: Answer) -> set[str]:
    """Which kinds of constraints bind at an answer."""
    p = desk.problem
    x = p.held + answer.deposits - answer.withdrawals
    found = {kind for number in range(p.size) for kind in binding_pool(desk, answer, number)}
    for name, used, cap in zip(p.limit_names, p.limits @ x, p.limit_caps, strict=True):
        if used >= cap - 1e-3 and cap > 0:
            found.add("group" if name.startswith("group") else name.split("_")[0])
    in_use = x > 1e-3
    if p.max_pools is not None and in_use.sum() == p.max_pools:
        found.add("max_pools")
    if p.min_pools > 1 and p.counted(x) == p.min_pools:
        found.add("min_pools")
    if any(sold.sum() > 1 for sold in answer.sold):
        found.add("conversion")
    return found


def binding_pool(desk: Desk, answer: Answer, number: int) -> set[str]:
    """Which kinds of constraints bind in one pool."""
    pool, room, parameters = desk.pools[number], desk.rooms[number], desk.parameters
    deposit, withdrawal = answer.deposits[number], answer.withdrawals[number]
    of_tvl = min(parameters.tvl_limit_percentage, parameters.position_max_pct_pool_tvl)
    by_tvl = of_tvl * (pool.forecasted_tvl - room.held) <= room.cap + 1e-6
    full = room.room > 0 and deposit >= room.room - 1e-3
    held, move = room.held > 0, parameters.minimum_move_usd
    found = {
        "share of TVL": full and by_tvl,
        "share of all assets": full and not by_tvl,
        "ticket": not held and abs(deposit - room.ticket) < 1e-3,
        "cool-down or freeze": held and not room.leave and not room.exit and pool.status == "open",
        "withdrawable": held and not room.leave and room.exit > 0 and withdrawal >= room.exit - 1e-3,
        "forced exit": room.must and pool.status == "exit",
        "smallest move": move > 0 and min(abs(deposit - move), abs(withdrawal - move)) < 1e-3,
    }
    return {kind for kind, binds in found.items() if binds}


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_exact_answer_is_the_optimum_of_the_whole_program(first: int) -> None:
    for seed in range(first, min(first + CHUNK, COUNT)):
        desk = building.state(*instances.small(seed))
        p = desk.problem
        reference = whole.solve(p)
        solved = exact.solve(p)
        proof = certify(p, solved)
        tolerance = 2e-6 * max(1.0, abs(reference.objective)) + 1e-5
        assert proof.objective == pytest.approx(reference.objective, abs=tolerance), seed
        assert proof.bound >= reference.objective - tolerance, seed
        assert proof.gap <= 1.01e-6, seed
        assert proof.worst_violation < 1e-3, seed
        carried = carry_out(p, solved.answer)
        x = p.held + solved.answer.deposits - solved.answer.withdrawals
        assert np.abs(np.array(carried.positions) / 1e6 - x).max(initial=0.0) < 0.02, seed
        SEEN.update(binding(desk, solved.answer))
        SOLVED.append(solved.answer.solver)


def test_each_constraint_binds_in_one_instance_of_twenty() -> None:
    if len(SOLVED) < COUNT:
        pytest.skip("counts the instances of the tests before it")
    rare = {kind: SEEN[kind] / COUNT for kind in KINDS if SEEN[kind] < SHARE * COUNT}
    assert rare == {}


def test_the_whole_program_is_seldom_needed() -> None:
    if len(SOLVED) < COUNT:
        pytest.skip("counts the instances of the tests before it")
    assert sum("whole program" in solver for solver in SOLVED) <= 0.02 * COUNT


@pytest.mark.parametrize("seed", [22, 185, 448, 20074])
def test_no_gas_is_burnt_to_be_rid_of_money_that_may_not_stay_cash(seed: int) -> None:
    pools, holdings, cash, parameters = instances.small(seed)
    p = building.state(pools, holdings, cash, replace(parameters, allow_cash=False)).problem
    for solve in (whole.solve, lambda p: exact.solve(p).answer, readable.solve):
        try:
            answer = solve(p)
        except Infeasible:
            continue
        assert violation(p, answer) < 1e-3
        for sold, bought in zip(answer.sold, answer.bought, strict=True):
            assert not ((sold > 0.01) & (bought > 0.01)).any()


def test_a_position_lifted_to_the_smallest_counts_as_a_pool_in_use() -> None:
    pools = [Pool(f"p{each}", ("USDC",), "aave", "ethereum", 5.0, 1e8) for each in range(2)]
    rules = PoolParameters(min_pools=2, group1_max_pct=1.0, max_alloc_percentage=0.6)
    rules = replace(rules, position_max_pct_total_assets=0.6)
    p = building.state(pools, {"p0": Holding(40.0)}, {"ethereum:USDC": 960.0}, rules).problem
    assert p.min_pools == 2
    for solve in (whole.solve, lambda p: exact.solve(p).answer, readable.solve):
        x = p.held + (answer := solve(p)).deposits - answer.withdrawals
        assert p.counted(x) == 2
        assert x.sum() == pytest.approx(1_000)
        assert violation(p, answer) < 1e-3
