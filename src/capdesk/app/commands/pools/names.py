"""What a person calls a token, and which token it is.

A symbol is only what people call a token, so it stands for the token of each chain that bears
it, and for none where two on one chain do: then the address must be told beside it.
"""

from collections.abc import Iterable

from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.tokens import Token, normal_address, read_token_id


def resolve(given: Iterable[str], chain: str | None, known: dict[str, Token]) -> list[str]:
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
        If a name stands for no token, or for two on one chain.
    """
    names = list(given)
    told = [read_token_id(name) for name in names if ":" in name]
    return told + [
        found for name in names if ":" not in name for found in _called(name, chain, known, frozenset(told))
    ]


def _called(name: str, chain: str | None, known: dict[str, Token], told: frozenset[str]) -> list[str]:
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
    for where, rivals in by_chain.items():
        if len(rivals) > 1 and not told & set(rivals):
            raise InvalidInput(
                f"two tokens on {where} are called {name!r}: {', '.join(rivals)}. Name one of them too, "
                "by chain:address; --chain leaves the other chains out"
            )
    return [each for rivals in by_chain.values() if len(rivals) == 1 for each in rivals if each not in told]
