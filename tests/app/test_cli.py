"""The command line as a whole: what it offers, how it ends, and that its reference tells all of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from capdesk.app.cli import app
from capdesk.app.commands.exits import ExitCode, describe, exit_code_of
from capdesk.model import errors

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
COMMANDS = {
    "adopt",
    "audit",
    "breaker lift",
    "breaker trip",
    "budget",
    "confirm",
    "demo",
    "deposit",
    "doctor",
    "explain",
    "frontier",
    "halt",
    "increase",
    "init",
    "ledger check",
    "ledger compact",
    "ledger export",
    "mandate diff",
    "mandate show",
    "mandate update",
    "mark",
    "metrics",
    "observe",
    "orphans",
    "pools adopt",
    "pools approve",
    "pools blacklist",
    "pools demo",
    "pools diff",
    "pools eligible",
    "pools forecast",
    "pools icebox",
    "pools import",
    "pools plan",
    "pools replay",
    "pools runs",
    "pools show",
    "rebalance",
    "recycle",
    "release",
    "replay",
    "report",
    "request",
    "resume",
    "size",
    "status",
    "supervise",
    "sync",
    "transfer",
    "verify",
    "weights",
    "what-if",
    "withdraw",
}


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def leaves(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in command.commands.items():
        here = f"{path} {name}".strip()
        if hasattr(each, "commands"):
            yield from leaves(each, here)
        else:
            yield here, each


def commands() -> dict[str, Any]:
    return dict(leaves(typer.main.get_command(app)))


def sections() -> dict[str, str]:
    """The reference's sections by command, each with its heading's line."""
    found = {}
    for part in re.split(r"^### ", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        name = re.match(r"`capdesk ([a-z -]+?)( [A-Z\[].*)?`", heading)
        assert name is not None, heading
        found[name[1]] = f"{heading}\n{text.partition(chr(10) + '## ')[0]}"
    return found


def options(command: Any) -> set[str]:
    return {
        name
        for param in command.params
        if param.param_type_name == "option"
        for name in (*param.opts, *param.secondary_opts)
    }


def test_the_commands_are_those_of_the_reference() -> None:
    assert set(commands()) == COMMANDS == set(sections())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_reference_tells_every_option_of_a_command_and_no_other(name: str) -> None:
    told = set(re.findall(r"`(--[a-z-]+)[ `]", sections()[name]))

    assert told == options(commands()[name])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_reference_tells_every_argument_of_a_command(name: str) -> None:
    heading = sections()[name].partition("\n")[0]

    for param in commands()[name].params:
        if param.param_type_name == "argument":
            assert param.metavar.strip("[]") in heading


def test_the_reference_tells_every_environment_variable() -> None:
    variables = {
        param.envvar
        for command in commands().values()
        for param in command.params
        if getattr(param, "envvar", None)
    }

    assert variables == {"CAPDESK_LEDGER", "CAPDESK_CONFIG", "CAPDESK_RECORDS"}
    assert all(f"`{name}`" in REFERENCE.read_text(encoding="utf-8") for name in variables)


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_reference_tells_every_exit_code(code: ExitCode) -> None:
    row = f"| {code.value} | {code.name.lower().replace('_', ' ')} |"

    assert row in REFERENCE.read_text(encoding="utf-8")


OF_RECORDS = {name for name in COMMANDS if name.startswith("pools ")} | {"replay"}
OF_BOTH = {"pools adopt"}
OF_FILES = {"frontier", "metrics", "rebalance", "verify", "weights"}


@pytest.mark.parametrize("name", sorted(COMMANDS - {"demo"}))
def test_every_command_takes_json_and_its_ledger_or_records(name: str) -> None:
    known = options(commands()[name])

    assert "--json" in known
    assert ("--records" in known) == (name in OF_RECORDS)
    assert ("--ledger" in known) == (name in OF_BOTH or name not in OF_FILES | OF_RECORDS)


@pytest.mark.parametrize("name", ["", *sorted(COMMANDS)])
def test_every_command_has_a_help_page(name: str) -> None:
    result = run(*name.split(), "--help")

    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_no_command_at_all_shows_the_help_and_is_invalid_input() -> None:
    result = run()

    assert result.exit_code == ExitCode.INVALID_INPUT
    assert "Usage: " in result.output


def test_the_version_is_told() -> None:
    from capdesk import __version__

    assert run("--version").stdout == f"capdesk {__version__}\n"


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.CapdeskError)
    ],
)
def test_every_error_of_the_desk_has_an_exit_code(kind: type[errors.CapdeskError]) -> None:
    code = exit_code_of(kind.__new__(kind))

    assert code is not None
    assert code not in (ExitCode.DONE, ExitCode.INTERRUPTED)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.InvalidInput, 2),
        (errors.ConfigError, 2),
        (errors.IdConflict, 2),
        (errors.UnknownAllocation, 3),
        (errors.InsufficientFunds, 3),
        (errors.UnknownRun, 3),
        (errors.NotRecords, 4),
        (errors.NewerRecords, 4),
        (errors.TamperedRun, 5),
        (errors.RecordsError, 7),
        (errors.SourceUnavailable, 7),
        (errors.MalformedDocument, 2),
        (errors.NotALedger, 4),
        (errors.NewerSchema, 4),
        (errors.NetworkFileSystem, 4),
        (errors.CorruptLedger, 5),
        (errors.InvariantBreach, 5),
        (errors.MandateMismatch, 6),
        (errors.DiskFull, 7),
        (errors.LedgerUnavailable, 7),
        (errors.DeadlineExceeded, 7),
        (PermissionError, 7),
    ],
)
def test_the_exit_code_tells_what_went_wrong(kind: type[Exception], code: int) -> None:
    assert exit_code_of(kind.__new__(kind)) == code


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("capdesk.app.commands.reading.on_desk", interrupt)
    result = run("report")

    assert result.exit_code == ExitCode.INTERRUPTED
    assert result.output == ""


def test_an_error_nobody_foresaw_has_no_exit_code() -> None:
    assert exit_code_of(ZeroDivisionError()) is None


def test_an_error_nobody_foresaw_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("capdesk.app.commands.reading.on_desk", fail)
    result = run("report")

    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_deadline_tells_how_to_ask_again() -> None:
    message, details = describe(errors.DeadlineExceeded("abc-1", 2))

    assert "--request-id abc-1" in message
    assert details == {"request_id": "abc-1"}


def test_the_demo_is_given_its_options_and_ends_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def run_demo(**options: object) -> int:
        given.update(options)
        return 7

    monkeypatch.setattr("capdesk.app.demo_view.run_demo", run_demo)
    result = run(
        *("demo", "--seed", "3", "--html", "page.html", "--bankroll", "50", "--ledger", "d.db"),
        "--crash",
        "--json",
    )

    assert result.exit_code == 7
    assert given == {
        "ledger": Path("d.db"),
        "seed": 3,
        "html": Path("page.html"),
        "bankroll": "50",
        "crash": True,
        "json_output": True,
    }
