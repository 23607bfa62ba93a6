"""The part of the demo's report that tells of supervision: volatility, sleeves, recalls, the kill switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.demo_words import clock, signed, sparkline

if TYPE_CHECKING:
    from capdesk.study.demo.day import Day


def risk_lines(day: Day, columns: int, indent: int) -> Iterator[tuple[str, str]]:
    """The day's volatility, and how long each multiplier was in force."""
    from capdesk.study.demo.supervised_figures import risk_figures, sampled_volatility

    risk = risk_figures(day)
    if risk.lowest is None or risk.highest is None:
        return
    line = sparkline(sampled_volatility(day, columns), 0)
    yield "volatility", f"{'0 %':>{indent}} {line} at most {risk.highest * 100:.0f} %"
    times = (f"x {factor} for {seconds / 3600:.1f} h" for factor, seconds in risk.seconds_at.items())
    unseen = f"; not seen for {risk.seconds_unseen / 60:.0f} minutes" if risk.seconds_unseen else ""
    yield "", f"{', '.join(times)}{unseen}"


def sleeve_lines(day: Day) -> Iterator[tuple[str, str]]:
    """Which sleeves were disabled for how long, and what was recalled."""
    from capdesk.study.demo.supervised_figures import paused_seconds, recall_figures

    paused = (f"{name} for {seconds / 3600:.1f} h" for name, seconds in paused_seconds(day).items())
    yield "sleeves", f"under their minimum: {', '.join(paused) or 'none'}"
    recalls = recall_figures(day)
    if not recalls.count:
        yield "recalls", "none: no sleeve held more than its budget"
        return
    longest = recalls.longest_seconds
    met = "none met" if longest is None else f"given back within {longest // 60} minutes"
    overdue = f"[yellow]{recalls.overdue} overdue[/]" if recalls.overdue else "none overdue"
    yield (
        "recalls",
        f"{recalls.count}, at most {render.money(round(recalls.worst, 2))} above a budget, {met}; {overdue}",
    )


def kill_switch(day: Day) -> str:
    """When the kill switch fired and what became of the day since; or that it did not."""
    from capdesk.study.demo.mandate import MAX_DRAWDOWN_PERCENT
    from capdesk.study.demo.supervised_figures import since_stop

    since = since_stop(day)
    if since is None:
        return f"did not fire: it does above {MAX_DRAWDOWN_PERCENT} % drawdown"
    last = "" if since.last_at is None else f", the last at {clock(since.last_at)}"
    return (
        f"[bold red]FIRED at {clock(since.stop.at)} UTC[/]: {since.stop.reason}\n"
        f"since then {since.refused:,} asks for {render.money(since.asked)} were refused; "
        f"releases and recycling went on: {since.returned} positions came back{last}, "
        f"{render.money(round(since.principal, 2))} of capital with a P&L of {signed(since.net)}"
    )
