"""The report that `capdesk demo` prints: strategies, what stood in their way, the desk, what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.demo_words import signed, sparkline

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from capdesk.study.demo.day import Day
    from capdesk.study.demo.figures import StrategyFigures
    from capdesk.study.demo.run import DemoResult


def draw(result: DemoResult, console: Console, *, asked_for: Path, html: Path | None = None) -> None:
    """Print the report."""
    from capdesk.study.demo.record import GAP_RULE, date_of, title_of

    day = result.day
    console.print()
    console.print(f"[bold]{title_of(day)}[/]  {date_of(day)}, UTC")
    console.print()
    console.print(setting(result))
    console.print()
    console.print(strategies_table(day))
    console.print()
    console.print(summary(result, console.width))
    console.print()
    console.print(f"[bold]Left out[/]: {len(result.left_out)} markets. {GAP_RULE}")
    for line in left_out_lines(result):
        console.print(line, style="dim")
    console.print()
    console.print(whereabouts(result, asked_for, html))


def setting(result: DemoResult) -> Table:
    """What is real, what is a model, who asks, and under which limits."""
    from capdesk.study.demo.crash import CRASH_NOTE
    from capdesk.study.demo.mandate import risk_note
    from capdesk.study.demo.record import PRICE_NOTE, bots_note, limits_note

    return render.facts(
        (
            (
                "markets",
                f"{result.traded} of {result.markets} real five-minute markets, one desk with "
                f"{render.money(result.day.initial_bankroll)} for all of them (seed {result.day.seed})",
            ),
            ("bots", bots_note()),
            ("limits", limits_note()),
            ("risk", risk_note()),
            ("price", PRICE_NOTE),
            *((("crash", f"[yellow]{CRASH_NOTE}[/]"),) if result.day.failure else ()),
        )
    )


def strategies_table(day: Day) -> Table:
    """What each strategy asked, got and earned, and what stood in its way."""
    from capdesk.study.demo.figures import strategy_figures

    each = strategy_figures(day)
    table = render.table("", *((it.strategy, "right") for it in each))
    table.add_row("asked the desk", *(f"{it.asks}" for it in each))
    table.add_row("  granted in full", *(f"{it.answers.get('full', 0)}" for it in each))
    table.add_row("  cut", *(f"{it.answers.get('cut', 0)}" for it in each))
    table.add_row("  refused", *(f"{it.answers.get('refused', 0)}" for it in each), end_section=True)
    table.add_row("[bold]cut + refused by[/]")
    add_obstacles(table, each)
    table.add_row("capital asked for", *(render.money(it.asked) for it in each))
    table.add_row("turned over", *(render.money(it.turned_over) for it in each))
    table.add_row("bets won", *(f"{it.won} of {it.positions}" for it in each))
    table.add_row("fees", *(render.money(it.fees) for it in each))
    table.add_row("[bold]P&L after fees[/]", *(signed(it.pnl) for it in each))
    table.add_row("P&L per $100-hour", *(per_hundred_dollar_hours(it) for it in each))
    return table


def add_obstacles(table: Table, each: tuple[StrategyFigures, ...]) -> None:
    """Add a row for everything that cut or refused an ask; "3 + 8" is cut three times, refused eight times."""
    from capdesk.study.demo.mandate import rules

    known = rules()
    met = {name for it in each for name in (*it.cut_by, *it.refused_by)}
    names = (*known, *sorted(met - set(known)))
    for name in names:
        cells = [f"{it.cut_by.get(name, 0)} + {it.refused_by.get(name, 0)}" for it in each]
        table.add_row(
            f"  {name}",
            *("[dim]·[/]" if cell == "0 + 0" else cell for cell in cells),
            end_section=name == names[-1],
        )


def per_hundred_dollar_hours(figures: StrategyFigures) -> str:
    """What a hundred dollars earned in an hour at work."""
    rate = figures.pnl_per_dollar_hour
    return "" if rate is None else signed(rate * 100)


def summary(result: DemoResult, width: int) -> Table:
    """The desk as a whole, and how much of the result is the price model's."""
    from capdesk.app import demo_supervision
    from capdesk.study.demo.figures import desk_figures, sampled
    from capdesk.study.demo.record import SLIPPAGE_NOTE, sign_is_undecided

    day, desk = result.day, desk_figures(result.day)
    columns = max(min(width, 120) - 46, 10)
    bankrolls = sampled(day, columns, lambda level: level.bankroll)
    utilisations = sampled(day, columns, lambda level: level.utilisation)
    start = render.money(day.initial_bankroll)
    better, worse = result.tick_better.pnl, result.tick_worse.pnl
    moral = (
        "so one tick decides its sign" if sign_is_undecided(result) else "one tick does not decide its sign"
    )
    return render.facts(
        (
            (
                "bankroll",
                f"{start} {sparkline(bankrolls)} {render.money(day.bankroll)}",
            ),
            (
                "utilisation",
                f"{'0 %':>{len(start)}} {sparkline(utilisations, 0)} at most {render.percent(desk.peak_utilisation)}",
            ),
            (
                "",
                f"on average {render.percent(desk.mean_utilisation)}, up to {desk.peak_open} allocations open at once",
            ),
            *demo_supervision.risk_lines(day, columns, len(start)),
            *demo_supervision.sleeve_lines(day),
            ("kill switch", demo_supervision.kill_switch(day)),
            ("drawdown", f"{render.percent(desk.max_drawdown)} at most, from the highest bankroll so far"),
            ("P&L after fees", f"[bold]{signed(day.pnl)}[/] at the modelled price"),
            ("", f"{signed(better)} a tick (1 cent) better, {signed(worse)} a tick worse: {moral}"),
            ("", f"[dim]{SLIPPAGE_NOTE}[/]"),
        )
    )


def left_out_lines(result: DemoResult) -> Iterator[str]:
    """The names of the markets with gaps, by what they lack; what all names begin with is said once."""
    # Character by character is what is wanted: these are names, not paths.
    shared = commonprefix([market.name for market in result.left_out])  # noqa: RUF071
    by_gap = sorted(result.left_out, key=lambda market: (market.gap or "", market.opens_at))
    for gap, group in groupby(by_gap, key=lambda market: market.gap):
        names = [market.name.removeprefix(shared) for market in group]
        yield f"{gap} ({len(names)}): {shared}… {' '.join(names)}"


def whereabouts(result: DemoResult, asked_for: Path, html: Path | None) -> RenderableType:
    """Where the ledger is, and what to type next."""
    from capdesk.study.demo.record import next_commands

    ledger = (
        f"{result.ledger}, {result.entries} entries, checked; its bankroll is the bots' own to the last digit"
    )
    if result.ledger != asked_for:
        ledger += f" ({asked_for} was there already and is as it was)"
    commands = next_commands(result)
    return render.facts(
        (
            ("ledger", render.literal(ledger)),
            *((("page", render.literal(str(html))),) if html else ()),
            *(
                ("next" if not number else "", f"[bold]{render.literal(it)}[/]")
                for number, it in enumerate(commands)
            ),
        )
    )
