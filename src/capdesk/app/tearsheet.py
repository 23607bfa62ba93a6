"""The figures of a series as one page that opens without a network: tiles, plots, months, and every figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from itertools import groupby
from string import Template

from capdesk.app import metrics_view as view
from capdesk.app.metrics_view import Sheet
from capdesk.app.pages import STYLE, section, tile

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
  .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 0 16px; }
  .months td, .months th { text-align: right; padding: 5px 8px; border-bottom: 0; }
  .months td:first-child, .months th:first-child { text-align: left; font-weight: 600; }
  .months tr:last-child td:not(:first-child):not(:last-child) { font-weight: 400; }
  .months td:last-child { font-weight: 600; }
  .figures td { white-space: normal; } .figures tr:last-child td { font-weight: 400; }
  .figures td:first-child { color: #5b6875; white-space: nowrap; width: 220px; }
  .figures td:last-child { text-align: left; }
</style>
</head>
<body><main>
<h1>$heading</h1>
<p class="sub">$subtitle</p>
<div class="tiles">$tiles</div>
$plots
$months
<div class="columns">$groups</div>
<section><h2>How to read this</h2><dl>$notes</dl></section>
</main></body></html>
""")

NOTES = (
    (
        "Sharpe ratio",
        "Mean return above the risk-free rate over its standard deviation, times the root of the "
        "periods in a year; ± is its standard error with skewness and kurtosis (Mertens 2002).",
    ),
    (
        "Autocorrelation counted",
        "The same, scaled to a year with the returns' autocorrelations (Lo 2002): lower "
        "where good periods follow good ones.",
    ),
    (
        "Track record",
        "How many periods it takes to say with 95 % confidence that the true Sharpe ratio is above 0 "
        "(Bailey and López de Prado 2012).",
    ),
    ("Largest drawdown", "From the highest capital so far, the initial one included."),
    (
        "Mean loss beyond it",
        "The mean of the worst 5 % of the periods as they were (conditional value at risk), "
        "with a normal interval (Manistre and Hancock 2005).",
    ),
)


def page(sheet: Sheet) -> str:
    """The page, with the plotting library inside it."""
    from capdesk.app import tearsheet_plots as plots

    figures = plots.all_plots(sheet)
    return PAGE.substitute(
        style=STYLE,
        title=f"{escape(sheet.name)}: tear sheet",
        heading=escape(sheet.name),
        subtitle=escape(view.source(sheet)) + ".",
        tiles="".join(tile(escape(name), value) for name, value in _headlines(sheet)),
        plots="".join(section(figure, first=not number) for number, figure in enumerate(figures)),
        months=_months(sheet),
        groups="".join(_group(title, pairs) for title, pairs in view.groups(sheet)),
        notes="".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _notes(sheet)),
    )


def _headlines(sheet: Sheet) -> list[tuple[str, str]]:
    it = sheet.metrics
    return [
        ("total return", _signed(it.total_return)),
        ("return a year", _signed(it.annual_return)),
        ("volatility a year", view.fraction(it.volatility)),
        ("Sharpe ratio", f"{it.sharpe_ratio:.2f}"),
        ("Sortino ratio", f"{it.sortino_ratio:.2f}"),
        ("largest drawdown", view.fraction(it.max_drawdown)),
        ("mean loss of the worst 5 %", view.fraction(it.conditional_value_at_risk)),
        ("periods that gained", view.fraction(it.win_rate)),
    ]


def _notes(sheet: Sheet) -> list[tuple[str, str]]:
    if not sheet.metrics.undefined:
        return list(NOTES)
    words = ", ".join(name.replace("_", " ") for name in sheet.metrics.undefined)
    return [*NOTES, ("Not defined by this data", f"{words}. Where a number stands for them it is 0.")]


def _group(title: str, pairs: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in pairs)
    return f'<section><h2>{escape(title)}</h2><table class="figures">{rows}</table></section>'


def _months(sheet: Sheet) -> str:
    """The compounded return of every month and year; nothing where there are no dates."""
    ends = period_ends(sheet)
    if not ends:
        return ""
    returns = sheet.table.returns_of(sheet.name)
    dated = list(zip(ends, returns, strict=True))
    by_month = {
        key: _compounded(each for _, each in part)
        for key, part in groupby(dated, key=lambda pair: (pair[0].year, pair[0].month))
    }
    largest = max((abs(value) for value in by_month.values()), default=Decimal(0)) or Decimal(1)
    rows: list[str] = []
    for year, part in groupby(dated, key=lambda pair: pair[0].year):
        cells = "".join(_cell(by_month.get((year, month)), largest) for month in range(1, 13))
        total = _signed(_compounded(each for _, each in part), digits=1)
        rows.append(f"<tr><td>{year}</td>{cells}<td>{total}</td></tr>")
    names = (
        "",
        *["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        "year",
    )
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        "<section><h2>Returns by month, percent</h2>"
        f'<table class="months"><thead><tr>{head}</tr></thead>{"".join(rows)}</table></section>'
    )


def period_ends(sheet: Sheet) -> Sequence[date]:
    """The dates at which the returns end."""
    dates = sheet.table.dates
    return dates[1:] if sheet.table.kind == "prices" else dates


def _compounded(returns: Iterable[Decimal]) -> Decimal:
    grown = Decimal(1)
    for each in returns:
        grown *= 1 + each
    return grown - 1


def _cell(value: Decimal | None, largest: Decimal) -> str:
    if value is None:
        return "<td></td>"
    strength = min(0.75, 0.08 + 0.67 * float(abs(value) / largest))
    colour = "42, 157, 111" if value > 0 else "200, 68, 60"
    style = f' style="background: rgba({colour}, {strength:.2f})"' if value else ""
    return f"<td{style}>{value * 100:.1f}</td>"


def _signed(value: Decimal, digits: int = 2) -> str:
    text = f"{value * 100:,.{digits}f} %"
    if not value:
        return text
    return f'<span class="good">+{text}</span>' if value > 0 else f'<span class="bad">{text}</span>'
