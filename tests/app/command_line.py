"""The command line as its tests use it: in this process, with its exit code and its output."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from capdesk.app.cli import app

DONE, INVALID_INPUT, REFUSED, NO_LEDGER, CORRUPT, MISMATCH, UNAVAILABLE, ATTENTION = 0, 2, 3, 4, 5, 6, 7, 8


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def ask(*words: str, code: int = DONE) -> Any:
    """Run a command with --json, which must end with `code` and print one JSON value."""
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def rules(text: str) -> str:
    """A file of rules in this directory."""
    Path("rules.toml").write_text(text, encoding="utf-8")
    return "rules.toml"
