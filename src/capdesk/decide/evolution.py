"""How events change the desk's state: the fold of its journal.

`evolve` changes the working copy it is given, and is the only thing that does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from capdesk.decide.bookkeeping import (
    age_ids,
    book_flow,
    book_pnl,
    change_position,
    close_position,
    group_under,
    open_position,
    regroup,
    revalue,
    sleeve_under,
)
from capdesk.decide.orders import order_sizes
from capdesk.decide.risk.breakers import count_today
from capdesk.decide.unit_value import found_units, mark_peak, watch_drawdown
from capdesk.model import journal as j
from capdesk.model.commands import Released
from capdesk.model.errors import CorruptLedger
from capdesk.model.mandate import DAY
from capdesk.model.requests import AllocationResult, Granted, Refused
from capdesk.model.rules import Breaker
from capdesk.model.state import Day, Halt, Pending, Position, Recall, State, Transit, Untold


def evolve(state: State, event: j.Event, sequence: int, at: int) -> None:
    """Carry one event into a working copy of the state."""
    _EVOLVERS[type(event)](state, event, sequence, at)
    # While equity is half marked, neither a high-water mark nor a drawdown may come of it.
    if state.mandate.drawdown_ppm is not None and not (type(event) is j.Marked and event.more):
        watch_drawdown(state, at)


def _granted(state: State, event: Granted, sequence: int, at: int) -> None:
    state.heard[event.strategy] = at
    if not event.increase:
        new = Position(
            market=event.market,
            strategy=event.strategy,
            amount=event.amount,
            account=event.account,
            opened=sequence,
            opened_at=at,
            sleeve=event.sleeve,
            group=event.group,
            orders=event.orders,
            lease_until=event.lease_until,
        )
        if state.expired[event.market, event.strategy]:
            state.expired.put((event.market, event.strategy), 0)
        open_position(state, new)
        return
    old = _position(state, event.market, event.strategy)
    amount = old.amount + event.amount
    mark = None if old.mark is None else old.mark + event.amount
    change_position(
        state, old, replace(old, amount=amount, mark=mark, orders=order_sizes(state.mandate, amount)), at
    )


def _refused(state: State, event: Refused, sequence: int, at: int) -> None:
    if event.code is not AllocationResult.LEASE_EXPIRED and event.strategy:
        state.heard[event.strategy] = at


def _confirmed(state: State, event: j.Confirmed, sequence: int, at: int) -> None:
    old = _position(state, event.market, event.strategy)
    state.heard[event.strategy] = at
    if event.amount == 0:
        close_position(state, old, at)
        mark_peak(state)
        return
    mark = old.mark if old.mark is None else old.mark * event.amount // old.amount
    change_position(
        state,
        old,
        replace(old, amount=event.amount, orders=event.orders, lease_until=None, held=False, mark=mark),
        at,
    )
    mark_peak(state)


def _released(state: State, event: Released, sequence: int, at: int) -> None:
    old = _position(state, event.market, event.strategy)
    if event.rest == 0:
        close_position(state, old, at)
    else:
        mark = old.mark if old.mark is None else old.mark * event.rest // old.amount
        orders = order_sizes(state.mandate, event.rest)
        change_position(state, old, replace(old, amount=event.rest, orders=orders, mark=mark), at)
    book_pnl(state, event.account, event.pnl, event.fees)
    count_today(state, event.pnl - event.fees, at)
    _earn(state, event, 1)
    if event.event_id is None:
        state.heard[event.strategy] = at


def _earn(state: State, released: Released, sign: int) -> None:
    if released.sleeve is not None:
        net = sign * (released.pnl - released.fees)
        state.earned.put(released.sleeve, state.earned[released.sleeve] + net)


def _restored(state: State, event: j.Restored, sequence: int, at: int) -> None:
    was = event.released
    old = state.positions[was.market, was.strategy]
    amount = was.amount + (0 if old is None else old.amount)
    if old is None:
        new = Position(
            market=was.market,
            strategy=was.strategy,
            amount=amount,
            account=was.account,
            opened=was.opened,
            opened_at=was.opened_at,
            sleeve=sleeve_under(state.mandate, was.strategy, was.sleeve),
            group=group_under(state.mandate, was.market, was.group),
            orders=order_sizes(state.mandate, amount),
            queued=was.queued if was.queued is not None and state.pending[was.queued] is not None else None,
        )
        open_position(state, new)
    else:
        mark = None if old.mark is None else old.mark + was.amount
        new = replace(old, amount=amount, mark=mark, orders=order_sizes(state.mandate, amount))
        change_position(state, old, new, at)
    book_pnl(state, was.account, -was.pnl, -was.fees)
    count_today(state, was.fees - was.pnl, at)
    _earn(state, was, -1)
    state.reversed[event.release] = True


def _marked(state: State, event: j.Marked, sequence: int, at: int) -> None:
    old = _position(state, event.market, event.strategy)
    change_position(state, old, replace(old, mark=event.value, marked_at=event.valued_at), at)
    if not event.more:
        mark_peak(state)
    state.heard[event.strategy] = at


def _departed(state: State, event: j.Departed, sequence: int, at: int) -> None:
    state.balances.put(event.source, state.balances[event.source] - event.amount)
    state.transit_total += event.amount
    state.transits[event.transfer] = Transit(
        event.transfer, event.amount, event.source, event.target, event.arrives_at
    )


def _arrived(state: State, event: j.Arrived, sequence: int, at: int) -> None:
    state.balances.put(event.target, state.balances[event.target] + event.amount)
    state.transit_total -= event.amount
    state.transits.put(event.transfer, None)


def _queued(state: State, event: j.Queued, sequence: int, at: int) -> None:
    state.pending[event.event_id] = Pending(
        event_id=event.event_id,
        market=event.market,
        strategy=event.strategy,
        resolved_at=at,
        due_at=event.due_at,
        amount=event.amount,
        pnl=event.pnl,
        fees=event.fees,
        opened=event.opened,
    )
    if event.opened is not None:
        old = _position(state, event.market, event.strategy)
        change_position(state, old, replace(old, queued=event.event_id), at)
        state.heard[event.strategy] = at


def _to_be_told(state: State, event: j.ToBeTold, sequence: int, at: int) -> None:
    pending = state.pending[event.event_id]
    if pending is None:
        raise CorruptLedger(f"the journal speaks of a recycling that is not queued: {event.event_id}")
    state.pending[event.event_id] = replace(pending, notify=True)


def _recycled(state: State, event: j.Recycled, sequence: int, at: int) -> None:
    state.pending.put(event.event_id, None)
    number, day = state.mandate.day_of(at), state.day
    if day.number != number:
        day = Day(number)
    state.day = Day(
        number,
        day.recycles + 1,
        day.capital + event.amount,
        day.pnl + event.pnl,
        day.waited + at - event.resolved_at,
    )
    if event.notify:
        state.untold[event.event_id] = Untold(
            event.event_id, event.market, event.strategy, event.amount, event.pnl, event.resolved_at, at
        )


def _lease_ended(state: State, event: j.LeaseEnded, sequence: int, at: int) -> None:
    old = _position(state, event.market, event.strategy)
    if not event.freed:
        change_position(state, old, replace(old, held=True), at)
        return
    close_position(state, old, at)
    mark_peak(state)
    state.expired[event.market, event.strategy] = at
    for key, when in list(state.expired.entries()):
        if when + max(DAY, state.mandate.id_retention) < at:
            state.expired.put(key, 0)


def _founded(state: State, event: j.Founded, sequence: int, at: int) -> None:
    state.mandate, state.mandate_version = event.mandate, 1
    state.id_since = at
    state.deposits = event.bankroll
    state.balances[event.account] = event.bankroll
    found_units(state)


def _mandate_changed(state: State, event: j.MandateChanged, sequence: int, at: int) -> None:
    before = state.mandate
    state.mandate, state.mandate_version = event.mandate, event.version
    regroup(state, before)
    revalue(state, at)
    age_ids(state, at)


def _reconciled(state: State, event: j.Reconciled, sequence: int, at: int) -> None:
    book_pnl(state, event.account, event.amount)
    count_today(state, event.amount, at)


def _market_observed(state: State, event: j.MarketObserved, sequence: int, at: int) -> None:
    state.risk = event.risk
    rules, gas = state.mandate.breakers, None if event.risk.seen is None else event.risk.seen.gas_price
    if rules is None or rules.gas_above is None or (gas is not None and gas <= rules.gas_above):
        state.gas_high_since = 0
    elif gas is not None and state.gas_high_since == 0:
        state.gas_high_since = event.risk.observed_at


def _breaker_tripped(state: State, event: j.BreakerTripped, sequence: int, at: int) -> None:
    latched = state.breakers[event.name]
    state.breakers[event.name] = Breaker(event.name, at if latched is None else latched.since, event.reason)


def _budgets_published(state: State, event: j.BudgetsPublished, sequence: int, at: int) -> None:
    state.published, state.budget_version, state.paused = event.budgets, event.version, event.paused


def _recalled(state: State, event: j.Recalled, sequence: int, at: int) -> None:
    if event.amount == 0:
        state.recalls.put(event.sleeve, None)
        return
    old = state.recalls[event.sleeve]
    since, worst = (at, 0) if old is None else (old.since, old.worst)
    state.recalls[event.sleeve] = Recall(
        event.sleeve, event.amount, since, event.deadline, max(worst, event.amount)
    )


def _resumed(state: State, event: j.Resumed, sequence: int, at: int) -> None:
    state.halt = None
    found_units(state)


def _position(state: State, market: str, strategy: str) -> Position:
    position = state.positions[market, strategy]
    if position is None:
        raise CorruptLedger(f"the journal speaks of an allocation that is not open: {market}, {strategy}")
    return position


_EVOLVERS: dict[type, Callable[[State, Any, int, int], None]] = {
    j.Founded: _founded,
    Granted: _granted,
    Refused: _refused,
    j.Confirmed: _confirmed,
    Released: _released,
    j.Restored: _restored,
    j.Marked: _marked,
    j.Flowed: lambda s, e, n, at: book_flow(s, e.account, e.amount),
    j.Reconciled: _reconciled,
    j.Departed: _departed,
    j.Arrived: _arrived,
    j.Queued: _queued,
    j.ToBeTold: _to_be_told,
    j.Recycled: _recycled,
    j.Told: lambda s, e, n, at: s.untold.put(e.event_id, None),
    j.LeaseEnded: _lease_ended,
    j.MandateChanged: _mandate_changed,
    j.MarketObserved: _market_observed,
    j.BreakerTripped: _breaker_tripped,
    j.BreakerLifted: lambda s, e, n, at: s.breakers.put(e.name, None),
    j.BudgetsPublished: _budgets_published,
    j.Recalled: _recalled,
    j.Halted: lambda s, e, n, at: setattr(s, "halt", Halt(at if s.halt is None else s.halt.at, e.reason)),
    j.Resumed: _resumed,
}
