"""A chain, through web3, on a real EVM: py-evm runs a token that vyper has compiled."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from capdesk.model.errors import InvalidInput, SourceUnavailable
from capdesk.model.market_rows import Balance, Gas
from capdesk.sources import open_source, read
from capdesk.sources.chain import ChainGas, Erc20Balances
from tests.http_server import Answer, Server, serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from eth_tester import EthereumTester, PyEVMBackend
    from eth_tester.exceptions import TransactionFailed
    from vyper import compile_code
    from web3 import EthereumTesterProvider, Web3

DAY = dt.date(2026, 2, 16)
TOKEN = """
symbol: public(String[8])
decimals: public(uint8)
balanceOf: public(HashMap[address, uint256])

@deploy
def __init__(symbol: String[8], decimals: uint8, supply: uint256):
    self.symbol = symbol
    self.decimals = decimals
    self.balanceOf[msg.sender] = supply

@external
def transfer(to: address, units: uint256) -> bool:
    self.balanceOf[msg.sender] -= units
    self.balanceOf[to] += units
    return True
"""
NAMELESS = """
balanceOf: public(HashMap[address, uint256])
decimals: public(uint8)
symbol: public(bytes32)

@deploy
def __init__():
    self.balanceOf[msg.sender] = 5
    self.symbol = 0x4d4b520000000000000000000000000000000000000000000000000000000000
"""
NO_TOKEN = """
@external
@view
def answer() -> uint256:
    return 42
"""


@pytest.fixture(scope="module")
def chain() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))


def deploy(chain: Any, source: str, *given: Any) -> Any:
    built = compile_code(source, output_formats=["abi", "bytecode"])
    contract = chain.eth.contract(abi=built["abi"], bytecode=built["bytecode"])
    done = contract.constructor(*given).transact({"from": chain.eth.accounts[0]})
    address = chain.eth.wait_for_transaction_receipt(done)["contractAddress"]
    return chain.eth.contract(address=address, abi=built["abi"])


@contextmanager
def node(chain: Any) -> Iterator[Server]:
    """A node that speaks JSON-RPC over HTTP, with the EVM behind it."""

    request = chain.provider.request_func(chain, chain.middleware_onion)

    def answer(_: str, body: bytes) -> Answer:
        asked = json.loads(body)
        try:
            done = request(asked["method"], asked["params"])
        except TransactionFailed:
            done = {"jsonrpc": "2.0", "error": {"code": 3, "message": "execution reverted", "data": "0x"}}
        return 200, json.loads(Web3.to_json({**done, "id": asked["id"]})), {}

    with serving(answer) as server:
        yield server


def balances(chain: Any, *tokens: str, owners: list[str]) -> Any:
    return read(Erc20Balances(chain, tokens=tokens, owners=owners, chain="Ethereum", day=DAY))


def test_balances_are_those_of_the_contract_to_the_last_unit(chain: Any) -> None:
    first, second = chain.eth.accounts[:2]
    usdc = deploy(chain, TOKEN, "USDC", 6, 1_000_000_000_001)
    usdc.functions.transfer(second, 250_000_000_000).transact({"from": first})
    found = balances(chain, usdc.address, owners=[first, second])
    assert found.rejected == ()
    assert [(each.account, each.amount) for each in found.rows] == [
        (first.lower(), Decimal("750000.000001")),
        (second.lower(), Decimal("250000")),
    ]
    (token,) = {each.token for each in found.rows}
    assert token.token_id == f"ethereum:{usdc.address.lower()}"
    assert (token.symbol, token.decimals, token.peg) == ("USDC", 6, "USD")


def test_a_fake_of_the_same_symbol_is_another_token(chain: Any) -> None:
    first = chain.eth.accounts[0]
    real, fake = (deploy(chain, TOKEN, "USDC", 6, units) for units in (5_000_000, 7_000_000))
    found = balances(chain, real.address, fake.address, owners=[first])
    assert {each.token.symbol for each in found.rows} == {"USDC"}
    assert {each.token.token_id: each.amount for each in found.rows} == {
        f"ethereum:{real.address.lower()}": Decimal(5),
        f"ethereum:{fake.address.lower()}": Decimal(7),
    }


def test_eighteen_decimals_are_exact(chain: Any) -> None:
    first = chain.eth.accounts[0]
    token = deploy(chain, TOKEN, "DAI", 18, 2**255 - 1)
    (held,) = balances(chain, token.address, owners=[first]).rows
    assert held.amount.scaleb(18) == 2**255 - 1


def test_a_token_without_a_symbol_is_known_by_its_address(chain: Any) -> None:
    token = deploy(chain, NAMELESS)
    found = balances(chain, token.address, owners=[chain.eth.accounts[0]])
    assert found.rejected == ()
    assert found.rows[0].amount == 5
    assert found.rows[0].token.symbol == token.address.upper()


def test_a_token_cannot_write_on_the_terminal_by_its_symbol(chain: Any) -> None:
    token = deploy(chain, TOKEN, "U\x1b[2JC", 6, 5)
    (held,) = balances(chain, token.address, owners=[chain.eth.accounts[0]]).rows
    assert held.token.symbol == token.address.upper()


@pytest.mark.parametrize("fake", ["U\u017fDC", "USD\u0421", "US\u200bDC"])
def test_a_token_that_calls_itself_almost_like_another_has_neither_its_symbol_nor_its_peg(
    chain: Any, fake: str
) -> None:
    token = deploy(chain, TOKEN, fake, 6, 5)
    (held,) = balances(chain, token.address, owners=[chain.eth.accounts[0]]).rows
    assert (held.token.symbol == "USDC", held.token.peg) == (False, None)
    assert held.token.token_id == f"ethereum:{token.address.lower()}"


def test_what_is_no_token_is_told_and_the_others_are_read(chain: Any) -> None:
    first = chain.eth.accounts[0]
    other, token = deploy(chain, NO_TOKEN), deploy(chain, TOKEN, "USDT", 6, 1)
    with node(chain) as server:
        found = balances(server.address, other.address, first, "0x12", token.address, owners=[first])
    assert [(each.row, each.field) for each in found.rejected] == [(1, "token"), (2, "token"), (3, "address")]
    assert [each.token.symbol for each in found.rows] == ["USDT"]


def test_all_balances_are_of_one_block(chain: Any) -> None:
    first, second = chain.eth.accounts[:2]
    tokens = [deploy(chain, TOKEN, symbol, 0, 10) for symbol in ("A", "B")]
    rows = Erc20Balances(
        chain, tokens=[each.address for each in tokens], owners=[first], chain="Ethereum", day=DAY
    ).rows()
    told = [next(rows)]
    tokens[1].functions.transfer(second, 10).transact({"from": first})
    told += rows
    assert [each.amount for each in told if isinstance(each, Balance)] == [10, 10]


def test_an_owner_that_is_no_address_is_refused(chain: Any) -> None:
    with pytest.raises(InvalidInput, match="0x and 40 hexadecimal digits"):
        balances(chain, owners=["vitalik"])


def test_gas_is_what_the_node_suggests_exact_in_gwei(chain: Any) -> None:
    (gas,) = read(ChainGas(chain, chain="Ethereum", day=DAY)).rows
    assert gas == Gas(DAY, "ethereum", Decimal(chain.eth.gas_price).scaleb(-9))


def test_gas_of_several_blocks_is_the_mean_base_fee_and_tip(chain: Any) -> None:
    for _ in range(3):
        chain.eth.send_transaction({"from": chain.eth.accounts[0], "to": chain.eth.accounts[1], "value": 1})
    history = chain.eth.fee_history(3, "latest", [50])
    (gas,) = read(ChainGas(chain, chain="Ethereum", day=DAY, blocks=3)).rows
    assert isinstance(gas, Gas)
    assert gas.gwei * 10**9 >= min(history["baseFeePerGas"][:-1])


def test_a_node_is_reached_by_its_address(chain: Any) -> None:
    first = chain.eth.accounts[0]
    token = deploy(chain, TOKEN, "USDC", 6, 42_000_000)
    with node(chain) as server:
        options = {"tokens": token.address, "owners": first, "chain": "Ethereum"}
        found = read(open_source("erc20-balances", server.address, options, DAY))
    assert [each.amount for each in found.rows if isinstance(each, Balance)] == [42]


def test_a_node_that_fails_is_unavailable(chain: Any) -> None:
    with (
        serving(lambda *_: (403, "no", {})) as server,
        pytest.raises(SourceUnavailable, match="the node did not answer"),
    ):
        read(open_source("chain-gas", server.address, {}, DAY))


def test_a_node_that_fails_twice_is_asked_again(chain: Any) -> None:
    failed: list[str] = []
    with node(chain) as server:
        answer = server.answer

        def busy(path: str, body: bytes) -> Answer:
            if len(failed) < 2:
                failed.append(path)
                return 503, "busy", {}
            return answer(path, body)

        server.answer = busy
        (gas,) = read(open_source("chain-gas", server.address, {}, DAY)).rows
    assert isinstance(gas, Gas)
    assert len(failed) == 2
