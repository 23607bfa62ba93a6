"""How stored runs look, one or many, and what two of them differ in."""

import json
from collections.abc import Iterable, Mapping
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
WIDE = 100


def list_runs(found: "list[RunSummary]", *, json_output: bool) -> None:
    """Print runs, a line each; where there is room, with their solvers."""
    if json_output:
        render.write_json({"runs": plain(found)})
        return
    if not found:
        render.say("no run is stored yet")
        return
    out = render.console()
    wide = out.width >= WIDE
    grid = render.table(
        ("run", "right"),
        ("kind", "whole"),
        ("day", "whole"),
        ("", "whole"),
        ("made at (UTC)", "whole"),
        ("objective", "right"),
        ("hash", "whole"),
        *(["solver"] if wide else []),
    )
    for each in found:
        grid.add_row(
            f"{each.number}",
            render.literal(each.kind),
            f"{each.day}",
            "[green]latest[/]" if each.latest else "",
            render.clock_time(each.created_at),
            "" if each.objective is None else objective(each.objective, each.kind),
            each.hash[:12],
            *([render.literal(each.solver)] if wide else []),
        )
    out.print(grid)


def objective(value: float, kind: str) -> str:
    """An objective: dollars over the horizon where pools are planned, else a figure of the strategy."""
    return f"${value:,.2f}" if kind == "pools" else f"{value:,.9g}"


def show_run(stored: "StoredRun", names: Mapping[str, str], *, json_output: bool) -> None:
    """Print one run; as JSON, all of it.

    Parameters
    ----------
    names
        What people call pools and tokens, by id.
    """
    if json_output:
        render.write_json(plain(stored))
        return
    run, outcome = stored.run, stored.run.outcome
    out = render.console()
    mark = "  [green]latest of its day[/]" if stored.latest else ""
    out.print(f"[bold]run {stored.number}[/]  {render.literal(run.kind)} of {run.day}{mark}\n")
    facts = [
        ("made at", f"{render.clock_time(stored.created_at)} UTC"),
        ("hash", stored.hash),
        ("solver", render.literal(outcome.solver)),
        ("objective", _figure(outcome.objective, run.kind)),
        ("bound", _figure(outcome.bound, run.kind)),
        ("gap", "none, it is a rule" if outcome.gap is None else f"{outcome.gap:.1e}"),
        ("decision", _decision(outcome.decision, names)),
        ("parameters", _parameters(run.parameters, run.kind)),
        ("made from", _counts(stored)),
        ("lists", ", ".join(f"{len(each)} {which}" for which, each in plain(run.lists).items())),
        ("versions", render.literal(", ".join(f"{name} {each}" for name, each in run.versions.items()))),
    ]
    out.print(render.facts((name, value) for name, value in facts if value))
    if outcome.details:
        out.print()
        out.print(_details(stored, names, wide=out.width >= WIDE))
    elif outcome.positions:
        out.print()
        out.print(_positions(stored))
    if run.kind == "pools" and run.outcome.result.get("transactions"):
        out.print("\n[bold]Transactions[/], in this order")
        out.print(_transactions(stored, names))
    out.print("\n[dim]--json has all that the run carries[/]")


def _transactions(stored: "StoredRun", names: Mapping[str, str]) -> "Table":
    from capdesk.app import transactions_view
    from capdesk.treasury import spoken

    return transactions_view.transactions(
        transactions_view.stored(stored.run), lambda text: render.literal(spoken(text, names))
    )


def _decision(decision: Any, names: Mapping[str, str]) -> str:
    if not isinstance(decision, Mapping):
        return "" if decision is None else _short(decision)
    from capdesk.treasury import spoken

    told = f"{str(decision.get('kind', '')).replace('_', ' ')}: {decision.get('reason', '')}"
    return render.literal(spoken(told, names))


def _parameters(parameters: Any, kind: str) -> str:
    """What was set; of pools' many parameters first those that are not the defaults."""
    if kind != "pools":
        return _short(parameters)
    from capdesk.model.pool_parameters import PoolParameters

    usual = plain(PoolParameters())
    changed, same = [], []
    for name, value in parameters.items():
        is_usual = plain(usual.get(name)) == plain(value)
        (same if is_usual else changed).append(f"{name} {_short(value)}")
    return ", ".join([*changed, f"[dim]as usual: {', '.join(same)}[/]" if same else ""]).strip(", ")


def _counts(stored: "StoredRun") -> str:
    """How much a run was made from."""
    run = stored.run
    told = ((run.metrics, "pool"), (run.balances, "balance"), (run.prices, "price"))
    return ", ".join(f"{len(each)} {what}{'s' if len(each) > 1 else ''}" for each, what in told if each)


def _details(stored: "StoredRun", names: Mapping[str, str], *, wide: bool) -> "Table":
    """A line for each token of each pool; where there is room, with its share and what more room would add."""
    grid = render.table(
        "pool",
        *(["token", ("of it", "right")] if wide else []),
        ("amount", "right"),
        ("APY", "right"),
        ("TVL", "right"),
        ("gas", "right"),
        ("conversion", "right"),
        ("group", "right"),
        *([("$1,000 more", "right")] if wide else []),
    )
    for each in stored.run.outcome.details:
        token = render.literal(names.get(each.token_id, each.token_id))
        more = f"${each.shadow_price * 1000:,.2f}" if each.shadow_price else ""
        grid.add_row(
            render.literal(names.get(each.pool_id, each.pool_id)),
            *([token, f"{each.weight * 100:.1f} %"] if wide else []),
            usd(each.amount),
            f"{each.apy:.2f} %",
            f"${each.tvl / 1e12:,.1f}M",
            usd(each.gas),
            usd(each.conversion_cost),
            f"{each.group}",
            *([more] if wide else []),
        )
    return grid


def _positions(stored: "StoredRun") -> "Table":
    grid = render.table("name", ("amount", "right"), ("weight", "right"))
    for each in stored.run.outcome.positions:
        amount = "" if each.amount is None else usd(each.amount)
        grid.add_row(render.literal(each.name), amount, f"{each.weight * 100:.2f} %")
    return grid


def show_differences(
    first: "StoredRun",
    second: "StoredRun",
    found: "Iterable[Difference]",
    names: Mapping[str, str],
    *,
    every: bool,
    json_output: bool,
) -> None:
    """Print in what two runs differ; all of it, or of each kind the first."""
    from capdesk.app.commands.pools import difference_view

    found = list(found)
    if json_output:
        render.write_json(
            {"first": first.number, "second": second.number, "differences": differences_record(found)}
        )
        return
    if not found:
        render.say(f"runs {first.number} and {second.number} are the same to the last digit")
        return
    dollars = first.run.kind == second.run.kind == "pools"
    sides = f"run {first.number}", f"run {second.number}"
    difference_view.draw(found, *sides, names, dollars=dollars, every=every)
    if not every:
        render.say("[dim]--all shows every difference here[/]")


def differences_record(found: "Iterable[Difference]") -> list[dict[str, object]]:
    """Differences as JSON."""
    return [{"where": each.where, "first": each.first, "second": each.second} for each in found]


def _figure(value: float | None, kind: str) -> str:
    return "none, it is a rule" if value is None else objective(value, kind)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return render.literal(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}...")
