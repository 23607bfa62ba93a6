"""The heartbeat on a terminal: it says what it finds, and ends when it is told to."""

import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(sysconfig.get_path("scripts")) / "capdesk"
RULES = """
max_drawdown_percent = 20
max_exposure_per_market_percent = 15
[[sleeves]]
name = "sniper"
percent = 50
minimum = 450
"""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPDESK_LEDGER", raising=False)
    Path("capdesk.toml").write_text(RULES, encoding="utf-8")
    assert capdesk("init", "--bankroll", "1000").returncode == 0


def capdesk(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)


@contextmanager
def supervising(*words: str) -> Iterator["subprocess.Popen[str]"]:
    """A heartbeat that has begun; it is ended in any case."""
    with subprocess.Popen(
        [SCRIPT, "supervise", "--every", "0.1", "--json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert notice(process)["what"] == "supervising"
            yield process
        finally:
            process.kill()


def notice(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_told_to_end(sign: signal.Signals) -> None:
    with supervising() as process:
        process.send_signal(sign)
        out, err = process.communicate(timeout=30)

        assert process.returncode == 0
        assert json.loads(out.splitlines()[-1])["what"] == "ended"
        assert err == ""


def test_it_tells_when_a_sleeve_is_paused_when_it_is_recalled_and_when_the_kill_switch_fires() -> None:
    capdesk("request", "a", "150")
    capdesk("request", "b", "150")
    with supervising() as process:
        capdesk("release", "a", "--pnl", "-150")
        recalled, paused = notice(process), notice(process)
        assert (recalled["what"], recalled["strategy"], recalled["amount"]) == ("recalled", "sniper", "150")
        assert (paused["what"], paused["strategy"]) == ("paused", "sniper")

        capdesk("release", "b", "--pnl", "-100")
        halted = notice(process)
        assert (halted["what"], halted["title"]) == ("notice", "capdesk is halted")
        assert "25.00%" in halted["text"]


def test_a_person_reads_lines() -> None:
    process = subprocess.Popen(
        [SCRIPT, "supervise", "--every", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)

    assert "supervising  desk.db every 1 s; Ctrl-C ends it" in first
    assert "ended" in rest


def test_it_plans_from_a_file_that_it_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPITAL_STRATEGY", "risk_parity")
    with Path("capdesk.toml").open("r+", encoding="utf-8") as file:
        rules = file.read()
        file.seek(0)
        file.write(f"optimization_frequency = 1\n{rules}")
    Path("scores.csv").write_text("name,risk_score\nsniper,1\nmaker,3\n", encoding="utf-8")
    with supervising("--plan", "scores.csv") as process:
        first = notice(process)
        assert (first["what"], first["mandate_version"]) == ("adopted", 2)
        assert first["weights"] == {"sniper": "0.75", "maker": "0.25"}
        Path("scores.csv").write_text("name,risk_score\nsniper,1\nmaker,1\n", encoding="utf-8")
        while (later := notice(process))["what"] != "adopted":
            pass
        assert later["weights"] == {"sniper": "0.5", "maker": "0.5"}


def test_a_plan_that_fails_is_a_line_and_the_heartbeat_goes_on() -> None:
    with supervising("--plan", "missing.csv") as process:
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        assert "plan_anew failed; the review goes on without it" in said
        assert "missing.csv cannot be read as CSV" in said
        capdesk("halt", "--reason", "by hand")
        assert notice(process)["title"] == "capdesk is halted"
