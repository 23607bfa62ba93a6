"""Tokens: known by chain and address, never by symbol alone.

Anybody may call a coin USDC. What a token is, is told by the chain and the address of its
contract; a symbol is how people call it. An exchange's coin has no address: there the
exchange stands for the chain and the symbol for the address. What only looks like a
symbol, in the letters of another script, is another symbol (`letters`).
"""

from __future__ import annotations

import re

from msgspec import Struct

from capdesk.model import letters
from capdesk.model.errors import InvalidInput

NATIVE = "native"
"""What stands for the address of a chain's own coin, in which its gas is paid."""

LONGEST_SYMBOL = 30
"""What is longer is an address."""

_CURRENCIES = ("EUR", "GBP", "CHF", "JPY", "AUD", "CAD", "SGD", "BRL", "MXN", "TRY")
_DOLLARS = (
    "USDC USDT DAI USDS USDE USDP PYUSD RLUSD FDUSD TUSD BUSD GUSD LUSD CRVUSD GHO FRAX FRXUSD USDD USD1 UST"
)
_EUROS = "EURC EURS EURT EURI EURCV EURE"
_KNOWN = {**dict.fromkeys(_DOLLARS.split(), "USD"), **dict.fromkeys(_EUROS.split(), "EUR")}
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_OWN_COIN = ("0x" + "0" * 40, "0x" + "e" * 40)


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
        name = letters.upper(self.symbol) if self.address is None else normal_address(self.address)
        where = letters.lower(self.chain.strip())
        return f"{where}:{name}" if where else name


def normal_address(address: str) -> str:
    """An address in the one way of writing it.

    The case of 20 bytes in hexadecimal digits is a checksum and tells nothing apart; other
    addresses keep theirs. The addresses that stand for a chain's own coin are ``native``.

    Raises
    ------
    InvalidInput
        If it is not one word.
    """
    if not address or any(character.isspace() for character in address):
        raise InvalidInput(f"a token's address must be one word, got {address!r}")
    if not _HEX_ADDRESS.fullmatch(address):
        return address
    return NATIVE if address.lower() in _OWN_COIN else address.lower()


def read_token_id(text: str) -> str:
    """The id that a person writes: ``Ethereum:0xA0b8...``, or ``binance:USDC`` where there is no address.

    Raises
    ------
    InvalidInput
        If the chain is missing, or what looks like an address of 20 bytes is none.
    """
    chain, colon, name = text.strip().partition(":")
    if not colon or not chain or not name:
        raise InvalidInput(f"a token is written chain:address or exchange:symbol, got {text!r}")
    if name.lower() == NATIVE or name.lower().startswith("0x") or len(name) > LONGEST_SYMBOL:
        if re.fullmatch(r"0x[0-9a-fA-F]{1,41}", name) and not _HEX_ADDRESS.fullmatch(name):
            raise InvalidInput(f"an address has 0x and 40 hexadecimal digits, got {name!r}")
        return Token(chain, "", NATIVE if name.lower() == NATIVE else name).token_id
    return Token(chain, name).token_id


def known_peg(symbol: str) -> str | None:
    """The peg of a coin that nobody has called stable: only well-known stablecoins have one."""
    return _KNOWN.get(letters.upper(symbol))


def peg_of(symbol: str) -> str:
    """The currency that a stablecoin of this symbol promises: EURC the euro, USDT the dollar."""
    return next((currency for currency in _CURRENCIES if currency in letters.upper(symbol)), "USD")


def tokens_of(
    chain: str, symbol: str, addresses: tuple[str, ...], *, stablecoins: bool = True
) -> tuple[Token, ...]:
    """The tokens of a pool that is called ``USDC-DAI`` and lists the addresses of its tokens.

    A pool that lists no address is known by its symbols. Where the name has as many parts
    as there are addresses, or more, the parts name them in order; else the name of the pool
    names each.
    """
    parts = [letters.upper(part) for part in symbol.split("-") if part]
    names = parts if len(parts) >= len(addresses) else [letters.upper(symbol)] * len(addresses)

    def token(name: str, address: str | None) -> Token:
        peg = peg_of(name) if stablecoins else None
        return Token(chain, name, None if address is None else normal_address(address), peg)

    if not addresses:
        return tuple(token(part, None) for part in dict.fromkeys(parts))
    return tuple(token(name, address) for name, address in zip(names, addresses, strict=False))
