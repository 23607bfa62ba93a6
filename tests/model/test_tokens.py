"""A token is its chain and address; its symbol is only what people call it."""

from __future__ import annotations

import pytest

from capdesk.model.errors import InvalidInput
from capdesk.model.tokens import Token, known_peg, peg_of, read_token_id, tokens_of

USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"


def test_two_coins_of_one_symbol_are_two_tokens() -> None:
    fake = "0x" + "1" * 40
    ids = {
        Token("Ethereum", "USDC", USDC).token_id,
        Token("Ethereum", "USDC", fake).token_id,
        Token("Avalanche", "USDC", USDC).token_id,
        Token("Avalanche", "USDC.E").token_id,
        Token("Metis", "M.USDC").token_id,
        Token("binance", "USDC").token_id,
        Token("", "USDC").token_id,
    }
    assert len(ids) == 7


def test_the_case_of_a_chain_and_of_a_checksum_tells_nothing_apart() -> None:
    assert Token("Ethereum", "USDC", USDC).token_id == Token("ETHEREUM", "usdc", USDC.lower()).token_id


def test_other_addresses_keep_their_case() -> None:
    mint = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
    assert Token("Solana", "USDC", mint).token_id == f"solana:{mint}"


@pytest.mark.parametrize("address", ["0x" + "0" * 40, "0x" + "E" * 40])
def test_the_addresses_that_stand_for_a_chains_coin_are_one(address: str) -> None:
    assert Token("Ethereum", "ETH", address).token_id == "ethereum:native"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"Ethereum:{USDC}", f"ethereum:{USDC.lower()}"),
        ("binance:usdc", "binance:USDC"),
        (" zkSync Era:native ", "zksync era:native"),
        ("Sui:0x2::sui::SUI", "sui:0x2::sui::SUI"),
    ],
)
def test_what_a_person_writes_is_the_id(written: str, read: str) -> None:
    assert read_token_id(written) == read


@pytest.mark.parametrize("written", ["USDC", ":USDC", "ethereum:", f"ethereum:{USDC[:-1]}", "ethereum:0xabc"])
def test_half_a_name_or_address_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput):
        read_token_id(written)


@pytest.mark.parametrize(
    ("symbol", "peg"),
    [("EURC", "EUR"), ("EURS", "EUR"), ("AGEUR", "EUR"), ("USDT", "USD"), ("DAI.E", "USD"), ("GBPT", "GBP")],
)
def test_a_stablecoin_is_pegged_to_the_currency_in_its_name_else_to_the_dollar(symbol: str, peg: str) -> None:
    assert peg_of(symbol) == peg


def test_a_coin_that_nobody_calls_stable_has_a_peg_only_if_it_is_well_known() -> None:
    assert (known_peg("usdc"), known_peg("EURC"), known_peg("ETH"), known_peg("SUSDE")) == (
        "USD",
        "EUR",
        None,
        None,
    )


def test_the_parts_of_a_pools_name_name_its_tokens_in_order() -> None:
    pair = tokens_of("Ethereum", "USDC-EURC", (USDC, "0x" + "2" * 40))
    assert [(token.symbol, token.peg) for token in pair] == [("USDC", "USD"), ("EURC", "EUR")]


def test_the_one_listed_token_of_a_pair_is_the_first() -> None:
    (quote,) = tokens_of("Ethereum", "DAI-SUSDE", ("0x6B175474E89094C44Da98b954EedeAC495271d0F",))
    assert quote.symbol == "DAI"


def test_a_name_of_fewer_parts_than_tokens_names_each_of_them() -> None:
    three = tokens_of("Ethereum", "3POOL", tuple("0x" + digit * 40 for digit in "123"))
    assert [token.symbol for token in three] == ["3POOL"] * 3


def test_a_pool_without_addresses_is_known_by_its_symbols() -> None:
    assert [token.token_id for token in tokens_of("Solana", "USDC-USDC", ())] == ["solana:USDC"]


def test_a_coin_of_a_pool_that_is_not_stable_has_no_peg() -> None:
    (token,) = tokens_of("Ethereum", "WETH", ("0x" + "3" * 40,), stablecoins=False)
    assert token.peg is None
