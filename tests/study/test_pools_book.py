"""A treasury's book between two days: what a pool pays, what a coin's price does, and that no micro-unit is lost."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from msgspec.structs import replace

from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Costs
from capdesk.model.tokens import Token
from capdesk.pools import Pool, optimize_allocations
from capdesk.study.pools_demo.book import Book, overnight

DAY = dt.date(2026, 2, 16)
USDC, USDT = (
    Token("Ethereum", "USDC", "0x" + "a" * 40, "USD"),
    Token("Ethereum", "USDT", "0x" + "b" * 40, "USD"),
)
ONE = PoolFacts("one", "Ethereum", "aave-v3", "USDC", (USDC,))
TWO = PoolFacts("two", "Ethereum", "aave-v3", "USDC-USDT", (USDC, USDT))
POOLS = {"one": ONE, "two": TWO}
SEEN = {
    "one": PoolDay("one", DAY, tvl=9_000_000_000_000, apy=3.65),
    "two": PoolDay("two", DAY, tvl=4_000_000_000_000, apy=0.0),
}


def test_a_pool_pays_its_rate_for_the_days_that_passed_diluted_by_our_deposit() -> None:
    book, earned = overnight(
        Book({"one": Amount(1_000_000)}, {}), POOLS, SEEN, dt.timedelta(days=2), moves={}
    )
    # A continuous rate of ln 1.0365 a year, for 2 of 365 days, on 9 of the 10 million that then share it.
    expected = 1_000_000 * math.log(1.0365) * 2 / 365 * 0.9
    assert float(earned) == pytest.approx(expected, abs=1e-6)
    assert book.places == {"one": 1_000_000 + earned}
    assert earned.as_tuple().exponent >= -6  # pyright: ignore[reportOperatorIssue]


def test_dollars_follow_the_price_of_their_coin_and_half_of_it_in_a_pool_of_two() -> None:
    held = Book(
        {"one": Amount(100), "two": Amount(100)}, {USDC.token_id: Amount(10), USDT.token_id: Amount(10)}
    )
    book, earned = overnight(held, POOLS, SEEN, dt.timedelta(days=0), moves={USDC.token_id: Decimal("0.9")})
    assert earned == 0
    assert book.places == {"one": Amount(90), "two": Amount(95)}
    assert book.cash == {USDC.token_id: Amount(9), USDT.token_id: Amount(10)}


def test_a_plan_that_does_not_account_for_every_micro_unit_is_refused() -> None:
    pool = Pool(
        "one",
        (str(USDC.address),),
        "aave-v3",
        "Ethereum",
        forecasted_apy=5,
        forecasted_tvl=1e9,
        gas_in_usd=1.5,
    )
    cash = {USDC.token_id: Amount(1_000)}
    plan = optimize_allocations(
        [pool],
        {},
        {USDC.token_id: 1_000.0},
        {"profit_optimization": True, "position_max_pct_total_assets": 1.0},
    )
    after = Book({}, cash).after(plan)
    assert after.total == 1_000 - plan.costs.total
    assert plan.costs.total in (0, Amount("1.5"))
    wrong = replace(plan, costs=Costs(plan.costs.gas + Amount("0.000001"), plan.costs.conversion))
    with pytest.raises(ArithmeticError, match="1000 before is not"):
        Book({}, cash).after(wrong)
