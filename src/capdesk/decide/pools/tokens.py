"""The tokens of a pool: their full names, the same coin on two chains being two tokens, and their shares."""

from __future__ import annotations

from capdesk.model.pools import Pool


def token_key(chain: str, token: str) -> str:
    """``ethereum:USDC``; just the token where there is no chain, or where it names one itself."""
    if ":" in token:
        where, _, name = token.partition(":")
        return f"{where.casefold()}:{name}"
    return f"{chain.casefold()}:{token}" if chain else token


def chain_of(key: str) -> str:
    """The chain in a token's full name; empty where it has none."""
    return key.partition(":")[0] if ":" in key else ""


def shares_of(pool: Pool) -> tuple[float, ...]:
    """The share of a dollar that goes into each of a pool's tokens."""
    return pool.shares or (1.0 / len(pool.tokens),) * len(pool.tokens)
