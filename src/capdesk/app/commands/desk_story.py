"""The desk's own story: flows, rules, market states, budgets, recalls and stops, as the journal has them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from capdesk.app.commands.story import Step, Told, signed
from capdesk.ledger.codec import Row, read_row
from capdesk.model import journal as j
from capdesk.model.money import PPM, Amount, usd
from capdesk.model.requests import moment

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator


async def gather(desk: "CapitalAllocator", last: int) -> list[Step]:
    """Read the desk's own entries and tell the last steps of them, oldest first."""
    return await desk.ledger.read(lambda store: of_desk(store.about(""), last))


def of_desk(rows: Iterable[Row], last: int) -> list[Step]:
    """Tell the last steps of the entries that are about no one market; memory is for those steps only."""
    steps: deque[Step] = deque(maxlen=last)
    teller = Teller()
    for row in rows:
        entry = read_row(row)
        for event in entry.events:
            told = teller.tell(event)
            if told is not None:
                what, sentence, figures = told
                steps.append(Step(entry.sequence, entry.time, entry.request_id, what, sentence, figures))
    return list(steps)


@dataclass(slots=True)
class Teller:
    """Tells the desk's events; a market state or a budget that only repeats what holds is left out."""

    _factors: tuple[int, int] | None = None
    _budgets: object = None
    _seen: dict[str, int] = field(default_factory=dict)

    def tell(self, event: Any) -> Told | None:
        """Tell one event; None for one that changes nothing, or is about a market."""
        if isinstance(event, j.MarketObserved):
            factors = (event.risk.market_ppm, event.risk.gas_ppm)
            if factors == self._factors:
                return None
            self._factors = factors
        elif isinstance(event, j.BudgetsPublished):
            kind = (event.reason, event.paused, *((each.enabled, each.capped) for each in event.budgets))
            if kind == self._budgets:
                return None
            self._budgets = kind
        elif isinstance(event, j.Recalled):
            # A recall whose amount moves with the budget is one recall.
            known = self._seen.get(event.sleeve)
            self._seen[event.sleeve] = event.deadline if event.amount else 0
            if event.amount and known == event.deadline:
                return None
        teller = TELLERS.get(type(event))
        return None if teller is None else teller(event)


def tell_founded(event: j.Founded) -> Told:
    """Tell how the ledger began."""
    sentence = f"the ledger began with {usd(event.bankroll)} in {event.account}"
    return "founded", sentence, {"amount": Amount.from_micro(event.bankroll)}


def tell_flowed(event: j.Flowed) -> Told:
    """Tell that money came in or went out."""
    what = "deposited" if event.amount > 0 else "withdrawn"
    sentence = f"{usd(abs(event.amount))} of {event.account}, the bankroll is {usd(event.bankroll)}"
    return what, sentence, {"account": event.account, "amount": Amount.from_micro(event.amount)}


def tell_reconciled(event: j.Reconciled) -> Told:
    """Tell what nobody explained."""
    sentence = f"{signed(event.amount)} in {event.account} that nobody explained, booked as P&L"
    return "reconciled", sentence, {"account": event.account, "amount": Amount.from_micro(event.amount)}


def tell_mandate(event: j.MandateChanged) -> Told:
    """Tell that the rules changed."""
    figures: dict[str, object] = {"mandate_version": event.version, "reason": event.reason}
    return "mandate", f"version {event.version} is in force: {event.reason}", figures


def tell_observed(event: j.MarketObserved) -> Told:
    """Tell what the market made of the budgets."""
    risk = event.risk
    gas = "" if risk.gas_ppm == PPM else f", x {risk.gas_ppm / PPM:g} more where gas is paid"
    return (
        "observed",
        f"x {risk.market_ppm / PPM:g}{gas}: {risk.reason}",
        {"multiplier": Amount.from_micro(risk.market_ppm), "reason": risk.reason},
    )


def tell_budgets(event: j.BudgetsPublished) -> Told:
    """Tell what each sleeve has since."""
    parts = (f"{each.sleeve} {usd(each.amount) if each.enabled else 'disabled'}" for each in event.budgets)
    figures: dict[str, object] = {each.sleeve: Amount.from_micro(each.amount) for each in event.budgets}
    return "budgets", f"{', '.join(parts)} ({event.reason})", {"budgets": figures, "reason": event.reason}


def tell_recalled(event: j.Recalled) -> Told:
    """Tell what a sleeve is to give back, or that it has."""
    deadline = moment(event.deadline)
    figures: dict[str, object] = {
        "strategy": event.sleeve,
        "amount": Amount.from_micro(event.amount),
        "deadline": deadline,
    }
    if not event.amount:
        return "recall met", "it holds no more than its budget", figures
    until = f"to be given back by {deadline:%H:%M:%S} UTC"
    return "recalled", f"it holds {usd(event.amount)} above its budget, {until}", figures


def tell_halted(event: j.Halted) -> Told:
    """Tell why grants stopped."""
    return "halted", event.reason, {"reason": event.reason, "drawdown": Amount(event.drawdown_ppb) / 10**9}


def tell_departed(event: j.Departed) -> Told:
    """Tell that money is on its way."""
    sentence = f"{usd(event.amount)} from {event.source} to {event.target}"
    return "transferred", sentence, {"amount": Amount.from_micro(event.amount)}


TELLERS: dict[type, Callable[[Any], Told]] = {
    j.Founded: tell_founded,
    j.Flowed: tell_flowed,
    j.Reconciled: tell_reconciled,
    j.MandateChanged: tell_mandate,
    j.MarketObserved: tell_observed,
    j.BudgetsPublished: tell_budgets,
    j.Recalled: tell_recalled,
    j.Halted: tell_halted,
    j.Resumed: lambda event: ("resumed", event.reason, {"reason": event.reason}),
    j.BreakerTripped: lambda event: (
        "breaker",
        f"{event.name} tripped: {event.reason}",
        {"name": event.name},
    ),
    j.BreakerLifted: lambda event: ("lifted", f"{event.name} lifted: {event.reason}", {"name": event.name}),
    j.Departed: tell_departed,
}
