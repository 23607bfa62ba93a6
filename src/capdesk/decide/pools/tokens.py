"""The tokens of a pool: their full names, the same coin on two chains being two tokens, and their shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from capdesk.model.pools import Pool
from capdesk.model.tokens import Token, read_token_id


def token_key(chain: str, token: str) -> str:
    """``ethereum:USDC``; just the token where there is no chain, or where it names one itself."""
    where, colon, name = token.partition(":")
    if not colon:
        where, name = chain, token
    return read_token_id(f"{where}:{name}") if where else Token("", name).token_id


def chain_of(key: str) -> str:
    """The chain in a token's full name; empty where it has none."""
    return key.partition(":")[0] if ":" in key else ""


def groups_of(key: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of the groups that a token, by its full name, is in; without case."""
    return [
        name.casefold() for name, members in groups.items() if key.casefold() in map(str.casefold, members)
    ]


def shares_of(pool: Pool) -> tuple[float, ...]:
    """The share of a dollar that goes into each of a pool's tokens."""
    return pool.shares or (1.0 / len(pool.tokens),) * len(pool.tokens)
