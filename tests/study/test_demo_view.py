"""`capdesk demo` as a person and a program see it: the report, the JSON, the page, the files it leaves alone."""

import asyncio
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from capdesk.app import demo_html, demo_report, demo_view, render
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.study.demo import run as demo
from capdesk.study.demo.markets import load_markets
from capdesk.study.demo.record import record
from capdesk.study.demo.run import DemoResult


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    ledger = tmp_path_factory.mktemp("demo") / "d.db"
    return asyncio.run(demo.run(ledger, seed=0, bankroll=Amount(200)))


def drawn(result: DemoResult, width: int, **options: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    demo_report.draw(result, console, asked_for=options.get("asked_for", result.ledger))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_fits_the_terminal(result: DemoResult, width: int):
    lines = drawn(result, width).splitlines()
    assert max(map(len, lines)) <= width
    assert ["momentum", "contrarian", "cautious", "sniper", "all"] in [line.split() for line in lines]


def test_the_report_says_what_is_a_model_and_what_one_tick_does(result: DemoResult):
    text = " ".join(drawn(result, 80).split())
    assert "what a share costs is a model" in text
    assert f"{render.money(round(result.tick_worse.pnl, 2))} a tick worse" in text
    assert "so one tick decides its sign" in text


def test_the_report_names_every_market_left_out(result: DemoResult):
    text = drawn(result, 80)
    for market in result.left_out:
        assert market.name[-6:] in text


def test_the_report_ends_with_what_to_type_next(result: DemoResult):
    text = "".join(drawn(result, 400).split("\n")[-5:])
    for command in ("explain btc-updown-5m-", "report --ledger", "ledger check --ledger"):
        assert f"capdesk {command}" in text


def test_a_ledger_that_is_there_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(demo, "load_markets", lambda: load_markets()[:30])
    taken = tmp_path / "desk.db"
    taken.write_bytes(b"precious")
    assert demo_view.run_demo(ledger=taken, json_output=True) == 0
    assert taken.read_bytes() == b"precious"
    assert json.loads(capsys.readouterr().out)["ledger"]["path"] == str(tmp_path / "desk-2.db")


def test_the_report_says_that_another_file_was_taken(result: DemoResult, tmp_path: Path):
    assert "was there already and is as it was" in " ".join(
        drawn(result, 80, asked_for=tmp_path / "x.db").split()
    )
    assert "was there already" not in drawn(result, 80)


def test_free_names_are_counted_up(tmp_path: Path):
    for name in ("d.db", "d-2.db"):
        (tmp_path / name).touch()
    assert demo_view.free_path(tmp_path / "d.db") == tmp_path / "d-3.db"
    assert demo_view.free_path(tmp_path / "e.db") == tmp_path / "e.db"


def test_json_is_one_object_with_amounts_as_strings(result: DemoResult, capsys: pytest.CaptureFixture[str]):
    render.write_json(record(result))
    found = json.loads(capsys.readouterr().out)
    assert Decimal(found["bankroll"]["final"]) == result.day.bankroll
    assert Decimal(found["bankroll"]["pnl"]) == sum(
        Decimal(it["pnl"]) for it in found["strategies"] if it["strategy"] != "all"
    )
    assert [gap["market"] for gap in found["markets"]["left_out"]] == [
        market.name for market in result.left_out
    ]
    assert found["ledger"]["entries"] == result.entries > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bankroll": "0"}, "bankroll must be above 0, got 0"),
        ({"bankroll": "much"}, "must be a number, got 'much'"),
        ({"ledger": Path("missing/demo.db")}, "ledger must lie in a folder that exists"),
        ({"html": Path("missing/page.html")}, "html must lie in a folder that exists"),
    ],
)
def test_bad_input_is_refused_before_anything_is_run(
    options: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=re.escape(message)):
        demo_view.run_demo(**{"ledger": Path("demo.db"), **options})
    assert list(tmp_path.iterdir()) == []


def test_a_page_without_plotly_is_refused_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(demo_html, "find_spec", lambda _: None)
    with pytest.raises(InvalidInput, match="--html needs plotly"):
        demo_view.run_demo(ledger=tmp_path / "demo.db", html=tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_the_page_loads_nothing_from_elsewhere(result: DemoResult, tmp_path: Path):
    pytest.importorskip("plotly")
    path = tmp_path / "page.html"
    demo_html.write(result, path)
    page = path.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    assert page.count("Plotly.newPlot(") >= 4


def test_the_page_shows_the_plots_that_it_should(result: DemoResult):
    plots = pytest.importorskip("capdesk.app.demo_plots")
    bankroll = plots.bankroll_plot(result)
    assert bankroll.data[-1].y[-1] == float(result.day.bankroll)
    answers = plots.answers_plot(result.day)
    assert sum(sum(map(abs, bars.y)) for bars in answers.data) == len(result.day.asks)
    assert {bars.name for bars in answers.data} >= {
        "granted in full",
        "cut: one market",
        "refused: one direction",
    }
    earned = plots.strategies_plot(result.day)
    assert sum(line.y[-1] for line in earned.data) == pytest.approx(float(result.day.pnl))
    used = plots.utilisation_plot(result.day)
    assert max(used.data[0].y) <= 100
