"""What is held is worth what its own token costs, and what has no price is named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Balance, Price
from capdesk.model.tokens import Token
from capdesk.records.valuation import value

DAY = dt.date(2026, 2, 16)
USDC = Token("Ethereum", "USDC", "0x" + "a" * 40, "USD", 6)
FAKE = Token("Ethereum", "USDC", "0x" + "f" * 40, "USD", 6)
EURC = Token("Ethereum", "EURC", "0x" + "e" * 40, "EUR", 6)
DOLLARS = {USDC.token_id, EURC.token_id}


def held(token: Token, amount: str, pool: str | None = None) -> Balance:
    return Balance(DAY, "vault", token, Decimal(amount), pool)


def price(token: Token, usd: str, days_ago: int = 0) -> Price:
    return Price(DAY - dt.timedelta(days=days_ago), token, Decimal(usd))


def test_balances_are_worth_their_amount_at_the_price_by_pool_and_by_token() -> None:
    found = value(
        [held(USDC, "1000000.000001"), held(USDC, "3", "p"), held(EURC, "2", "p"), held(EURC, "0.5")],
        [price(USDC, "0.9991"), price(EURC, "1.18")],
        DAY,
    )
    assert found.current_allocations == {"p": Decimal("5.3573")}
    assert found.liquidity_portfolio == {
        USDC.token_id: Decimal("999100.000001"),
        EURC.token_id: Decimal("0.59"),
    }
    assert found.prices == {USDC.token_id: Decimal("0.9991"), EURC.token_id: Decimal("1.18")}


def test_the_last_price_counts_and_a_stale_or_later_one_does_not() -> None:
    prices = [price(USDC, "0.5", -1), price(USDC, "0.9", 1), price(USDC, "0.8", 2)]
    assert value([held(USDC, "1")], prices, DAY).prices[USDC.token_id] == Decimal("0.9")
    with pytest.raises(InvalidInput, match="has no price of 2026-02-16"):
        value([held(USDC, "1")], prices[2:], DAY)


def test_what_is_held_without_a_price_is_named_with_where_it_is() -> None:
    with pytest.raises(InvalidInput) as caught:
        value([held(USDC, "1"), held(FAKE, "9", "p"), held(EURC, "1")], [price(USDC, "1")], DAY)
    assert f"USDC ({FAKE.token_id}) in pool p, EURC ({EURC.token_id}) in account vault" in str(caught.value)


def test_a_fake_is_not_worth_what_its_name_is() -> None:
    with pytest.raises(InvalidInput, match=FAKE.token_id):
        value(
            [held(FAKE, "1")], [price(USDC, "1"), price(Token("", "USDC"), "1")], DAY, at_peg={USDC.token_id}
        )


def test_at_its_peg_a_dollar_coin_is_a_dollar_and_a_euro_coin_is_not() -> None:
    assert value([held(USDC, "2")], [], DAY, at_peg=DOLLARS).liquidity_portfolio == {USDC.token_id: 2}
    with pytest.raises(InvalidInput, match="EURC"):
        value([held(EURC, "2")], [], DAY, at_peg=DOLLARS)


def test_nothing_of_a_token_needs_no_price() -> None:
    assert value([held(EURC, "0")], [], DAY).liquidity_portfolio == {}


def test_a_balance_without_an_address_says_so_and_how_a_dollar_coin_is_taken_for_a_dollar() -> None:
    with pytest.raises(InvalidInput) as refused:
        value([held(Token("Ethereum", "USDC", None, "USD"), "1")], [price(USDC, "1")], DAY)
    assert "USDC (ethereum:USDC) in account" in str(refused.value)
    assert "lacks the address" in str(refused.value)
    assert "--at-peg" in str(refused.value)
    with pytest.raises(InvalidInput) as refused:
        value([held(USDC, "1")], [], DAY)
    assert "lacks the address" not in str(refused.value)
