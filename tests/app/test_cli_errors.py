"""Bad command lines: one line that says what to change, and nothing written."""

import json
from pathlib import Path

import pytest

from tests.app.command_line import run

INVALID_INPUT = 2

pytestmark = pytest.mark.usefixtures("ledger")


BAD = {
    "no such command": ["rquest", "btc", "5"],
    "no such option": ["report", "--jsn"],
    "no amount": ["request", "btc"],
    "too many arguments": ["request", "btc", "5", "6"],
    "a negative amount": ["request", "btc", "-5"],
    "no number": ["request", "btc", "five"],
    "NaN": ["request", "btc", "nan"],
    "infinity": ["deposit", "inf"],
    "an empty name": ["request", "", "5"],
    "a long name": ["request", "x" * 10_000, "5"],
    "no such priority": ["request", "btc", "5", "--priority", "urgent"],
    "no such account": ["request", "btc", "5", "--account", "mars"],
    "no such group": ["request", "btc", "5", "--group", "mars"],
    "a negative lease": ["request", "btc", "5", "--lease", "-1"],
    "a minimum above what is asked": ["request", "btc", "5", "--min-amount", "6"],
    "negative fees": ["release", "btc", "--fees", "-1"],
    "no money": ["withdraw", "0"],
    "a negative silence": ["orphans", "--silent", "-1"],
    "no configuration": ["mandate", "diff", "missing.toml"],
    "no such rules to ask about": ["what-if", "--config", "missing.toml"],
    "a negative balance": ["budget", "--balance", "-5"],
    "a peak without a balance": ["budget", "--peak", "5"],
    "a strategy without a sleeve": ["size", "sniper"],
    "a size above all of the sleeve": ["size", "sniper", "--percent", "50"],
    "nothing to resume": ["resume", "--reason", "test"],
    "nothing to lift": ["breaker", "lift", "--reason", "test"],
    "a halt without a reason": ["halt"],
    "a market that acts on nothing": ["observe", "--volatility-state", "low"],
    "no such state of volatility": ["observe", "--volatility-state", "wild"],
    "no time between heartbeats": ["supervise", "--every", "0"],
    "an address that is none": ["supervise", "--notify", "nowhere"],
    "no steps of a story": ["explain", "--last", "0"],
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_clear_line_and_writes_nothing(words: list[str]) -> None:
    before = run("ledger", "export").stdout
    result = run(*words)

    assert result.exit_code == INVALID_INPUT
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert run("ledger", "export").stdout == before


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_json_value_for_a_program(words: list[str]) -> None:
    result = run(*words, "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == told["exit_code"] == INVALID_INPUT
    assert told["message"] in result.stderr.replace("\n       ", "\n")
    assert told["error"]


def test_a_mistyped_command_is_told_what_it_may_have_meant() -> None:
    assert "'request'" in run("rquest").stderr


def test_a_negative_amount_is_named_instead_of_an_unknown_option() -> None:
    assert "cannot be negative" in run("deposit", "-5").stderr


def test_several_problems_of_a_configuration_have_a_line_each() -> None:
    Path("bad.toml").write_text("order_split_count = 0\nmin_order_size = -1\n", encoding="utf-8")
    result = run("mandate", "diff", "bad.toml")

    first, second = result.stderr.splitlines()
    assert first.startswith("error: min_order_size")
    assert second.startswith("       order_split_count")
