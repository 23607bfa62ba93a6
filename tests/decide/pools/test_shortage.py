"""An impossible allocation is refused with a minimal conflict, its arithmetic and the smallest changes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import convert

from capdesk.model.errors import InfeasibleError
from capdesk.pools import ChainCosts, Holding, Pool, PoolParameters, optimize_allocations

PLENTY = 1e9
M10 = {"USDC": 10_000_000.0}
FREE: dict[str, Any] = {"group1_max_pct": 1.0}


def pool(name: str, group: int = 1, tvl: float = PLENTY, token: str = "USDC", **fields: Any) -> Pool:
    fields = {"gas_in_usd": 0.0, "gas_out_usd": 0.0, **fields}
    return Pool(name, (token,), "aave", "ethereum", 5.0, tvl, group, **fields)


def refused(
    pools: list[Pool],
    cash: dict[str, float],
    held: dict[str, float | Holding] | None = None,
    **limits: Any,
) -> InfeasibleError:
    rules = {"allow_cash": False, "conversion_rate": 0.0, **limits}
    with pytest.raises(InfeasibleError, match="no allocation of pools obeys all limits") as caught:
        optimize_allocations(pools, held or {}, cash, rules)
    error = caught.value
    assert error.relaxations[-1] == ("allow_cash", "False", "True")
    check_ways_out(error, pools, cash, held or {}, rules)
    return error


def check_ways_out(
    error: InfeasibleError,
    pools: list[Pool],
    cash: dict[str, float],
    held: dict[str, float | Holding],
    rules: dict[str, Any],
) -> None:
    """Each way out that is a plain parameter does alone what it says."""
    usual = PoolParameters()
    for names, given, would_do in error.relaxations[:-1]:
        if "[" in names:
            continue
        changed = dict(rules)
        for name in names.split(" and "):
            value = float(would_do.strip("$ %").replace(",", ""))
            value = value / 100 if would_do.endswith("%") else value
            assert given != would_do
            changed[name] = convert(value, type(getattr(usual, name) or 1), strict=False)
        assert optimize_allocations(pools, held, cash, changed).allocations


def test_too_few_pools_for_the_share_of_each() -> None:
    error = refused([pool("a", 1), pool("b", 2), pool("c", 3)], M10)
    assert error.conflict == ("allow_cash", "position_max_pct_total_assets", "max_alloc_percentage")
    assert "all $10,000,000.00 must be placed" in error.arithmetic
    assert "3 pools take $7,500,000.00 (75.00%)" in error.arithmetic
    assert "together 75.00% < 100 %, and cash is not allowed" in error.arithmetic
    assert error.relaxations[0] == (
        "position_max_pct_total_assets and max_alloc_percentage",
        "25 %",
        "35 %",
    )


def test_groups_add_up_with_the_room_of_the_pools_in_them() -> None:
    pools = [
        *(pool(f"a{each}", 1, 8_000_000.0) for each in range(3)),
        *(pool(f"{group}{each}", group) for group in (2, 3) for each in range(4)),
    ]
    error = refused(pools, M10)
    for part in (
        "group3_max_pct leaves $3,000,000.00 (30.00%)",
        "group2_max_pct leaves $3,500,000.00 (35.00%)",
        "3 pools take $1,200,000.00 (12.00%) by tvl_limit_percentage 0.05",
        "together 77.00% < 100 %",
    ):
        assert part in error.arithmetic
    ways = {names: would_do for names, _, would_do in error.relaxations}
    assert ways["group2_max_pct"] == "58 %"
    assert ways["group3_max_pct"] == "53 %"


def test_a_token_limit_that_every_dollar_meets() -> None:
    pools = [pool(f"p{each}", token=("USDC", "USDT")[each % 2]) for each in range(10)]
    error = refused(pools, M10, token_max_pct={"*": 0.4}, **FREE)
    assert error.conflict == ("allow_cash", "token_max_pct['*']")
    assert "together 80.00% < 100 %" in error.arithmetic
    assert error.relaxations[0] == ("token_max_pct['*']", "40 %", "50 %")


def test_a_number_of_pools_that_cannot_hold_it_all() -> None:
    pools = [pool(f"p{each}") for each in range(10)]
    error = refused(pools, M10, max_pools=4, min_pools=4, max_alloc_percentage=0.2, **FREE)
    assert "max_pools 4: 4 pools take at most $8,000,000.00 (80.00%)" in error.arithmetic
    assert ("max_pools", "4", "5") in error.relaxations
    assert ("max_alloc_percentage", "20 %", "25 %") in error.relaxations


def test_more_pools_are_asked_for_than_the_smallest_positions_leave() -> None:
    pools = [pool(f"p{each}") for each in range(10)]
    loose: dict[str, Any] = {"position_max_pct_total_assets": 1.0, "max_alloc_percentage": 1.0, **FREE}
    error = refused(pools, {"USDC": 350.0}, **loose)
    assert error.conflict == ("allow_cash", "minimum_ticket_usd", "min_pools")
    assert "min_pools 4 x minimum_ticket_usd $100.00 = $400.00 > $350.00" in error.arithmetic
    assert ("min_pools", "4", "3") in error.relaxations
    assert ("minimum_ticket_usd", "$100.00", "$87.50") in error.relaxations


def test_what_is_under_the_smallest_move_stays() -> None:
    frozen = [pool(f"p{each}", status="freeze" if each < 4 else "open") for each in range(6)]
    held: dict[str, float | Holding] = {f"p{each}": 2e6 for each in range(4)}
    error = refused(frozen, {"USDC": 500.0}, held, minimum_move_usd=1_000.0, **FREE)
    assert error.conflict == ("allow_cash", "minimum_move_usd")
    assert "at best $500.00 of ethereum:USDC stays cash" in error.arithmetic
    assert "the smallest move is $1,000.00" in error.arithmetic
    assert error.relaxations[0] == ("minimum_move_usd", "$1,000.00", "$500.00")


def test_stuck_money_uses_up_a_limit_and_takes_no_more() -> None:
    pools = [pool("stuck", status="freeze"), *(pool(f"p{each}") for each in range(6))]
    error = refused(pools, {"USDC": 5e6}, {"stuck": 5e6}, group1_max_pct=0.6)
    assert error.conflict == ("allow_cash", "group1_max_pct")
    assert "group1_max_pct leaves $6,000,000.00 (60.00%)" in error.arithmetic


def test_a_position_that_must_be_left_is_no_room() -> None:
    pools = [pool("out", status="exit"), pool("a", 1), pool("b", 2), pool("c", 3)]
    error = refused(pools, {"USDC": 5e6}, {"out": 5e6})
    assert "3 pools take $7,500,000.00 (75.00%)" in error.arithmetic
    assert "together 75.00% < 100 %" in error.arithmetic


def test_dust_that_its_own_gas_would_eat_is_told_by_its_token() -> None:
    pools = [pool(f"p{each}", 1 + each % 3) for each in range(12)]
    error = refused(pools, {"USDC": 1e6, "LUSD": 2.0}, swap_gas_usd=3.0, group3_max_pct=0.4)
    assert error.conflict == ("allow_cash",)
    assert "at best $2.00 of ethereum:LUSD stays cash" in error.arithmetic


def test_a_chain_whose_gas_is_above_the_ceiling_cannot_be_left() -> None:
    pools = [Pool(f"p{each}", ("USDC",), "aave", "base", 5.0, PLENTY) for each in range(12)]
    error = refused(
        pools,
        {"ethereum:USDC": 1e6},
        max_gas_gwei=30.0,
        chains={"ethereum": ChainCosts(45.0, 3000.0)},
        **FREE,
    )
    assert error.conflict == ("allow_cash", "max_gas_gwei")
    assert error.relaxations[0] == ("max_gas_gwei", "30", "45")
