"""What accounts hold, in dollars: balances at the prices of the day, position by position.

A balance is worth what one of its token costs. The price must be that of the token itself:
what is only called by the same symbol may be worth nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal

from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Balance, Price
from capdesk.model.money import Amount, to_micro


class Holdings(Struct, frozen=True):
    """What is held, in dollars.

    Attributes
    ----------
    current_allocations
        Pool -> dollars in it.
    liquidity_portfolio
        Token -> dollars in wallets.
    prices
        Token -> dollars for one, of every token that is held.
    """

    current_allocations: dict[str, Amount]
    liquidity_portfolio: dict[str, Amount]
    prices: dict[str, Decimal]


def value(
    balances: Iterable[Balance],
    prices: Iterable[Price],
    day: dt.date,
    *,
    oldest_days: int = 1,
    at_peg: Collection[str] = (),
) -> Holdings:
    """Value balances.

    Parameters
    ----------
    prices
        Of any days; the last up to `day` counts.
    oldest_days
        How old a price may be.
    at_peg
        Tokens, by id, that are taken for a dollar where they have no price. None but those
        that are pegged to it are; name only tokens that are known: a fake of one has its symbol.

    Raises
    ------
    InvalidInput
        Naming each token that is held and has no price, and where it is held.
    """
    known = _last(prices, day, oldest_days)
    pools: dict[str, int] = {}
    wallets: dict[str, int] = {}
    used: dict[str, Decimal] = {}
    without: list[str] = []
    for balance in balances:
        name = balance.token.token_id
        price = known.get(name, Decimal(1) if name in at_peg and balance.token.peg == "USD" else None)
        if price is None:
            if balance.amount:
                without.append(_which(balance))
            continue
        used[name] = price
        dollars = to_micro(Amount(balance.amount) * price, f"the value of {name}")
        into, key = (pools, balance.pool_id) if balance.pool_id else (wallets, name)
        into[key] = into.get(key, 0) + dollars
    if without:
        before = "day" if oldest_days == 1 else f"{oldest_days} days"
        raise InvalidInput(
            f"what is held has no price of {day} or of the {before} before: {', '.join(without)}. "
            "Import its price, or leave the balance out; 'capdesk pools plan --at-peg' takes a dollar coin that was "
            "approved, and is nowhere on ice, for a dollar"
        )
    return Holdings(_amounts(pools), _amounts(wallets), used)


def _which(balance: Balance) -> str:
    token = balance.token
    where = f"pool {balance.pool_id}" if balance.pool_id else f"account {balance.account}"
    lacks = (
        " (its balance lacks the address of the token, so it is no pool's coin)"
        if token.address is None
        else ""
    )
    return f"{token.symbol} ({token.token_id}) in {where}{lacks}"


def _last(prices: Iterable[Price], day: dt.date, oldest_days: int) -> dict[str, Decimal]:
    since = day - dt.timedelta(days=oldest_days)
    kept = sorted((each for each in prices if since <= each.day <= day), key=lambda each: each.day)
    return {each.token.token_id: each.usd for each in kept}


def _amounts(micro: dict[str, int]) -> dict[str, Amount]:
    return {name: Amount.from_micro(each) for name, each in sorted(micro.items())}
