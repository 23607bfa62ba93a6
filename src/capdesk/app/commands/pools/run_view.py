"""How stored runs look, one or many, and what two of them differ in."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from capdesk.app import render
from capdesk.model.money import usd
from capdesk.records.canonical import plain

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.model.runs import StoredRun
    from capdesk.records.comparing import Difference
    from capdesk.records.runs import RunSummary

LONGEST_VALUE = 200


def list_runs(found: "list[RunSummary]", *, json_output: bool) -> None:
    """Print runs, a line each."""
    if json_output:
        render.write_json({"runs": plain(found)})
        return
    if not found:
        render.say("no run is stored yet")
        return
    grid = render.table(
        ("run", "right"),
        ("kind", "whole"),
        ("day", "whole"),
        ("", "whole"),
        ("made at", "whole"),
        ("objective", "right"),
        ("hash", "whole"),
    )
    for each in found:
        grid.add_row(
            f"{each.number}",
            render.literal(each.kind),
            f"{each.day}",
            "[green]latest[/]" if each.latest else "",
            render.clock_time(each.created_at),
            "" if each.objective is None else f"{each.objective:,.6f}",
            each.hash[:12],
        )
    render.console().print(grid)


def show_run(stored: "StoredRun", *, json_output: bool) -> None:
    """Print one run; as JSON, all of it."""
    if json_output:
        render.write_json(plain(stored))
        return
    run, outcome = stored.run, stored.run.outcome
    out = render.console()
    mark = "  [green]latest of its day[/]" if stored.latest else ""
    out.print(f"[bold]run {stored.number}[/]  {render.literal(run.kind)} of {run.day}{mark}\n")
    facts = [
        ("made at", render.clock_time(stored.created_at)),
        ("hash", stored.hash),
        ("solver", render.literal(outcome.solver)),
        ("objective", _figure(outcome.objective)),
        ("bound", _figure(outcome.bound)),
        ("gap", _figure(outcome.gap)),
        *([("decision", _decision(outcome.decision))] if outcome.decision else []),
        ("parameters", _short(run.parameters)),
        ("lists", ", ".join(f"{len(names)} {which}" for which, names in plain(run.lists).items())),
        ("versions", _short(run.versions)),
    ]
    out.print(render.facts(facts))
    if outcome.positions:
        out.print()
        out.print(_positions(stored))


def _positions(stored: "StoredRun") -> "Table":
    grid = render.table("name", ("amount", "right"), ("weight", "right"))
    for each in stored.run.outcome.positions:
        amount = "" if each.amount is None else usd(each.amount)
        grid.add_row(render.literal(each.name), amount, f"{each.weight * 100:.2f} %")
    return grid


def show_differences(
    first: "StoredRun", second: "StoredRun", found: "Iterable[Difference]", *, json_output: bool
) -> None:
    """Print in what two runs differ."""
    found = list(found)
    if json_output:
        render.write_json(
            {"first": first.number, "second": second.number, "differences": differences_record(found)}
        )
        return
    if not found:
        render.say(f"runs {first.number} and {second.number} are the same to the last digit")
        return
    draw_differences(found, f"run {first.number}", f"run {second.number}")


def draw_differences(found: "Iterable[Difference]", first: str, second: str) -> None:
    """Print differences side by side."""
    grid = render.table("where", first, second)
    for each in found:
        grid.add_row(render.literal(each.where), _short(each.first), _short(each.second))
    render.console().print(grid)


def differences_record(found: "Iterable[Difference]") -> list[dict[str, object]]:
    """Differences as JSON."""
    return [{"where": each.where, "first": each.first, "second": each.second} for each in found]


def _decision(made: Any) -> str:
    """What was decided and why, without the figures that it was weighed by."""
    if isinstance(made, dict) and {"kind", "reason"} <= made.keys():
        return render.literal(f"{made['kind']}  {made['reason']}")
    return _short(made)


def _figure(value: float | None) -> str:
    return "none, it is a rule" if value is None else f"{value:.12g}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return render.literal(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}...")
