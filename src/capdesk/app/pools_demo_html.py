"""The pools demo as one page that opens without a network: figures, plots, days, rivals, and what is a model."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.pages import STYLE, section, tile
from capdesk.model.money import Amount
from capdesk.study.pools_demo import record as words
from capdesk.study.pools_demo.setting import COST_NOTE, TREASURY_USD
from capdesk.treasury import spoken

if TYPE_CHECKING:
    from capdesk.study.pools_demo.result import PoolsDemo

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>capdesk pools demo, $span</title>
<style>
$style
  td.why { white-space: normal; text-align: left; color: #5b6875; font-size: 13px; padding-left: 28px; }
  table.plain tr:last-child td { font-weight: 400; }
</style>
</head>
<body><main>
<h1>$title</h1>
<p class="sub">$span. $setting.</p>
<div class="tiles">$tiles</div>
<section><h2>Is it better?</h2>$verdicts</section>
$plots
$choices
<section><h2>Against simpler treasuries</h2>$rivals</section>
<section><h2>Where the money lies on the last day</h2>$positions</section>
<section><h2>The days</h2>$days</section>
<section><h2>How to read this</h2><dl>$notes</dl></section>
<section><h2>The records</h2><p>$records</p>$commands</section>
</main></body></html>
""")


def write(demo: PoolsDemo, path: Path) -> None:
    """Write the page to `path`; one that is there is replaced."""
    path.write_text(page(demo), encoding="utf-8")


def page(demo: PoolsDemo) -> str:
    """The page, with the plotting library inside it."""
    from capdesk.app import pools_demo_plots as plots

    figures = [
        *([plots.choices(demo)] if demo.on_ice else []),
        plots.by_protocol(demo),
        plots.by_chain(demo),
        plots.promised_and_paid(demo),
        plots.against_rivals(demo),
        plots.costs(demo),
    ]
    return PAGE.substitute(
        style=STYLE,
        title=words.TITLE,
        span=words.span(demo),
        setting=escape(words.setting_note(demo)),
        tiles="".join(tile(name, value) for name, value in _headlines(demo)),
        verdicts="".join(f"<p>{each}</p>" for each in _verdicts(demo)),
        plots="".join(section(figure, first=not number) for number, figure in enumerate(figures)),
        choices=_choices(demo),
        rivals=_rivals(demo),
        positions=_positions(demo),
        days=_days(demo),
        notes="".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in _notes(demo)),
        records=f"<code>{escape(str(demo.records))}</code>: {len(demo.days)} runs, each can be computed again.",
        commands="".join(f"<p><code>{escape(command)}</code></p>" for command in words.next_commands(demo)),
    )


def _headlines(demo: PoolsDemo) -> list[tuple[str, str]]:
    paid, promised = words.paid_of_promised(demo)
    last = demo.days[-1]
    return [
        ("at the end", _money(demo.values[-1])),
        ("gain after costs", _signed(words.gain(demo.values))),
        *([] if demo.on_ice else [("a year", render.percent(words.yearly(demo, demo.values), 2))]),
        ("paid by the pools", _money(paid)),
        ("promised", _money(Amount(promised))),
        ("costs of moving", _money(demo.costs)),
        ("pools in use", f"{len(last.after.places)} of {last.eligible}"),
        ("at work", render.percent(last.utilised)),
    ]


def _verdicts(demo: PoolsDemo) -> list[str]:
    told = [
        f'<span class="{"bad" if "NOT" in each else "good"}">{escape(each)}</span>'
        for each in words.verdicts(demo)
    ]
    return [*told, escape(words.shortness_note(demo))]


def _notes(demo: PoolsDemo) -> list[tuple[str, str]]:
    return [
        ("Model", COST_NOTE),
        ("Moves", words.margin_note(demo)),
        ("Yield", words.PROMISE_NOTE),
        ("Decision", words.DECISION_NOTE),
        ("Values", words.VALUE_NOTE),
        *([("Depeg", words.DEPEG_NOTE)] if demo.on_ice else []),
    ]


def _choices(demo: PoolsDemo) -> str:
    if demo.on_ice is None:
        return ""
    ours = demo.values[-1]
    rows = [(f"{demo.on_ice} (chosen)", _money(demo.costs), _low(demo.values), _money(ours), "–")]
    rows += [
        (
            each.name,
            _money(each.costs),
            _low(each.values),
            _money(each.values[-1]),
            _signed(each.values[-1] - ours),
        )
        for each in demo.choices
    ]
    table = _table(("on_ice", "costs", "lowest value", "at the end", f"against {demo.on_ice}"), rows)
    return f"<section><h2>The coin on ice</h2>{table}<p>{escape(words.choice_note(demo))}</p></section>"


def _rivals(demo: PoolsDemo) -> str:
    rows = [
        (
            escape(each.name),
            _money(each.costs),
            _money(each.values[-1]),
            _signed(words.gain(each.values)),
            *([] if demo.on_ice else [render.percent(words.yearly(demo, each.values), 2)]),
        )
        for each in words.contest(demo)
    ]
    yearly = () if demo.on_ice else ("a year",)
    return _table(("", "costs", "at the end", "gain", *yearly), rows)


def _positions(demo: PoolsDemo) -> str:
    rows = [
        (
            escape(demo.names[each.pool_id]),
            _money(each.amount),
            f"{each.weight * 100:.2f} %",
            f"{each.apy:.2f} %",
            f"{each.group}",
            f"${float(each.tvl) / 1e6:,.1f}M",
        )
        for each in sorted(demo.days[-1].plan.positions, key=lambda each: -each.amount)
        if each.amount
    ]
    return _table(("pool", "amount", "share", "APY", "group", "TVL"), rows)


def _days(demo: PoolsDemo) -> str:
    rows = [
        (
            f"{day.day}",
            f"{day.eligible} of {day.universe}",
            " / ".join(map(str, day.groups)),
            day.plan.decision.kind.replace("_", " "),
            f"{len(day.plan.decision.trimmed)}" if day.plan.decision.trimmed else "–",
            f"{len(day.plan.transactions)}",
            _money(day.plan.costs.total),
            f"{len(day.after.places)}",
            _money(day.earned) if number else "–",
            _money(day.after.total),
            escape(spoken(day.plan.decision.reason, demo.names)),
        )
        for number, day in enumerate(demo.days)
    ]
    return _table(
        ("day", "in", "groups", "decision", "trims", "steps", "costs", "pools", "paid", "value"), rows
    )


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; what a row has beyond its titles stands under it, over the whole width."""
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = ""
    for row in rows:
        body += f"<tr>{''.join(f'<td>{cell}</td>' for cell in row[: len(titles)])}</tr>"
        for cell in row[len(titles) :]:
            body += f'<tr><td class="why" colspan="{len(titles)}">{cell}</td></tr>'
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _low(values: tuple[Amount, ...]) -> str:
    return f"{_money(min(values))} ({render.percent(min(values) / TREASURY_USD - 1, 2)})"


def _money(amount: Amount) -> str:
    return render.money(round(amount, 2))


def _signed(amount: Amount) -> str:
    text = _money(amount)
    if not round(amount, 2):
        return text
    return f'<span class="good">+{text}</span>' if amount > 0 else f'<span class="bad">{text}</span>'
