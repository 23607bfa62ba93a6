"""`capdesk pools plan` is one transaction: icebox, forecasts and run are stored together, or nothing is."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from typer.testing import CliRunner, Result

from capdesk.app.cli import app
from capdesk.model.lists import APPROVED_PROTOCOLS
from capdesk.records import Records
from capdesk.records.tables import Base
from tests.records.conftest import location, postgres_server  # noqa: F401
from tests.treasuries import DAY, USDT, balance, furnish, prices

ROOT = Path(__file__).parents[2]
WORDS = ("pools", "plan", "--json", "--records")
STEPS = {
    "the icebox": "INSERT INTO icebox_tokens",
    "the forecasts": "UPDATE pool_daily_metrics",
    "the mark of the day's latest": "UPDATE runs",
    "the run": "INSERT INTO runs",
    "its parameters and lists": "INSERT INTO allocation_parameters",
    "its allocations": "INSERT INTO asset_allocations",
    "their details": "INSERT INTO asset_allocation_details",
}


@pytest.fixture
def treasury(location: Path | str) -> str:  # noqa: F811
    """Records in which a plan ices a held coin, writes forecasts and stores a run beside an older one."""
    with furnish(location, count=2) as records:
        records.write(
            [*prices(DAY, usdc="0.98"), balance("500000", USDT), balance("900000", pool="aave-usdc")]
        )
        plan(str(location), code=0)
        records.write([*prices(DAY, usdc="1", usdt="0.97")])
    return str(location)


def plan(where: str, *words: str, code: int) -> Result:
    result = CliRunner().invoke(app, [*WORDS, where, *words])
    assert result.exit_code == code, result.output
    return result


def everything(where: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    with Records(where) as records, records._database.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


@contextmanager
def failing_after(statement: str) -> Iterator[list[str]]:
    """Let the first statement that begins so fail, once it is carried out."""
    seen: list[str] = []

    def fail(_c: Any, _cursor: Any, said: str, *_: Any) -> None:
        seen.append(said)
        if said.startswith(statement):
            raise ZeroDivisionError

    event.listen(Engine, "after_cursor_execute", fail)
    try:
        yield seen
    finally:
        event.remove(Engine, "after_cursor_execute", fail)


@pytest.mark.parametrize("statement", STEPS.values(), ids=STEPS.keys())
def test_a_plan_that_fails_in_any_step_leaves_the_records_as_they_were(treasury: str, statement: str) -> None:
    before = everything(treasury)
    with failing_after(statement) as seen:
        result = CliRunner().invoke(app, [*WORDS, treasury])
    assert isinstance(result.exception, ZeroDivisionError)
    assert any(said.startswith(statement) for said in seen)
    assert everything(treasury) == before
    made = json.loads(plan(treasury, code=0).stdout)
    assert made["iced"] == [USDT.token_id]
    with Records(treasury) as records:
        # PostgreSQL does not give a number again that a failure has taken.
        assert [(each.number == made["run"], each.latest) for each in records.runs()] == [
            (False, False),
            (True, True),
        ]


DYING = """
import os, signal, sys
from sqlalchemy import Engine, event
from capdesk.app.cli import app
moments, at, where = sys.argv[1].split(), int(sys.argv[2]), sys.argv[3]
count = 0
def one_more(*_):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
for moment in moments:
    event.listen(Engine, moment, one_more)
try:
    app(["pools", "plan", "--json", "--records", where])
finally:
    print(count, file=sys.stderr)
"""
STATEMENTS, COMMITS = "before_cursor_execute after_cursor_execute", "commit"


def dying(moments: str, at: int, where: str) -> subprocess.CompletedProcess[str]:
    """Plan in a process of its own, which kills itself at the n-th of its moments; 0 is never."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    program = [sys.executable, "-c", DYING, moments, str(at), where]
    return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_a_process_that_is_killed_while_it_plans_leaves_the_records_as_they_were(treasury: str) -> None:
    before = everything(treasury)
    for at in sorted(random.Random(5).sample(range(1, 60), 3)):
        done = dying(STATEMENTS, at, treasury)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert everything(treasury) == before, f"killed at moment {at}"
    whole = dying(STATEMENTS, 0, treasury)
    assert whole.returncode == 0, whole.stderr
    assert int(whole.stderr) > 60
    assert everything(treasury) != before


def test_a_process_that_is_killed_before_it_commits_has_planned_nothing(treasury: str) -> None:
    last = int(dying(COMMITS, 0, treasury).stderr)
    before = everything(treasury)
    assert dying(COMMITS, last, treasury).returncode == -signal.SIGKILL
    assert everything(treasury) == before


def test_a_plan_that_is_refused_ices_nothing_either(treasury: str) -> None:
    before = everything(treasury)
    plan(treasury, "--explain", "no pool at all", code=2)
    plan(treasury, "--method", "guess", code=2)
    assert everything(treasury) == before


def test_what_others_write_while_a_plan_is_made_comes_before_it_or_after(treasury: str) -> None:
    done: list[bool] = []

    def disapprove() -> None:
        with Records(treasury) as own:
            own.remove(APPROVED_PROTOCOLS, ["sparklend"], "hacked")
        done.append(True)

    with Records(treasury) as records:
        other = threading.Thread(target=disapprove)
        with records.transaction() as inside:
            lists = inside.lists()
            other.start()
            inside.add("icebox_tokens", [USDT.token_id], "by hand")
            assert (done, inside.lists().approved_protocols) == ([], lists.approved_protocols)
            assert len(records.lists().icebox_tokens) == len(lists.icebox_tokens)
        other.join()
        assert records.lists().names(APPROVED_PROTOCOLS) == {"aave-v3"}
        assert len(records.lists().icebox_tokens) == len(lists.icebox_tokens) + 1


def test_a_verb_that_fails_inside_a_transaction_leaves_the_others_done(treasury: str) -> None:
    with Records(treasury) as records:
        with records.transaction() as inside:
            inside.add("icebox_tokens", ["a:T"], "by hand")
            with pytest.raises(ValueError, match="40 hexadecimal digits"):
                inside.add("icebox_tokens", ["b:T", "ethereum:0x12"], "by hand")
        assert {"a:T"} <= records.lists().names("icebox_tokens")
        assert "b:T" not in records.lists().names("icebox_tokens")
