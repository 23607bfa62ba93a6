"""`capdesk verify`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from capdesk import Constraints, plan_weights
from capdesk.app.cli import app


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    made = plan_weights(
        ["a", "b", "c"],
        "min_variance",
        covariance=np.diag([0.01, 0.02, 0.04]),
        constraints=Constraints(max_weight=0.5),
    )
    path = tmp_path / "plan.json"
    path.write_text(made.to_json(), encoding="utf-8")
    return path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["verify", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_plan_that_is_what_it_says(plan: Path) -> None:
    code, out, _ = run(str(plan))
    assert code == 0
    assert "the plan is what it says" in out
    for check in ("sum", "feasible", "convex", "multipliers", "optimal", "certificate"):
        assert f"✓ {check}" in out


def test_a_tampered_plan_ends_with_attention(plan: Path) -> None:
    value = json.loads(plan.read_text(encoding="utf-8"))
    value["weights"].update(a="0.4", b="0.3", c="0.3")
    plan.write_text(json.dumps(value), encoding="utf-8")
    code, out, _ = run(str(plan), "--json")
    assert code == 8
    told = json.loads(out)
    assert told["holds"] is False
    assert [each["name"] for each in told["checks"] if not each["holds"]] == ["optimal", "certificate"]


def test_what_is_no_plan_is_invalid_input(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1, 2]")
    code, _, err = run(str(tmp_path / "x.json"))
    assert code == 2
    assert "is not a plan" in err


def test_what_is_no_json_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("a,b\n1,2\n")
    code, _, err = run(str(tmp_path / "prices.csv"))
    assert code == 2
    assert "this is not a plan, because it is no JSON: " in err


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    assert run(str(tmp_path / "none.json"))[0] == 7
