"""The supervisor's review: budgets, pauses, recalls and halts, as events; the state is only read."""

from __future__ import annotations

from capdesk.decide.evolution import evolve
from capdesk.decide.risk.breakers import review_breakers, unjournaled
from capdesk.decide.risk.gate import (
    acts_on,
    assess,
    budget_multiplier,
    pays_gas,
    sleeve_multiplier,
    why,
)
from capdesk.decide.sleeves import budget, budgets, compounding_base
from capdesk.decide.unit_value import drawdown_ppb
from capdesk.model.commands import HaltDesk, Observe, Resume
from capdesk.model.errors import InvalidInput
from capdesk.model.journal import BudgetsPublished, Event, Halted, MarketObserved, Recalled, Resumed
from capdesk.model.money import PPM
from capdesk.model.rules import Budget, Sleeve
from capdesk.model.state import State


def current_budgets(state: State, at: int, paused: tuple[str, ...] | None = None) -> tuple[Budget, ...]:
    """The budget of every sleeve at this moment, from the equity and the multiplier in force."""
    mandate = state.mandate
    waiting = frozenset(state.paused if paused is None else paused)
    return budgets(
        mandate.sleeves,
        _base(state),
        lambda sleeve: _multiplier(state, sleeve, at),
        mandate.idle,
        waiting,
    )


def budget_of(state: State, sleeve: Sleeve, at: int) -> Budget:
    """The budget of one sleeve at this moment."""
    if state.mandate.idle == "keep":
        paused = sleeve.name in state.paused
        return budget(sleeve, _base(state), _multiplier(state, sleeve, at), paused=paused)
    # What idle sleeves leave makes one sleeve's budget depend on the others.
    return next(each for each in current_budgets(state, at) if each.sleeve == sleeve.name)


def _base(state: State) -> int:
    return compounding_base(state.equity, state.deposits - state.withdrawals, state.mandate.compounding)


def _multiplier(state: State, sleeve: Sleeve, at: int) -> int:
    on_budgets = acts_on(state.mandate) == "budgets"
    return sleeve_multiplier(state, sleeve, at) if on_budgets or state.breakers.any() else PPM


def review(state: State, at: int) -> tuple[Event, ...]:
    """What a heartbeat finds: stops first, then budgets that changed, capital to recall, recalls met."""
    stops = (*trip(state), *review_breakers(state, at))
    after = state
    if stops:
        # What a breaker stops, or stops no longer, is in the budgets of the same heartbeat.
        after = state.fork()
        for event in stops:
            evolve(after, event, state.sequence + 1, at)
    if not state.mandate.sleeves:
        met = [Recalled(name, 0, it.deadline) for name, it in state.recalls.entries() if it is not None]
        return (*stops, *met)
    return (*stops, *_publish(after, at), *_recall(after, at))


def _publish(state: State, at: int) -> list[Event]:
    paused = _paused(state, at)
    now = current_budgets(state, at, paused)
    if now == state.published and paused == state.paused:
        return []
    scaled = acts_on(state.mandate) == "budgets" or state.breakers.any()
    reason = (why(state, at) if scaled else "") or "equity"
    return [BudgetsPublished(state.budget_version + 1, now, reason, paused)]


def _recall(state: State, at: int) -> list[Event]:
    """What each sleeve holds above its budget; one that the mandate no longer names has none."""
    amounts = {
        **{name: 0 for name, used in state.by_sleeve.entries() if used},
        **{name: 0 for name, recall in state.recalls.entries() if recall is not None},
        **{each.sleeve: each.amount for each in current_budgets(state, at, _paused(state, at))},
    }
    events: list[Event] = []
    for name, amount in amounts.items():
        over = state.by_sleeve[name] - amount
        recall = state.recalls[name]
        if over > 0 and (recall is None or recall.amount != over):
            deadline = at + state.mandate.recall_within if recall is None else recall.deadline
            events.append(Recalled(name, over, deadline))
        elif over <= 0 and recall is not None:
            events.append(Recalled(name, 0, recall.deadline))
    return events


def _paused(state: State, at: int) -> tuple[str, ...]:
    """Sleeves under their minimum, and those paused before that have not passed it by the margin."""
    margin = state.mandate.resume_margin_ppm
    waiting: list[str] = []
    for today, sleeve in zip(current_budgets(state, at, ()), state.mandate.sleeves, strict=True):
        # A cap is never under the minimum, so the share alone says whether the minimum is passed.
        needed = sleeve.minimum
        if sleeve.name in state.paused:
            needed += sleeve.minimum * margin // PPM
        if today.share < needed:
            waiting.append(sleeve.name)
    return tuple(waiting)


def observe(state: State, command: Observe, at: int) -> tuple[Event, ...]:
    """Let a market state set the multiplier.

    Raises
    ------
    InvalidInput
        If the mandate has no risk table, or the state is of the future.
    """
    table = state.mandate.risk
    if table is None:
        raise InvalidInput(
            "the mandate has no [risk] table, so a market state has nothing to act on: configure one"
        )
    seen = at if command.seen.at is None else command.seen.at
    if seen > at:
        raise InvalidInput("a market state must not be of the future")
    if seen < state.risk.observed_at:
        return ()
    return (MarketObserved(assess(table, command.seen, at, state.risk, pays_gas=pays_gas(state.mandate))),)


def halt(state: State, command: HaltDesk) -> tuple[Event, ...]:
    """Stop granting by hand; a halt that has a cause already keeps it."""
    if state.halt is not None:
        return trip(state)
    return (Halted(command.reason, drawdown_ppb(state)),)


def trip(state: State) -> tuple[Event, ...]:
    """Journal what the drawdown or the daily loss limit has stopped."""
    stops = unjournaled(state)
    if state.halt is None or state.halt.journaled:
        return stops
    return (Halted(state.halt.reason, drawdown_ppb(state)), *stops)


def resume(state: State, command: Resume) -> tuple[Event, ...]:
    """End a halt.

    Raises
    ------
    InvalidInput
        If nothing is halted.
    """
    if state.halt is None:
        raise InvalidInput("the desk is not halted: there is nothing to resume")
    return (*trip(state), Resumed(command.reason))


def deployable(state: State, equity: int, at: int) -> int:
    """The most that may be allocated at once: equity x max_total x multiplier, micro-units."""
    return equity * state.mandate.total_percent_ppm * budget_multiplier(state, at) // (PPM * PPM)
