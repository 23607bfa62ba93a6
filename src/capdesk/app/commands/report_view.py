"""What `capdesk report` shows: the bankroll, how much of it works, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capdesk.app import render
from capdesk.app.commands import allocation_view

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.app.commands.standing import Status
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import Allocation, RecycleEvent


@dataclass(frozen=True, slots=True)
class Report:
    """The desk at one entry of its journal."""

    ledger: Path
    totals: dict[str, Any]
    equity: Decimal
    drawdown: Decimal
    mandate_version: int
    allocations: "Sequence[Allocation]"
    pending: "Sequence[RecycleEvent]"
    today: dict[str, Any]
    pnl: Decimal
    fees: Decimal
    status: "Status"
    shown_at: datetime


async def gather(desk: "CapitalAllocator", ledger: Path) -> Report:
    """Ask the desk and its recycler for everything that the report shows."""
    from capdesk.app.commands import standing
    from capdesk.model.money import Amount
    from capdesk.recycler import CapitalRecycler

    state = desk.ledger.state
    recycler = CapitalRecycler(None, desk)
    return Report(
        ledger=ledger,
        totals=desk.get_allocation_report(),
        equity=desk.equity,
        drawdown=desk.drawdown,
        mandate_version=desk.mandate_version,
        allocations=await desk.get_allocations(),
        pending=await recycler.get_pending_recycles(),
        today=recycler.get_daily_stats(),
        pnl=Amount.from_micro(state.pnl),
        fees=Amount.from_micro(state.fees),
        status=await standing.gather(desk),
        shown_at=datetime.now(UTC),
    )


def record(report: Report) -> dict[str, object]:
    """Give the report as the JSON object that `report --json` prints."""
    from capdesk.app.commands import standing

    now = standing.record(report.status)
    return {
        **{key: value for key, value in report.totals.items() if key not in ("allocations", "as_of")},
        "equity": report.equity,
        "drawdown": report.drawdown,
        "pnl": report.pnl,
        "fees": report.fees,
        **{key: now[key] for key in ("halted", "multiplier", "breakers", "sleeves", "recalls")},
        "mandate_version": report.mandate_version,
        "allocations": [allocation_view.allocation_record(each) for each in report.allocations],
        "pending_recycles": [allocation_view.event_record(each) for each in report.pending],
        "today": {key: value for key, value in report.today.items() if key != "as_of"},
        "as_of": report.totals["as_of"],
    }


def draw(report: Report) -> None:
    """Print the report for a person."""
    out = render.console()
    as_of = report.totals["as_of"]
    out.print(
        f"[bold]{render.literal(str(report.ledger))}[/]  [dim]mandate {report.mandate_version} · "
        f"entry {as_of.sequence:,} of {render.clock_time(as_of.time)} UTC[/]"
    )
    out.print()
    out.print(totals_table(report, out.width))
    stops = in_the_way(report.status)
    if stops:
        out.print()
        out.print(render.facts(stops))
    if report.allocations:
        out.print()
        out.print(allocation_view.allocations_table(report.allocations, report.shown_at, report.pending))
    waiting = [event for event in report.pending if event.amount]
    if waiting:
        out.print()
        out.print(allocation_view.pending_table(waiting, report.shown_at))


def in_the_way(status: "Status") -> list[tuple[str, str]]:
    """List what stops or scales grants now; 'capdesk status' has the figures."""
    from capdesk.app.commands import status_view

    lines = []
    if status.halt is not None or status.breakers:
        lines.append(("grants", status_view.grants(status)))
    if status.multiplier.value != 1 or status.multiplier.gas != 1:
        lines.append(("multiplier", status_view.multiplier(status)))
    if status.recalls:
        lines.append(("recalls", status_view.recalls(status)))
    return lines


def totals_table(report: Report, width: int) -> "Table":
    """Lay out the bankroll and its use, with a bar of how far the total limit is filled."""
    from rich.table import Table

    totals, today, money = report.totals, report.today, render.money
    grid = Table.grid(padding=(0, 2))
    for _ in range(3):
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(style="bold", no_wrap=True, justify="right")
    markets = f"{totals['num_allocated_markets']:,}"
    pnl = report.pnl - report.fees
    for row in (
        (
            "bankroll",
            money(totals["bankroll"]),
            "allocated",
            money(totals["total_allocated"]),
            "markets",
            markets,
        ),
        (
            "equity",
            money(report.equity),
            "limit",
            money(totals["max_total_allowed"]),
            "recycled today",
            f"{today['recycles_today']:,}",
        ),
        (
            "drawdown",
            render.percent(report.drawdown, 2),
            "headroom",
            money(totals["headroom"]),
            "waiting",
            f"{len(report.pending):,}",
        ),
        (
            "P&L",
            render.signed_money(pnl),
            "unallocated",
            money(totals["available"]),
            "P&L today",
            render.signed_money(today["total_pnl_today"]),
        ),
    ):
        grid.add_row(*row)
    page = Table.grid()
    page.add_row(grid)
    page.add_row("")
    page.add_row(use_of_limit(totals, width))
    return page


def use_of_limit(totals: dict[str, Any], width: int) -> str:
    """Draw how much of the total limit is in use, and say how much of the bankroll that is."""
    allowed = Decimal(totals["max_total_allowed"])
    share = Decimal(totals["total_allocated"]) / allowed if allowed > 0 else Decimal(0)
    said = f"{render.percent(share)} of the limit, {Decimal(totals['utilization_percent']):.1f} % of the bankroll"
    return f"{render.bar(share, max(10, min(width - len(said) - 2, 60)))}  {said}"
