"""The names in a treasury's limits and losses: each must be of something that the records know.

A bare symbol stands for all tokens of it that were ever approved, together: a limit of USDC
is one limit, on whatever chains it lies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.pool_parameters import EVERY, PoolParameters
from capdesk.model.tokens import Token, read_token_id
from capdesk.treasury_prices import vouched

if TYPE_CHECKING:
    from capdesk.records import Records

_OF_TOKENS = ("token_max_pct", "token_losses")


def with_names(parameters: PoolParameters, records: Records, day: dt.date) -> PoolParameters:
    """Parameters whose limits and losses are by the names that the pools' tokens have.

    Raises
    ------
    InvalidInput
        For a name that is of no token, protocol or chain in the records: it would limit nothing.
    """
    tokens, pools = records.tokens(), records.pools().values()
    approved = {name: tokens[name] for name in vouched(records, day)}
    groups = {
        name: tuple(_known_id(each, tokens, f"token_groups[{name!r}]") for each in members)
        for name, members in parameters.token_groups.items()
    }
    tables: dict[str, Any] = {}
    for table in _OF_TOKENS:
        tables[table] = {}
        for name, value in getattr(parameters, table).items():
            where = f"{table}[{name!r}]"
            if name != EVERY and name not in groups and ":" not in name:
                groups[name] = _called(name, approved, where)
            tables[table][_known_id(name, tokens, where) if ":" in name else name] = value
    protocols, chains = ({getattr(pool, each) for pool in pools} for each in ("project", "chain"))
    _check("protocol_max_pct", parameters.protocol_max_pct, protocols)
    _check("protocol_losses", parameters.protocol_losses, protocols)
    _check("chain_max_pct", parameters.chain_max_pct, chains)
    return replace(parameters, token_groups=groups, **tables)


def _known_id(name: str, tokens: Mapping[str, Token], where: str) -> str:
    found = read_token_id(name)
    if found not in tokens:
        raise InvalidInput(f"parameters: {where} is of no token in the records{_close(found, tokens)}")
    return found


def _called(symbol: str, approved: Mapping[str, Token], where: str) -> tuple[str, ...]:
    found = sorted(
        name for name, token in approved.items() if letters.upper(token.symbol) == letters.upper(symbol)
    )
    if not found:
        hint = _close(symbol, {token.symbol for token in approved.values()})
        raise InvalidInput(
            f"parameters: {where} is of no approved token{hint}; a token is called by its symbol or chain:address"
        )
    return tuple(found)


def _check(table: str, given: Iterable[str], known: Collection[str]) -> None:
    there = {letters.lower(name) for name in known}
    for name in given:
        if name != EVERY and letters.lower(name) not in there:
            raise InvalidInput(
                f"parameters: {table}[{name!r}] is of no pool in the records{_close(name, known)}"
            )


def _close(name: str, known: Iterable[str]) -> str:
    spelled = {letters.lower(each): each for each in known}
    close = get_close_matches(letters.lower(name), spelled, 1)
    return f": did you mean {spelled[close[0]]}?" if close else ""
