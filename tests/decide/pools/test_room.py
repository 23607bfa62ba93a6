"""How far a position may move, and what of it is stuck."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from capdesk.decide.pools.room import Room, room
from capdesk.model.pool_parameters import ChainCosts, PoolParameters
from capdesk.model.pools import Kinked, Pool

TOTAL = 1_000_000.0
POOL = Pool("p", ("USDC",), "aave", "ethereum", 5.0, 100_000_000.0)


def of(held: float = 0.0, *, pool: Pool = POOL, days: float | None = None, **parameters: Any) -> Room:
    return room(pool, held, days, TOTAL, PoolParameters(**parameters))


def test_a_position_is_at_most_a_share_of_all_assets() -> None:
    assert of().room == pytest.approx(250_000)


def test_profit_optimization_drops_the_largest_allocation_and_keeps_the_position_limit() -> None:
    assert of(max_alloc_percentage=0.1).room == pytest.approx(100_000)
    assert of(max_alloc_percentage=0.1, profit_optimization=True).room == pytest.approx(250_000)


def test_share_of_tvl_leaves_our_own_deposit_out() -> None:
    small = replace(POOL, forecasted_tvl=1_000_000.0)
    assert of(30_000, pool=small).cap == pytest.approx(0.05 * 970_000)


def test_smaller_of_the_two_tvl_limits_counts() -> None:
    small = replace(POOL, forecasted_tvl=1_000_000.0)
    assert of(pool=small, tvl_limit_percentage=0.01).room == pytest.approx(10_000)
    assert of(pool=small, position_max_pct_pool_tvl=0.02).room == pytest.approx(20_000)


def test_growth_within_the_tolerance_forces_no_trade() -> None:
    grown = of(254_000, growth_tolerance=0.02)
    assert (grown.must, grown.room, grown.cap) == (False, 0.0, 254_000)


def test_more_than_growth_has_to_be_taken_out() -> None:
    above = of(270_000, growth_tolerance=0.02)
    assert above.must
    assert above.least_exit == pytest.approx(20_000)


def test_a_pool_that_may_not_be_held_is_left_wholly() -> None:
    gone = of(50_000, pool=replace(POOL, status="exit", reason="iced"))
    assert (gone.must, gone.leave, gone.exit, gone.stuck) == (True, True, 0.0, 0.0)


def test_what_cannot_be_withdrawn_is_stuck_with_its_reason() -> None:
    run = of(50_000, pool=replace(POOL, status="exit", withdrawable_usd=20_000.0))
    assert (run.stuck, run.least_exit, run.exit, run.leave) == (30_000, 20_000, 20_000, False)
    assert "only $20,000.00 of $50,000.00" in run.reason


def test_a_lent_out_pool_pays_out_what_is_not_lent() -> None:
    lent = replace(POOL, forecasted_tvl=1_000_000.0, rate_model=Kinked(0.99), status="exit")
    assert of(50_000, pool=lent).exit == pytest.approx(10_000)


def test_leaving_for_less_than_its_gas_is_no_exit() -> None:
    dust = of(3.0, pool=replace(POOL, status="exit", gas_out_usd=5.0))
    assert dust.stuck == 3.0
    assert "frees $3.00" in dust.reason


def test_cool_down_keeps_a_position_where_it_is_and_an_exit_goes_through() -> None:
    assert of(50_000, days=1.0, cool_down_days=3.0).exit == 0.0
    assert of(50_000, days=1.0, cool_down_days=3.0).room == 0.0
    assert of(50_000, days=4.0, cool_down_days=3.0).exit > 0
    assert of(50_000, pool=replace(POOL, status="exit"), days=1.0, cool_down_days=3.0).leave


def test_above_the_gas_ceiling_nothing_moves_but_what_must_leave() -> None:
    dear: dict[str, Any] = {"chains": {"Ethereum": ChainCosts(50.0, 3000.0)}, "max_gas_gwei": 30.0}
    assert of(**dear).room == 0.0
    assert of(50_000, **dear).exit == 0.0
    assert of(50_000, pool=replace(POOL, status="exit"), **dear).leave


def test_gas_is_units_times_gwei_times_the_price_of_the_coin() -> None:
    priced = of(chains={"ethereum": ChainCosts(20.0, 3000.0, deposit_units=250_000)})
    assert priced.gas_in == pytest.approx(250_000 * 20e-9 * 3000)


@pytest.mark.parametrize(
    ("status", "room_left", "exit_left"), [("reduce", 0.0, True), ("freeze", 0.0, False)]
)
def test_reduce_and_freeze(status: Any, room_left: float, exit_left: bool) -> None:
    its = of(50_000, pool=replace(POOL, status=status))
    assert its.room == room_left
    assert bool(its.exit) is exit_left


def test_a_top_up_of_a_position_under_the_smallest_reaches_it() -> None:
    small = of(40.0)
    assert (small.least_deposit, small.counts) == (60.0, False)
    assert of(100.0).counts
    assert of(100.0).least_deposit == pytest.approx(0.01)
    assert of(40.0, minimum_move_usd=500.0).least_deposit == 500.0


def test_a_pool_without_room_for_the_smallest_position_takes_no_top_up() -> None:
    assert of(40.0, pool=replace(POOL, forecasted_tvl=1_840.0)).room == 0.0
