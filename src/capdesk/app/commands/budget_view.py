"""How budgets look: each sleeve's dollars, the reserve, and the limits that go with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capdesk import budgets as seed
from capdesk.app import render
from capdesk.app.commands.standing import budget_record
from capdesk.decide import standing
from capdesk.decide.review import current_budgets, deployable
from capdesk.decide.risk.gate import why
from capdesk.decide.sleeves import budgets, compounding_base
from capdesk.model.mandate import Mandate
from capdesk.model.money import PPM, Amount
from capdesk.model.rules import Budget, Sleeve
from capdesk.model.state import State

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """Budgets of one balance; micro-units.

    Attributes
    ----------
    source
        Whose sleeves these are.
    base
        What the percentages apply to.
    below_peak, most_below_peak
        How far the balance is below its peak, and the most it may be; None for no limit.
    used
        What of each sleeve is in use; None for a balance that is nobody's.
    cause
        What scales the budgets; empty where nothing does.
    """

    source: str
    balance: int
    base: int
    peak: int
    sleeves: tuple[Sleeve, ...]
    budgets: tuple[Budget, ...]
    reserve: int
    reserve_ppm: int
    max_exposure: int
    most_below_peak: int | None
    used: dict[str, int] | None = None
    cause: str = ""

    @property
    def total_allocated(self) -> int:
        """What all sleeves and the reserve have."""
        return sum(budget.amount for budget in self.budgets) + self.reserve

    @property
    def below_peak(self) -> int:
        """How far the balance is below its peak."""
        return max(0, self.peak - self.balance)


def built_in() -> Mandate:
    """The rules of seed 002, for whoever has configured none."""
    return Mandate(
        sleeves=seed.SLEEVES,
        reserve_ppm=int(seed.RESERVE_PCT * PPM),
        drawdown_ppm=int(seed.DRAWDOWN_LIMIT_PCT * PPM),
        total_percent_ppm=int(seed.MAX_EXPOSURE_PCT * PPM),
    )


def of_balance(mandate: Mandate, balance: int, peak: int, source: str) -> Sheet:
    """Budget a balance without a market state: every multiplier is 1."""
    limit = mandate.drawdown_ppm
    return Sheet(
        source=source,
        balance=balance,
        base=balance,
        peak=peak,
        sleeves=mandate.sleeves,
        budgets=budgets(mandate.sleeves, balance, lambda _: PPM, mandate.idle),
        reserve=balance * mandate.reserve_ppm // PPM,
        reserve_ppm=mandate.reserve_ppm,
        max_exposure=balance * mandate.total_percent_ppm // PPM,
        most_below_peak=None if limit is None else peak * limit // PPM,
    )


def of_state(state: State, at: int, ledger: str) -> Sheet:
    """Budget a desk as it is at a moment; its peak is the high-water mark of the units that it has."""
    mandate, now = state.mandate, current_budgets(state, at)
    base = compounding_base(state.equity, state.deposits - state.withdrawals, mandate.compounding)
    peak = max(state.peak_equity * state.units // state.peak_units, state.equity)
    limit = mandate.drawdown_ppm
    return Sheet(
        source=f"the sleeves of {ledger}" if now else f"{ledger} has no sleeves",
        balance=state.equity,
        base=base,
        peak=peak,
        sleeves=mandate.sleeves,
        budgets=now,
        reserve=base * mandate.reserve_ppm // PPM,
        reserve_ppm=mandate.reserve_ppm,
        max_exposure=deployable(state, max(0, state.equity), at),
        most_below_peak=None if limit is None else peak * limit // PPM,
        used={budget.sleeve: state.by_sleeve[budget.sleeve] for budget in now},
        cause=why(state, at),
    )


def record(sheet: Sheet) -> dict[str, object]:
    """Give budgets as the JSON object that `budget --json` prints."""
    used = {name: amount(micro) for name, micro in (sheet.used or {}).items()}
    return {
        "source": sheet.source,
        "balance": amount(sheet.balance),
        "peak": amount(sheet.peak),
        "sleeves": [
            {
                **budget_record(standing.budget(budget), used.get(budget.sleeve)),
                "percent": amount(sleeve.percent_ppm * 100),
                "cap": None if sleeve.cap is None else amount(sleeve.cap),
                "minimum": amount(sleeve.minimum),
            }
            for sleeve, budget in zip(sheet.sleeves, sheet.budgets, strict=True)
        ],
        "reserve": amount(sheet.reserve),
        "total_allocated": amount(sheet.total_allocated),
        "unallocated": amount(sheet.balance - sheet.total_allocated),
        "max_exposure": amount(sheet.max_exposure),
        "below_peak": amount(sheet.below_peak),
        "most_below_peak": None if sheet.most_below_peak is None else amount(sheet.most_below_peak),
        "cause": sheet.cause,
    }


def draw(sheet: Sheet) -> None:
    """Print budgets for a person."""
    out = render.console()
    out.print(f"[bold]{money(sheet.balance)}[/]  [dim]by {render.literal(sheet.source)}[/]\n")
    out.print(budgets_table(sheet))
    out.print()
    limits = [("maximum exposure", f"{money(sheet.max_exposure)} [dim]may be at work at once[/]")]
    below = f"{money(sheet.below_peak)} below the peak of {money(sheet.peak)};"
    if sheet.most_below_peak is None:
        limits.append(("drawdown", f"{below} [dim]no limit[/]"))
    elif sheet.below_peak > sheet.most_below_peak:
        limits.append(
            ("drawdown", f"[red]{below} the kill switch fires beyond {money(sheet.most_below_peak)}[/]")
        )
    else:
        limits.append(
            ("drawdown", f"{below} [dim]the kill switch fires beyond {money(sheet.most_below_peak)}[/]")
        )
    if sheet.cause:
        limits.append(("multiplier", render.literal(sheet.cause)))
    out.print(render.facts(limits))


def budgets_table(sheet: Sheet) -> "Table":
    """Tabulate the sleeves, the reserve and what is nobody's; a column that would say nothing is left out."""
    rows = [
        sleeve_row(sheet, sleeve, budget) for sleeve, budget in zip(sheet.sleeves, sheet.budgets, strict=True)
    ]
    if sheet.reserve_ppm:
        rows.append({"": "reserve", "share": percent(sheet.reserve_ppm), "budget": money(sheet.reserve)})
    rows.append({"": "unallocated", "budget": money(sheet.balance - sheet.total_allocated)})
    titles = [
        title
        for title in ("", "share", "budget", "in use", "cap", "minimum", "note")
        if any(row.get(title) for row in rows)
    ]
    columns = [title if title in ("", "note") else (title, "right") for title in titles]
    grid = render.table(*("" if column == "note" else column for column in columns))
    for row in rows:
        grid.add_row(*(row.get(title, "") for title in titles))
    return grid


def sleeve_row(sheet: Sheet, sleeve: Sleeve, budget: Budget) -> dict[str, str]:
    """Lay out one sleeve."""
    return {
        "": render.literal(sleeve.name),
        "share": percent(sleeve.percent_ppm),
        "budget": f"[bold]{money(budget.amount)}[/]",
        "in use": "" if sheet.used is None else money(sheet.used[sleeve.name]),
        "cap": "" if sleeve.cap is None else money(sleeve.cap),
        "minimum": money(sleeve.minimum) if sleeve.minimum else "",
        "note": note(sleeve, budget),
    }


def note(sleeve: Sleeve, budget: Budget) -> str:
    """Say what is special about a budget."""
    if not budget.enabled:
        under = budget.share < sleeve.minimum
        return f"[yellow]{'disabled: under its minimum' if under else 'paused: not far enough above it'}[/]"
    scaled = "" if budget.multiplier_ppm == PPM else f"x {Amount.from_micro(budget.multiplier_ppm)}"
    return ", ".join(part for part in ("[yellow]capped[/]" if budget.capped else "", scaled) if part)


def percent(ppm: int) -> str:
    """Show parts per million in percent."""
    return f"{Amount.from_micro(ppm * 100)} %"


def money(micro: int) -> str:
    """Show micro-units in dollars and cents."""
    return render.money(Amount.from_micro(micro))


def amount(micro: int) -> Amount:
    """Give micro-units as exact dollars."""
    return Amount.from_micro(micro)
