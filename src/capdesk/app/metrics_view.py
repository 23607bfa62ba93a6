"""How the figures of a series look on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from capdesk.app import render
from capdesk.app.series import Table
from capdesk.model.portfolio import Drawdown, PortfolioMetrics


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was measured, and where it came from."""

    file: Path
    table: Table
    name: str
    benchmark: str | None
    metrics: PortfolioMetrics


def record(sheet: Sheet) -> dict[str, object]:
    """Give a sheet as the JSON object that `metrics --json` prints."""
    plain = render.plain(sheet.metrics)
    assert isinstance(plain, dict)
    return {
        "file": sheet.file,
        "kind": sheet.table.kind,
        "dropped_lines": sheet.table.dropped,
        "column": sheet.name,
        "benchmark_column": sheet.benchmark,
        **plain,
    }


def draw(sheet: Sheet) -> None:
    """Print a sheet for a person."""
    out, it = render.console(), sheet.metrics
    out.print(f"[bold]{render.literal(sheet.name)}[/]  [dim]{render.literal(source(sheet))}[/]\n")
    for title, pairs in groups(sheet):
        out.print(f"[bold]{title}[/]")
        out.print(render.facts((name, render.literal(value)) for name, value in pairs))
        out.print()
    if it.undefined:
        words = ", ".join(name.replace("_", " ") for name in it.undefined)
        out.print(f"[dim]not defined by this data, and 0 where a number stands: {words}[/]")


def source(sheet: Sheet) -> str:
    """Say what was read."""
    table, it = sheet.table, sheet.metrics
    span = f", {day(table.dates[0])} to {day(table.dates[-1])}" if table.dates else ""
    return (
        f"{it.periods} returns from {table.kind} in {sheet.file}{span}; {it.periods_per_year:f} make a year"
        f"{table.left_out}"
    )


def groups(sheet: Sheet) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The figures in words, group by group."""
    it = sheet.metrics
    yield "Return", list(_of_return(it))
    yield "Risk", list(_of_risk(it))
    yield "Return for risk", list(_of_ratios(it))
    if it.benchmark is not None:
        beside = it.benchmark
        yield (
            f"Beside {sheet.benchmark}",
            [
                ("its total return", fraction(beside.total_return)),
                ("alpha a year", _or_dash(it, "benchmark.alpha", fraction(beside.alpha))),
                ("beta", _or_dash(it, "benchmark.beta", figure(beside.beta))),
                ("correlation", _or_dash(it, "benchmark.correlation", figure(beside.correlation))),
                ("tracking error", fraction(beside.tracking_error)),
                (
                    "information ratio",
                    _or_dash(it, "benchmark.information_ratio", figure(beside.information_ratio)),
                ),
                ("capture, up / down", f"{figure(beside.up_capture)} / {figure(beside.down_capture)}"),
            ],
        )


def _of_return(it: PortfolioMetrics) -> Iterator[tuple[str, str]]:
    yield "total", fraction(it.total_return)
    yield "a year", _or_dash(it, "annual_return", fraction(it.annual_return))
    if "total_value" not in it.undefined:
        yield "value at the end", render.money(round(it.total_value, 2))
    yield "best and worst period", f"{fraction(it.best_return)} and {fraction(it.worst_return)}"
    yield "periods that gained", _or_dash(it, "win_rate", fraction(it.win_rate))


def _of_risk(it: PortfolioMetrics) -> Iterator[tuple[str, str]]:
    yield "volatility a year", _or_dash(it, "volatility", fraction(it.volatility))
    yield "largest drawdown", f"{fraction(it.max_drawdown)}{when(it.drawdown)}"
    yield "value at risk, 5 %", _or_dash(it, "value_at_risk", f"{fraction(it.value_at_risk)} in a period")
    interval = it.conditional_value_at_risk_interval
    reach = "" if interval is None else f" ({fraction(interval[0])} to {fraction(interval[1])} at 95 %)"
    points = f", {it.tail_points} {'point' if it.tail_points == 1 else 'points'}"
    yield (
        "mean loss beyond it",
        _or_dash(it, "conditional_value_at_risk", f"{fraction(it.conditional_value_at_risk)}{reach}{points}"),
    )
    shape = f"{figure(it.skewness)} and {figure(it.kurtosis)} (a normal one has 0 and 3)"
    yield "skewness and kurtosis", _or_dash(it, "skewness", shape)


def _of_ratios(it: PortfolioMetrics) -> Iterator[tuple[str, str]]:
    error = f"{figure(it.sharpe_ratio)} ± {figure(it.sharpe_standard_error)}"
    yield "Sharpe ratio", _or_dash(it, "sharpe_ratio", error)
    corrected = figure(it.autocorrelation_adjusted_sharpe)
    yield "autocorrelation counted", _or_dash(it, "autocorrelation_adjusted_sharpe", corrected)
    yield (
        "probability that it is above 0",
        _or_dash(it, "probabilistic_sharpe", fraction(it.probabilistic_sharpe)),
    )
    record_length = f"{it.minimum_track_record:.0f} periods"
    yield "track record for 95 %", _or_dash(it, "minimum_track_record", record_length)
    yield "Sortino ratio", _or_dash(it, "sortino_ratio", figure(it.sortino_ratio))
    yield "Calmar ratio", _or_dash(it, "calmar_ratio", figure(it.calmar_ratio))


def when(drawdown: Drawdown) -> str:
    """Say when a drawdown was."""
    if not drawdown.depth:
        return ""
    if drawdown.trough_at is None:
        back = (
            "not recovered" if drawdown.recovered is None else f"recovered after period {drawdown.recovered}"
        )
        return f" from period {drawdown.peak} to {drawdown.trough}, {back}"
    begin = "the beginning" if drawdown.peak_at is None else day(drawdown.peak_at)
    back = "not recovered" if drawdown.recovered_at is None else f"recovered {day(drawdown.recovered_at)}"
    return f" from {begin} to {day(drawdown.trough_at)}, {back}"


def day(moment: date) -> str:
    """Show a date."""
    return f"{moment:%Y-%m-%d}"


def fraction(value: Decimal) -> str:
    """Show a fraction in percent."""
    return render.percent(value, 2)


def figure(value: Decimal) -> str:
    """Show a ratio."""
    return f"{value:,.3f}"


def _or_dash(it: PortfolioMetrics, name: str, shown: str) -> str:
    return "–" if name in it.undefined else shown
