"""The demo as one page that opens without a network: figures, plots, and what was left out."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.pages import STYLE, section, tile
from capdesk.model.money import Amount
from capdesk.study.demo.crash import CRASH_NOTE
from capdesk.study.demo.figures import StrategyFigures, desk_figures, strategy_figures
from capdesk.study.demo.mandate import risk_note
from capdesk.study.demo.record import (
    GAP_RULE,
    PRICE_NOTE,
    SLIPPAGE_NOTE,
    bots_note,
    date_of,
    limits_note,
    next_commands,
    sign_is_undecided,
    title_of,
)
from capdesk.study.demo.supervised_figures import SinceStop, risk_figures, since_stop

if TYPE_CHECKING:
    from capdesk.study.demo.run import DemoResult

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style</style>
</head>
<body><main>
<h1>$heading</h1>
<p class="sub">$subtitle</p>
<div class="tiles">$tiles</div>
$plots
<section><h2>The strategies</h2>$strategies</section>
<section><h2>How to read this</h2><dl>$notes</dl></section>
<section><h2>Left out: $left_out_count markets</h2><p>$gap_rule</p>$left_out</section>
<section><h2>The ledger</h2><p>$ledger</p>$commands</section>
</main></body></html>
""")


def write(result: DemoResult, path: Path) -> None:
    """Write the page to `path`; one that is there is replaced."""
    path.write_text(page(result), encoding="utf-8")


def page(result: DemoResult) -> str:
    """The page, with the plotting library inside it."""
    from capdesk.app import demo_plots as plots

    day = result.day
    figures = (
        plots.bankroll_plot(result),
        plots.utilisation_plot(day),
        plots.risk_plot(day),
        plots.answers_plot(day),
        plots.strategies_plot(day),
    )
    return PAGE.substitute(
        style=STYLE,
        title=f"capdesk demo, {date_of(day)}",
        heading=title_of(day),
        subtitle=(
            f"{date_of(day)}, UTC. {result.traded} of {result.markets} real five-minute markets, one desk with "
            f"{render.money(day.initial_bankroll)} for all of them (seed {day.seed})."
        ),
        tiles="".join(tile(name, value) for name, value in _headlines(result)),
        plots="".join(section(figure, first=not number) for number, figure in enumerate(figures)),
        strategies=_strategies(strategy_figures(day)),
        notes="".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in _notes(result)),
        left_out_count=len(result.left_out),
        gap_rule=escape(GAP_RULE),
        left_out=_left_out(result),
        ledger=(
            f"<code>{escape(str(result.ledger))}</code>: {result.entries} entries, checked; "
            "its bankroll is the bots' own to the last digit."
        ),
        commands="".join(f"<p><code>{escape(command)}</code></p>" for command in next_commands(result)),
    )


def _headlines(result: DemoResult) -> list[tuple[str, str]]:
    day, desk = result.day, desk_figures(result.day)
    everything, risk = strategy_figures(day)[-1], risk_figures(day)
    fired = day.supervised.stop
    stop = None if fired is None else datetime.fromtimestamp(fired.at, UTC)
    granted = everything.answers.get("full", 0) + everything.answers.get("cut", 0)
    return [
        ("bankroll at the end", render.money(round(day.bankroll, 2))),
        ("P&amp;L after fees", _signed(day.pnl)),
        ("a tick better", _signed(result.tick_better.pnl)),
        ("a tick worse", _signed(result.tick_worse.pnl)),
        ("asks granted", f"{granted} of {everything.asks}"),
        ("turned over", render.money(round(everything.turned_over, 2))),
        ("utilisation, peak", render.percent(desk.peak_utilisation)),
        ("utilisation, mean", render.percent(desk.mean_utilisation)),
        ("largest drawdown", render.percent(desk.max_drawdown)),
        ("allocations open, peak", f"{desk.peak_open}"),
        ("volatility, highest", "–" if risk.highest is None else f"{risk.highest * 100:.0f} %"),
        ("kill switch", "not fired" if stop is None else f"fired {stop:%H:%M:%S}"),
    ]


def _notes(result: DemoResult) -> list[tuple[str, str]]:
    sign = "One tick decides the sign of the result. " if sign_is_undecided(result) else ""
    return [
        ("Price", PRICE_NOTE),
        ("One tick", f"{sign}{SLIPPAGE_NOTE}"),
        ("Bots", bots_note()),
        ("Limits", limits_note()),
        ("Risk", risk_note()),
        *([("Crash", CRASH_NOTE)] if result.day.failure else []),
        *([("Kill switch", since_note(since))] if (since := since_stop(result.day)) else []),
    ]


def since_note(since: SinceStop) -> str:
    """What became of the day after the kill switch had fired."""
    return (
        f"{since.stop.reason}. Since then {since.refused} asks for {render.money(since.asked)} were refused, and "
        f"{since.returned} positions came back with {render.money(round(since.principal, 2))} of capital: "
        "releases and recycling went on."
    )


def _strategies(each: tuple[StrategyFigures, ...]) -> str:
    titles = (
        "",
        "asks",
        "in full",
        "cut",
        "refused",
        "turned over",
        "won",
        "fees",
        "P&amp;L",
        "per $100-hour",
    )
    rows = (
        (
            it.strategy,
            f"{it.asks}",
            *(f"{it.answers.get(answer, 0)}" for answer in ("full", "cut", "refused")),
            render.money(it.turned_over),
            f"{it.won} of {it.positions}",
            render.money(it.fees),
            _signed(it.pnl),
            "" if (rate := it.pnl_per_dollar_hour) is None else _signed(rate * 100),
        )
        for it in each
    )
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr></thead>{body}</table>"


def _left_out(result: DemoResult) -> str:
    gaps = sorted({market.gap or "" for market in result.left_out})
    return "".join(
        f"<p><b>{escape(gap)}</b> <span class='names'>"
        f"{escape(', '.join(market.name for market in result.left_out if market.gap == gap))}</span></p>"
        for gap in gaps
    )


def _signed(amount: Amount) -> str:
    cents = round(amount, 2)
    text = render.money(cents)
    if not cents:
        return text
    return f'<span class="good">+{text}</span>' if cents > 0 else f'<span class="bad">{text}</span>'
