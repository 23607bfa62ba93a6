"""`capdesk pools`: bring pools in, keep the lists, look at the runs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from capdesk.app.cli import app
from capdesk.model.lists import APPROVED_PROTOCOLS, APPROVED_TOKENS, BLACKLISTED_TOKENS, ICEBOX_TOKENS
from capdesk.records import Records
from capdesk.treasury_prices import end_of
from tests.records.test_runs import RUN

ROWS = [
    "date,pool,chain,project,symbol,tvl_usd,apy,underlying_tokens",
    "2026-02-16,p1,Ethereum,aave-v3,USDC,1000000,3.5,0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
    "2026-02-16,p2,Arbitrum,euler-v2,USDC,2000000,4.5,0xaf88d065e77c8cC2239327C5EDb3A432268e5831",
    "2026-02-16,p3,Arbitrum,euler-v2,USDC,9000,44,0xff970a61a04b1ca14834a43f5de4533ebddb5cc8",
    "2026-02-16,p4,Gnosis,aave-v3,EURC,3000000,2.5,0x1aBaEA1f7C830bD89Acc67eC4af516284b1bC33c",
]
ETHEREUM_USDC = "ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPDESK_RECORDS", raising=False)


def pools(*words: str) -> Result:
    return CliRunner().invoke(app, ["pools", *words])


def answer(*words: str) -> Any:
    return json.loads(pools(*words, "--json").stdout)


def table(*more: str, rows: list[str] = ROWS) -> str:
    Path("pools.csv").write_text("\n".join([*rows, *more]) + "\n", encoding="utf-8")
    return "pools.csv"


@pytest.fixture
def imported() -> None:
    assert pools("import", table()).exit_code == 0


def test_importing_makes_the_records_and_again_changes_nothing() -> None:
    first, second = answer("import", table()), answer("import", table())
    assert (first["added"], first["unchanged"], first["rejected"]) == (4, 0, [])
    assert (second["added"], second["unchanged"]) == (0, 4)
    with Records("records.db") as records:
        assert set(records.pools()) == {"p1", "p2", "p3", "p4"}


def test_a_bad_row_is_told_and_left_out_with_an_exit_code_of_its_own() -> None:
    result = pools(
        "import", table("2026-02-16,p5,Base,aave-v3,USDC,-5,3.5,", "2026-02-16,p6,Base,a,USDC,5,1e9,")
    )
    assert result.exit_code == 8
    assert "2 rows were left out" in result.stdout
    with Records("records.db") as records:
        assert len(records.pools()) == 4


def test_a_strict_import_writes_nothing_if_a_row_is_bad() -> None:
    result = pools("import", table("2026-02-16,p5,Base,aave-v3,USDC,-5,3.5,"), "--strict")
    assert result.exit_code == 2
    assert "row 5, tvl_usd: -5 must not be negative" in result.stderr
    assert not Path("records.db").exists()


def test_a_document_that_is_none_is_refused_and_nothing_is_written() -> None:
    Path("pools.json").write_text("<html>", encoding="utf-8")
    assert pools("import", "pools.json").exit_code == 2
    missing = pools("import", "missing.csv")
    assert missing.exit_code == 7
    assert missing.stderr == "error: missing.csv: No such file or directory\n"
    assert not Path("records.db").exists()


def test_a_table_of_another_kind_is_told_which_source_reads_it() -> None:
    Path("held.csv").write_text("date,account,chain,symbol,amount\n2026-02-16,v,E,T,1\n", encoding="utf-8")
    assert "read as pools: --source balances" in pools("import", "held.csv").stderr
    assert "read as" not in pools("import", "held.csv", "--source", "pools").stderr


def test_gas_prices_and_balances_are_imported_by_their_source(imported: None) -> None:
    Path("gas.csv").write_text("date,gas_gwei\n2026-02-16,0.5\n", encoding="utf-8")
    Path("prices.csv").write_text("date,USDC\n2026-02-16,0.999\n", encoding="utf-8")
    Path("held.csv").write_text(
        "date,account,chain,symbol,amount\n2026-02-16,vault,Ethereum,USDC,5\n", encoding="utf-8"
    )
    assert answer("import", "gas.csv", "--source", "gas", "--set", "chain=Base")["added"] == 1
    assert answer("import", "prices.csv", "--source", "prices")["added"] == 1
    assert answer("import", "held.csv", "--source", "balances")["added"] == 1


def test_what_was_priced_is_told_by_its_id_and_one_row_is_one_row(imported: None) -> None:
    Path("prices.csv").write_text("date,chain,symbol,usd\n2026-02-16,Ethereum,USDC,0.999\n", encoding="utf-8")
    text = " ".join(pools("import", "prices.csv", "--source", "prices").stdout.split())
    assert "imported prices.csv, rows: 1 new" in text
    assert f"priced USDC Ethereum {ETHEREUM_USDC}" in text
    Path("prices.csv").write_text("date,chain,symbol,usd\n2026-02-16,Arbitrum,USDC,0.999\n", encoding="utf-8")
    result = pools("import", "prices.csv", "--source", "prices")
    assert result.exit_code == 8
    assert "1 row was left out" in result.stdout
    with Records("records.db") as records:
        assert [each.token.token_id for each in records.prices(dt.date(2026, 2, 16))] == [ETHEREUM_USDC]


def test_a_day_to_come_moves_no_last_day(imported: None) -> None:
    typo = table("2999-02-17,p1,Ethereum,aave-v3,USDC,1000000,3.5,")
    result = pools("import", typo)
    assert result.exit_code == 8
    with Records("records.db") as records:
        assert records.last_day() == dt.date(2026, 2, 16)
    late = pools("import", "pools.csv", "--day", "2999-01-01")
    assert (late.exit_code, "is still to come" in late.stderr) == (2, True)


def test_records_are_named_by_an_option_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pools("import", table(), "--records", "mine.db").exit_code == 0
    monkeypatch.setenv("CAPDESK_RECORDS", "mine.db")
    assert answer("runs") == {"runs": []}
    assert not Path("records.db").exists()


def test_a_symbol_stands_for_the_token_of_each_chain_that_bears_it(imported: None) -> None:
    assert answer("approve", "EURC", "--reason", "sound")["added"] == [
        "gnosis:0x1abaea1f7c830bd89acc67ec4af516284b1bc33c"
    ]
    assert answer("approve", "usdc", "--chain", "ETHEREUM", "--reason", "sound")["added"] == [ETHEREUM_USDC]


def test_a_coin_that_is_only_known_by_its_price_is_not_what_a_symbol_stands_for(imported: None) -> None:
    Path("prices.csv").write_text("date,EURC\n2026-02-16,1.18\n", encoding="utf-8")
    answer("import", "prices.csv", "--source", "prices")
    assert len(answer("approve", "EURC", "--reason", "sound")["added"]) == 1


def test_a_symbol_that_two_tokens_of_a_chain_bear_approves_neither_and_those_of_other_chains(
    imported: None,
) -> None:
    alone = pools("approve", "USDC", "--chain", "Arbitrum", "--reason", "sound")
    assert alone.exit_code == 2
    assert "two tokens on arbitrum are called 'USDC'" in alone.stderr
    assert answer("approve")["stays"] == []
    result = pools("approve", "USDC", "--reason", "sound")
    assert result.exit_code == 8
    lines = result.stdout.splitlines()
    begin = lines.index("left out arbitrum: 2 tokens are called USDC")
    assert sorted(lines[begin + 1 : begin + 3]) == [
        "  arbitrum:0xaf88d065e77c8cc2239327c5edb3a432268e5831",
        "  arbitrum:0xff970a61a04b1ca14834a43f5de4533ebddb5cc8",
    ]
    assert [stay["name"] for stay in answer("approve")["stays"]] == [ETHEREUM_USDC]
    again = answer("approve", "USDC", "--reason", "sound")
    assert (again["added"], len(again["left_out"])) == ([], 1)


def test_a_coin_or_protocol_that_only_looks_like_another_is_not_approved_with_it() -> None:
    fakes = [
        "2026-02-16,f1,Ethereum,aave-v3,U\u017fDC,1000000,3.5,",
        "2026-02-16,f2,Ethereum,\u0430ave-v3,USDC,1000000,3.5,0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "2026-02-16,f3,Ethereum,compre\u017fs,USDC,1000000,3.5,0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "2026-02-16,f4,Ethereum,compress,USDC,1000000,3.5,0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "2026-02-16,f5,Ethereum,aave-v3,USDC,1000000,3.5,",
    ]
    assert pools("import", table(*fakes, rows=ROWS[:2])).exit_code == 0
    result = pools("approve", "U\u017fDC", "--reason", "x")
    assert result.exit_code == 2
    assert "U+017F" in result.stderr
    assert "two tokens on ethereum are called 'USDC'" in pools("approve", "USDC", "--reason", "x").stderr
    answer("approve", ETHEREUM_USDC, "--day", "2026-02-16", "--reason", "sound")
    answer("approve", "aave-v3", "compress", "--protocol", "--day", "2026-02-16", "--reason", "audited")
    judged = {each["pool_id"]: each["eligible"] for each in answer("eligible")["pools"]}
    assert judged == {"p1": True, "f1": False, "f2": False, "f3": False, "f4": True, "f5": False}


def test_a_symbol_stands_for_one_of_two_on_a_chain_where_that_one_is_named_too(imported: None) -> None:
    own = "arbitrum:0xaf88d065e77c8cc2239327c5edb3a432268e5831"
    assert answer("approve", "USDC", own, "--reason", "sound")["added"] == [own, ETHEREUM_USDC]
    assert answer("approve", "USDC", own, "--remove", "--reason", "x")["removed"] == [own, ETHEREUM_USDC]


def test_an_address_is_enough_where_one_chain_has_it(imported: None) -> None:
    given = "0xA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48".replace("X", "x")
    assert answer("blacklist", given, "--reason", "no more")["added"] == [ETHEREUM_USDC]


def test_a_name_that_nothing_bears_is_refused(imported: None) -> None:
    assert "no token is called 'USDX'" in pools("approve", "USDX", "--reason", "x").stderr
    assert "no pool is of a protocol 'aave'" in pools("approve", "aave", "--protocol", "--reason", "x").stderr
    assert "say why" in pools("icebox", "EURC").stderr


def test_a_list_keeps_who_left_and_why(imported: None) -> None:
    pools("approve", "aave-v3", "--protocol", "--reason", "audited")
    pools("icebox", ETHEREUM_USDC, "--reason", "0.97 for a day")
    assert answer("icebox", ETHEREUM_USDC, "--remove", "--reason", "at its peg")["removed"] == [ETHEREUM_USDC]
    (stay,) = answer("icebox")["stays"]
    assert (stay["added_reason"], stay["removed_reason"]) == ("0.97 for a day", "at its peg")
    assert "USDC ethereum:0xa0b8" in pools("icebox").stdout.replace("\n", "")
    with Records("records.db") as records:
        lists = records.lists()
    assert lists.names(APPROVED_PROTOCOLS) == {"aave-v3"}
    assert lists.names(ICEBOX_TOKENS) == lists.names(APPROVED_TOKENS) == set()


def test_a_list_can_be_written_for_a_day_that_was(imported: None) -> None:
    answer("approve", "EURC", "--reason", "sound")
    assert eligible_reasons("p4", "2026-02-16")[-1].endswith("is not approved")
    for which in (("EURC",), ("aave-v3", "--protocol")):
        assert len(answer("approve", *which, "--day", "2026-02-16", "--reason", "sound then")["added"]) == 1
    assert eligible_reasons("p4", "2026-02-16") == []
    assert answer("icebox", "EURC", "--day", "2026-02-17", "--reason", "a rumour")["added"]
    assert answer("icebox", "EURC", "--day", "2026-02-19", "--remove", "--reason", "it was none")["removed"]
    assert answer("blacklist", "EURC", "--day", "2026-02-20", "--reason", "a fake")["added"]
    with Records("records.db") as records:
        there = [
            [
                len(records.lists(end_of(dt.date(2026, 2, day))).names(which))
                for day in (15, 16, 17, 18, 19, 20)
            ]
            for which in (APPROVED_TOKENS, APPROVED_PROTOCOLS, ICEBOX_TOKENS, BLACKLISTED_TOKENS)
        ]
    assert there == [[0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert [stay["added_reason"] for stay in answer("approve")["stays"]] == ["sound then", "sound"]


def eligible_reasons(pool: str, day: str) -> list[str]:
    judged = answer("eligible", "--day", day)["pools"]
    return next(each["reasons"] for each in judged if each["pool_id"] == pool)


def test_a_list_is_not_written_for_a_day_to_come_nor_before_a_name_left(imported: None) -> None:
    assert "is still to come" in pools("approve", "EURC", "--day", "2999-01-01", "--reason", "x").stderr
    assert "is no date" in pools("approve", "EURC", "--day", "yesterday", "--reason", "x").stderr
    pools("approve", "EURC", "--day", "2026-02-16", "--reason", "sound")
    assert (
        "cannot leave before"
        in pools("approve", "EURC", "--day", "2026-02-15", "--remove", "--reason", "x").stderr
    )
    pools("approve", "EURC", "--day", "2026-02-18", "--remove", "--reason", "x")
    assert (
        "cannot come back before" in pools("approve", "EURC", "--day", "2026-02-17", "--reason", "x").stderr
    )
    (stay,) = answer("approve")["stays"]
    assert (stay["added_at"][:10], stay["removed_at"][:10]) == ("2026-02-16", "2026-02-18")


def test_runs_are_listed_shown_and_compared(imported: None) -> None:
    from msgspec import structs

    with Records("records.db") as records:
        records.save_run(RUN)
        records.save_run(structs.replace(RUN, parameters={"min_pools": 3, "tvl_limit_percentage": 0.05}))
    assert [(run["number"], run["latest"]) for run in answer("runs")["runs"]] == [(1, False), (2, True)]
    assert answer("runs", "--kind", "weights") == {"runs": []}
    assert "latest" in pools("runs").stdout
    shown = answer("show", "latest")
    assert (shown["number"], shown["run"]["parameters"]["min_pools"]) == (2, 3)
    assert "min_pools" in pools("show", "1").stdout
    assert pools("diff", "1", "1").exit_code == 0
    assert pools("diff", "1", "2").exit_code == 10
    assert answer("diff", "1", "2")["differences"] == [
        {"where": "parameters.min_pools", "first": 4, "second": 3}
    ]


def test_a_line_of_a_run_fits_a_terminal_of_eighty(imported: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with Records("records.db") as records:
        stored = records.save_run(RUN)
    _, _, line = pools("runs").stdout.splitlines()
    assert line.split()[-1] == stored.hash[:12]


def test_approvals_that_came_after_the_day_are_told(imported: None) -> None:
    assert "none may at first" in told_on("2026-02-16")
    pools("approve", ETHEREUM_USDC, "--reason", "sound")
    pools("approve", "aave-v3", "--protocol", "--reason", "audited")
    said = told_on("2026-02-16")
    assert "no tokens were approved by the end of 2026-02-16: a list counts from when it was kept" in said
    assert told_on("2024-01-01") == (
        "0 of 4 pools are in on 2024-01-01: 0 in group 1, 0 in group 2, 0 in group 3 "
        "the records have no figures of 2024-01-01; their last are of 2026-02-16"
    )


def told_on(day: str) -> str:
    return " ".join(pools("eligible", "--day", day).stdout.split())


def test_a_run_that_is_not_there_or_was_changed_has_an_exit_code(imported: None) -> None:
    assert pools("show", "7").exit_code == 3
    with Records("records.db") as records:
        records.save_run(RUN)
        with records._database.writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET objective = 1")
    assert pools("show", "1").exit_code == 5


def test_a_list_of_runs_in_records_that_were_damaged_is_one_clear_error(imported: None) -> None:
    with Records("records.db") as records:
        records.save_run(RUN)
        with records._database.writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET created_at = 'never'")
    result = pools("runs")
    assert result.exit_code == 5
    assert result.stderr.startswith("error: run 1 cannot be read: it was changed (")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["runs"], ["show", "1"], ["approve"], ["diff", "1", "2"]])
def test_where_there_are_no_records_none_are_made(words: list[str]) -> None:
    result = pools(*words)
    assert result.exit_code == 4
    assert "there are no planning records at records.db" in result.stderr
    assert not Path("records.db").exists()


BAD = {
    "a setting that is none": ["import", "pools.csv", "--set", "chain"],
    "a day that is none": ["import", "pools.csv", "--day", "today"],
    "no such source": ["import", "pools.csv", "--source", "nowhere"],
    "no kind of file": ["import", "pools.xlsx"],
    "no such run": ["show", "first"],
    "half an address": ["approve", "ethereum:0x12", "--reason", "x"],
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_clear_line(imported: None, words: list[str]) -> None:
    result = pools(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
