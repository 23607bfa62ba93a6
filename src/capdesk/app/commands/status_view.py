"""What `capdesk status` shows: the stops, the multiplier in force, the sleeves' budgets and recalls."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands.halting import breaker_record
from capdesk.decide.reports import as_of
from capdesk.decide.review import current_budgets, deployable
from capdesk.decide.risk import gate
from capdesk.decide.unit_value import PPB, drawdown_ppb
from capdesk.model.money import PPM, Amount
from capdesk.model.requests import AsOf, moment
from capdesk.model.rules import Breaker, Budget
from capdesk.model.state import Halt, Recall, State

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.desk import CapitalAllocator


@dataclass(frozen=True, slots=True)
class Multiplier:
    """What the market's state makes of the capital.

    Attributes
    ----------
    value
        The factor in force, as a fraction; 0 while a breaker has tripped.
    gas
        A further factor for the sleeves that pay gas.
    acts_on
        ``budgets`` or ``market_limits``; None where the mandate has no risk table.
    reason
        Where it comes from; empty where nothing scales.
    seen_at
        When the market was seen last; None for never.
    """

    value: Amount
    gas: Amount
    acts_on: str | None
    reason: str
    seen_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The desk as it stands at `at`; micro-units in what is the desk's own."""

    at: datetime
    as_of: AsOf
    mandate_version: int
    equity: Amount
    drawdown: Amount
    drawdown_limit: Amount | None
    halt: Halt | None
    multiplier: Multiplier
    breakers: tuple[Breaker, ...]
    budgets: tuple[Budget, ...]
    used: dict[str, int]
    deployable: Amount
    allocated: Amount
    recalls: tuple[Recall, ...]


async def gather(desk: "CapitalAllocator") -> Status:
    """Ask the desk for everything at one moment."""
    from capdesk.desk.views import looking

    return await desk.ledger.ask(looking(standing))


def standing(state: State, at: int) -> Status:
    """The desk's state at a moment, in microseconds since 1970 (UTC)."""
    limit, budgets = state.mandate.drawdown_ppm, current_budgets(state, at)
    return Status(
        at=moment(at),
        as_of=as_of(state),
        mandate_version=state.mandate_version,
        equity=Amount.from_micro(state.equity),
        drawdown=Amount(drawdown_ppb(state)) / PPB,
        drawdown_limit=None if limit is None else fraction(limit),
        halt=state.halt,
        multiplier=multiplier_of(state, at),
        breakers=tuple(each for _, each in sorted(state.breakers.entries()) if each is not None),
        budgets=budgets,
        used={budget.sleeve: state.by_sleeve[budget.sleeve] for budget in budgets},
        deployable=Amount.from_micro(deployable(state, max(0, state.equity), at)),
        allocated=Amount.from_micro(state.allocated),
        recalls=tuple(each for _, each in sorted(state.recalls.entries()) if each is not None),
    )


def multiplier_of(state: State, at: int) -> Multiplier:
    """The multiplier in force, and what it comes from."""
    table, seen = state.mandate.risk, state.risk.observed_at
    value = 0 if state.breakers.any() else gate.market_multiplier(state, at)
    return Multiplier(
        value=fraction(value),
        gas=fraction(state.risk.gas_ppm if table is not None else PPM),
        acts_on=None if table is None else table.acts_on,
        reason=gate.why(state, at),
        seen_at=None if table is None or not seen else moment(seen),
        stale=gate.is_stale(state, at),
    )


def fraction(ppm: int) -> Amount:
    """Parts per million as a fraction, without needless zeros."""
    return Amount.from_micro(ppm)


def record(status: Status) -> dict[str, object]:
    """Give the status as the JSON object that `status --json` prints."""
    halt = status.halt
    return {
        "halted": None if halt is None else {"since": moment(halt.at), "reason": halt.reason},
        "equity": status.equity,
        "drawdown": status.drawdown,
        "drawdown_limit": status.drawdown_limit,
        "multiplier": status.multiplier,
        "breakers": [breaker_record(each) for each in status.breakers],
        "deployable": status.deployable,
        "allocated": status.allocated,
        "sleeves": [budget_record(budget, status.used[budget.sleeve]) for budget in status.budgets],
        "recalls": [recall_record(each, status.at) for each in status.recalls],
        "mandate_version": status.mandate_version,
        "as_of": status.as_of,
    }


def budget_record(budget: Budget, used: int | None = None) -> dict[str, object]:
    """Give a sleeve's budget as a JSON object, with its use where there is one."""
    use = {}
    if used is not None:
        use = {"used": Amount.from_micro(used), "room": Amount.from_micro(max(0, budget.amount - used))}
    return {
        "sleeve": budget.sleeve,
        "share": Amount.from_micro(budget.share),
        "before": Amount.from_micro(budget.before),
        "budget": Amount.from_micro(budget.amount),
        **use,
        "enabled": budget.enabled,
        "capped": budget.capped,
        "multiplier": fraction(budget.multiplier_ppm),
    }


def recall_record(recall: Recall, at: datetime) -> dict[str, object]:
    """Give a recall as a JSON object."""
    deadline = moment(recall.deadline)
    return {
        "sleeve": recall.sleeve,
        "amount": Amount.from_micro(recall.amount),
        "worst": Amount.from_micro(recall.worst),
        "since": moment(recall.since),
        "deadline": deadline,
        "overdue": deadline < at,
    }


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
        since = render.clock_time(moment(status.halt.at))
        return (
            f"[bold red]HALTED[/] since {since} UTC: {render.literal(status.halt.reason)}\n"
            "[dim]releases and recycling go on; 'capdesk resume --reason ...' ends it[/]"
        )
    return "[red]stopped by a breaker[/]" if status.breakers else "[green]made[/]"


def drawdown(status: Status) -> str:
    """Show the drawdown against the limit at which the kill switch fires."""
    now, limit = render.percent(status.drawdown, 2), status.drawdown_limit
    if limit is None:
        return f"{now} [dim]no limit[/]"
    share = Decimal(status.drawdown) / limit if limit else Decimal(1)
    return f"{now} of {render.percent(limit, 2)}  {render.bar(share, 20)}"


def multiplier(status: Status) -> str:
    """Show the multiplier in force, its reason and its age."""
    it = status.multiplier
    if it.acts_on is None and not status.breakers:
        return "x 1 [dim]the mandate has no risk table[/]"
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
        f"[red]{render.literal(each.name)}[/] since {render.clock_time(moment(each.since))} UTC: "
        f"{render.literal(each.reason)}"
        for each in status.breakers
    )
    return "\n".join(lines) or "none has tripped"


def recalls(status: Status) -> str:
    """List what is to be given back, and until when."""
    return "\n".join(recall_line(each, status.at) for each in status.recalls) or "none"


def recall_line(recall: Recall, at: datetime) -> str:
    """Say what one sleeve is to give back."""
    deadline = moment(recall.deadline)
    left = (deadline - at).total_seconds()
    when = (
        f"[red]overdue since {render.duration(-left)}[/]"
        if left < 0
        else f"by {render.clock_time(deadline, relative_to=at)} UTC, in {render.duration(left)}"
    )
    amount = render.money(Amount.from_micro(recall.amount))
    return f"[yellow]{render.literal(recall.sleeve)}[/] holds {amount} above its budget: {when}"


def budgets_table(status: Status, width: int) -> "Table":
    """Tabulate the sleeves: what each may have today, how much of it is in use."""
    grid = render.table(
        "sleeve", ("budget", "right"), ("in use", "right"), ("room", "right"), ("", "whole"), ""
    )
    for budget in status.budgets:
        used = status.used[budget.sleeve]
        share = Decimal(used) / budget.amount if budget.amount else Decimal(min(used, 1))
        grid.add_row(
            render.literal(budget.sleeve),
            render.money(Amount.from_micro(budget.amount)),
            render.money(Amount.from_micro(used)),
            render.money(Amount.from_micro(max(0, budget.amount - used))),
            render.bar(share, 10 if width < 100 else 20),
            note(budget),
        )
    rooms = Amount.from_micro(
        sum(max(0, budget.amount - status.used[budget.sleeve]) for budget in status.budgets)
    )
    grid.add_section()
    grid.add_row(
        "[bold]all[/]",
        render.money(Amount.from_micro(sum(budget.amount for budget in status.budgets))),
        render.money(status.allocated),
        render.money(max(Amount(0), min(rooms, status.deployable - status.allocated))),
        "",
        f"[dim]{render.money(status.deployable)} may be at work[/]",
    )
    return grid


def note(budget: Budget) -> str:
    """Say what is special about a budget."""
    if not budget.enabled:
        return "[yellow]disabled[/]"
    return "[dim]capped[/]" if budget.capped else ""
