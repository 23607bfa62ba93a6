"""`capdesk demo` as a person and a program see it: the report, the JSON, the page, the files it leaves alone."""

import asyncio
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from capdesk.app import demo_html, demo_report, demo_view, pages, render
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.study.demo import run as demo
from capdesk.study.demo.crash import VENUE_FAILS
from capdesk.study.demo.markets import load_markets
from capdesk.study.demo.record import record
from capdesk.study.demo.run import DemoResult
from capdesk.study.demo.supervised_figures import since_stop


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    ledger = tmp_path_factory.mktemp("demo") / "d.db"
    return asyncio.run(demo.run(ledger, seed=0, bankroll=Amount(200)))


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    ledger = tmp_path_factory.mktemp("demo") / "c.db"
    return asyncio.run(demo.run(ledger, seed=0, bankroll=Amount(200), failure=VENUE_FAILS))


def drawn(result: DemoResult, width: int, **options: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    demo_report.draw(result, console, asked_for=options.get("asked_for", result.ledger))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("which", ["result", "crash"])
def test_the_report_fits_the_terminal(which: str, width: int, request: pytest.FixtureRequest):
    lines = drawn(request.getfixturevalue(which), width).splitlines()
    assert max(map(len, lines)) <= width
    assert ["momentum", "contrarian", "cautious", "sniper", "all"] in [line.split() for line in lines]


def test_the_report_says_what_is_a_model_and_what_one_tick_does(result: DemoResult):
    text = " ".join(drawn(result, 80).split())
    assert "what a share costs is a model" in text
    assert f"{render.money(round(result.tick_worse.pnl, 2))} a tick worse" in text
    assert "so one tick decides its sign" in text


def test_the_report_shows_the_sleeves_the_volatility_and_the_recalls(result: DemoResult):
    text = " ".join(drawn(result, 80).split())
    assert "its sleeve: momentum 8 % ($10 to $2,000), contrarian 8 % ($10 to $17)" in text
    assert "low x 1, medium above 30 % x 0.8, high above 50 % x 0.6" in text
    assert "at most 65 %" in text
    assert "under their minimum: cautious for" in text
    assert "above a budget, given back within" in text
    assert "did not fire: it does above 35 % drawdown" in text
    rows = {line[:17].strip() for line in drawn(result, 80).splitlines()}
    assert {"its sleeve", "sleeve disabled"} <= rows


def test_a_crash_says_that_it_is_invented_and_what_the_kill_switch_did(crash: DemoResult):
    text = " ".join(drawn(crash, 80).split())
    since = since_stop(crash.day)
    assert since is not None
    assert "and a venue that fails" in text
    assert "The crash is invented: from 14:00 to 15:00 UTC" in text
    assert "FIRED at 14:47:00 UTC: drawdown 35.43% of the unit value exceeds the limit of 35.00%" in text
    assert f"since then {since.refused} asks for" in text
    assert (
        f"releases and recycling went on: {since.returned} positions came back, the last at 15:05:51" in text
    )
    assert "capdesk resume --reason 'I have looked' --ledger" in text


def test_a_crash_s_json_has_the_kill_switch_s_figures(
    crash: DemoResult, result: DemoResult, capsys: pytest.CaptureFixture[str]
):
    render.write_json(record(crash))
    found = json.loads(capsys.readouterr().out)
    assert found["kill_switch"]["fired_at"] == "2026-07-24T14:47:00Z"
    assert found["kill_switch"]["returned_since"] == since_stop(crash.day).returned
    assert found["crash"].startswith("The crash is invented")
    render.write_json(record(result))
    found = json.loads(capsys.readouterr().out)
    assert found["kill_switch"] is None
    assert found["crash"] is None
    assert sum(found["risk"]["seconds_at_multiplier"].values()) > 86_000
    assert found["recalls"][0]["overdue"] is False


def test_the_report_names_every_market_left_out(result: DemoResult):
    text = drawn(result, 80)
    for market in result.left_out:
        assert market.name[-6:] in text


def test_the_report_ends_with_what_to_type_next(result: DemoResult):
    text = "".join(drawn(result, 400).split("\n")[-6:])
    for command in ("explain btc-updown-5m-", "explain --ledger", "report --ledger", "ledger check --ledger"):
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
    monkeypatch.setattr(pages, "find_spec", lambda _: None)
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


def test_the_page_of_a_crash_marks_where_the_kill_switch_fired(crash: DemoResult, tmp_path: Path):
    pytest.importorskip("plotly")
    path = tmp_path / "page.html"
    demo_html.write(crash, path)
    page = path.read_text(encoding="utf-8")
    assert "and a venue that fails" in page
    assert "fired 14:47:00" in page
    assert page.count('"text":"kill switch"') == 3


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
    risk = plots.risk_plot(result.day)
    assert {line.name for line in risk.data} == {"volatility", "multiplier of every budget"}
    used = plots.utilisation_plot(result.day)
    assert max(used.data[0].y) <= 100
