"""An Ethereum chain, through web3: ERC-20 balances and the price of gas.

All balances of a reading are those of one block, so nothing is counted twice while it moves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from capdesk.model import letters
from capdesk.model.errors import InvalidInput, SourceUnavailable
from capdesk.model.market_rows import BadField, Balance, Gas, Rejected
from capdesk.model.tokens import LONGEST_SYMBOL, Token, known_peg

GWEI = 9


def _view(name: str, answer: str, *takes: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "", "type": kind} for kind in takes],
        "outputs": [{"name": "", "type": answer}],
    }


ERC20 = [
    _view("balanceOf", "uint256", "address"),
    _view("decimals", "uint8"),
    _view("symbol", "string"),
]
"""What is asked of a token (EIP-20)."""


class Erc20Balances:
    """What addresses hold of tokens.

    Parameters
    ----------
    web3
        A `web3.Web3`, or the address of a node.
    tokens
        The addresses of the contracts.
    owners
        The addresses whose balances are wanted; each is an account of the records.
    chain
        What the chain is called.
    """

    def __init__(
        self, web3: Any, *, tokens: Sequence[str], owners: Sequence[str], chain: str, day: dt.date
    ) -> None:
        self.web3 = connect(web3)
        self.tokens, self.chain, self.day = tokens, chain, day
        self.owners = [_checksum(self.web3, owner) for owner in owners]

    def rows(self) -> Iterator[Balance | Rejected]:
        """A balance of each token of each owner; a contract that is no token is a rejected row."""
        block = asked(lambda: self.web3.eth.block_number)
        for row, address in enumerate(self.tokens, 1):
            try:
                contract = self.web3.eth.contract(address=_checksum(self.web3, address), abi=ERC20)
                token = self._token(contract, block)
                held = [self._ask(contract, "balanceOf", block, owner) for owner in self.owners]
            except BadField as error:
                yield error.at(row)
                continue
            for owner, units in zip(self.owners, held, strict=True):
                amount = Decimal(units).scaleb(-(token.decimals or 0))
                yield Balance(self.day, owner.lower(), token, amount)

    def _token(self, contract: Any, block: int) -> Token:
        decimals = self._ask(contract, "decimals", block)
        try:
            symbol = letters.upper(self._ask(contract, "symbol", block).strip())
        except BadField:
            symbol = ""
        if not symbol or not letters.is_visible(symbol) or len(symbol) > LONGEST_SYMBOL:
            # Older tokens tell no symbol, or tell it as 32 bytes; what they are is their address anyway.
            symbol = contract.address.upper()
        return Token(self.chain, symbol, contract.address.lower(), known_peg(symbol), decimals)

    def _ask(self, contract: Any, name: str, block: int, *given: Any) -> Any:
        from web3 import exceptions

        call = contract.functions[name](*given)
        try:
            return asked(lambda: call.call(block_identifier=block))
        except (
            exceptions.BadFunctionCallOutput,
            exceptions.ContractLogicError,
            exceptions.Web3ValueError,
            OverflowError,
        ) as error:
            raise BadField("token", contract.address, f"is no ERC-20 token: {name} gave {error}") from error


class ChainGas:
    """What gas costs on a chain.

    Parameters
    ----------
    web3
        A `web3.Web3`, or the address of a node.
    chain
        What the chain is called.
    blocks
        The mean of so many last blocks, base fee and median tip; None: what the node
        suggests now.
    """

    def __init__(self, web3: Any, *, chain: str, day: dt.date, blocks: int | None = None) -> None:
        self.web3, self.chain, self.day, self.blocks = connect(web3), chain, day, blocks

    def rows(self) -> Iterator[Gas]:
        """One gas price."""
        wei = asked(lambda: self.web3.eth.gas_price) if self.blocks is None else self._mean(self.blocks)
        yield Gas(self.day, letters.lower(self.chain), Decimal(wei).scaleb(-GWEI))

    def _mean(self, blocks: int) -> int:
        history = asked(lambda: self.web3.eth.fee_history(blocks, "latest", [50]))
        # The last base fee is that of the block to come.
        base, tips = history["baseFeePerGas"][:-1], [tip[0] for tip in history.get("reward") or [[0]]]
        return sum(base) // len(base) + sum(tips) // len(tips)


def connect(web3: Any) -> Any:
    """The chain that was given, or the one behind the address of a node.

    Raises
    ------
    InvalidInput
        If web3 is not installed.
    """
    if not isinstance(web3, str):
        return web3
    try:
        from web3 import HTTPProvider, Web3
    except ModuleNotFoundError:
        raise InvalidInput("a chain needs web3: install capdesk with its extra 'sources'") from None
    return Web3(HTTPProvider(web3))


def asked(question: Any) -> Any:
    """Ask a node; web3 itself asks again when the connection fails.

    Raises
    ------
    SourceUnavailable
        If it does not answer, or says that it cannot.
    """
    from requests import RequestException
    from web3.exceptions import Web3RPCError

    try:
        return question()
    except (RequestException, Web3RPCError) as error:
        raise SourceUnavailable(
            f"the node did not answer: {type(error).__name__}: {str(error)[:200]}"
        ) from error


def _checksum(web3: Any, address: str) -> str:
    if not web3.is_address(address):
        raise BadField(
            "address", address, "must be 0x and 40 hexadecimal digits (with the right case, if mixed)"
        )
    return web3.to_checksum_address(address)
