"""Input of an odd kind gets one clear error, and no limit is dropped for another of the same name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest

from capdesk.model.errors import InvalidInput
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pools import Piecewise, Pool
from capdesk.pools import optimize_allocations

POOL: dict[str, Any] = {"tokens": ("USDC",), "protocol": "aave", "chain": "e", "forecasted_tvl": 1e8}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"forecasted_tvl": Decimal("1e8")}, "forecasted_tvl"),
        ({"gas_in_usd": Decimal(1)}, "gas_in_usd"),
        ({"withdrawable_usd": Decimal(1)}, "withdrawable_usd"),
        ({"rate_model": Piecewise(cast("Any", (Decimal(5),)), (4.0,))}, "rate_model.deposits"),
    ],
)
def test_a_pools_exact_decimal_is_refused_by_its_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"row 0 \\(a\\): {named} must be a finite number"):
        optimize_allocations([Pool("a", **(POOL | fields))], {}, {"USDC": 1_000.0})


def test_a_token_that_is_no_name_is_refused_where_it_stands() -> None:
    odd = cast("Any", {5: 1.0})
    with pytest.raises(InvalidInput, match="liquidity_portfolio: a token must be a name, got 5"):
        optimize_allocations([Pool("a", **POOL)], {}, odd)
    with pytest.raises(InvalidInput, match="prices: a token must be a name, got 5"):
        optimize_allocations([Pool("a", **POOL)], {}, {"USDC": 1.0}, prices=odd)


@pytest.mark.parametrize("table", ["token_max_pct", "protocol_max_pct", "chain_max_pct"])
def test_two_limits_of_one_name_are_refused(table: str) -> None:
    with pytest.raises(InvalidInput, match=f"{table} has 'USDC' and 'usdc', which are one name"):
        PoolParameters(**cast("Any", {table: {"USDC": 0.1, "usdc": 0.9}}))
    with pytest.raises(InvalidInput, match=f"{table} must be a table of names, got 5 as one"):
        PoolParameters(**cast("Any", {table: {5: 0.1}}))
