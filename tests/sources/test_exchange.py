"""An exchange through ccxt's own client, which speaks to a server of ours instead of the venue's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from capdesk.model.errors import InvalidInput, SourceUnavailable
from capdesk.model.market_rows import Balance, Price
from capdesk.model.tokens import Token
from capdesk.sources import read
from capdesk.sources.exchange import ExchangeBalances, ExchangePrices
from tests.http_server import Answer, Server, serving

DAY = dt.date(2026, 2, 16)
MARKETS = {
    "markets": [
        {
            "market_id": "USDCUSD",
            "trading_status": "ACTIVE",
            "base_currency": "USDC",
            "counter_currency": "USD",
            "min_volume": "0.01",
            "max_volume": "100.00",
            "volume_scale": 2,
            "min_price": "0.0001",
            "max_price": "1.0",
            "price_scale": 6,
            "fee_scale": 8,
        }
    ]
}
BALANCE = {
    "balance": [
        {
            "account_id": "1",
            "asset": "USDC",
            "balance": "12345678901234.567891",
            "reserved": "0.000009",
            "unconfirmed": "0.00",
        },
        {"account_id": "2", "asset": "XBT", "balance": "0.5", "reserved": "0.00", "unconfirmed": "0.00"},
        {"account_id": "3", "asset": "ETH", "balance": "0.00", "reserved": "0.00", "unconfirmed": "0.00"},
    ]
}
TICKER = {"pair": "USDCUSD", "bid": "0.9990", "ask": "0.9992", "last_trade": "0.999123456789", "timestamp": 1}


def exchange_at(server: Server) -> Any:
    exchange: Any = ccxt.luno({"apiKey": "key", "secret": "secret", "enableRateLimit": False})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], server.address)
    return exchange


def answer(path: str, _: bytes) -> Answer:
    if "/markets" in path:
        return 200, MARKETS, {}
    if "/networks" in path:
        return 200, {"networks": []}, {}
    if "/balance" in path:
        return 200, BALANCE, {}
    if "/ticker" in path:
        return 200, TICKER, {}
    return 404, {"error": "unknown", "error_code": "ErrNotFound"}, {}


def test_balances_keep_every_digit_and_coins_of_which_there_are_none_are_left_out() -> None:
    with serving(answer) as server:
        found = read(ExchangeBalances(exchange_at(server), day=DAY))
    assert found.rejected == ()
    assert found.rows == (
        Balance(DAY, "luno", Token("luno", "BTC"), Decimal("0.5")),
        Balance(DAY, "luno", Token("luno", "USDC", None, "USD"), Decimal("12345678901234.567891")),
    )


def test_an_exchange_that_refuses_the_keys_is_unavailable_and_the_secret_is_not_told() -> None:
    def refuse(path: str, _: bytes) -> Answer:
        if "/balance" not in path:
            return answer(path, b"")
        return 401, {"error": "API key not found", "error_code": "ErrAPIKeyNotFound"}, {}

    with (
        serving(refuse) as server,
        pytest.raises(SourceUnavailable, match="luno did not answer fetch_balance") as caught,
    ):
        read(ExchangeBalances(exchange_at(server), day=DAY))
    assert "secret" not in str(caught.value)


def test_prices_are_the_last_trades() -> None:
    with serving(answer) as server:
        found = read(ExchangePrices(exchange_at(server), day=DAY, symbols=["usdc"]))
    assert found.rows == (Price(DAY, Token("luno", "USDC", None, "USD"), Decimal("0.999123456789")),)


def test_a_price_that_is_none_is_a_rejected_row() -> None:
    def no_trade(path: str, body: bytes) -> Answer:
        return (200, {**TICKER, "last_trade": "0"}, {}) if "/ticker" in path else answer(path, body)

    with serving(no_trade) as server:
        found = read(ExchangePrices(exchange_at(server), day=DAY, symbols=["USDC"]))
    assert [(each.row, each.field) for each in found.rejected] == [(1, "USDC")]


def test_an_exchange_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ccxt knows no exchange 'nowhere'"):
        ExchangeBalances("nowhere", day=DAY)


def test_a_coin_that_only_looks_like_another_is_another_and_one_that_cannot_be_seen_is_left_out() -> None:
    names = ["U\u017fDC", "USD\u0421", "US\u200bDC", "usdc"]
    coins = [
        {"account_id": name, "asset": name, "balance": "5", "reserved": "0", "unconfirmed": "0"}
        for name in names
    ]

    def with_fakes(path: str, body: bytes) -> Answer:
        return (200, {"balance": coins}, {}) if "/balance" in path else answer(path, body)

    with serving(with_fakes) as server:
        found = read(ExchangeBalances(exchange_at(server), day=DAY))
    assert [(each.field, each.given) for each in found.rejected] == [("symbol", r"'US\u200bDC'")]
    assert {each.token.token_id for each in found.rows if isinstance(each, Balance)} == {
        "luno:U\u017fDC",
        "luno:USD\u0421",
        "luno:USDC",
    }


def test_an_exchange_by_name_is_asked_again_when_it_fails_and_then_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def failing(until: int) -> Callable[[str, bytes], Answer]:
        def serve(path: str, body: bytes) -> Answer:
            asked.append(path)
            return (503, {}, {}) if len(asked) <= until else answer(path, body)

        return serve

    luno: Any = ccxt.luno()
    monkeypatch.setattr(ccxt.luno, "sleep", lambda *_: None)
    for until, times in ((3, None), (99, 4)):
        asked.clear()
        with serving(failing(until)) as server:
            urls = {"api": dict.fromkeys(luno.urls["api"], server.address)}
            config = {"apiKey": "key", "secret": "secret", "enableRateLimit": False, "urls": urls}
            source = ExchangeBalances("luno", day=DAY, config=config)
            if times is None:
                assert len(read(source).rows) == 2
                continue
            with pytest.raises(SourceUnavailable, match="luno did not answer fetch_balance"):
                read(source)
        assert len(asked) == times
