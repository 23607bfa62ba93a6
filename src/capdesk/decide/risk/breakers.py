"""Circuit breakers: what trips them, with the figures, and what lifts them."""

from __future__ import annotations

from capdesk.decide.risk.gate import is_stale
from capdesk.model.commands import LiftBreaker, TripBreaker
from capdesk.model.errors import InvalidInput
from capdesk.model.journal import BreakerLifted, BreakerTripped, Event
from capdesk.model.money import PPM, usd
from capdesk.model.rules import Breaker, BreakerRules, Today
from capdesk.model.state import State

MANUAL = "manual"
DAILY_LOSS = "daily_loss"
GAS = "gas"
STALE = "stale_data"


def count_today(state: State, net: int, at: int) -> None:
    """Count profit or loss into its day, and latch the daily loss limit; part of the fold."""
    number, today = state.mandate.day_of(at), state.today
    if today.number != number:
        today = Today(number, state.equity - net)
    state.today = today = Today(number, today.began_with, today.pnl + net)
    rules = state.mandate.breakers
    if rules is None or rules.daily_loss_ppm is None or state.breakers[DAILY_LOSS] is not None:
        return
    if -today.pnl * PPM > rules.daily_loss_ppm * max(0, today.began_with):
        reason = (
            f"the day has lost {usd(-today.pnl)} of the {usd(today.began_with)} it began with, "
            f"more than {rules.daily_loss_ppm / 10_000:g} %"
        )
        state.breakers[DAILY_LOSS] = Breaker(DAILY_LOSS, at, reason, journaled=False)


def unjournaled(state: State) -> tuple[Event, ...]:
    """Breakers that the fold has latched and no entry names yet."""
    return tuple(
        BreakerTripped(breaker.name, breaker.reason)
        for _, breaker in sorted(state.breakers.entries())
        if breaker is not None and not breaker.journaled
    )


def review_breakers(state: State, at: int) -> list[Event]:
    """What a heartbeat trips and lifts."""
    rules = state.mandate.breakers or BreakerRules()
    events: list[Event] = [
        BreakerLifted(name, "its rule is no longer configured")
        for name, configured in (
            (DAILY_LOSS, rules.daily_loss_ppm is not None),
            (GAS, rules.gas_above is not None),
            (STALE, rules.stale),
        )
        if state.breakers[name] is not None and not configured
    ]
    if events:
        return events
    tripped = state.breakers[DAILY_LOSS]
    if tripped is not None and state.mandate.day_of(at) > state.mandate.day_of(tripped.since):
        events.append(BreakerLifted(DAILY_LOSS, "a new day has begun"))
    stale = rules.stale and is_stale(state, at)
    if stale and state.breakers[STALE] is None:
        events.append(BreakerTripped(STALE, "the market state is missing or stale"))
    elif not stale and state.breakers[STALE] is not None:
        events.append(BreakerLifted(STALE, "the market state is fresh"))
    events += _review_gas(state, at)
    return events


def _review_gas(state: State, at: int) -> list[Event]:
    rules, since = state.mandate.breakers, state.gas_high_since
    if rules is None or rules.gas_above is None:
        return []
    high = since > 0 and at - since >= rules.gas_for
    if high and state.breakers[GAS] is None:
        hours = (at - since) / 3.6e9
        return [
            BreakerTripped(GAS, f"gas has been above {rules.gas_above / PPM:g} gwei for {hours:.1f} hours")
        ]
    if since == 0 and state.breakers[GAS] is not None:
        return [BreakerLifted(GAS, f"gas is at or below {rules.gas_above / PPM:g} gwei")]
    return []


def trip_by_hand(state: State, command: TripBreaker) -> tuple[Event, ...]:
    """Trip the manual breaker."""
    return () if state.breakers[MANUAL] is not None else (BreakerTripped(MANUAL, command.reason),)


def lift_by_hand(state: State, command: LiftBreaker) -> tuple[Event, ...]:
    """Lift the manual breaker; the others lift by their own rules.

    Raises
    ------
    InvalidInput
        If it has not tripped.
    """
    if state.breakers[MANUAL] is None:
        raise InvalidInput("the manual breaker has not tripped: there is nothing to lift")
    return (BreakerLifted(MANUAL, command.reason),)
