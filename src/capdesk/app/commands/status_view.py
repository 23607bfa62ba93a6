"""How the desk's standing looks: whether it grants, what scales it, its sleeves and what they are to give back."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands.standing import Status
from capdesk.model.money import Amount
from capdesk.model.standing import SleeveBudget, SleeveRecall

if TYPE_CHECKING:
    from rich.table import Table


def draw(status: Status, ledger: Path) -> None:
    """Print the status for a person."""
    out = render.console()
    out.print(
        f"[bold]{render.literal(str(ledger))}[/]  [dim]mandate {status.mandate_version} · "
        f"entry {status.as_of.sequence:,} of {render.clock_time(status.as_of.time)} UTC[/]\n"
    )
    out.print(
        render.facts(
            (
                ("grants", grants(status)),
                ("drawdown", drawdown(status)),
                ("multiplier", multiplier(status)),
                ("breakers", breakers(status)),
                ("recalls", recalls(status)),
            )
        )
    )
    out.print()
    if status.budgets:
        out.print(budgets_table(status, out.width))
    else:
        out.print(
            f"no sleeves: every strategy draws on the {render.money(status.deployable)} that may be at work, "
            f"{render.money(status.allocated)} of it in use"
        )


def grants(status: Status) -> str:
    """Say whether grants are made."""
    if status.halt is not None:
        since = render.clock_time(status.halt.since)
        return (
            f"[bold red]HALTED[/] since {since} UTC: {render.literal(status.halt.reason)}\n"
            "[dim]releases and recycling go on; 'capdesk resume --reason ...' ends it[/]"
        )
    return "[red]stopped by a breaker[/]" if status.breakers else "[green]made[/]"


def drawdown(status: Status) -> str:
    """Show the drawdown against the limit at which the kill switch fires."""
    now, limit = render.percent(status.drawdown, 2), status.drawdown_limit
    if limit is None:
        return f"{now}  [dim]no limit[/]"
    share = Decimal(status.drawdown) / limit if limit else Decimal(1)
    return f"{now} of {render.percent(limit, 2)}  {render.bar(share, 20)}"


def multiplier(status: Status) -> str:
    """Show the multiplier in force, its reason and its age."""
    it = status.multiplier
    if it.acts_on is None and not status.breakers:
        return "x 1  [dim]the mandate has no risk table[/]"
    age = "never seen" if it.seen_at is None else f"seen {render.duration(age_of(status))} ago"
    where = " on the market limits" if it.acts_on == "market_limits" else ""
    gas = f", x {it.gas} more where gas is paid" if it.gas != 1 and it.value else ""
    colour = "red" if it.stale or not it.value else "yellow" if it.value < 1 else "green"
    seen = f" [dim]· {age}[/]" if it.acts_on is not None else ""
    return f"[{colour}]x {it.value}[/]{where}{gas}  {render.literal(it.reason)}{seen}"


def age_of(status: Status) -> float:
    """Seconds since the market was seen."""
    seen = status.multiplier.seen_at
    return 0.0 if seen is None else (status.at - seen).total_seconds()


def breakers(status: Status) -> str:
    """List the breakers that have tripped."""
    lines = (
        f"[red]{render.literal(each.name)}[/] since {render.clock_time(each.since)} UTC: "
        f"{render.literal(each.reason)}"
        for each in status.breakers
    )
    return "\n".join(lines) or "none has tripped"


def recalls(status: Status) -> str:
    """List what is to be given back, and until when."""
    return "\n".join(recall_line(each, status.at) for each in status.recalls) or "none"


def recall_line(recall: SleeveRecall, at: datetime) -> str:
    """Say what one sleeve is to give back."""
    left = (recall.deadline - at).total_seconds()
    when = (
        f"[red]overdue since {render.duration(-left)}[/]"
        if left < 0
        else f"by {render.clock_time(recall.deadline, relative_to=at)} UTC, in {render.duration(left)}"
    )
    return f"[yellow]{render.literal(recall.sleeve)}[/] holds {render.money(recall.amount)} above its budget: {when}"


def budgets_table(status: Status, width: int) -> "Table":
    """Tabulate the sleeves: what each may have today, how much of it is in use."""
    grid = render.table(
        "sleeve", ("budget", "right"), ("in use", "right"), ("room", "right"), ("", "whole"), ""
    )
    for budget in status.budgets:
        used = status.used[budget.sleeve]
        share = used / budget.amount if budget.amount else min(used, Amount(1))
        grid.add_row(
            render.literal(budget.sleeve),
            render.money(budget.amount),
            render.money(used),
            render.money(max(Amount(0), budget.amount - used)),
            render.bar(share, 10 if width < 100 else 20),
            note(budget),
        )
    rooms = sum(
        (max(Amount(0), budget.amount - status.used[budget.sleeve]) for budget in status.budgets), Amount(0)
    )
    grid.add_section()
    grid.add_row(
        "[bold]all[/]",
        render.money(sum((budget.amount for budget in status.budgets), Amount(0))),
        render.money(status.allocated),
        render.money(max(Amount(0), min(rooms, status.deployable - status.allocated))),
        "",
        f"[dim]{render.money(status.deployable)} may be at work[/]",
    )
    return grid


def note(budget: SleeveBudget) -> str:
    """Say what is special about a budget."""
    if not budget.enabled:
        return "[yellow]disabled[/]"
    return "[dim]capped[/]" if budget.capped else ""
