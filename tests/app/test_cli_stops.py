"""What stops grants, through the command line: halts, breakers, the kill switch, recalls, and their story."""

from pathlib import Path

import pytest

from tests.app.command_line import ATTENTION, DONE, REFUSED, ask, run

RULES = """
max_drawdown_percent = 20
max_exposure_per_market_percent = 15
recall_seconds = 0
[[sleeves]]
name = "sniper"
percent = 50
[risk]
"""


@pytest.fixture(autouse=True)
def desk(in_an_empty_directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    Path("rules.toml").write_text(RULES, encoding="utf-8")
    assert run("init", "--bankroll", "1000", "--config", "rules.toml").exit_code == DONE
    assert run("observe", "--volatility-state", "low").exit_code == DONE


def test_a_halt_refuses_every_grant_and_lets_capital_come_back() -> None:
    run("request", "btc", "50")
    halted = ask("halt", "--reason", "the venue is down")

    assert (halted["halted"], halted["reason"]) == (True, "the venue is down")
    assert ask("request", "eth", "5", code=REFUSED)["result"] == "halted"
    assert ask("release", "btc", "--pnl", "1")["bankroll"] == "1001"
    assert "HALTED" in run("status").stdout
    assert "HALTED" in run("report").stdout


def test_a_halt_ends_by_hand_and_the_high_water_mark_begins_anew() -> None:
    run("request", "btc", "100")
    run("release", "btc", "--pnl", "-100")
    run("halt", "--reason", "a look")

    assert ask("resume", "--reason", "looked")["high_water_mark"] == "900"
    assert ask("status")["drawdown"] == "0"
    assert ask("request", "btc", "5")["granted"] is True


def test_a_halt_in_force_keeps_its_own_reason() -> None:
    run("halt", "--reason", "first")

    assert ask("halt", "--reason", "second")["reason"] == "first"


def test_a_halt_under_one_id_takes_effect_once() -> None:
    run("halt", "--reason", "x", "--request-id", "h1")
    run("resume", "--reason", "y")

    assert ask("halt", "--reason", "x", "--request-id", "h1")["halted"] is False
    assert "was ended since" in run("halt", "--reason", "x", "--request-id", "h1").stdout


def test_the_kill_switch_halts_and_says_at_which_drawdown() -> None:
    run("request", "btc", "100")
    run("release", "btc", "--pnl", "-230")
    halted = ask("status")["halted"]

    assert "23.00%" in halted["reason"]
    assert ask("report")["halted"] == halted
    assert "exceeds the limit of 20.00%" in " ".join(run("request", "eth", "5").stdout.split())


def test_the_manual_breaker_trips_and_lifts() -> None:
    (tripped,) = ask("breaker", "trip", "--reason", "maintenance")["breakers"]

    assert (tripped["name"], tripped["reason"]) == ("manual", "maintenance")
    assert run("request", "btc", "5").exit_code == REFUSED
    assert ask("status")["multiplier"]["value"] == "0"
    assert ask("breaker", "lift", "--reason", "done") == {"breakers": []}
    assert run("request", "btc", "5").exit_code == DONE


def test_what_is_observed_sets_the_multiplier() -> None:
    seen = ask("observe", "--volatility", "0.9", "--gas", "120")

    assert (seen["multiplier"], seen["gas_multiplier"]) == ("0.6", "1")
    assert ask("observe", "--breaker")["multiplier"] == "0"
    assert "x 0.8" in run("observe", "--volatility-state", "medium").stdout


def test_the_room_that_is_shown_is_the_room_that_is_granted() -> None:
    run("observe", "--volatility-state", "extreme")
    report = ask("report")

    assert (report["max_total_allowed"], report["headroom"]) == ("285", "285")
    assert "x 0.3" in run("report").stdout


def test_a_recall_is_shown_with_its_deadline_and_when_it_is_overdue() -> None:
    run("request", "btc", "140")
    run("request", "eth", "140")
    run("observe", "--volatility-state", "extreme")
    assert supervised_once() is None
    (recall,) = ask("status")["recalls"]

    assert (recall["sleeve"], recall["amount"], recall["overdue"]) == ("sniper", "130", True)
    assert "overdue since" in run("status").stdout
    assert "overdue" in run("report").stdout


def supervised_once() -> None:
    import asyncio

    from capdesk import CapitalAllocator

    async def beat() -> None:
        async with CapitalAllocator.open("desk.db") as desk:
            await desk.review()

    asyncio.run(beat())


def test_the_desk_s_own_story_tells_what_stopped_it() -> None:
    run("request", "btc", "140")
    run("request", "eth", "140")
    run("observe", "--volatility-state", "extreme")
    run("observe", "--volatility-state", "extreme")
    supervised_once()
    run("release", "btc")
    supervised_once()
    run("breaker", "trip", "--reason", "maintenance")
    run("breaker", "lift", "--reason", "done")
    run("halt", "--reason", "the venue is down")
    run("resume", "--reason", "it is up")
    run("deposit", "5")
    steps = ask("explain")["steps"]

    assert [step["what"] for step in steps] == [
        "founded",
        "observed",
        "observed",
        "budgets",
        "recalled",
        "recall met",
        "breaker",
        "lifted",
        "halted",
        "resumed",
        "deposited",
    ]
    assert steps[4]["amount"] == "130"
    assert [step["what"] for step in ask("explain", "--last", "2")["steps"]] == ["resumed", "deposited"]
    assert "it holds $130.00 above its budget" in run("explain").stdout


def test_the_story_of_a_market_tells_the_sleeve_s_room_and_why_it_was_refused() -> None:
    run("request", "btc", "10")
    run("halt", "--reason", "the venue is down")
    run("request", "eth", "10")

    (granted,) = ask("explain", "btc")["steps"]
    (refused,) = ask("explain", "eth")["steps"]
    assert {"name": "sleeve:sniper", "limit": "500", "used": "0", "room": "500"} in granted["rooms"]
    assert refused["result"] == "halted"
    assert "the venue is down" in refused["sentence"]


def test_a_mandate_is_weighed_while_the_desk_is_halted() -> None:
    run("request", "btc", "100")
    run("halt", "--reason", "a look")
    Path("less.toml").write_text(RULES.replace("percent = 15", "percent = 5"), encoding="utf-8")
    (above,) = ask("mandate", "diff", "less.toml", code=ATTENTION)["above"]

    assert (above["name"], above["after"], above["above"]) == ("market_percent", "50", "50")


def test_a_mandate_without_the_sleeve_of_what_is_open_leaves_it_nothing() -> None:
    run("request", "btc", "100")
    Path("other.toml").write_text(RULES.replace('"sniper"', '"other"'), encoding="utf-8")
    (above,) = ask("mandate", "diff", "other.toml", code=ATTENTION)["above"]

    assert (above["name"], above["before"], above["after"], above["above"]) == (
        "strategy:sniper",
        None,
        "0",
        "100",
    )


def test_what_differs_in_a_table_is_shown_and_nothing_else_of_it() -> None:
    Path("other.toml").write_text(RULES.replace("percent = 50", "percent = 40"), encoding="utf-8")
    shown = run("mandate", "diff", "other.toml").stdout

    assert "sleeves.sniper.percent" in shown
    assert "risk" not in shown


def test_rules_that_may_do_what_nobody_meant_are_warned_of() -> None:
    Path("risky.toml").write_text(RULES.replace("percent = 20", "percent = 10"), encoding="utf-8")
    result = run("mandate", "diff", "risky.toml")

    assert result.exit_code == DONE
    assert result.stderr.startswith("warning: one market may hold 15 % of equity")
    assert result.stderr.count("\n") == 1
