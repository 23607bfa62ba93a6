"""The report that `capdesk pools demo` prints: the days, the rivals, the iced coin, what to type next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.demo_words import signed, sparkline
from capdesk.model.money import Amount
from capdesk.study.pools_demo import record as words
from capdesk.study.pools_demo.setting import COST_NOTE, TREASURY_USD

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from capdesk.study.pools_demo.result import PoolsDemo

WIDE = 110


def draw(demo: PoolsDemo, console: Console, *, asked_for: Path, html: Path | None = None) -> None:
    """Print the report."""
    wide = console.width >= WIDE
    parts = [
        f"[bold]{words.TITLE}[/]  {words.span(demo)}",
        render.facts(_setting(demo)),
        days_table(demo, wide=wide),
        *_events(demo),
        f"[bold]Where the money lies on {demo.days[-1].day}[/]",
        positions_table(demo, wide=wide),
        "[bold]Against simpler treasuries[/], on the same days and at the same costs",
        rivals_table(demo, console.width),
        *_verdicts(demo),
        *_choices(demo, console.width),
        render.facts(_whereabouts(demo, asked_for, html)),
    ]
    for part in parts:
        console.print()
        console.print(part)


def _setting(demo: PoolsDemo) -> list[tuple[str, str]]:
    return [
        ("treasury", words.setting_note(demo)),
        ("model", COST_NOTE),
        ("moves", words.margin_note(demo)),
        ("yield", words.PROMISE_NOTE),
        ("decision", words.DECISION_NOTE),
        *((("depeg", f"[yellow]{words.DEPEG_NOTE}[/]"),) if demo.on_ice else ()),
    ]


def days_table(demo: PoolsDemo, *, wide: bool) -> Table:
    """What each day saw, decided, paid for, and was paid."""
    more = [("trims", "right"), ("steps", "right"), ("value", "right")] if wide else []
    grid = render.table(
        ("day", "whole"),
        ("in", "right"),
        ("groups", "right"),
        ("decision", "whole"),
        ("costs", "right"),
        ("held", "right"),
        ("at work", "right"),
        ("promised", "right"),
        ("paid", "right"),
        *more,
    )
    for number, day in enumerate(demo.days):
        plan = day.plan
        since = words.elapsed(demo, number).days if number else 0
        promised = demo.days[number - 1].promised * since if number else 0.0
        grid.add_row(
            f"{day.day:%m-%d}",
            f"{day.eligible}",
            "/".join(map(str, day.groups)),
            plan.decision.kind.replace("_", " "),
            render.money(round(plan.costs.total, 2)),
            f"{len(day.after.places)}",
            render.percent(day.utilised),
            render.money(round(Amount(promised), 2)) if number else "[dim]–[/]",
            render.money(round(day.earned, 2)) if number else "[dim]–[/]",
            *(
                [
                    f"{len(plan.decision.trimmed)}" if plan.decision.trimmed else "[dim]–[/]",
                    f"{len(plan.transactions)}",
                    render.money(round(day.after.total, 2)),
                ]
                if wide
                else []
            ),
        )
    paid, promised = words.paid_of_promised(demo)
    totals = (render.money(round(Amount(promised), 2)), render.money(round(paid, 2)))
    grid.add_section()
    grid.add_row(
        "all",
        "",
        "",
        "",
        render.money(round(demo.costs, 2)),
        "",
        "",
        *(f"[bold]{each}[/]" for each in totals),
        *(["", f"{sum(len(day.plan.transactions) for day in demo.days)}", ""] if wide else []),
    )
    return grid


def _events(demo: PoolsDemo) -> list[Table]:
    lines = [
        (f"{day.day:%m-%d}", f"{colour}{words.iced_names(demo, ids)} {what}[/]")
        for day in demo.days
        for ids, what, colour in (
            (day.iced, "goes on ice", "[red]"),
            (day.returned, "comes back from the icebox", "[green]"),
        )
        if ids
    ]
    return [render.facts(lines)] if lines else []


def positions_table(demo: PoolsDemo, *, wide: bool) -> Table:
    """The positions of the last day, the largest first."""
    last = demo.days[-1]
    more = [("first day", "right"), ("TVL", "right")] if wide else []
    grid = render.table(
        "pool", ("amount", "right"), ("share", "right"), ("APY", "right"), ("group", "right"), *more
    )
    first = demo.days[0].after.places
    for each in sorted(last.plan.positions, key=lambda each: -each.amount):
        if not each.amount:
            continue
        before = first.get(each.pool_id)
        grid.add_row(
            render.literal(demo.names[each.pool_id]),
            render.money(round(each.amount, 2)),
            f"{each.weight:.1%}".replace("%", " %"),
            f"{each.apy:.2f} %",
            f"{each.group}",
            *(
                [
                    "[dim]–[/]" if before is None else render.money(round(before, 2)),
                    f"${float(each.tvl) / 1e6:,.1f}M",
                ]
                if wide
                else []
            ),
        )
    if round(last.plan.cash, 2):
        share = render.percent(1 - last.utilised)
        grid.add_row("[dim]cash[/]", render.money(round(last.plan.cash, 2)), share, "", "")
    return grid


def rivals_table(demo: PoolsDemo, width: int) -> Table:
    """What each treasury has at the end, and on the way there; a coin's fall is no rate a year."""
    yearly = [] if demo.on_ice else [("a year", "right")]
    grid = render.table(
        "", ("costs", "right"), ("at the end", "right"), ("gain", "right"), *yearly, ("", "whole")
    )
    room = max(0, min(len(demo.days), width - 76))
    for number, each in enumerate(words.contest(demo)):
        name = render.literal(each.name)
        grid.add_row(
            f"[bold]{name}[/]" if not number else name,
            render.money(round(each.costs, 2)),
            render.money(round(each.values[-1], 2)),
            signed(words.gain(each.values)),
            *([] if demo.on_ice else [render.percent(words.yearly(demo, each.values), 2)]),
            sparkline(list(each.values)) if room >= len(demo.days) else "",
        )
    return grid


def _verdicts(demo: PoolsDemo) -> list[Table]:
    lines = [
        ("", f"[yellow]{each}[/]" if "NOT" in each else f"[green]{each}[/]") for each in words.verdicts(demo)
    ]
    return [render.facts([*lines, ("", words.shortness_note(demo)), ("", f"[dim]{words.VALUE_NOTE}[/]")])]


def _choices(demo: PoolsDemo, width: int) -> list[Table | str]:
    if demo.on_ice is None:
        return []
    grid = render.table(
        "on_ice",
        ("costs", "right"),
        ("lowest value", "right"),
        ("at the end", "right"),
        (f"against {demo.on_ice}", "right"),
    )
    ours = demo.values[-1]
    chosen = [(str(demo.on_ice), demo.costs, demo.values)]
    for name, costs, values in (*chosen, *((each.name, each.costs, each.values) for each in demo.choices)):
        low = f"{render.money(round(min(values), 2))}"
        if width >= WIDE:
            low = f"{low} ({render.percent(min(values) / TREASURY_USD - 1, 2)})"
        grid.add_row(
            f"[bold]{name}[/]" if name == demo.on_ice else name,
            render.money(round(costs, 2)),
            low,
            render.money(round(values[-1], 2)),
            "[dim]–[/]" if name == demo.on_ice else signed(values[-1] - ours),
        )
    return [
        "[bold]The coin on ice[/]: what exit, reduce and freeze come to",
        grid,
        render.facts([("", words.choice_note(demo))]),
    ]


def _whereabouts(demo: PoolsDemo, asked_for: Path, html: Path | None) -> list[tuple[str, str]]:
    taken = (
        "" if demo.records == asked_for else f"  [dim]({render.literal(str(asked_for))} was there already)[/]"
    )
    return [
        (
            "records",
            f"{render.literal(str(demo.records))}: {len(demo.days)} runs, each can be computed again{taken}",
        ),
        *((("page", render.literal(str(html))),) if html else ()),
        ("next", "\n".join(map(render.literal, words.next_commands(demo)))),
    ]
