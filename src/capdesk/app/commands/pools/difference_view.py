"""How the differences of two runs look: by what they are of, pools and coins by their names.

What follows from the allocations, such as each transaction, is counted and not listed: the
JSON has every place.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from capdesk.app import render
from capdesk.model.money import Amount
from capdesk.records.comparing import Difference
from capdesk.treasury import spoken

if TYPE_CHECKING:
    from rich.table import Table

MOST_SHOWN = 12
LONGEST_VALUE = 120
ALLOCATIONS = "Allocations"
SECTIONS = (
    ("", ("day", "kind", "solver", "objective", "decision.kind", "decision.reason")),
    (ALLOCATIONS, ("result.allocations.", "result.weights.", "result.cash", "result.costs.")),
    ("Parameters", ("parameters.",)),
    ("Lists", ("lists.",)),
    ("What was there", ("balances.", "prices.", "inputs.")),
    ("Pools as each plan saw them", ("metrics.",)),
    ("Programs", ("versions.",)),
)
"""Titles, and where their differences begin; the first that fits counts."""
_FIELDS = {"forecasted_apy": "forecast APY", "forecasted_tvl": "forecast TVL"}


def draw(
    found: "Iterable[Difference]",
    first: str,
    second: str,
    names: Mapping[str, str],
    *,
    dollars: bool,
    every: bool = False,
) -> None:
    """Print differences side by side.

    Parameters
    ----------
    first, second
        What the two sides are called.
    names
        What people call pools and tokens, by id.
    dollars
        Whether objectives and amounts are in dollars; else they are weights.
    every
        Whether all of them are shown; else the first of each kind.
    """
    out = render.console()
    sorted_, rest = _sorted(found)
    most = None if every else MOST_SHOWN
    for number, (title, rows) in enumerate(sorted_.items()):
        if title:
            out.print(f"{chr(10) if number else ''}[bold]{title}[/]")
        is_money = dollars and title in ("", ALLOCATIONS)
        if title == ALLOCATIONS:
            out.print(_amounts(rows, first, second, names, dollars=dollars))
            continue
        grid = render.table("", first, second)
        for label, each in rows[:most]:
            values = (_value(label, value, names, is_money=is_money) for value in (each.first, each.second))
            grid.add_row(render.literal(_label(title, label, names)), *values)
        out.print(grid)
        if most and len(rows) > most:
            out.print(f"[dim]and {len(rows) - most:,} more: --json has all[/]")
    if rest and sorted_ and not every:
        out.print(f"\n[dim]and {len(rest):,} places in what follows from these: --json has all[/]")
    elif rest:
        if sorted_:
            out.print("\n[bold]What follows from these[/]")
        out.print(_plain(rest, first, second, names, most))


def _plain(
    rows: "list[Difference]", first: str, second: str, names: Mapping[str, str], most: int | None
) -> "Table":
    """Differences of what follows from the allocations, each with its place; so many of them, or all."""
    grid = render.table("", first, second)
    for each in rows[:most]:
        values = (_value(each.where, value, names, is_money=False) for value in (each.first, each.second))
        grid.add_row(render.literal(spoken(each.where, names)), *values)
    if most and len(rows) > most:
        grid.add_row(f"[dim]and {len(rows) - most:,} more: --json has all[/]", "", "")
    return grid


def _sorted(
    found: "Iterable[Difference]",
) -> "tuple[dict[str, list[tuple[str, Difference]]], list[Difference]]":
    """The differences of each section with what they are of, and those of none."""
    sections: dict[str, list[tuple[str, Difference]]] = {title: [] for title, _ in SECTIONS}
    rest: list[Difference] = []
    for each in found:
        where = each.where.removeprefix("outcome.")
        for title, prefixes in SECTIONS:
            begins = next((prefix for prefix in prefixes if where.startswith(prefix)), None)
            if begins is not None:
                its = where.removeprefix(begins) if begins.endswith(".") else where
                its = f"cost of {its}" if begins == "result.costs." else its
                sections[title].append((its.removeprefix("result."), each))
                break
        else:
            rest.append(each)
    return {title: rows for title, rows in sections.items() if rows}, rest


def _amounts(
    rows: "list[tuple[str, Difference]]", first: str, second: str, names: Mapping[str, str], *, dollars: bool
) -> "Table":
    """Every allocation that differs, the largest change first."""
    grid = render.table("", (first, "right"), (second, "right"), ("change", "right"))
    changes = [
        (Amount(each.second or 0) - Amount(each.first or 0), label, each)
        for label, each in rows
        if all(isinstance(value, str | int | float | None) for value in (each.first, each.second))
    ]
    for change, label, each in sorted(changes, key=lambda row: -abs(row[0])):
        shown = (
            "[dim]–[/]" if value is None else _amount(value, dollars=dollars)
            for value in (each.first, each.second)
        )
        moved = render.signed_money(round(change, 2)) if dollars else f"{change * 100:+.2f} %"
        grid.add_row(render.literal(_label(ALLOCATIONS, label, names)), *shown, moved)
    return grid


def _amount(value: Any, *, dollars: bool) -> str:
    return render.money(round(Amount(value), 2)) if dollars else f"{Decimal(str(value)) * 100:.2f} %"


def _label(title: str, label: str, names: Mapping[str, str]) -> str:
    if title == "Pools as each plan saw them":
        pool, _, what = label.rpartition(".")
        label = f"{pool}  {_FIELDS.get(what, what)}" if pool else label
    elif title in ("", "Lists"):
        label = label.replace(".", " ", 1)
    return spoken(label, names).replace("_", " ")


def _value(label: str, value: Any, names: Mapping[str, str], *, is_money: bool) -> str:
    """A value with its unit, as far as its name tells it."""
    what = label.rpartition(".")[2]
    if value is None:
        return "[dim]–[/]"
    if isinstance(value, Mapping):
        return render.literal(_entry(value))
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        text = spoken(str(value), names)
        return render.literal(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}...")
    if what.endswith("_apy") or what == "apy":
        return f"{value:,.4f} %"
    if is_money or what.endswith(("_usd", "_tvl")):
        return f"${value:,.2f}"
    return f"{value:,.10g}"


def _entry(value: Mapping[str, Any]) -> str:
    """Something that one side has and the other has not: a name on a list, a pool."""
    if "since" in value:
        return f"since {value['since'][:10]}: {value['reason']}"
    return f"{value['status']}" if "status" in value else "there"
