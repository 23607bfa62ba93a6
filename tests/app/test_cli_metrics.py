"""The figures of a series through the command line, and the tear sheet."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from capdesk.app import pages
from capdesk.app.cli import app
from capdesk.app.series import read_table

PRICES = Path(__file__).parents[2] / "examples" / "crypto_weekly.csv"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["metrics", *words])
    assert result.exit_code == code, result.output
    return result


def ask(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_figures_of_a_column_are_those_of_its_prices() -> None:
    told = ask(str(PRICES), "--column", "ETH", "--risk-free-rate", "0")
    prices = np.array([float(each) for each in read_table(PRICES).columns["ETH"]])
    returns = prices[1:] / prices[:-1] - 1

    assert float(told["total_return"]) == pytest.approx(prices[-1] / prices[0] - 1)
    assert float(told["sharpe_ratio"]) == pytest.approx(returns.mean() / returns.std(ddof=1) * 52**0.5)
    assert float(told["max_drawdown"]) == pytest.approx(
        float((1 - prices / np.maximum.accumulate(prices)).max())
    )
    assert (told["kind"], told["column"], told["periods"], told["periods_per_year"]) == (
        "prices",
        "ETH",
        183,
        "52",
    )
    assert told["drawdown"]["peak_at"] == "2018-01-15"


def test_the_environment_gives_the_risk_free_rate_and_the_option_beats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = ask(str(PRICES), "--risk-free-rate", "0")["sharpe_ratio"]
    monkeypatch.setenv("CAPITAL_RISK_FREE_RATE", "0.5")

    assert float(ask(str(PRICES))["sharpe_ratio"]) < float(without)
    assert ask(str(PRICES), "--risk-free-rate", "0")["sharpe_ratio"] == without


def test_a_person_reads_every_figure_within_80_columns() -> None:
    shown = run(str(PRICES), "--column", "ETH", "--benchmark", "BTC", "--initial-value", "1000").stdout
    prices = read_table(PRICES).columns["ETH"]

    assert max(map(len, shown.splitlines())) <= 80
    for words in (
        "Sharpe ratio",
        "0.794 ± 0.533",
        "recovered",
        "2021-01-25",
        "Beside BTC",
        f"${1000 * prices[-1] / prices[0]:,.2f}",
        "information ratio",
    ):
        assert words in shown


def test_a_series_that_defines_little_says_so() -> None:
    Path("flat.csv").write_text("a\n0\n0\n0\n", encoding="utf-8")
    shown = run("flat.csv").stdout

    assert "Sharpe ratio                    –" in shown
    assert "not defined by this data" in shown


def test_the_tear_sheet_opens_without_a_network_and_has_every_part() -> None:
    run(str(PRICES), "--column", "ETH", "--benchmark", "BTC", "--html", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)

    assert "<script src=" not in page
    assert not re.findall(r'(?:src|href)="https?:', own)
    assert page.count('class="plotly-graph-div"') == 4
    for words in ("<h1>ETH</h1>", "+184.55 %", "Returns by month", "Beside BTC", "How to read this"):
        assert words in own


def test_the_months_of_the_tear_sheet_compound_to_the_whole() -> None:
    run(str(PRICES), "--column", "ETH", "--html", "page.html")
    own = re.sub(r"<script.*?</script>", "", Path("page.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    table = own[own.index('<table class="months">') :]
    table = table[: table.index("</table>")]
    years = [float(each) for each in re.findall(r'">([+-][\d.]+) %</span></td></tr>', table)]
    months = [float(each) for each in re.findall(r"rgba\([^)]*\)\">(-?[\d.]+)</td>", table)]

    assert len(years) == 4
    assert len(months) == 3 * 12 + 7
    assert np.prod([1 + year / 100 for year in years]) == pytest.approx(2.8455, rel=0.002)
    assert np.prod([1 + month / 100 for month in months]) == pytest.approx(2.8455, rel=0.01)


@pytest.mark.parametrize(
    "text", ["a\n0.01\n-0.02\n", "date,<b>\n2026-01-01,1\n2026-01-02,2\n", "a\n-1\n0.5\n"]
)
def test_a_page_is_made_of_any_series(text: str) -> None:
    Path("file.csv").write_text(text, encoding="utf-8")
    run("file.csv", "--html", "page.html")

    assert "<b>: tear sheet" not in Path("page.html").read_text(encoding="utf-8")


def test_without_plotly_the_page_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "find_spec", lambda _: None)

    assert "install capdesk with its extra 'report'" in run(str(PRICES), "--html", "page.html", code=2).stderr
    assert not Path("page.html").exists()
