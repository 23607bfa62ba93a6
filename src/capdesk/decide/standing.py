"""The state's own figures as people see them: micro-units to dollars, microseconds to times."""

from __future__ import annotations

from capdesk.decide.review import current_budgets
from capdesk.model.journal import Entry
from capdesk.model.money import Amount
from capdesk.model.requests import moment
from capdesk.model.rules import Budget, MarketState
from capdesk.model.standing import HaltInForce, SeenMarket, SleeveBudget, SleeveRecall, TrippedBreaker
from capdesk.model.state import State


def budget(it: Budget) -> SleeveBudget:
    """One sleeve's budget."""
    return SleeveBudget(
        sleeve=it.sleeve,
        share=Amount.from_micro(it.share),
        before=Amount.from_micro(it.before),
        amount=Amount.from_micro(it.amount),
        enabled=it.enabled,
        capped=it.capped,
        multiplier=Amount.from_micro(it.multiplier_ppm),
    )


def budgets(state: State, at: int) -> tuple[SleeveBudget, ...]:
    """The budget of every sleeve at a moment."""
    return tuple(budget(it) for it in current_budgets(state, at))


def recalls(state: State, at: int) -> tuple[SleeveRecall, ...]:
    """Every sleeve that is to give something back, by name; `overdue` where its time was over at a moment."""
    return tuple(
        SleeveRecall(
            sleeve=it.sleeve,
            amount=Amount.from_micro(it.amount),
            worst=Amount.from_micro(it.worst),
            since=moment(it.since),
            deadline=moment(it.deadline),
            overdue=it.deadline < at,
        )
        for _, it in sorted(state.recalls.entries())
        if it is not None
    )


def breakers(state: State, at: int = 0) -> tuple[TrippedBreaker, ...]:
    """The breakers that have tripped, by name."""
    return tuple(
        TrippedBreaker(it.name, moment(it.since), it.reason)
        for _, it in sorted(state.breakers.entries())
        if it is not None
    )


def halt(state: State) -> HaltInForce | None:
    """Why no grant is made; None while grants are made."""
    return None if state.halt is None else HaltInForce(moment(state.halt.at), state.halt.reason)


def market(entry: Entry, seen: MarketState) -> SeenMarket:
    """A market state, seen when it was told where it does not say otherwise."""
    return SeenMarket(
        at=moment(entry.at if seen.at is None else seen.at),
        volatility_state=seen.volatility_state,
        volatility=_known(seen.volatility_ppm),
        gas_price_gwei=_known(seen.gas_price),
        correlation=_known(seen.correlation_ppm),
        circuit_breaker_triggered=seen.breaker,
    )


def _known(millionths: int | None) -> Amount | None:
    return None if millionths is None else Amount.from_micro(millionths)
