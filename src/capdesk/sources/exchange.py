"""An exchange, through ccxt: what an account holds there, and what its coins cost.

A coin on an exchange has no address: the exchange stands for the chain, and the coin is
known by the exchange's symbol. Numbers are taken from the answers as text, so no digit is lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from capdesk.model import letters
from capdesk.model.errors import InvalidInput, SourceUnavailable
from capdesk.model.market_rows import BadField, Balance, Price, Rejected, check_price
from capdesk.model.money import read_decimal
from capdesk.model.tokens import Token, known_peg
from capdesk.sources import fields

PATIENT = {"options": {"maxRetriesOnFailure": 3, "maxRetriesOnFailureDelay": 1_000}}
"""ccxt's own words for: three times more, after a second each."""


class ExchangeBalances:
    """What an account holds on an exchange.

    Parameters
    ----------
    exchange
        An exchange of ccxt, or its name there.
    account
        What the account is called in the records.
    config
        For an exchange by name: what ccxt takes, the keys for example.
    """

    def __init__(
        self, exchange: Any, *, day: dt.date, account: str | None = None, config: dict[str, Any] | None = None
    ) -> None:
        self.exchange, self.day = connect(exchange, config), day
        self.account = account or self.exchange.id

    def rows(self) -> Iterator[Balance | Rejected]:
        """A balance for each coin that the account holds any of, what is in orders included."""
        totals = asked(self.exchange, "fetch_balance")["total"]
        for row, symbol in enumerate(sorted(totals), 1):
            try:
                token = self._token(symbol)
                amount = exact(symbol, totals[symbol])
            except BadField as error:
                yield error.at(row)
                continue
            if amount:
                yield Balance(self.day, self.account, token, amount)

    def _token(self, symbol: str) -> Token:
        if not fields.is_plain(symbol):
            raise BadField("symbol", symbol, "must be of visible characters")
        return Token(self.exchange.id, letters.upper(symbol), None, known_peg(symbol))


class ExchangePrices:
    """The last trade of each coin on an exchange.

    Parameters
    ----------
    exchange
        An exchange of ccxt, or its name there.
    symbols
        The coins.
    quote
        What they are quoted in, which is taken for the dollar.
    """

    def __init__(
        self,
        exchange: Any,
        *,
        day: dt.date,
        symbols: Sequence[str],
        quote: str = "USD",
        config: dict[str, Any] | None = None,
    ) -> None:
        self.exchange, self.day = connect(exchange, config), day
        self.symbols, self.quote = symbols, quote

    def rows(self) -> Iterator[Price | Rejected]:
        """A price for each coin."""
        for row, symbol in enumerate(self.symbols, 1):
            token = Token(self.exchange.id, letters.upper(symbol), None, known_peg(symbol))
            ticker = asked(self.exchange, "fetch_ticker", f"{token.symbol}/{self.quote}")
            try:
                price = check_price(exact(symbol, ticker.get("last")), token, symbol)
            except BadField as error:
                yield error.at(row)
            else:
                yield Price(self.day, token, price)


def connect(exchange: Any, config: dict[str, Any] | None) -> Any:
    """The exchange of a name, or the one that was given, told to keep numbers as text and coins apart.

    An exchange by name asks again when the network or the venue fails, unless `config` says otherwise.

    Raises
    ------
    InvalidInput
        If ccxt is not installed, or does not know the name.
    """
    if isinstance(exchange, str):
        try:
            import ccxt
        except ModuleNotFoundError:
            raise InvalidInput("an exchange needs ccxt: install capdesk with its extra 'sources'") from None
        if exchange not in ccxt.exchanges:
            raise InvalidInput(f"ccxt knows no exchange {exchange!r}")
        exchange = getattr(ccxt, exchange)(PATIENT | (config or {}))
    exchange.number = str
    _keep_apart(exchange)
    return exchange


def _keep_apart(exchange: Any) -> None:
    """Keep a coin in other letters than ASCII's from being made another by ccxt, which writes all in capitals."""
    named = type(exchange).safe_currency_code

    def careful(currency_id: Any, currency: Any = None) -> Any:
        if isinstance(currency_id, str) and not currency_id.isascii():
            return currency_id
        return named(exchange, currency_id, currency)

    exchange.safe_currency_code = careful


def asked(exchange: Any, verb: str, *given: Any) -> Any:
    """Ask an exchange.

    Raises
    ------
    SourceUnavailable
        If it does not answer, or refuses.
    """
    import ccxt

    try:
        return getattr(exchange, verb)(*given)
    except ccxt.BaseError as error:
        raise SourceUnavailable(
            f"{exchange.id} did not answer {verb}: {type(error).__name__}: {str(error)[:200]}"
        ) from error


def exact(field: str, value: Any) -> Decimal:
    """An amount, 0 or more, with every digit.

    Raises
    ------
    BadField
        If it is none.
    """
    try:
        found = read_decimal(value, field)
    except InvalidInput:
        raise BadField(field, value, "must be a finite number") from None
    if found < 0:
        raise BadField(field, value, "must not be negative")
    return found
