"""The installed script, as a shell runs it."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(sysconfig.get_path("scripts")) / "capdesk"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPDESK_LEDGER", raising=False)


def capdesk(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *words], capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )


def test_a_day_at_the_desk() -> None:
    assert capdesk("init").returncode == 0
    granted = capdesk("request", "btc", "15", "--json")
    assert json.loads(granted.stdout)["amount"] == "10"
    assert capdesk("request", "btc", "15").returncode == 3
    assert capdesk("release", "btc", "--pnl", "-3.5").returncode == 0
    assert json.loads(capdesk("report", "--json").stdout)["bankroll"] == "196.5"
    assert capdesk("ledger", "check").returncode == 0


def test_an_expected_error_shows_no_traceback() -> None:
    result = capdesk("report")

    assert result.returncode == 4
    assert result.stderr.startswith("error: there is no ledger file at desk.db")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("words", [["ledger", "export"], ["report"], ["report", "--json"]])
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    capdesk("init")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        result = subprocess.run([SCRIPT, *words], stdout=gone, stderr=subprocess.PIPE, check=False)

    assert result.returncode == 0
    assert result.stderr == b""


def test_nothing_heavy_is_loaded_for_a_ledger_command() -> None:
    capdesk("init")
    program = (
        "import sys\n"
        "from capdesk.app.cli import app\n"
        "try:\n"
        "    app(['report', '--json'], prog_name='capdesk')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'pydantic', 'rich', 'plotly', 'sqlite3', 'sqlalchemy', 'alembic', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert result.stderr == "[]\n"


def test_colours_are_for_terminals_only() -> None:
    capdesk("init")

    assert "\x1b" not in capdesk("report").stdout
    assert "\x1b" in capdesk("report", FORCE_COLOR="1").stdout
