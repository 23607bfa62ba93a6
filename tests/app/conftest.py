"""Every test of the command line begins in an empty directory, with no ledger or configuration named."""

from pathlib import Path

import pytest

from tests.app.command_line import DONE, run


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("CAPDESK_LEDGER", "CAPDESK_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ledger(in_an_empty_directory: None) -> None:
    """A ledger of $200 under the defaults."""
    assert run("init").exit_code == DONE
