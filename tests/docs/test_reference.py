"""The documents are complete and name only what exists: fields, verbs, errors, kinds, tests, files."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import apsw
import msgspec
import pytest
from pydantic import BaseModel

import capdesk
from capdesk import (
    Allocation,
    AllocationResult,
    BenchmarkMetrics,
    CapitalAllocator,
    CapitalConfig,
    CapitalRecycler,
    Drawdown,
    Hooks,
    LeftOut,
    Planner,
    PortfolioMetrics,
    RebalanceOrder,
    Rebalancing,
    RecycleEvent,
    Room,
    Signal,
    StrategyCapitalManager,
    StrategyCapitalTracker,
    Supervisor,
    TradingCost,
    UnifiedCapitalManager,
    Verdict,
)
from capdesk.config import BreakersConfig, RiskConfig, SleeveConfig
from capdesk.ledger import tools
from capdesk.ledger.schema import APPLICATION_ID, newest_version, upgrade
from capdesk.model import commands, errors, journal, rules
from capdesk.model.mandate import Mandate

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")]
)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def sections(text: str, level: int) -> dict[str, str]:
    """The parts of a page under its headings of a level, by the heading without its back-quotes."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)[1:]
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE)
    return {
        heading.strip("`"): end.split(body)[0] for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def rows(text: str) -> list[list[str]]:
    """The cells of a page's tables, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rules = {number for number, row in enumerate(cells) if all(re.fullmatch("-*:?", cell) for cell in row)}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def quoted(text: str) -> list[str]:
    """What stands in back-quotes, fences left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def named(value: Any) -> str:
    """What a case is called in a test's name."""
    return getattr(value, "__name__", value)


# The configuration

FIELDS = sections(page("reference/configuration.md"), 3)


def test_every_field_of_the_configuration_is_documented_and_no_other() -> None:
    assert set(FIELDS) == set(CapitalConfig.model_fields)


@pytest.mark.parametrize("field", CapitalConfig.model_fields)
def test_documented_default_is_the_default(field: str) -> None:
    _unit, default, _allowed, _environment = rows(FIELDS[field])[0]
    assert getattr(CapitalConfig(), field) == ast.literal_eval(default.strip("`"))


@pytest.mark.parametrize("field", CapitalConfig.model_fields)
def test_documented_examples_of_file_and_environment_are_accepted(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", FIELDS[field], re.DOTALL)
    file = tmp_path / "capdesk.toml"
    file.write_text(toml, encoding="utf-8")
    from_file = getattr(CapitalConfig.load(file), field)
    assert from_file != getattr(CapitalConfig(), field)

    variable, _, value = rows(FIELDS[field])[0][3].strip("`").partition("=")
    assert variable == f"CAPITAL_{field.upper()}"
    monkeypatch.setenv(variable, shlex.split(value)[0])
    others = {name: given for name, given in tomllib.loads(toml).items() if name != field}
    assert getattr(CapitalConfig.load(**others), field) == from_file


@pytest.mark.parametrize(
    ("field", "table"),
    [("sleeves", SleeveConfig), ("risk", RiskConfig), ("breakers", BreakersConfig)],
    ids=named,
)
def test_every_key_of_a_table_is_documented_with_its_default(field: str, table: type[BaseModel]) -> None:
    shown = {quoted(row[0])[0]: row[2] for row in rows(FIELDS[field])[1:]}
    assert set(shown) == set(table.model_fields)
    for key, default in shown.items():
        if default == "required":
            assert table.model_fields[key].is_required()
        elif default.startswith("`"):
            assert table.model_fields[key].default == ast.literal_eval(default.strip("`")), key


def test_example_configuration_loads_and_sets_every_field() -> None:
    path = ROOT / "examples/capdesk.toml"
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) == set(CapitalConfig.model_fields)
    config = CapitalConfig.load(path)
    assert CapitalConfig.from_mandate(config.mandate()).mandate() == config.mandate()


# The API

API = page("reference/api.md")
OWNERS = [
    CapitalAllocator,
    CapitalRecycler,
    Planner,
    Supervisor,
    StrategyCapitalManager,
    StrategyCapitalTracker,
    UnifiedCapitalManager,
]
VERBS = {owner: sections(API, 2)[owner.__name__] for owner in OWNERS}
FUNCTIONS = [name for name in capdesk.__all__ if inspect.isfunction(getattr(capdesk, name))]


def public(owner: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(owner) if not name.startswith("_")]


def calls(owner: type) -> list[str]:
    return [name for name in public(owner) if callable(getattr(owner, name))]


def parameters(function: Any) -> list[tuple[str, str, object]]:
    """Name, kind and default of each parameter."""
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.kind.name, each.default) for each in found if each.name != "self"]


def documented(text: str) -> tuple[list[tuple[str, str, object]], bool]:
    """The parameters of the signature that a section shows, and whether it is to be awaited."""
    shown = re.search(r"```py\n(async )?(?:def )?([\w.]+)(\(.*?\))(?: ->.*)?\n```", text, re.DOTALL)
    assert shown is not None, f"no signature is shown in {text[:80]!r}"
    namespace: dict[str, Any] = {"Constraints": capdesk.Constraints}
    exec(f"def shown{shown[3]}: ...", namespace)
    return parameters(namespace["shown"]), shown[1] is not None


def test_every_public_name_is_documented() -> None:
    assert [name for name in capdesk.__all__ if f"`{name}`" not in API and f"# {name}\n" not in API] == [
        "__version__"
    ]


@pytest.mark.parametrize("owner", VERBS, ids=named)
def test_every_public_method_is_documented_and_no_other(owner: type) -> None:
    assert set(sections(VERBS[owner], 3)) - {"Properties", "Hooks"} == set(calls(owner))


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner in VERBS for name in calls(owner)], ids=named
)
def test_documented_signature_is_the_signature(owner: type, name: str) -> None:
    function = getattr(owner, name)
    shown, awaited = documented(sections(VERBS[owner], 3)[name])
    assert shown == parameters(function)
    assert awaited == inspect.iscoroutinefunction(function)


@pytest.mark.parametrize("owner", VERBS, ids=named)
def test_documented_constructor_is_the_constructor(owner: type) -> None:
    assert documented(VERBS[owner])[0] == parameters(owner.__init__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented_function_is_the_function(name: str) -> None:
    shown, _ = documented(sections(sections(API, 2)["Functions"], 3)[name])
    assert shown == parameters(getattr(capdesk, name))


def test_every_property_of_the_desk_is_documented() -> None:
    shown = {
        name for row in rows(sections(VERBS[CapitalAllocator], 3)["Properties"]) for name in quoted(row[0])
    }
    assert shown == set(public(CapitalAllocator)) - set(calls(CapitalAllocator)) - {"path"}


def test_every_result_code_is_documented_with_its_value_in_order() -> None:
    shown = [quoted(f"{row[0]} {row[1]}") for row in rows(sections(API, 3)["AllocationResult"])]
    assert shown == [[code.name, code.value] for code in AllocationResult]


@pytest.mark.parametrize(
    "value",
    [
        Verdict,
        Room,
        Allocation,
        RecycleEvent,
        Signal,
        Hooks,
        Rebalancing,
        RebalanceOrder,
        LeftOut,
        TradingCost,
        PortfolioMetrics,
        Drawdown,
        BenchmarkMetrics,
    ],
    ids=named,
)
def test_every_attribute_of_a_value_is_documented(value: type) -> None:
    section = sections(API, 3)[value.__name__]
    names = set(quoted(section)) | {name.split("(")[0] for name in quoted(section)}
    attributes = {name for name in public(value) if name not in ("count", "index")}
    assert attributes - names == set()


async def test_what_a_supervisor_is_told_is_documented() -> None:
    desk = CapitalAllocator(
        {
            "sleeves": [{"name": "sniper", "percent": 50}],
            "risk": {},
            "max_exposure_per_market_percent": 4,
            "max_total_exposure_percent": 50,
        },
        200,
    )
    await desk.request_allocation("m", 8)
    await desk.observe_market("extreme")
    await desk.withdraw(190)
    await desk.review()
    await desk.halt("by hand")
    await desk.trip_breaker("by hand")
    audit = await desk.audit()
    shown = {
        "get_breakers": (await desk.get_breakers())[0],
        "get_budgets": (await desk.get_budgets())[0],
        "get_recalls": (await desk.get_recalls())[0],
        "get_market_history": (await desk.get_market_history())[0],
    }
    for verb, value in shown.items():
        names = quoted(sections(VERBS[CapitalAllocator], 3)[verb])
        assert set(value.__struct_fields__) - set(names) == set(), verb
    names = quoted(sections(VERBS[CapitalAllocator], 3)["audit"])
    assert {*audit.__struct_fields__, *audit.steps[0].__struct_fields__} - set(names) == set()


async def test_every_key_of_the_reports_is_documented() -> None:
    desk = CapitalAllocator(None, 200)
    await desk.request_allocation("m", 5)
    report, stats = desk.get_allocation_report(), CapitalRecycler(None, desk).get_daily_stats()
    of_report = quoted(sections(VERBS[CapitalAllocator], 3)["get_allocation_report"])
    of_stats = quoted(sections(VERBS[CapitalRecycler], 3)["get_daily_stats"])
    assert {*report, *report["allocations"][0]} - set(of_report) == set()
    assert set(stats) - set(of_stats) == set()


def kinds_of_error() -> dict[str, type]:
    return {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}


def test_every_error_is_documented_with_its_bases() -> None:
    shown = {quoted(row[0])[0]: set(quoted(row[1])) for row in rows(sections(API, 2)["Errors"])}
    assert set(shown) == set(kinds_of_error())
    for name, kind in kinds_of_error().items():
        assert shown[name] <= {base.__name__ for base in kind.__mro__}, name


@pytest.mark.parametrize("tool", ["check", "export", "compact"])
def test_every_ledger_tool_is_documented(tool: str) -> None:
    shown, _ = documented(sections(sections(API, 2)["Ledger tools"], 3)[tool])
    assert shown == parameters(getattr(tools, tool))


@pytest.mark.parametrize("report", [tools.CheckReport, tools.CompactReport], ids=named)
def test_every_field_of_a_tool_report_is_documented(report: Any) -> None:
    section = sections(API, 2)["Ledger tools"]
    assert set(report.__dataclass_fields__) - set(quoted(section)) == set()


# The ledger's format

FORMAT = page("reference/ledger-format.md")


def schema() -> dict[str, list[str]]:
    db = apsw.Connection(":memory:")
    upgrade(db, "sqlite")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables}


def test_every_table_and_column_of_the_ledger_is_documented() -> None:
    shown = {
        name: [quoted(row[0])[0] for row in rows(text)]
        for name, text in sections(sections(FORMAT, 2)["Tables"], 3).items()
    }
    assert shown == schema()


def test_documented_marks_of_the_file_are_those_that_are_written() -> None:
    assert f"`0x{APPLICATION_ID:X}`" in FORMAT
    assert f"is the version of the schema: {newest_version('sqlite')}." in FORMAT


PARTS = [
    rules.MarketProfile,
    rules.GroupLimit,
    rules.PriorityTier,
    rules.Sleeve,
    rules.RiskTable,
    rules.RiskStep,
    rules.BreakerRules,
    rules.MarketState,
    rules.Risk,
    rules.Budget,
]


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [
        ("Commands", {kind.__struct_config__.tag: kind for kind in get_args(commands.Command)}),
        ("Events", {kind.__struct_config__.tag: kind for kind in get_args(journal.Event)}),
        ("Parts", {kind.__name__: kind for kind in PARTS}),
    ],
    ids=["commands", "events", "parts"],
)
def test_every_kind_is_documented_with_its_fields(heading: str, kinds: dict[str, Any]) -> None:
    shown = {}
    for kind, fields, _ in rows(sections(FORMAT, 2)[heading]):
        optional = set(re.findall(r"\[`(\w+)`\]", fields))
        names = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", fields))
        shown[quoted(kind)[0]] = [(name, name not in optional) for name in names]
    assert shown == {
        name: [(field.encode_name, field.required) for field in msgspec.structs.fields(kind)]
        for name, kind in kinds.items()
    }


def test_every_field_of_the_mandate_is_documented_with_its_default() -> None:
    shown = {
        quoted(name)[0]: json.loads(default.replace("`", '"'))
        for name, default, _ in rows(sections(FORMAT, 2)["Mandate"])
    }
    assert shown == {
        field.name: json.loads(msgspec.json.encode(field.default))
        for field in msgspec.structs.fields(Mandate)
    }
    assert msgspec.to_builtins(Mandate()) == {}, "a default is left out of the ledger"


# The guarantees

GUARANTEES = page("guarantees.md")
NAMED_TESTS = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", GUARANTEES)))


def test_guarantees_name_tests() -> None:
    assert len(NAMED_TESTS) >= 20


@pytest.mark.parametrize(("file", "test"), NAMED_TESTS)
def test_named_test_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    names |= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert test in names


def test_every_error_of_the_ledger_has_its_place_in_the_guarantees() -> None:
    of_ledger = {name for name, kind in kinds_of_error().items() if issubclass(kind, errors.LedgerError)}
    assert {*of_ledger, "DeadlineExceeded", "MandateMismatch", "IdConflict"} - set(
        quoted(GUARANTEES)
    ) == set()


# Examples, links, decisions


def run_example(name: str, *arguments: str, folder: Path) -> str:
    program = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_of_three_bots_stays_within_the_total_limit(tmp_path: Path) -> None:
    told = run_example("three_bots.py", "bots.db", folder=tmp_path)
    allocated, limit = map(float, re.findall(r"allocated \$([\d.]+) of at most \$([\d.]+)", told)[0])
    assert 0 < allocated <= limit
    assert tools.check(tmp_path / "bots.db").problems == []


async def test_example_of_a_backup_copies_a_ledger_in_use_as_of_an_entry(tmp_path: Path) -> None:
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200) as desk:
        await desk.request_allocation("first", 5)
        run_example("backup.py", "desk.db", "copy.db", folder=tmp_path)
        await desk.request_allocation("second", 5)
    kept = [entry["hash"] for entry in tools.export(tmp_path / "desk.db")]
    copied = [entry["hash"] for entry in tools.export(tmp_path / "copy.db")]
    assert len(copied) == 2
    assert copied == kept[: len(copied)]
    async with CapitalAllocator.open(tmp_path / "copy.db") as restored:
        assert [it.market_id for it in await restored.get_allocations()] == ["first"]


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    for target in targets:
        file, _, anchor = target.partition("#")
        there = (document.parent / file).resolve() if file else document
        assert there.exists(), f"{document.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in anchors, f"{document.name} links to {target}"


def test_decisions_are_numbered_without_a_gap_and_say_why() -> None:
    records = sorted(ROOT.glob("docs/adr/*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(record.name[:4])}. "), record.name
        assert list(sections(text, 2)) == ["Context", "Decision", "Consequences"], record.name
