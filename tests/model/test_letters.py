"""A name in letters that only look like others stays another name, and what cannot be seen is told."""

from __future__ import annotations

import sys

import pytest

from capdesk.model import letters
from capdesk.model.tokens import Token, known_peg, peg_of, read_token_id, tokens_of

LONG_S, KELVIN, CYRILLIC_ES, FULL_WIDTH = "U\u017fDC", "to\u212aen", "USD\u0421", "\uff35\uff33\uff24\uff23"
FAKES = (LONG_S, CYRILLIC_ES, FULL_WIDTH, "USDC\u0332", "u\u0455dc")


def test_no_letter_but_a_to_z_becomes_an_ascii_one() -> None:
    for code in range(128, sys.maxunicode + 1):
        letter = chr(code)
        assert letters.upper(letter) == letters.lower(letter) == letter
    assert (letters.upper("aZ-9"), letters.lower("aZ-9")) == ("AZ-9", "az-9")


@pytest.mark.parametrize("fake", FAKES)
def test_a_coin_that_is_called_almost_like_another_is_another(fake: str) -> None:
    real = Token("binance", "USDC").token_id
    assert Token("binance", fake).token_id != real
    assert read_token_id(f"binance:{fake}") != real
    assert known_peg(fake) is None
    (token,) = tokens_of("Ethereum", fake, ())
    assert token.token_id != Token("Ethereum", "USDC").token_id


def test_a_chain_that_is_called_almost_like_another_is_another() -> None:
    assert Token("\u017folana", "USDC").token_id != Token("Solana", "USDC").token_id
    assert Token("SOLANA", "USDC").token_id == Token("Solana", "USDC").token_id


def test_a_peg_is_read_from_ascii_letters_only() -> None:
    assert peg_of("eurc") == "EUR"
    assert peg_of("\u212aEUR") == "EUR"
    assert peg_of("\u1d07UR") == "USD"


@pytest.mark.parametrize(
    "text",
    ["US\u200bDC", "USDC\u3164", "USDC\ufe0f", "\u2800", "a\x00b", "US\u00adDC", "\u202eCDSU", "\ufeffUSDC"],
)
def test_what_cannot_be_seen_is_found(text: str) -> None:
    assert not letters.is_visible(text)


@pytest.mark.parametrize("text", ["USDC", "USD\u20ae0", "\u5e01\u5b89", "a b", FULL_WIDTH])
def test_what_can_be_seen_is_let_through(text: str) -> None:
    assert letters.is_visible(text)
