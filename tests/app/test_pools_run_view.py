"""Stored runs on a terminal: pools and coins by name, figures with their units, nothing cut off at 80 columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs
from typer.testing import CliRunner

from capdesk.app.cli import app
from capdesk.treasury_day import situation
from tests.test_treasury_day import CASH, LIMITS
from tests.treasuries import DAY, USDC, USDT, furnish, prices

WIDTHS = [80, 120]


@pytest.fixture(autouse=True)
def two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day planned twice: the second time a pool is gone, a price has moved and more may go into one pool."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPDESK_RECORDS", raising=False)
    with furnish(Path("records.db"), count=2) as records:
        records.write(prices(DAY))
        _, run = situation(records, DAY, {}, CASH, LIMITS).plan()
        records.save_run(run)
        records.remove(
            "approved_protocols", ["sparklend"], "hacked", records.lists().approved_tokens[0].since
        )
        records.write(prices(DAY, usdt="0.999"))
        wider = structs.replace(LIMITS, position_max_pct_total_assets=0.6)
        _, run = situation(records, DAY, {}, CASH, wider).plan()
        records.save_run(run)


def shown(width: int, *words: str) -> list[str]:
    result = CliRunner().invoke(app, ["pools", *words], env={"COLUMNS": str(width)})
    assert result.exit_code in (0, 10), result.output
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert max(map(len, lines)) <= width
    assert not any(token.address and token.address in result.stdout for token in (USDC, USDT))
    return lines


def line_of(lines: list[str], begins: str) -> str:
    (found,) = [line for line in lines if line.strip().startswith(begins)]
    return " ".join(found.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_runs_stand_on_a_line_each(width: int) -> None:
    lines = shown(width, "runs")
    assert len(lines) == 4
    first, second = (" ".join(line.split()) for line in lines[2:])
    assert first.startswith("1 pools 2026-02-16")
    assert "latest" not in first
    assert "2 pools 2026-02-16 latest" in second
    assert "$" in first
    assert ("capdesk tree" in first) == (width == 120)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_tells_of_each_pool_its_amount_rate_size_costs_and_group(width: int) -> None:
    run = json.loads(CliRunner().invoke(app, ["pools", "show", "1", "--json"]).stdout)["run"]
    lines = shown(width, "show", "1")
    for detail in run["outcome"]["details"]:
        name = {"aave-usdc": "USDC aave-v3", "spark-usdc": "USDC sparklend", "aave-usdt": "USDT aave-v3"}[
            detail["pool_id"]
        ]
        line = line_of(lines, name)
        assert f"${detail['amount'] / 1e6:,.2f}" in line
        assert f"{detail['apy']:.2f} % ${detail['tvl'] / 1e12:,.1f}M" in line
        assert line.count("$") >= 4
    text = " ".join(" ".join(lines).split())
    for words in (
        "decision reallocate:",
        "made from 3 pools, 1 balance, 2 prices",
        "2 approved_tokens",
        "highspy",
    ):
        assert words in text
    assert (
        text.index("position_max_pct_total_assets 0.5")
        < text.index("as usual:")
        < text.index("horizon_days 30")
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_groups_what_differs_and_begins_with_what_moved_most(width: int) -> None:
    lines = shown(width, "diff", "1", "2")
    text = " ".join(" ".join(lines).split())
    assert "position max pct total assets 0.5 0.6" in text
    assert "approved protocols sparklend since 2026-02-15: audited –" in text
    assert "USDT Ethereum 1 0.999" in text
    begin = lines.index("Allocations") + 3
    changes = []
    for line in lines[begin : lines.index("", begin)]:
        changes.append(abs(float(line.split()[-1].replace("$", "").replace(",", ""))))
    assert changes == sorted(changes, reverse=True)
    assert "in what follows from these: --json has all" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_all_of_a_comparison_is_shown_when_it_is_asked_for(width: int) -> None:
    some, every = shown(width, "diff", "1", "2"), shown(width, "diff", "1", "2", "--all")
    assert "--all shows every difference here" in " ".join(some)
    text = " ".join(" ".join(every).split())
    assert "--json has all" not in text
    assert "What follows from these" in text
    assert len(every) > len(some)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_shows_the_transactions_as_they_were_printed_on_the_day(width: int) -> None:
    run = json.loads(CliRunner().invoke(app, ["pools", "show", "1", "--json"]).stdout)["run"]
    steps = run["outcome"]["result"]["transactions"]
    lines = shown(width, "show", "1")
    begin = lines.index("Transactions, in this order")
    text = " ".join(" ".join(lines[begin:]).split())
    assert "0xaaaa" not in text
    for number, step in enumerate(steps, 1):
        assert f"{number} {step['verb']} USD" in text
        for figure in (step["amount"], step["gas"], step["fee"]):
            assert f"${float(figure):,.2f}" in text
