"""What a treasury's tokens are worth on a day, and which of them may be taken at their peg.

A price of "USDC" on no chain counts for the tokens of that symbol that were ever approved and
have no price of their own. A coin that has left its peg on one chain is in doubt on every
other: there it needs a price of its own, else it counts as iced too, and nothing takes it for
a dollar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capdesk.model import letters
from capdesk.model.lists import APPROVED_TOKENS, Lists
from capdesk.model.market_rows import Price
from capdesk.model.tokens import Token

if TYPE_CHECKING:
    from capdesk.records import Records


def end_of(day: dt.date) -> dt.datetime:
    """The last instant of a day, in UTC: what stood then is what the day's decision obeys."""
    return dt.datetime.combine(day, dt.time.max, dt.UTC)


def vouched(records: Records, day: dt.date) -> frozenset[str]:
    """Tokens that somebody had approved by a day, whatever became of them since; a fake is never among them."""
    known, until = records.tokens(), end_of(day)
    stays = records.stays(APPROVED_TOKENS)
    return frozenset(each.name for each in stays if each.added_at <= until and each.name in known)


def recent_prices(records: Records, day: dt.date) -> list[Price]:
    """Prices of the day and of the day before, which stand where the day has none.

    An approved token without a price of its own has that of its symbol on no chain.
    """
    found = records.prices(day, day - dt.timedelta(days=1))
    own = {each.token.token_id for each in found}
    by_symbol = [each for each in found if not each.token.chain]
    if not by_symbol:
        return found
    tokens = records.tokens()
    lacking = [tokens[name] for name in sorted(vouched(records, day) - own)]
    return found + [
        replace(each, token=token)
        for each in by_symbol
        for token in lacking
        if token.symbol == each.token.symbol
    ]


def last_prices(records: Records, day: dt.date) -> dict[str, float]:
    """Token -> dollars, of the day or of the day before."""
    return {each.token.token_id: float(each.usd) for each in recent_prices(records, day)}


def fallen_with(records: Records, day: dt.date, lists: Lists) -> dict[str, str]:
    """Tokens that count as iced because the same coin is on ice elsewhere and they have no price: id -> why."""
    tokens = records.tokens()
    iced = _iced_symbols(tokens, lists)
    if not iced:
        return {}
    known = last_prices(records, day)
    on_ice = {each.name for each in lists.icebox_tokens}
    return {
        name: f"it is on {iced[letters.upper(token.symbol)]}, and has no price of its own here"
        for name, token in tokens.items()
        if token.chain and letters.upper(token.symbol) in iced and name not in on_ice and name not in known
    }


def taken_at_peg(records: Records, day: dt.date) -> frozenset[str]:
    """Tokens that may be taken for a dollar where they have no price: approved, and the coin nowhere on ice."""
    tokens, lists = records.tokens(), records.lists(end_of(day))
    iced = _iced_symbols(tokens, lists)
    return frozenset(
        name
        for name in vouched(records, day)
        if tokens[name].peg == "USD" and letters.upper(tokens[name].symbol) not in iced
    )


def _iced_symbols(tokens: Mapping[str, Token], lists: Lists) -> dict[str, str]:
    """Symbol -> on which chain it is iced, and why there."""
    return {
        letters.upper(tokens[each.name].symbol): f"{tokens[each.name].chain} ({each.reason})"
        for each in lists.icebox_tokens
        if each.name in tokens
    }
