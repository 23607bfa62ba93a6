"""How the desk stands at a moment: the stops, the multiplier in force, the sleeves' budgets and recalls."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from capdesk.decide import standing
from capdesk.decide.reports import as_of
from capdesk.decide.review import deployable
from capdesk.decide.risk import gate
from capdesk.decide.unit_value import PPB, drawdown_ppb
from capdesk.model.money import Amount
from capdesk.model.requests import AsOf, moment
from capdesk.model.standing import HaltInForce, SleeveBudget, SleeveRecall, TrippedBreaker
from capdesk.model.state import State

if TYPE_CHECKING:
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
    """The desk as it stands at `at`; `used` is what each sleeve holds."""

    at: datetime
    as_of: AsOf
    mandate_version: int
    equity: Amount
    drawdown: Amount
    drawdown_limit: Amount | None
    halt: HaltInForce | None
    multiplier: Multiplier
    breakers: tuple[TrippedBreaker, ...]
    budgets: tuple[SleeveBudget, ...]
    used: dict[str, Amount]
    deployable: Amount
    allocated: Amount
    recalls: tuple[SleeveRecall, ...]


async def gather(desk: "CapitalAllocator") -> Status:
    """Ask the desk for everything at one moment."""
    from capdesk.desk.views import looking

    return await desk.ledger.ask(looking(of_state))


def of_state(state: State, at: int) -> Status:
    """The desk's state at a moment, in microseconds since 1970 (UTC)."""
    limit, budgets = state.mandate.drawdown_ppm, standing.budgets(state, at)
    return Status(
        at=moment(at),
        as_of=as_of(state),
        mandate_version=state.mandate_version,
        equity=Amount.from_micro(state.equity),
        drawdown=Amount(drawdown_ppb(state)) / PPB,
        drawdown_limit=None if limit is None else fraction(limit),
        halt=standing.halt(state),
        multiplier=multiplier_of(state, at),
        breakers=standing.breakers(state),
        budgets=budgets,
        used={budget.sleeve: Amount.from_micro(state.by_sleeve[budget.sleeve]) for budget in budgets},
        deployable=Amount.from_micro(deployable(state, max(0, state.equity), at)),
        allocated=Amount.from_micro(state.allocated),
        recalls=standing.recalls(state, at),
    )


def multiplier_of(state: State, at: int) -> Multiplier:
    """The multiplier in force, and what it comes from."""
    table, seen = state.mandate.risk, state.risk.observed_at
    value = 0 if state.breakers.any() else gate.market_multiplier(state, at)
    return Multiplier(
        value=fraction(value),
        gas=fraction(gate.gas_multiplier(state, at)),
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
    return {
        "halted": status.halt,
        "equity": status.equity,
        "drawdown": status.drawdown,
        "drawdown_limit": status.drawdown_limit,
        "multiplier": status.multiplier,
        "breakers": status.breakers,
        "deployable": status.deployable,
        "allocated": status.allocated,
        "sleeves": [budget_record(budget, status.used[budget.sleeve]) for budget in status.budgets],
        "recalls": status.recalls,
        "mandate_version": status.mandate_version,
        "as_of": status.as_of,
    }


def budget_record(budget: SleeveBudget, used: Amount | None = None) -> dict[str, object]:
    """Give a sleeve's budget as a JSON object, with its use where there is one."""
    use = {} if used is None else {"used": used, "room": max(Amount(0), budget.amount - used)}
    return {
        "sleeve": budget.sleeve,
        "share": budget.share,
        "before": budget.before,
        "budget": budget.amount,
        **use,
        "enabled": budget.enabled,
        "capped": budget.capped,
        "multiplier": budget.multiplier,
    }
