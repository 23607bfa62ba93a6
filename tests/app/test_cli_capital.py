"""Capital through the command line: asked for, granted, confirmed, given back, recycled, reported."""

from pathlib import Path

import pytest

from tests.app.command_line import INVALID_INPUT, REFUSED, ask, run

pytestmark = pytest.mark.usefixtures("ledger")


def test_a_grant_is_cut_to_the_limit_that_binds_and_says_so() -> None:
    verdict = ask("request", "btc", "15")

    assert (verdict["result"], verdict["amount"], verdict["asked"]) == ("success", "10", "15")
    assert verdict["bound_by"] == "market_percent"
    assert {"name": "total", "limit": "60", "used": "0", "room": "60"} in verdict["rooms"]


def test_a_grant_shows_its_sentence_and_marks_the_limit_that_binds() -> None:
    result = run("request", "btc", "15")

    assert "granted $10.00 of $15.00 asked for btc" in result.stdout
    (bound,) = (line for line in result.stdout.splitlines() if "binds" in line)
    assert bound.split()[:4] == ["market_percent", "$10.00", "$0.00", "$10.00"]


def test_a_refusal_has_an_exit_code_of_its_own_and_is_no_error() -> None:
    run("request", "btc", "5")
    result = run("request", "btc", "5")

    assert result.exit_code == REFUSED
    assert "(already_allocated)" in result.stdout
    assert result.stderr == ""


def test_less_than_the_minimum_is_refused_rather_than_granted() -> None:
    assert ask("request", "btc", "15", "--min-amount", "12", code=REFUSED)["amount"] == "0"
    assert ask("request", "btc", "15", "--all-or-none", code=REFUSED)["result"] == "market_limit_exceeded"


def test_a_quote_takes_nothing() -> None:
    quoted = ask("request", "btc", "8", "--quote")

    assert (quoted["amount"], quoted["quote"]) == ("8", True)
    assert ask("report")["total_allocated"] == "0"


def test_a_request_under_one_id_is_granted_once() -> None:
    first = ask("request", "btc", "8", "--request-id", "r1")

    assert ask("request", "btc", "8", "--request-id", "r1") == first
    assert ask("report")["total_allocated"] == "8"


def test_an_id_of_another_command_is_invalid_input() -> None:
    ask("deposit", "5", "--request-id", "d1")

    assert ask("deposit", "6", "--request-id", "d1", code=INVALID_INPUT)["error"] == "IdConflict"


def test_amounts_are_exact_in_json_and_rounded_for_people() -> None:
    Path("wide.toml").write_text("max_exposure_per_market_percent = 50\n", encoding="utf-8")
    run("mandate", "update", "wide.toml", "--reason", "test")

    assert ask("request", "btc", "25.000001")["orders"] == ["8.333333", "8.333333", "8.333335"]
    assert "8.33" in run("request", "eth", "25.000001").stdout


def test_a_reservation_stays_for_what_was_filled() -> None:
    run("request", "btc", "8", "--lease", "600")
    assert ask("report")["allocations"][0]["confirmed"] is False

    assert ask("confirm", "btc", "--filled", "3.2")["amount"] == "3.2"
    (held,) = ask("report")["allocations"]
    assert (held["amount"], held["confirmed"], held["lease_until"]) == ("3.2", True, None)


def test_confirming_what_is_not_there_is_refused() -> None:
    assert ask("confirm", "btc", code=REFUSED)["result"] == "not_allocated"


def test_a_lease_that_ended_is_held_and_reported_as_an_orphan() -> None:
    run("request", "btc", "8", "--lease", "0.000001")

    (orphan,) = ask("orphans")["orphans"]
    assert orphan["held"] is True
    assert "held" in run("report").stdout


def test_a_loss_is_a_negative_number() -> None:
    run("request", "btc", "8")

    assert ask("release", "btc", "--pnl", "-3.5", "--fees", "0.25") == {
        "market_id": "btc",
        "released": "8",
        "bankroll": "196.25",
    }


def test_a_part_is_released() -> None:
    run("request", "btc", "8")

    assert ask("release", "btc", "--amount", "3")["released"] == "3"
    assert ask("report")["total_allocated"] == "5"


def test_releasing_what_holds_nothing_is_refused_and_books_nothing() -> None:
    assert ask("release", "btc", "--pnl", "5", code=REFUSED)["bankroll"] == "200"
    assert "nothing was booked" in run("release", "btc", "--pnl", "5").stdout


def test_a_resolved_market_waits_and_then_is_freed() -> None:
    Path("now.toml").write_text("recycle_delay_seconds = 0\n", encoding="utf-8")
    run("mandate", "update", "now.toml", "--reason", "test")
    run("request", "btc", "8")

    assert ask("recycle", "btc", "--pnl", "-1.5")["pending"] is True
    (event,) = ask("recycle")["recycled"]
    assert (event["market_id"], event["amount"], event["pnl"], event["pending"]) == (
        "btc",
        "8",
        "-1.5",
        False,
    )
    assert ask("report")["bankroll"] == "198.5"
    assert run("recycle").stdout == "nothing is due\n"


def test_a_resolved_market_is_freed_at_once_when_told_to() -> None:
    run("request", "btc", "8")

    event = ask("recycle", "btc", "--pnl", "2", "--now", "--request-id", "e1")
    assert (event["amount"], event["pending"]) == ("8", False)
    assert ask("recycle", "btc", "--pnl", "2", "--now", "--request-id", "e1") == event
    assert ask("report")["bankroll"] == "202"


def test_what_waits_is_freed_at_once_with_the_result_it_was_queued_with() -> None:
    run("request", "btc", "8")
    ask("recycle", "btc", "--pnl", "2")
    assert ask("report")["pending_recycles"][0]["pnl"] == "2"

    assert ask("recycle", "btc", "--now")["pnl"] == "2"
    assert ask("report")["bankroll"] == "202"


def test_recycling_what_holds_nothing_is_refused() -> None:
    assert ask("recycle", "btc", code=REFUSED)["amount"] == "0"
    assert ask("recycle", "btc", "--now", code=REFUSED)["amount"] == "0"


@pytest.mark.parametrize("words", [["--pnl", "1"], ["--now"], ["--fees", "1"], ["--request-id", "x"]])
def test_what_belongs_to_one_market_needs_its_name(words: list[str]) -> None:
    result = run("recycle", *words)

    assert result.exit_code == INVALID_INPUT
    assert "name it" in result.stderr


def test_several_strategies_share_a_market() -> None:
    Path("share.toml").write_text("share_markets = true\n", encoding="utf-8")
    run("mandate", "update", "share.toml", "--reason", "test")
    run("request", "btc", "4", "--strategy", "sniper")
    run("request", "btc", "5", "--strategy", "momentum")

    assert ask("release", "btc", code=INVALID_INPUT)["error"] == "InvalidInput"
    assert ask("release", "btc", "--strategy", "momentum")["released"] == "5"


def test_money_comes_in_and_goes_out() -> None:
    assert ask("deposit", "50.5") == {"deposited": "50.5", "bankroll": "250.5"}
    assert ask("withdraw", "0.25") == {"withdrawn": "0.25", "bankroll": "250.25"}
    assert run("deposit", "1000").stdout == "deposited  $1,000.00, the bankroll is $1,250.25\n"


def test_an_open_allocation_is_increased_within_its_limits() -> None:
    run("request", "btc", "4")

    more = ask("increase", "btc", "20")
    assert (more["result"], more["amount"], more["bound_by"]) == ("success", "6", "market_percent")
    assert ask("increase", "eth", "1", code=REFUSED)["result"] == "not_allocated"


def test_money_moves_between_accounts_and_is_compared_with_their_wallets() -> None:
    Path("two.toml").write_text('accounts = ["venue", "wallet"]\n', encoding="utf-8")
    run("init", "--ledger", "two.db", "--bankroll", "200", "--config", "two.toml")
    on = ("--ledger", "two.db")

    assert ask("transfer", "80", "venue", "wallet", *on)["transferred"] == "80"
    assert ask("transfer", "121", "venue", "wallet", *on, code=REFUSED)["error"] == "InsufficientFunds"
    synced = ask("sync", "79.5", "--account", "wallet", "--expected", "80", *on)
    assert synced == {"synced": "79.5", "bankroll": "199.5"}
    late = ask("sync", "80", "--account", "wallet", "--expected", "80", *on, code=REFUSED)
    assert late["error"] == "StaleReading"
    assert ask("report", *on)["bankroll"] == "199.5"


def test_more_than_is_free_is_not_withdrawn() -> None:
    refused = ask("withdraw", "201", code=REFUSED)

    assert refused["error"] == "InsufficientFunds"
    assert ask("report")["bankroll"] == "200"


def test_a_mark_moves_equity_and_not_the_bankroll() -> None:
    run("request", "btc", "10")

    assert ask("mark", "btc", "7.5")["equity"] == "197.5"
    report = ask("report")
    assert (report["bankroll"], report["equity"], report["drawdown"]) == ("200", "197.5", "0.0125")
    assert "$7.50" in run("report").stdout


def test_marking_what_holds_nothing_is_refused() -> None:
    assert ask("mark", "btc", "7.5", code=REFUSED)["error"] == "UnknownAllocation"
