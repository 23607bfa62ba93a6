"""Orders by the threshold: which names trade, in which order, for how much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.rebalance import rebalance_portfolio
from capdesk.model.errors import InvalidInput
from capdesk.model.portfolio import RebalanceOrder


def seen(orders: Any) -> list[tuple[str, str, str]]:
    return [(str(order.action), order.protocol, str(order.amount)) for order in orders]


def test_a_deviation_at_the_threshold_is_traded() -> None:
    # 0.40 - 0.30 is 0.10000000000000003 in binary floats, and 0.60 - 0.70 is under 0.10.
    orders = rebalance_portfolio({"scroll": 0.40, "zksync": 0.60}, {"scroll": 0.30, "zksync": 0.70}, 100_000)

    assert seen(orders) == [("decrease", "scroll", "10000.00"), ("increase", "zksync", "10000.00")]
    assert [order.priority for order in orders] == [1, 2]
    assert orders.cash_change == 0


def test_a_deviation_under_the_threshold_is_left_with_its_figures() -> None:
    orders = rebalance_portfolio({"a": "0.5", "b": "0.5"}, {"a": "0.4001", "b": "0.5999"}, 1000)

    assert orders == []
    assert [each.protocol for each in orders.left_out] == ["a", "b"]
    assert orders.left_out[0].reason == "0.0999 is under the threshold of 0.10"


def test_decreases_come_first_and_the_larger_deviation_before_the_smaller() -> None:
    orders = rebalance_portfolio(
        {"a": "0.10", "b": "0.30", "c": "0.50", "d": "0.10"},
        {"a": "0.25", "b": "0.15", "c": "0.25", "d": "0.35"},
        1000,
    )

    assert seen(orders) == [
        ("decrease", "c", "250.00"),
        ("decrease", "b", "150.00"),
        ("increase", "d", "250.00"),
        ("increase", "a", "150.00"),
    ]
    assert [order.priority for order in orders] == [1, 2, 3, 4]


def test_where_only_some_names_pass_the_difference_is_a_change_in_cash() -> None:
    orders = rebalance_portfolio(
        {"a": "0.40", "b": "0.30", "c": "0.30"}, {"a": "0.28", "b": "0.36", "c": "0.36"}, 1000
    )

    assert seen(orders) == [("decrease", "a", "120.00")]
    assert orders.cash_change == 120
    assert {each.protocol: each.deviation for each in orders.left_out} == {
        "b": Decimal("0.06"),
        "c": Decimal("0.06"),
    }


def test_all_names_are_traded_once_one_passes_when_asked() -> None:
    arguments: Any = {"a": "0.40", "b": "0.30", "c": "0.30"}, {"a": "0.28", "b": "0.36", "c": "0.36"}, 1000
    everything = rebalance_portfolio(*arguments, trade="all")

    assert seen(everything) == [
        ("decrease", "a", "120.00"),
        ("increase", "b", "60.00"),
        ("increase", "c", "60.00"),
    ]
    assert everything.cash_change == 0
    assert rebalance_portfolio(*arguments, trade="all", threshold="0.13") == []


def test_a_name_that_one_side_leaves_out_has_nothing_there() -> None:
    orders = rebalance_portfolio({"old": "0.5"}, {"new": "0.4"}, 1000)

    assert seen(orders) == [("decrease", "old", "500.00"), ("increase", "new", "400.00")]
    assert orders.cash_change == 100


def test_a_trade_under_the_minimum_is_left_out() -> None:
    orders = rebalance_portfolio({"a": "0.5"}, {"a": "0.3"}, 40, minimum_trade=10)

    assert len(orders) == 0
    assert orders.left_out[0].reason == "$8.00 is under the minimum trade of $10.00"


def test_a_large_trade_is_split_into_equal_orders_within_the_maximum() -> None:
    orders = rebalance_portfolio({"a": 1}, {"a": 0}, 100, max_transaction_size="33.33")

    assert [str(order.amount) for order in orders] == ["25.00"] * 4
    assert [(order.part, order.parts, order.priority) for order in orders] == [
        (n, 4, 1) for n in (1, 2, 3, 4)
    ]


def test_costs_without_returns_are_only_counted() -> None:
    orders = rebalance_portfolio(
        {"a": "0.5"}, {"a": "0.3"}, 1000, costs={"a": {"fixed": 2, "proportional": "0.001"}}
    )

    assert seen(orders) == [("decrease", "a", "200.00")]
    assert orders.costs == Decimal("2.2")


def test_equal_content_is_equal() -> None:
    first, second = (rebalance_portfolio({"a": "0.5"}, {"a": "0.3"}, 1000) for _ in range(2))

    assert first == second
    assert hash(first) == hash(second)
    assert first == [RebalanceOrder("a", first[0].action, Decimal("200.00"), 1)]  # pyright: ignore[reportArgumentType]
    assert first != rebalance_portfolio({"a": "0.5"}, {"a": "0.2"}, 1000)


parts = st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any)


@given(parts, parts, st.integers(1, 10**9), st.sampled_from([None, "0.01", "7.77", 1000]))
def test_orders_lead_to_the_target_to_the_cent(
    now: list[int], then: list[int], cents: int, largest: Any
) -> None:
    total = Decimal(cents) / 100
    current = {str(place): Decimal(part) / 8192 for place, part in enumerate(now)}
    target = {str(place): Decimal(part) / 8192 for place, part in enumerate(then)}
    if largest == "0.01":
        total = min(total, Decimal(20))
    orders = rebalance_portfolio(current, target, total, threshold=0, max_transaction_size=largest)
    moved: dict[str, Decimal] = {}
    for order in orders:
        assert order.amount == round(order.amount, 2) > 0
        assert largest is None or order.amount <= Decimal(largest)
        sign = 1 if order.action == "increase" else -1
        moved[order.protocol] = moved.get(order.protocol, Decimal(0)) + sign * order.amount
    for name in {*current, *target}:
        wanted = (target.get(name, Decimal(0)) - current.get(name, Decimal(0))) * total
        assert abs(moved.get(name, 0) - wanted) < Decimal("0.0101")
    change = sum(current.values(), Decimal(0)) - sum(target.values(), Decimal(0))
    assert abs(orders.cash_change - change * total) <= Decimal("0.05")
    assert orders.cash_change == -sum(moved.values())
    assert [order.priority for order in orders] == sorted(order.priority for order in orders)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"total_value": 0}, "^Total value must be positive, got 0$"),
        ({"target": {"a": 30}}, r"target\['a'\] must be a fraction of the total, got 30: did you mean 0.3\?"),
        ({"trade": "some"}, "trade must be one of triggered, all, got 'some'"),
        ({"threshold": -1}, "threshold must be 0 or more"),
        ({"max_transaction_size": 0}, "max_transaction_size must be at least 0.01"),
        ({"costs": {"a": 3}}, r"costs\['a'\] must be a TradingCost or a mapping"),
        ({"costs": {"a": {"proportional": 5}}}, r"costs\['a'\].proportional is a fraction below 1, got 5"),
        ({"expected_returns": {}}, "expected_returns must name every protocol, none is given for a"),
        ({"covariance": [[1.0]]}, "a covariance needs a risk_aversion above 0, got None"),
        ({"covariance": [[1.0, 0.0]], "risk_aversion": 1}, r"got the shape \(1, 2\)"),
        (
            {"covariance": [[-1.0]], "risk_aversion": 1},
            "positive semidefinite, its lowest eigenvalue is -1.000e",
        ),
        ({"expected_returns": {"a": 0.1}, "horizon_days": 0}, "horizon_days must be above 0"),
    ],
)
def test_what_cannot_be_traded_is_refused_by_name(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rebalance_portfolio(
            **{"current": {"a": "0.5"}, "target": {"a": "0.3"}, "total_value": 100, **arguments}
        )
