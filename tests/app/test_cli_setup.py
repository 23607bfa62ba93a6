"""The ledger file through the command line: made, looked after, and refused when it is none."""

import json
from pathlib import Path

import apsw
import pytest

from tests.app.command_line import (
    ATTENTION,
    CORRUPT,
    INVALID_INPUT,
    MISMATCH,
    NO_LEDGER,
    UNAVAILABLE,
    ask,
    run,
)

ON_A_LEDGER = [
    ["request", "btc", "5"],
    ["increase", "btc", "5"],
    ["confirm", "btc"],
    ["release", "btc"],
    ["recycle"],
    ["recycle", "btc"],
    ["report"],
    ["explain", "btc"],
    ["orphans"],
    ["deposit", "5"],
    ["withdraw", "5"],
    ["transfer", "5", "one", "other"],
    ["sync", "5"],
    ["mark", "btc", "5"],
    ["mandate", "show"],
    ["mandate", "diff", "rules.toml"],
    ["mandate", "update", "rules.toml", "--reason", "test"],
    ["budget"],
    ["budget", "--balance", "5", "--ledger", "desk.db"],
    ["size", "sniper"],
    ["status"],
    ["audit"],
    ["explain"],
    ["what-if", "--config", "rules.toml"],
    ["halt", "--reason", "test"],
    ["resume", "--reason", "test"],
    ["breaker", "trip", "--reason", "test"],
    ["breaker", "lift", "--reason", "test"],
    ["observe", "--volatility", "0.5"],
    ["supervise"],
    ["ledger", "check"],
    ["ledger", "export"],
    ["ledger", "compact"],
]


def test_a_ledger_is_made_with_its_bankroll() -> None:
    assert ask("init", "--bankroll", "1234.5", "--ledger", "my.db") == {
        "ledger": "my.db",
        "created": True,
        "config": None,
        "bankroll": "1234.5",
        "mandate_version": 1,
    }
    assert Path("my.db").is_file()


def test_a_ledger_that_is_there_keeps_its_own() -> None:
    run("init", "--bankroll", "300")
    again = ask("init", "--bankroll", "500")

    assert (again["created"], again["bankroll"]) == (False, "300")
    assert "is there already" in run("init").stdout


def test_the_ledger_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPDESK_LEDGER", "other.db")
    run("init")

    assert Path("other.db").is_file()
    assert ask("report")["bankroll"] == "200"


@pytest.mark.parametrize("bankroll", ["0", "-5", "nan", "inf", "ten"])
def test_a_bankroll_that_is_none_makes_no_ledger(bankroll: str) -> None:
    assert ask("init", "--bankroll", bankroll, code=INVALID_INPUT)["error"] == "InvalidInput"
    assert not Path("desk.db").exists()


@pytest.mark.parametrize(
    "rules", ["max_exposure_per_market_percent = 0.05", "no_such_setting = 1", "not toml", None]
)
def test_a_configuration_that_cannot_be_obeyed_makes_no_ledger(rules: str | None) -> None:
    if rules is not None:
        Path("bad.toml").write_text(rules, encoding="utf-8")

    assert ask("init", "--config", "bad.toml", code=INVALID_INPUT)["error"] == "ConfigError"
    assert not Path("desk.db").exists()


def test_the_configuration_beside_the_caller_is_used() -> None:
    Path("capdesk.toml").write_text("max_total_exposure_percent = 40\n", encoding="utf-8")
    run("init")

    assert ask("mandate", "show")["config"]["max_total_exposure_percent"] == "40"


def test_another_configuration_than_the_mandate_is_refused_with_the_fields() -> None:
    run("init")
    Path("other.toml").write_text("max_total_exposure_percent = 40\n", encoding="utf-8")
    refused = ask("init", "--config", "other.toml", code=MISMATCH)

    assert refused["differences"] == [{"field": "max_total_exposure_percent", "ledger": "30", "given": "40"}]


def test_the_written_configuration_is_the_mandate_and_is_never_overwritten() -> None:
    run("init", "--write-config")
    written = Path("capdesk.toml").read_text(encoding="utf-8")

    assert ask("mandate", "diff", "capdesk.toml")["changes"] == []
    assert run("init", "--write-config").exit_code == INVALID_INPUT
    assert Path("capdesk.toml").read_text(encoding="utf-8") == written


@pytest.mark.parametrize("words", ON_A_LEDGER, ids=" ".join)
def test_no_other_command_makes_a_ledger(words: list[str]) -> None:
    Path("rules.toml").write_text("", encoding="utf-8")
    result = run(*words)

    assert result.exit_code == NO_LEDGER
    assert "capdesk init" in result.stderr
    assert [path.name for path in Path().iterdir()] == ["rules.toml"]


@pytest.mark.parametrize("words", ON_A_LEDGER, ids=" ".join)
def test_a_file_that_is_no_ledger_is_left_as_it_was(words: list[str]) -> None:
    Path("rules.toml").write_text("", encoding="utf-8")
    Path("desk.db").write_bytes(b"dear diary, " * 1000)
    result = run(*words)

    assert result.exit_code == NO_LEDGER
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output
    assert Path("desk.db").read_bytes() == b"dear diary, " * 1000


def test_a_ledger_of_a_newer_capdesk_is_refused() -> None:
    run("init")
    with apsw.Connection("desk.db") as db:
        db.pragma("user_version", 999)

    assert ask("report", code=NO_LEDGER)["error"] == "NewerSchema"


def test_a_sound_ledger_is_found_sound() -> None:
    run("init")
    run("request", "btc", "5")
    found = ask("ledger", "check")

    assert (found["sound"], found["entries"], found["problems"]) == (True, 2, [])
    assert len(found["last_hash"]) == 64


def test_a_changed_entry_is_found() -> None:
    run("init")
    run("request", "btc", "5")
    with apsw.Connection("desk.db") as db:
        db.execute("UPDATE journal SET at = at + 1 WHERE sequence = 2")
    found = ask("ledger", "check", code=CORRUPT)

    assert found["sound"] is False
    assert found["problems"]
    assert run("ledger", "check").stdout.startswith("damaged")


def test_an_export_is_one_json_object_a_line() -> None:
    run("init")
    run("request", "btc", "5")
    lines = [json.loads(line) for line in run("ledger", "export").stdout.splitlines()]

    assert [line["sequence"] for line in lines] == [1, 2]
    assert ask("ledger", "export", "--output", "out.jsonl")["entries"] == 2
    assert [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()] == lines


def test_an_export_overwrites_nothing() -> None:
    run("init")
    Path("out.jsonl").write_text("mine", encoding="utf-8")

    assert run("ledger", "export", "--output", "out.jsonl").exit_code == INVALID_INPUT
    assert Path("out.jsonl").read_text(encoding="utf-8") == "mine"


def test_compacting_loses_no_entry() -> None:
    run("init")
    run("request", "btc", "5")
    before = run("ledger", "export").stdout
    sizes = ask("ledger", "compact")

    assert sizes["bytes_after"] > 0
    assert run("ledger", "export").stdout == before


def test_a_directory_that_is_not_there_is_named() -> None:
    result = run("init", "--ledger", "nowhere/desk.db")

    assert result.exit_code == UNAVAILABLE
    assert "nowhere" in result.stderr


def test_the_doctor_looks_at_everything_before_there_is_a_ledger() -> None:
    found = {each["check"]: each for each in ask("doctor")["findings"]}

    assert set(found) == {
        "sqlite",
        "file system",
        "fdatasync",
        "disk space",
        "clock",
        "clock steadiness",
        "ledger",
        "lock file",
    }
    assert found["sqlite"]["figures"]["wal_reset_bug"] is False
    assert 0 < found["fdatasync"]["figures"]["median_seconds"] <= found["fdatasync"]["figures"]["p99_seconds"]
    assert list(Path().iterdir()) == []


def test_the_doctor_reads_the_ledger() -> None:
    run("init")
    found = {each["check"]: each for each in ask("doctor")["findings"]}

    assert found["ledger"]["figures"] == {"exists": True, "entries": 1}
    assert found["clock"]["figures"]["last_entry"] is not None
    assert "✓" in run("doctor").stdout


def test_the_doctor_finds_a_file_that_is_no_ledger() -> None:
    Path("desk.db").write_bytes(b"dear diary, " * 1000)
    found = ask("doctor", code=ATTENTION)

    assert found["healthy"] is False
    assert "✗" in run("doctor").stdout
