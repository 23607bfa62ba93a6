"""`capdesk pools demo` as a person and a program see it: the report, the page, the JSON, the files it leaves alone."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from capdesk.app import pools_demo_html, pools_demo_report, pools_demo_view, render
from capdesk.app.cli import app
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.study.pools_demo.result import PoolsDemo
from capdesk.study.pools_demo.run import run


@pytest.fixture(scope="module")
def depeg(tmp_path_factory: pytest.TempPathFactory) -> PoolsDemo:
    return run(tmp_path_factory.mktemp("pools") / "d.db", depeg=True)


def money(amount: Amount) -> str:
    return render.money(round(amount, 2))


def drawn(demo: PoolsDemo, width: int) -> str:
    out = io.StringIO()
    pools_demo_report.draw(demo, Console(file=out, width=width, highlight=False), asked_for=demo.records)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_has_every_figure_and_no_line_is_cut(depeg: PoolsDemo, width: int) -> None:
    text = drawn(depeg, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for day in depeg.days:
        (line,) = re.findall(rf"^{day.day:%m-%d}  .*\d+/\d+/\d+.*$", text, re.MULTILINE)
        assert money(day.plan.costs.total) in line
        assert day.plan.decision.kind.replace("_", " ") in line
    for day in depeg.days[1:]:
        assert money(day.earned) in text
    for rival in (*depeg.rivals, *depeg.choices):
        assert money(rival.values[-1]) in text
        assert money(rival.costs) in text
    for word in (
        "Costs are a model",
        "nets 2 % more in 30 days than staying",
        "may not be held as it is on the last day",
        "does NOT beat",
        "days are short",
        "pools show latest",
        "pools diff 1 11",
    ):
        assert word in " ".join(text.split())
    assert not re.search(r"0x[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}", text)


def test_the_page_opens_without_a_network_and_has_the_figures(depeg: PoolsDemo) -> None:
    page = pools_demo_html.page(depeg)
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<link" not in text
    assert not re.search(r'(?:src|href)="http', text)
    for title in (
        "by protocol",
        "by chain",
        "Yield promised and paid",
        "Gain against",
        "Costs of moving",
        "Exit, reduce",
    ):
        assert title in page
    for figure in (depeg.values[-1], depeg.costs, depeg.earned, *(each.values[-1] for each in depeg.choices)):
        assert money(figure) in text
    assert "Costs are a model" in text
    assert not [pool for pool in depeg.names if pool in text]


def test_the_command_writes_records_and_page_and_tells_them_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pools-demo.db").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["pools", "demo", "--html", "page.html", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["records"] == "pools-demo-2.db"
    assert Path("pools-demo.db").read_text(encoding="utf-8") == "mine"
    assert (len(told["days"]), told["pools"], told["treasury"]) == (11, 155, "10000000")
    assert sum(Amount(day["gas"]) + Amount(day["conversion"]) for day in told["days"]) == Amount(
        told["costs"]
    )
    shown = CliRunner().invoke(app, ["pools", "show", "latest", "--records", "pools-demo-2.db", "--json"])
    assert json.loads(shown.stdout)["number"] == told["days"][-1]["run"]


def test_what_cannot_be_written_is_said_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="records must lie in a folder that exists"):
        pools_demo_view.run_demo(records=tmp_path / "no" / "r.db")
    with pytest.raises(InvalidInput, match="html must lie in a folder that exists"):
        pools_demo_view.run_demo(records=tmp_path / "r.db", html=tmp_path / "no" / "p.html")
    assert not list(tmp_path.iterdir())


def test_an_answer_to_the_iced_coin_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["pools", "demo", "--on-ice", "sell"])
    assert result.exit_code == 2
    assert "none of exit, reduce, freeze" in " ".join(result.stderr.replace("│", " ").split())
