"""Large grants are split into orders that sum to them."""

from __future__ import annotations

import pytest

from capdesk import Amount, CapitalAllocator
from tests.desk.support import roomy


def splitting(**fields: object) -> CapitalAllocator:
    return CapitalAllocator(roomy(order_split_threshold=20, order_split_count=3, **fields), 200)


@pytest.mark.parametrize(
    ("asked", "tick", "orders"),
    [
        (20, None, []),
        ("20.000001", None, ["6.666667", "6.666667", "6.666667"]),
        (30, None, [10, 10, 10]),
        (50, None, ["16.666666", "16.666666", "16.666668"]),
        (50, 5, [15, 15, 20]),
        (50, "0.01", ["16.66", "16.66", "16.68"]),
    ],
)
async def test_a_large_grant_is_split_into_orders_that_sum_to_it(
    asked: object, tick: object, orders: list[object]
) -> None:
    desk = splitting(order_tick=tick)
    verdict = await desk.request_allocation("m", asked)
    assert verdict.orders == [Amount(order) for order in orders]
    held = await desk.get_allocation("m")
    assert held is not None
    assert held.orders == verdict.orders
    assert sum(held.get_order_sizes()) == held.amount == Amount(asked)
    if not orders:
        assert held.get_order_sizes() == [held.amount]


async def test_a_partial_release_splits_what_stays_anew() -> None:
    desk = splitting()
    await desk.request_allocation("m", 60)
    assert await desk.release_allocation("m", amount=30) == 30
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.orders) == (30, [10, 10, 10])
    assert await desk.release_allocation("m", amount=15) == 15
    held = await desk.get_allocation("m")
    assert held is not None
    assert (held.amount, held.orders) == (15, [])
