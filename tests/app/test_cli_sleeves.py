"""Sleeves through the command line: budgets, sizes, the audit and the status of a desk that has them."""

from pathlib import Path

import pytest

from tests.app.command_line import DONE, NO_LEDGER, REFUSED, ask, run

RULES = """
max_drawdown_percent = 20
reserve_percent = 2
max_exposure_per_market_percent = 10
recall_seconds = 60
[[sleeves]]
name = "market_making"
percent = 48
cap = 400
minimum = 50
expected_return = 2
[[sleeves]]
name = "arbitrage"
percent = 30
minimum = 10
pays_gas = true
[[sleeves]]
name = "sniper"
percent = 10
minimum = 150
[risk]
"""


@pytest.fixture(autouse=True)
def narrow(in_an_empty_directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def desk() -> None:
    """A desk with three sleeves under a calm market; the sniper's is under its minimum."""
    Path("rules.toml").write_text(RULES, encoding="utf-8")
    assert run("init", "--bankroll", "1000", "--config", "rules.toml").exit_code == DONE
    assert run("observe", "--volatility-state", "low", "--gas", "20").exit_code == DONE


def lines(*words: str) -> dict[str, list[str]]:
    """The cells of a table, by the first of each row."""
    rows = (line.split() for line in run(*words).stdout.splitlines())
    return {row[0]: row[1:] for row in rows if row}


@pytest.mark.parametrize(
    ("balance", "making", "arbitrage", "reserve", "unallocated"),
    [
        ("72.92", "$56.88", "$14.58", "$1.46", "$0.00"),
        ("100", "$78.00", "$20.00", "$2.00", "$0.00"),
        ("500", "$390.00", "$100.00", "$10.00", "$0.00"),
        ("5000", "$500.00", "$200.00", "$100.00", "$4,200.00"),
        ("40", "$0.00", "$0.00", "$0.80", "$39.20"),
    ],
)
def test_the_built_in_sleeves_are_the_seed_s_table_to_the_cent(
    balance: str, making: str, arbitrage: str, reserve: str, unallocated: str
) -> None:
    shown = lines("budget", "--balance", balance)

    assert shown["market_making"][2] == making
    assert shown["arbitrage"][2] == arbitrage
    assert shown["reserve"][2] == reserve
    assert shown["unallocated"][0] == unallocated


def test_a_budget_is_exact_in_json() -> None:
    sheet = ask("budget", "--balance", "72.92")

    assert {each["sleeve"]: each["budget"] for each in sheet["sleeves"]} == {
        "market_making": "56.8776",
        "arbitrage": "14.584",
    }
    assert (sheet["reserve"], sheet["total_allocated"], sheet["unallocated"]) == ("1.4584", "72.92", "0")
    assert (sheet["most_below_peak"], sheet["max_exposure"]) == ("3.646", "69.274")


def test_a_capped_and_a_disabled_sleeve_say_so() -> None:
    assert "capped" in lines("budget", "--balance", "5000")["market_making"]
    assert "disabled: under its minimum" in run("budget", "--balance", "40").stdout


def test_a_balance_far_below_its_peak_is_beyond_the_kill_switch() -> None:
    sheet = ask("budget", "--balance", "94", "--peak", "100")

    assert (sheet["below_peak"], sheet["most_below_peak"]) == ("6", "5")
    assert "$6.00 below the peak of $100.00" in run("budget", "--balance", "94", "--peak", "100").stdout


def test_the_sleeves_of_a_configuration_are_budgeted_where_it_has_some() -> None:
    Path("capdesk.toml").write_text(RULES, encoding="utf-8")
    sheet = ask("budget", "--balance", "2000")

    assert [(each["sleeve"], each["budget"]) for each in sheet["sleeves"]] == [
        ("market_making", "400"),
        ("arbitrage", "600"),
        ("sniper", "200"),
    ]
    assert sheet["source"] == "the sleeves of capdesk.toml"
    Path("none.toml").write_text("", encoding="utf-8")
    assert ask("budget", "--balance", "72.92", "--config", "none.toml")["source"] == "the built-in sleeves"


@pytest.mark.usefixtures("desk")
def test_a_ledger_is_budgeted_as_it_is_with_what_is_in_use() -> None:
    run("observe", "--volatility-state", "medium", "--gas", "60")
    run("request", "m1", "60", "--strategy", "market_making")
    sheet = ask("budget")
    making, arbitrage, sniper = sheet["sleeves"]

    assert (making["budget"], making["used"], making["room"], making["capped"]) == ("320", "60", "260", True)
    assert (arbitrage["multiplier"], arbitrage["budget"]) == ("0.72", "216")
    assert (sniper["enabled"], sniper["budget"]) == (False, "0")
    assert ask("budget", "--balance", "500", "--ledger", "desk.db")["sleeves"][0]["budget"] == "240"


def test_budgeting_a_ledger_that_is_not_there_makes_none() -> None:
    assert run("budget").exit_code == NO_LEDGER
    assert list(Path().iterdir()) == []


def test_a_ledger_without_sleeves_has_no_budgets_to_show() -> None:
    run("init")

    assert ask("budget")["sleeves"] == []
    assert "desk.db has no sleeves" in run("budget").stdout
    assert "every strategy draws on the $60.00 that may be at work" in " ".join(run("status").stdout.split())


@pytest.mark.usefixtures("desk")
def test_a_size_is_a_quote_of_the_decision() -> None:
    sized = ask("size", "arbitrage", "--percent", "0.25")

    assert (sized["asked"], sized["amount"], sized["sizing"]) == ("75", "75", "strategy_first")
    assert sized["rooms"][2] == {"name": "sleeve:arbitrage", "limit": "300", "used": "0", "room": "300"}
    cut = ask("size", "arbitrage", "--market", "m1")
    assert (cut["asked"], cut["amount"], cut["bound_by"]) == ("300", "100", "market_percent")
    assert ask("status")["allocated"] == "0"


@pytest.mark.usefixtures("desk")
def test_a_size_in_a_disabled_sleeve_would_be_refused() -> None:
    result = run("size", "sniper")

    assert result.exit_code == REFUSED
    assert "would be refused" in result.stdout
    assert "(strategy_disabled)" in result.stdout


@pytest.mark.usefixtures("desk")
def test_a_strategy_without_a_sleeve_is_told_which_there_are() -> None:
    result = run("request", "m1", "5", "--strategy", "nobody")

    assert result.exit_code == REFUSED
    assert "refused $5.00 asked for m1: nobody has no sleeve" in result.stdout
    assert "(unknown_strategy)" in result.stdout


@pytest.mark.usefixtures("desk")
def test_the_audit_shows_each_reduction_once_with_its_cause() -> None:
    run("observe", "--volatility-state", "medium", "--gas", "20")
    run("request", "m1", "60", "--strategy", "market_making")
    steps = ask("audit")["steps"]

    assert [(each["name"], each["change"], each["amount"]) for each in steps if each["level"] == 0] == [
        ("bankroll", "0", "1000"),
        ("reserve", "-20", "980"),
        ("no sleeve's", "-100", "880"),
        ("caps and minimums", "-180", "700"),
        ("risk multiplier", "-140", "560"),
    ]
    amounts = [each["amount"] for each in steps if each["name"] == "positions"]
    assert amounts == ["60", "0", "0"]
    assert steps[4]["cause"] == "volatility medium: x 0.8"


@pytest.mark.usefixtures("desk")
def test_the_audit_has_the_three_metrics() -> None:
    run("request", "m1", "50", "--strategy", "market_making")
    run("release", "m1", "--pnl", "4")
    run("request", "m2", "50.2", "--strategy", "arbitrage")
    found = ask("audit")

    assert found["capital_utilization"] == "0.05"
    # 4 earned on the 400 that its cap leaves are 1 %, half of the 2 % expected.
    assert {name: float(ratio) for name, ratio in found["strategy_performance"].items()} == {
        "market_making": 0.5
    }
    assert "market_making 0.50" in run("audit").stdout


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("command", ["audit", "status", "budget"])
@pytest.mark.usefixtures("desk")
def test_what_is_shown_of_sleeves_fits_the_terminal(
    command: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    run("observe", "--volatility-state", "extreme", "--gas", "150")
    run("request", "m1", "60", "--strategy", "market_making")
    run("breaker", "trip", "--reason", "a very long reason " * 6 + "that ends")
    shown = run(command).stdout

    assert max(map(len, shown.splitlines())) <= int(columns)
    assert "…" not in shown


@pytest.mark.usefixtures("desk")
def test_the_status_has_the_drawdown_the_multiplier_and_every_sleeve() -> None:
    run("request", "m1", "60", "--strategy", "market_making")
    run("release", "m1", "--pnl", "-100")
    run("observe", "--volatility-state", "high", "--gas", "20")
    found = ask("status")

    assert found["halted"] is None
    assert (found["drawdown"], found["drawdown_limit"], found["equity"]) == ("0.1", "0.2", "900")
    assert found["multiplier"]["value"] == "0.6"
    assert found["multiplier"]["reason"] == "volatility high: x 0.6"
    assert [each["budget"] for each in found["sleeves"]] == ["240", "162", "0"]
    shown = run("status").stdout
    assert "10.00 % of 20.00 %" in shown
    assert "seen 0s ago" in shown


@pytest.mark.usefixtures("desk")
def test_a_desk_that_never_saw_its_market_says_so() -> None:
    run("init", "--bankroll", "1000", "--config", "rules.toml", "--ledger", "new.db")

    assert ask("status", "--ledger", "new.db")["multiplier"]["stale"] is True
    assert "never seen" in run("status", "--ledger", "new.db").stdout
