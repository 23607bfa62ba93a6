"""Tokens: known by chain and address, never by symbol alone.

Anybody may call a coin USDC. What a token is, is told by the chain and the address of its
contract; a symbol is how people call it. An exchange's coin has no address: there the
exchange stands for the chain and the symbol for the address.
"""

from __future__ import annotations

import re

from msgspec import Struct

from capdesk.model.errors import InvalidInput

NATIVE = "native"
"""What stands for the address of a chain's own coin, in which its gas is paid."""

_CURRENCIES = ("EUR", "GBP", "CHF", "JPY", "AUD", "CAD", "SGD", "BRL", "MXN", "TRY")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class Token(Struct, frozen=True):
    """A coin on a chain.

    Attributes
    ----------
    chain
        The chain, or the exchange; empty for a coin wherever it is (the price of "DAI").
    symbol
        What people call it, upper case.
    address
        Its contract; None where there is none.
    peg
        The currency that it promises to be worth one of; None for a coin without a promise.
    decimals
        How many decimal places the contract counts in; None where unknown.
    """

    chain: str
    symbol: str
    address: str | None = None
    peg: str | None = None
    decimals: int | None = None

    @property
    def token_id(self) -> str:
        """The name that lists, prices and balances know it by: ``ethereum:0xa0b8...``."""
        return token_id(self.chain, self.address or self.symbol)


def token_id(chain: str, name: str) -> str:
    """The id of the token with an address, or a symbol where it has none, on a chain.

    Chains are compared without case, and so are addresses in hexadecimal digits (their case
    is a checksum); other addresses keep theirs.
    """
    where = chain.strip().casefold()
    return f"{where}:{normal_name(name)}" if where else normal_name(name)


def normal_name(name: str) -> str:
    """An address or a symbol, in the one way of writing it.

    Raises
    ------
    InvalidInput
        If it is empty, or begins like an address of 20 bytes and is none.
    """
    name = name.strip()
    if not name or any(character.isspace() for character in name):
        raise InvalidInput(f"a token's address or symbol must be one word, got {name!r}")
    if _HEX_ADDRESS.fullmatch(name) or name.casefold() == NATIVE:
        return name.lower()
    if name.lower().startswith("0x") and len(name) < 66:
        raise InvalidInput(f"an address has 0x and 40 hexadecimal digits, got {name!r}")
    return name if len(name) > 30 else name.upper()


def peg_of(symbol: str) -> str:
    """The currency that a stablecoin of this symbol promises: EURC the euro, USDT the dollar."""
    return next((currency for currency in _CURRENCIES if currency in symbol.upper()), "USD")


def tokens_of(
    chain: str, symbol: str, addresses: tuple[str, ...], *, stablecoins: bool = True
) -> tuple[Token, ...]:
    """The tokens of a pool that is called ``USDC-DAI`` and lists the addresses of its tokens.

    A pool that lists no address is known by its symbols. Where the name has as many parts
    as there are addresses, or more, the parts name them in order; else the name of the pool
    names each.
    """
    parts = [part.upper() for part in symbol.split("-") if part]
    names = parts if len(parts) >= len(addresses) else [symbol.upper()] * len(addresses)

    def token(name: str, address: str | None) -> Token:
        peg = peg_of(name) if stablecoins else None
        return Token(chain, name, None if address is None else normal_name(address), peg)

    if not addresses:
        return tuple(token(part, None) for part in dict.fromkeys(parts))
    return tuple(token(name, address) for name, address in zip(names, addresses, strict=False))
