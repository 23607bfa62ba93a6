"""What a person calls a token, and which token it is.

A symbol is only what people call a token, so it stands for the token of each chain that bears
it, and for none where two on one chain do: then the address must be told.
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
    return [found for name in given for found in _resolve_one(name, chain, known)]


def _resolve_one(name: str, chain: str | None, known: dict[str, Token]) -> list[str]:
    if ":" in name:
        return [read_token_id(name)]
    if not name.isascii():
        strange = ", ".join(f"{letter!r} is U+{ord(letter):04X}" for letter in name if not letter.isascii())
        raise InvalidInput(
            f"{name!r} may only look like a coin that is known ({strange}): write it chain:address"
        )
    here = [
        (token_id, token)
        for token_id, token in known.items()
        if token.chain and (chain is None or letters.lower(token.chain) == letters.lower(chain))
    ]
    is_address = name.lower().startswith("0x")
    bears = normal_address(name) if is_address else letters.upper(name)
    found = [
        (token_id, token)
        for token_id, token in here
        if bears == (normal_address(token.address or "-") if is_address else letters.upper(token.symbol))
    ]
    if not found:
        where = "" if chain is None else f" on {chain}"
        raise InvalidInput(
            f"no token is called {name!r}{where} in the records: import its pools, or write it chain:address"
        )
    chains = [letters.lower(token.chain) for _, token in found]
    for each in chains:
        if chains.count(each) > 1:
            rivals = ", ".join(token_id for token_id, token in found if letters.lower(token.chain) == each)
            raise InvalidInput(
                f"two tokens on {each} are called {name!r}: {rivals}. Say which, by chain:address"
                " (and others with --chain)"
            )
    return [token_id for token_id, _ in found]
