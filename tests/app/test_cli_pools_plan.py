"""`capdesk pools eligible`, `forecast`, `plan` and `adopt`: a treasury's day on the command line."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from capdesk.app import pool_plan_view, render
from capdesk.app.cli import app
from capdesk.model.lists import APPROVED_TOKENS, ICEBOX_TOKENS
from capdesk.model.market_rows import PoolDay, PoolFacts, Price
from capdesk.model.pool_plans import LimitInForce
from capdesk.model.tokens import Token
from capdesk.records import Records
from capdesk.treasury_prices import end_of
from tests.treasuries import DAY, POOLS, USDC, USDT, balance, figures, furnish, prices

LIMITS = """
min_pools = 1
profit_optimization = true
position_max_pct_total_assets = 0.5
group1_max_pct = 1.0
group2_max_pct = 1.0
group3_max_pct = 1.0
deposit_gas_usd = 3.5
"""
DESK = """
max_exposure_per_market_percent = 60
max_exposure_per_market_absolute = 1000000
max_total_exposure_percent = 100
"""


@pytest.fixture(autouse=True)
def treasury(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CAPDESK_RECORDS", "CAPDESK_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    Path("limits.toml").write_text(LIMITS, encoding="utf-8")
    Path("desk.toml").write_text(DESK, encoding="utf-8")
    with furnish(Path("records.db"), count=2) as records:
        records.write([*prices(DAY), balance("1000000")])


def capdesk(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def plan(*words: str, code: int = 0) -> Result:
    result = capdesk("pools", "plan", "--parameters", "limits.toml", *words)
    assert result.exit_code == code, result.output
    return result


def told(*words: str) -> Any:
    return json.loads(plan("--json", *words).stdout)


def one_line(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_a_day_is_planned_from_the_records_and_stored_as_a_run() -> None:
    made = told()
    after = sum(map(Decimal, made["allocations"].values())) + Decimal(made["cash"])
    assert after + sum(map(Decimal, (made["costs"]["gas"], made["costs"]["conversion"]))) == 1_000_000
    assert made["day"] == DAY.isoformat()
    assert made["certificate"]["gap"] < 1e-6
    assert set(made["names"].values()) <= {
        "USDC aave-v3 Ethereum",
        "USDC sparklend Ethereum",
        "USDT aave-v3 Ethereum",
    }
    shown = json.loads(capdesk("pools", "show", str(made["run"]), "--json").stdout)
    assert shown["hash"] == made["hash"]
    assert shown["run"]["outcome"]["result"]["allocations"] == made["allocations"]
    assert json.loads(capdesk("pools", "replay", str(made["run"]), "--json").stdout)["replay"] == "identical"


@pytest.mark.parametrize("method", ["highs", "milp", "cvxpy"])
def test_every_method_finds_the_same_optimum(method: str) -> None:
    assert told("--method", method)["objective"] == pytest.approx(told()["objective"], rel=1e-6)


def test_people_read_names_and_every_step_with_its_gas_and_fee() -> None:
    text = plan().stdout
    made = told()
    for step in made["transactions"]:
        assert step["verb"] in text
        assert f"${Decimal(step['gas']):,.2f}" in text
    for words in (
        "USDT aave-v3 Ethereum",
        "USDC Ethereum to USDT Ethereum",
        "no plan can exceed",
        "$1,000 more",
    ):
        assert words in text
    assert "0xaaaa" not in text


def test_limits_that_are_worth_nothing_are_counted_and_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    limits = (LimitInForce("dear", 5.0, 5.0, 0.002), LimitInForce("idle", 5.0, 5.0, 4e-8))
    told_of: Any = SimpleNamespace(plan=SimpleNamespace(limits=limits), say=str)
    render.console().print(pool_plan_view._limits(told_of))
    text = capsys.readouterr().out
    assert "dear" in text
    assert "$2.0000" in text
    assert "idle" not in text
    assert "and 1 more that are worth less" in " ".join(text.split())


def test_what_a_narrow_terminal_leaves_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "96 columns also show" not in plan().stdout
    monkeypatch.setenv("COLUMNS", "80")
    text = " ".join(plan().stdout.split())
    assert "96 columns also show what $1,000 more of each pool's own limit would add" in text


def test_a_list_that_is_changed_for_the_day_of_a_run_changes_nothing_in_it() -> None:
    number = str(told()["run"])
    before = capdesk("pools", "show", number, "--json").stdout
    for words in (
        ("approve", "sparklend", "--protocol", "--remove"),
        ("blacklist", "USDT"),
        ("icebox", "USDC"),
        ("approve", "USDC", "--remove"),
    ):
        assert capdesk("pools", *words, "--day", DAY.isoformat(), "--reason", "a test").exit_code == 0
    assert capdesk("pools", "show", number, "--json").stdout == before
    assert json.loads(capdesk("pools", "replay", number, "--json").stdout)["replay"] == "identical"
    judged = json.loads(capdesk("pools", "eligible", "--json").stdout)["pools"]
    assert not any(each["eligible"] for each in judged)


def test_why_a_pool_is_in_or_out_is_told_by_its_id_or_its_name() -> None:
    told_of = told("--explain", "USDT aave-v3 Ethereum", "--explain", "spark")["why"]
    assert told_of[0].startswith("USDT aave-v3 Ethereum holds $")
    assert told_of[1].startswith("USDC sparklend Ethereum")
    assert "no pool is called 'none'" in one_line(plan("--explain", "none", code=2))
    assert "2 pools are called 'aave'" in one_line(plan("--explain", "aave", code=2))


def test_a_table_of_holdings_stands_in_for_the_records_and_is_not_written_to_them() -> None:
    Path("held.csv").write_text(
        "date,account,chain,symbol,address,amount,pool\n"
        f"2026-02-15,vault,Ethereum,USDC,{USDC.address},1,\n"
        f"2026-02-16,vault,Ethereum,USDC,{USDC.address},250000,\n"
        f"2026-02-16,safe,Ethereum,USDC,{USDC.address},50000,aave-usdc\n",
        encoding="utf-8",
    )
    everything = told("--holdings", "held.csv")
    assert sum(Decimal(each["before"]) for each in everything["positions"]) == 50_000
    one = told("--holdings", "held.csv", "--treasury", "vault")
    total = sum(map(Decimal, one["allocations"].values())) + Decimal(one["cash"])
    assert 249_000 < total <= 250_000
    with Records("records.db") as records:
        assert [each.amount for each in records.balances(DAY)] == [1_000_000]


def test_a_fake_that_lies_in_the_wallet_is_not_worth_its_peg() -> None:
    fake = Token("Ethereum", "USDC", "0x" + "f" * 40, "USD")
    with Records("records.db") as records:
        records.write([balance("1000000"), balance("9000000", fake)])
    refused = one_line(plan("--at-peg", code=2))
    assert f"USDC ({fake.token_id}) in account vault" in refused
    with Records("records.db") as records:
        records.write([PoolFacts("trap", "Ethereum", "aave-v3", "USDC", (fake,)), balance("0", fake)])
        records.write([PoolDay("trap", DAY, tvl=10**14, apy=90.0)])
    assert "trap" not in told("--at-peg")["allocations"]


def test_a_held_coin_that_falls_is_iced_and_each_answer_is_priced() -> None:
    with Records("records.db") as records:
        records.write([*prices(DAY, usdc="0.98"), balance("500000"), balance("300000", pool="aave-usdc")])
    made = told()
    assert made["iced"] == [USDC.token_id]
    assert set(made["on_ice"]) == {"exit", "reduce", "freeze"}
    assert Decimal(made["on_ice"]["exit"]["stays"]) == 0
    assert Decimal(made["on_ice"]["exit"]["wallets"]) == Decimal(made["balances"][USDC.token_id])
    assert Decimal(made["on_ice"]["freeze"]["stays"]) == Decimal("294000")
    assert "aave-usdc" not in made["allocations"]
    text = plan("--on-ice", "freeze").stdout
    assert "A held coin is on ice" in text
    assert "$294,000.00" in text
    assert told("--on-ice", "freeze")["allocations"]["aave-usdc"] == "294000"


ELSEWHERE = Token("Base", "USDC", "0x" + "c" * 40, "USD")


def spread() -> None:
    """USDC has a pool on Base too, USDT has one on Ethereum; nothing has a price."""
    with Records("records.db") as records:
        records.write([PoolFacts("aave-base", "Base", "aave-v3", "USDC", (ELSEWHERE,))])
        records.write([PoolDay("aave-base", DAY, tvl=10**14, apy=9.0), balance("1000000")])
        records.add(APPROVED_TOKENS, [ELSEWHERE.token_id], "sound", end_of(DAY))
        with records._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM token_prices")


def test_a_coin_that_fell_on_one_chain_is_taken_at_its_peg_on_none() -> None:
    spread()
    assert "aave-base" in told("--at-peg")["allocations"]
    with Records("records.db") as records:
        records.write([Price(DAY, USDC, Decimal("0.96"))])
    made = told("--at-peg", "--explain", "aave-base")
    assert set(made["allocations"]) == {"aave-usdt"}
    assert made["why"] == [
        "USDC aave-v3 Base is not in: the token USDC is on ice: it is on Ethereum (closed at 0.9600 of its peg "
        "on 2026-02-16), and has no price of its own here"
    ]
    with Records("records.db") as records:
        records.write([balance("1000", ELSEWHERE)])
    assert f"USDC ({ELSEWHERE.token_id}) in account vault" in one_line(plan("--at-peg", code=2))
    with Records("records.db") as records:
        records.write([Price(DAY, ELSEWHERE, Decimal("0.999"))])
    assert "aave-base" in told("--at-peg")["allocations"]


def test_a_price_by_symbol_alone_values_approved_tokens_and_no_fake() -> None:
    spread()
    fake = Token("Ethereum", "USDC", "0x" + "f" * 40, "USD")
    Path("prices.csv").write_text("date,USDC\n2026-02-16,0.995\n", encoding="utf-8")
    assert capdesk("pools", "import", "prices.csv", "--source", "prices").exit_code == 0
    made = told()
    total = sum(map(Decimal, made["allocations"].values())) + Decimal(made["cash"])
    assert total + sum(map(Decimal, (made["costs"]["gas"], made["costs"]["conversion"]))) == 995_000
    with Records("records.db") as records:
        records.write([balance("5", fake)])
    assert f"USDC ({fake.token_id}) in account vault" in one_line(plan(code=2))
    Path("prices.csv").write_text("date,USDC\n2026-02-16,0.96\n", encoding="utf-8")
    with Records("records.db") as records:
        records.write([balance("0", fake)])
    assert capdesk("pools", "import", "prices.csv", "--source", "prices").exit_code == 0
    made = told("--at-peg")
    assert {USDC.token_id, ELSEWHERE.token_id} <= set(made["iced"])
    assert set(made["allocations"]) == {"aave-usdt"}
    total = sum(map(Decimal, made["allocations"].values())) + Decimal(made["cash"])
    assert total + sum(map(Decimal, (made["costs"]["gas"], made["costs"]["conversion"]))) == 960_000


def test_the_file_may_set_how_pools_are_surveyed() -> None:
    Path("limits.toml").write_text(
        LIMITS + "[survey.eligibility]\nmin_tvl_usd = 90000000\n", encoding="utf-8"
    )
    assert set(told()["allocations"]) == {"aave-usdc"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("min_pool = 1", "there is no 'min_pool': did you mean min_pools?"),
        ("group2_max_pct = 35", "did you mean 0.35?"),
        ("[survey]\nalfa = 1", "alfa`; there are eligibility.min_tvl_usd"),
        ("[survey]\nalfa = 1", "there is no `alfa`; there are"),
        ("[survey]\nalfa = 1", "did you mean alpha?"),
        ("[survey.eligibility]\nmin_tvl = 1", "did you mean eligibility.min_tvl_usd?"),
        ("[survey]\nalpha = 'x'", "[survey]: alpha must be a number, got a text"),
        ("[survey.eligibility]\non_ice = 'sell'", "on_ice"),
        ("min_pools =", "cannot be read as TOML"),
    ],
)
def test_a_file_that_cannot_be_obeyed_is_refused_and_nothing_is_stored(line: str, said: str) -> None:
    Path("limits.toml").write_text(f"{line}\n", encoding="utf-8")
    assert said in one_line(plan(code=2))
    assert json.loads(capdesk("pools", "runs", "--json").stdout) == {"runs": []}


def test_what_is_held_must_be_known_and_have_a_price() -> None:
    assert "nothing of the account 'nobody' is known to be held" in one_line(
        plan("--treasury", "nobody", code=2)
    )
    with Records("records.db") as records:
        records.write([balance("5", USDT, day=DAY)])
    Path("held.csv").write_text(
        "date,account,chain,symbol,address,amount\n2026-02-16,v,Base,USDC,0xcc,1\n", encoding="utf-8"
    )
    assert "has no price" in one_line(plan("--holdings", "held.csv", code=2))
    Path("held.csv").write_text(
        "date,account,chain,symbol,amount\n2026-02-16,v,Base,USDC,much\n", encoding="utf-8"
    )
    assert "no plan is made from a part of it" in one_line(plan("--holdings", "held.csv", code=2))
    assert json.loads(capdesk("pools", "runs", "--json").stdout) == {"runs": []}


def test_a_plan_becomes_allocations_of_the_desk_and_the_audit_shows_them() -> None:
    made = told()
    assert capdesk("init", "--bankroll", "1000000", "--config", "desk.toml").exit_code == 0
    result = capdesk("pools", "adopt", "latest", "--json")
    assert result.exit_code == 0, result.output
    adopted = json.loads(result.stdout)
    assert adopted["whole"]
    value = sum(Decimal(each["value"]) for each in adopted["positions"])
    assert value == sum(map(Decimal, made["allocations"].values()))
    assert Decimal(adopted["equity"]) == value + Decimal(made["cash"])
    again = capdesk("pools", "adopt", "latest", "--json")
    assert json.loads(again.stdout) == adopted
    for pool in made["allocations"]:
        assert capdesk("explain", pool).exit_code == 0
    audit = capdesk("audit").stdout
    assert f"${value:,.2f}" in audit


def test_a_desk_with_tighter_limits_says_what_it_cut_and_what_may_be_sent() -> None:
    made = told()
    assert capdesk("init", "--bankroll", "1000000").exit_code == 0
    result = capdesk("pools", "adopt", "latest")
    assert result.exit_code == 3
    text = " ".join(result.stdout.split())
    assert "the limit market_absolute is $50.00" in text
    assert "cut or refused" in text
    assert "1 convert USDC Ethereum to USDT Ethereum" in text
    again = json.loads(capdesk("pools", "adopt", "latest", "--json").stdout)
    deposits = [each for each in again["may_be_sent"] if each["verb"] == "deposit"]
    granted = {each["pool_id"]: Decimal(each["granted"]) for each in again["positions"]}
    cost = {each["pool_id"]: Decimal(each["gas"]) + Decimal(each["conversion"]) for each in made["positions"]}
    for each in deposits:
        assert Decimal(each["send"]) == max(granted[each["pool_id"]] - cost[each["pool_id"]], 0)
    (converted,) = [each for each in again["may_be_sent"] if each["verb"] == "convert"]
    (fed,) = [each for each in deposits if each["pool_id"] == "aave-usdt"]
    assert 0 <= Decimal(converted["send"]) / Decimal(converted["amount"]) < Decimal("0.001")
    assert (Decimal(converted["send"]) > 0) == (Decimal(fed["send"]) > 0)
    assert capdesk("pools", "adopt", "latest", "--ledger", "none.db").exit_code == 4


def test_a_plan_from_old_balances_warns_and_is_not_adopted() -> None:
    first, later = told(), DAY + dt.timedelta(days=1)
    assert first["balances_days"] == {"vault": DAY.isoformat()}
    assert capdesk("init", "--bankroll", "1000000", "--config", "desk.toml").exit_code == 0
    equity = json.loads(capdesk("pools", "adopt", "latest", "--json").stdout)["equity"]
    with Records("records.db") as records:
        records.write([*figures(later), *prices(later)])
    text = " ".join(plan().stdout.split())
    assert "balances of 2026-02-16" in text
    assert "are of 2026-02-16, a day before the plan's" in text
    assert "the plan of 2026-02-16 (run 1) left $" in text
    result = capdesk("pools", "adopt", "latest")
    assert result.exit_code == 2
    said = one_line(result)
    for pool, value in first["allocations"].items():
        assert f"{first['names'][pool]} (${Decimal(value):,.2f})" in said
    assert "import the day's balances" in said
    assert capdesk("pools", "adopt", "latest", "--json").exit_code == 2
    status = json.loads(capdesk("status", "--json").stdout)
    assert Decimal(equity) == Decimal(str(status["equity"]))
    with Records("records.db") as records:
        at = {"aave-usdt": USDT}
        held = {
            pool: balance(value, at.get(pool, USDC), pool, later)
            for pool, value in first["allocations"].items()
        }
        records.write([*held.values(), balance(first["cash"], day=later)])
    text = plan().stdout
    assert "balances of 2026-02-17" in " ".join(text.split())
    assert "warning" not in text
    assert capdesk("pools", "adopt", "latest").exit_code == 0


def test_the_survey_says_of_each_pool_whether_it_is_in_and_what_it_is_expected_to_pay() -> None:
    with Records("records.db") as records:
        records.add(ICEBOX_TOKENS, [USDT.token_id], "a rumour")
    judged = json.loads(capdesk("pools", "eligible", "--json").stdout)
    assert {each["pool_id"] for each in judged["pools"]} == {each.pool_id for each in POOLS}
    assert all(each["eligible"] for each in judged["pools"])  # iced later than the day
    text = capdesk("pools", "eligible", "--min-tvl", "60000000").stdout
    assert "2 of 3 pools are in on 2026-02-16" in " ".join(text.split())
    forecast = json.loads(capdesk("pools", "forecast", "--json").stdout)
    assert {each["pool_id"]: each["forecasted_apy"] for each in forecast["pools"]} == pytest.approx(
        {"aave-usdc": 4.0, "spark-usdc": 5.0, "aave-usdt": 6.0}
    )
    with Records("records.db") as records:
        assert records.forecasts(DAY)["spark-usdc"][0] == pytest.approx(5.0)
