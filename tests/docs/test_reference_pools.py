"""The page about pool allocation names every parameter and field, with its default, and its example runs."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from capdesk import pools
from capdesk.model.pool_parameters import ChainCosts, ExpectedLoss
from capdesk.model.pool_plans import Costs, Decision, PoolCertificate, PoolPlan, Transaction
from capdesk.model.pools import Holding, Kinked, Piecewise
from capdesk.pools import Pool, PoolParameters

PAGE = (Path(__file__).parents[2] / "docs/reference/pools.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """The first and second cells of the table under a heading; several names share a row."""
    section = PAGE.split(f"## `{heading}`")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {name: row[1].strip() for row in rows for name in re.findall(r"`(\w+)`", row[0])}


@pytest.mark.parametrize(("heading", "kind"), [("Pool", Pool), ("PoolParameters", PoolParameters)])
def test_every_field_is_documented_with_its_default(heading: str, kind: Any) -> None:
    shown = table(heading)
    assert set(shown) == set(kind.__struct_fields__)
    for field in msgspec.structs.fields(kind):
        if field.required:
            assert shown[field.name] == "required"
            continue
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        assert ast.literal_eval(shown[field.name].strip("`")) == default, field.name


def test_every_field_of_a_plan_is_documented() -> None:
    assert set(table("PoolPlan")) == set(PoolPlan.__struct_fields__)
    named = set(re.findall(r"`(\w+)`", PAGE))
    for kind in (Costs, Decision, PoolCertificate, Transaction):
        assert set(kind.__struct_fields__) <= named


@pytest.mark.parametrize("kind", [ChainCosts, ExpectedLoss, Kinked, Piecewise, Holding])
def test_every_small_value_is_documented_with_its_fields(kind: Any) -> None:
    (shown,) = re.findall(rf"`{kind.__name__}\(([^`]*)\)`", PAGE)[:1]
    assert [part.split("=")[0].strip() for part in shown.split(",")] == list(kind.__struct_fields__)


@pytest.mark.parametrize("name", ["optimize_allocations", "optimize_allocations_milp", "explain"])
def test_documented_signature_is_the_signature(name: str) -> None:
    shown = re.search(rf"def {name}(\(.*?\)) ->", PAGE)
    assert shown is not None
    namespace: dict[str, Any] = {}
    exec(f"def shown{shown[1]}: ...", namespace)
    theirs, ours = (
        [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]
        for function in (namespace["shown"], getattr(pools, name))
    )
    assert theirs == ours


def test_every_public_name_is_documented() -> None:
    assert [name for name in pools.__all__ if f"`{name}" not in PAGE] == []


def test_example_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    pattern = ".*?".join(re.escape(part) for part in shown.strip().split("..."))
    assert re.fullmatch(pattern, capsys.readouterr().out.strip(), re.DOTALL)
