"""What the command line shows: the report, the story of a market, orphans."""

import pytest

from tests.app.command_line import ask, run

LONG_NAME = "0x" + "9f" * 32

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture(autouse=True)
def narrow(in_an_empty_directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_the_report_has_the_keys_of_the_desk_s_report_and_more() -> None:
    run("request", "btc", "30")
    report = ask("report")

    assert {key: report[key] for key in ("bankroll", "total_allocated", "available", "headroom")} == {
        "bankroll": "200",
        "total_allocated": "10",
        "available": "190",
        "headroom": "50",
    }
    assert report["max_total_allowed"] == "60"
    assert report["utilization_percent"] == "5"
    assert report["num_allocated_markets"] == 1
    assert report["today"]["recycles_today"] == 0
    assert report["mandate_version"] == 1
    assert report["as_of"]["sequence"] == 2
    assert report["as_of"]["time"].endswith("Z")


def test_the_report_shows_the_bankroll_its_use_and_every_allocation() -> None:
    run("request", "btc", "10")
    run("request", "eth", "5", "--strategy", "momentum", "--lease", "3600")
    shown = run("report").stdout

    for figure in ("bankroll  $200.00", "$15.00", "$45.00", "25.0 % of the limit", "7.5 % of the bankroll"):
        assert figure in shown
    assert "momentum" in shown
    assert "reserved" in shown


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_report_fits_the_terminal_and_cuts_no_name(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    run("request", LONG_NAME, "10", "--lease", "60")
    lines = run("report").stdout.splitlines()

    assert max(len(line) for line in lines) <= int(columns)
    assert "…" not in "".join(lines)
    start = next(number for number, line in enumerate(lines) if line.startswith("0x"))
    assert "".join(line.split()[0] for line in lines[start:] if line.strip()) == LONG_NAME


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    run("request", "[red]btc[/]", "10")

    assert "[red]btc[/]" in run("report").stdout
    assert "[red]btc[/]" in run("explain", "[red]btc[/]").stdout


def test_the_report_tells_what_waits_to_be_recycled() -> None:
    run("request", "btc", "10")
    run("recycle", "btc", "--pnl", "-4")
    shown = run("report").stdout

    assert "waiting to be recycled" in shown
    assert "-$4.00" in shown
    assert "recycling" in shown


def test_a_story_tells_every_decision_with_its_reason_and_its_rooms() -> None:
    run("request", "btc", "15", "--lease", "600")
    run("request", "btc", "3")
    run("confirm", "btc", "--filled", "8")
    run("mark", "btc", "7")
    run("release", "btc", "--pnl", "-2", "--fees", "0.1", "--amount", "3")
    run("recycle", "btc", "--pnl", "1", "--now")
    run("request", "other", "5")
    steps = ask("explain", "btc")["steps"]

    assert [step["what"] for step in steps] == [
        "reserved",
        "refused",
        "confirmed",
        "marked",
        "released",
        "queued",
        "recycled",
    ]
    granted, refused, confirmed, _, released, _, recycled = steps
    assert granted["bound_by"] == "market_percent"
    assert {"name": "market_percent", "limit": "10", "used": "0", "room": "10"} in granted["rooms"]
    assert refused["result"] == "already_allocated"
    assert (confirmed["amount"], confirmed["returned"]) == ("8", "2")
    assert (released["amount"], released["pnl"], released["fees"], released["rest"]) == (
        "3",
        "-2",
        "0.1",
        "5",
    )
    assert (recycled["amount"], recycled["pnl"]) == ("5", "1")


def test_a_story_reads_well() -> None:
    run("request", "btc", "15")
    run("release", "btc", "--pnl", "-2")
    shown = run("explain", "btc").stdout

    assert "granted $10.00 of $15.00 asked for btc" in shown
    assert "◀ binds" in shown
    assert "$10.00 came back, P&L -$2.00" in shown


def test_an_ended_lease_is_part_of_the_story() -> None:
    run("request", "btc", "5", "--lease", "0.000001")
    run("deposit", "1")

    assert ask("explain", "btc")["steps"][1]["what"] == "lease ended"


def test_a_market_without_a_story_is_no_error() -> None:
    assert ask("explain", "btc") == {"market_id": "btc", "steps": []}
    assert "says nothing about btc" in run("explain", "btc").stdout


def test_orphans_are_those_whose_owner_is_silent() -> None:
    run("request", "btc", "5")

    assert ask("orphans")["orphans"] == []
    assert ask("orphans")["as_of"]["sequence"] == 2
    assert ask("orphans", "--silent", "0")["orphans"][0]["market_id"] == "btc"
    assert "btc" in run("orphans", "--silent", "0").stdout
    assert run("orphans").stdout.startswith("no orphans")
