"""How a grant is split: equal orders, rounded to the tick, that add up exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.orders import order_sizes
from capdesk.model.mandate import Mandate
from tests.decide.support import dollars


def test_thirty_dollars_are_three_orders_of_ten() -> None:
    assert order_sizes(Mandate(), dollars(30)) == (dollars(10),) * 3


def test_the_threshold_itself_is_one_order() -> None:
    assert order_sizes(Mandate(), dollars(20)) == ()
    assert len(order_sizes(Mandate(), dollars(20) + 1)) == 3


def test_the_last_order_takes_the_rest() -> None:
    assert order_sizes(Mandate(), dollars(20.5)) == (6_833_333, 6_833_333, 6_833_334)


def test_orders_are_rounded_down_to_the_tick() -> None:
    mandate = Mandate(order_tick=dollars(0.5))
    assert order_sizes(mandate, dollars(22)) == (dollars(7), dollars(7), dollars(8))


def test_one_order_is_never_split() -> None:
    assert order_sizes(Mandate(split_count=1), dollars(1_000)) == ()


@given(
    amount=st.integers(1, 10**18),
    count=st.integers(1, 1_000),
    threshold=st.integers(1, 10**12),
    tick=st.none() | st.integers(1, 10**7),
)
def test_orders_add_up_and_differ_by_the_rest_alone(
    amount: int, count: int, threshold: int, tick: int | None
) -> None:
    mandate = Mandate(split_threshold=threshold, split_count=count, order_tick=tick)
    orders = order_sizes(mandate, amount)
    if not orders:
        assert amount <= threshold or count == 1 or amount // count < (tick or 1)
        return
    assert sum(orders) == amount
    assert len(orders) == count
    assert len(set(orders[:-1])) == 1
    assert orders[0] % (tick or 1) == 0
    assert orders[-1] >= orders[0] > 0


@pytest.mark.parametrize("amount", [21, 30, 47.11])
def test_tick_leaves_no_order_below_what_is_possible(amount: float) -> None:
    mandate = Mandate(order_tick=dollars(0.01))
    orders = order_sizes(mandate, dollars(amount))
    assert orders[0] == dollars(amount) // 3 // 10_000 * 10_000
