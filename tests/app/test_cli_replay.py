"""`capdesk replay`: each answer has its exit code."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from typer.testing import CliRunner, Result

from capdesk.app.cli import app
from capdesk.model.runs import Run
from capdesk.records import Records
from capdesk.runs.weights import weights_run

COVARIANCE = np.diag([1.0, 2, 4])


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPDESK_RECORDS", raising=False)


def capdesk(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def run(strategy: str = "min_variance") -> Run:
    return weights_run(dt.date(2026, 2, 16), ["a", "b", "c"], strategy, covariance=COVARIANCE)[1]


def stored(run: Run, **outcome: Any) -> str:
    changed = structs.replace(run, outcome=structs.replace(run.outcome, **outcome))
    with Records("records.db", create=True) as records:
        return str(records.save_run(changed).number)


OTHER = {"weights": {"a": "0.571428", "b": "0.285715", "c": "0.142857"}}


def test_the_same_plan_is_identical() -> None:
    number = stored(run())
    for words in (["replay"], ["pools", "replay"]):
        result = capdesk(*words, number)
        assert result.exit_code == 0
        assert result.stdout.startswith("identical  run 1, computed again: the same to the last digit")


def test_another_plan_that_is_proved_as_good_is_equivalent() -> None:
    result = capdesk("replay", stored(run(), result=OTHER), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["replay"]) == (9, "equivalent")
    assert told["stored"]["objective"] == told["again"]["objective"]
    assert {"where": "result.cash", "first": None, "second": "0"} in told["differences"]


def test_another_plan_that_is_worse_is_different() -> None:
    plan = run()
    assert plan.outcome.objective is not None
    worse = plan.outcome.objective * 1.01
    result = capdesk("replay", stored(plan, result=OTHER, objective=worse, bound=worse))
    assert result.exit_code == 10
    assert result.stdout.startswith("different")


def test_a_rule_that_gave_another_answer_is_different() -> None:
    assert capdesk("replay", stored(run("equal_weight"), result=OTHER)).exit_code == 10


def test_a_run_that_was_changed_is_not_replayed() -> None:
    number = stored(run())
    with Records("records.db") as records, records._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET solver = 'another'")
    assert capdesk("replay", number).exit_code == 5


def test_a_run_that_is_not_there_is_refused() -> None:
    stored(run())
    assert capdesk("replay", "2").exit_code == 3
    assert capdesk("replay", "latest").exit_code == 0
