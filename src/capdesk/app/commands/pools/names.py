"""What a person calls a token, and which token it is.

A symbol is only what people call a token, so it stands for the token of each chain that bears
it, and for none where two on one chain do: then the address must be told beside it.
"""

from collections.abc import Iterable

from msgspec import Struct

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.tokens import Token, normal_address, read_token_id


class Doubt(Struct, frozen=True):
    """A name that two tokens on a chain bear, so that it stands for neither."""

    name: str
    chain: str
    tokens: list[str]

    def __str__(self) -> str:
        return (
            f"two tokens on {self.chain} are called {self.name!r}: {', '.join(self.tokens)}. "
            "Name one of them too, by chain:address; --chain leaves the other chains out"
        )


class Resolved(Struct, frozen=True):
    """The tokens that names stand for, by id, and where a name stands for none because two bear it."""

    tokens: list[str]
    doubts: list[Doubt]


def resolve(given: Iterable[str], chain: str | None, known: dict[str, Token]) -> Resolved:
    """The ids of tokens that are called by symbol, address, or ``chain:address``.

    Parameters
    ----------
    chain
        Only tokens of this chain are meant.
    known
        The tokens of the records, by id.

    Raises
    ------
    InvalidInput
        If a name stands for no token, or on each of its chains for two.
    """
    names = list(given)
    told = [read_token_id(name) for name in names if ":" in name]
    tokens, doubts = list(told), []
    for name in names:
        if ":" not in name:
            found = _called(name, chain, known, frozenset(told))
            tokens += found.tokens
            doubts += found.doubts
    return Resolved(tokens, doubts)


def _called(name: str, chain: str | None, known: dict[str, Token], told: frozenset[str]) -> Resolved:
    """The tokens of a symbol or address; where two on one chain bear it, those that were told by their id."""
    if not name.isascii():
        strange = ", ".join(f"{letter!r} is U+{ord(letter):04X}" for letter in name if not letter.isascii())
        raise InvalidInput(
            f"{name!r} may only look like a coin that is known ({strange}): write it chain:address"
        )
    is_address = name.lower().startswith("0x")
    bears = normal_address(name) if is_address else letters.upper(name)
    by_chain: dict[str, list[str]] = {}
    for token_id, token in known.items():
        where = letters.lower(token.chain)
        its = normal_address(token.address or "-") if is_address else letters.upper(token.symbol)
        if where and its == bears and (chain is None or where == letters.lower(chain)):
            by_chain.setdefault(where, []).append(token_id)
    if not by_chain:
        where = "" if chain is None else f" on {chain}"
        raise InvalidInput(
            f"no token is called {name!r}{where} in the records: import its pools, or write it chain:address"
        )
    doubts = [
        Doubt(name, where, rivals)
        for where, rivals in by_chain.items()
        if len(rivals) > 1 and not told & set(rivals)
    ]
    if len(doubts) == len(by_chain):
        raise InvalidInput("\n".join(map(str, doubts)))
    found = [rivals[0] for rivals in by_chain.values() if len(rivals) == 1]
    return Resolved([each for each in found if each not in told], doubts)
