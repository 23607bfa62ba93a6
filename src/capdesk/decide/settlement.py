"""How granted capital is confirmed, marked, given back and recycled.

Every function here looks at the state and returns the events that follow; none changes it.
"""

from __future__ import annotations

from msgspec.structs import replace

from capdesk.decide.bookkeeping import mark_gain
from capdesk.decide.orders import order_sizes
from capdesk.model.commands import (
    AskToTell,
    Confirm,
    Mark,
    MarkAll,
    QueueRecycle,
    Recycle,
    Release,
    Released,
    ReverseRelease,
)
from capdesk.model.errors import InvalidInput, UnknownAllocation
from capdesk.model.journal import (
    Confirmed,
    Event,
    LeaseEnded,
    Marked,
    Queued,
    Recycled,
    Restored,
    ToBeTold,
)
from capdesk.model.money import MAX_MICRO, usd
from capdesk.model.requests import AllocationResult, Refused
from capdesk.model.state import Position, State


def find(state: State, market: str, strategy: str | None) -> Position | None:
    """The open allocation of a market; with several strategies in it, one must be named.

    Raises
    ------
    InvalidInput
        If the market holds capital for several strategies and none is named.
    """
    if strategy is not None:
        return state.positions[market, strategy]
    strategies = state.markets[market].strategies
    if len(strategies) > 1:
        raise InvalidInput(f"{market} holds capital for {', '.join(strategies)}: name one with strategy=...")
    return state.positions[market, strategies[0]] if strategies else None


def must_find(state: State, market: str, strategy: str | None) -> Position:
    """The open allocation of a market.

    Raises
    ------
    UnknownAllocation
        If it holds nothing.
    """
    position = find(state, market, strategy)
    if position is None:
        whose = f" for {strategy}" if strategy else ""
        raise UnknownAllocation(f"{market} holds no allocation{whose}")
    return position


def confirm(state: State, command: Confirm, at: int) -> tuple[Event, ...]:
    """Turn a lease into an allocation; what was not filled goes back."""
    position = find(state, command.market, command.strategy)
    if position is None:
        return (_unconfirmable(state, command),)
    filled = position.amount if command.filled is None else command.filled
    if not 0 <= filled <= position.amount:
        raise InvalidInput(
            f"filled must lie between 0 and the {usd(position.amount)} that {command.market} holds, "
            f"got {usd(filled)}"
        )
    orders = position.orders if filled == position.amount else order_sizes(state.mandate, filled)
    return (
        Confirmed(
            market=position.market,
            strategy=position.strategy,
            amount=filled,
            version=state.mandate_version,
            returned=position.amount - filled,
            orders=orders,
        ),
    )


def _unconfirmable(state: State, command: Confirm) -> Refused:
    names = [name for (market, name), _ in state.expired.entries() if market == command.market]
    strategy = command.strategy if command.strategy is not None else next(iter(names), "")
    if state.expired[command.market, strategy]:
        code, detail = (
            AllocationResult.LEASE_EXPIRED,
            f"the lease of {command.market} ended and its capital was freed: request it again",
        )
    else:
        code, detail = AllocationResult.NOT_ALLOCATED, f"{command.market} holds nothing to confirm"
    return Refused(
        market=command.market, strategy=strategy, code=code, version=state.mandate_version, detail=detail
    )


def release(state: State, command: Release, event_id: str | None = None) -> tuple[Event, ...]:
    """Give capital back with its P&L; nothing happens for a market that holds nothing."""
    position = find(state, command.market, command.strategy)
    if position is None:
        return ()
    amount = position.amount if command.amount is None else command.amount
    if not 0 < amount <= position.amount:
        raise InvalidInput(
            f"amount must be above 0 and at most the {usd(position.amount)} that {command.market} holds, "
            f"got {usd(amount)}"
        )
    guard_bankroll(state, command.pnl - command.fees)
    return (_released(position, amount, command.pnl, command.fees, event_id),)


def _released(position: Position, amount: int, pnl: int, fees: int, event_id: str | None) -> Released:
    return Released(
        market=position.market,
        strategy=position.strategy,
        account=position.account,
        amount=amount,
        opened=position.opened,
        opened_at=position.opened_at,
        pnl=pnl,
        fees=fees,
        rest=position.amount - amount,
        sleeve=position.sleeve,
        group=position.group,
        event_id=event_id,
        queued=position.queued,
    )


def guard_bankroll(state: State, change: int) -> None:
    """Refuse what would carry the bankroll beyond what an integer of the ledger holds."""
    if not -MAX_MICRO <= state.bankroll + change <= MAX_MICRO:
        raise InvalidInput(f"the bankroll must stay within {usd(MAX_MICRO)}, this would add {usd(change)}")


def reverse(state: State, command: ReverseRelease) -> tuple[Event, ...]:
    """Undo a release by a new entry: its allocation is open again, its P&L and fees taken back.

    Raises
    ------
    InvalidInput
        If it was reversed before, its account is gone, or the allocation's place is taken by another.
    """
    released = command.released
    if state.reversed[command.release]:
        raise InvalidInput(f"the release in entry {command.release} was reversed before")
    if released.account not in state.mandate.accounts:
        raise InvalidInput(
            f"the release of {released.market} cannot be reversed: its account {released.account!r} is gone; "
            "name it in accounts again with update_mandate"
        )
    held = state.positions[released.market, released.strategy]
    if held is not None and held.opened != released.opened:
        raise InvalidInput(
            f"{released.market} holds {usd(held.amount)} anew for {released.strategy}: "
            "release it before the reversal"
        )
    if held is None and state.markets[released.market].strategies and not state.mandate.share_markets:
        raise InvalidInput(f"{released.market} is held by another strategy: release it before the reversal")
    guard_bankroll(state, released.fees - released.pnl)
    return (Restored(release=command.release, released=released, reason=command.reason),)


def mark(state: State, command: Mark, at: int) -> tuple[Event, ...]:
    """Value an open allocation."""
    return mark_all(state, MarkAll((command,)), at)


def mark_all(state: State, command: MarkAll, at: int) -> tuple[Event, ...]:
    """Value open allocations at one moment.

    Raises
    ------
    UnknownAllocation
        If a market holds nothing.
    InvalidInput
        For a mark of the future, one older than the last, and an allocation that is marked twice.
    """
    marked = [_marked(state, each, at) for each in command.marks]
    keys = {(position.market, position.strategy) for position, _ in marked}
    if len(keys) < len(marked):
        raise InvalidInput("values must name each allocation once")
    equity = state.equity + sum(
        mark_gain(new, state.mandate, at) - mark_gain(old, state.mandate, at) for old, new in marked
    )
    last = len(marked) - 1
    return tuple(
        Marked(new.market, new.strategy, new.mark or 0, new.marked_at, equity, more=number < last)
        for number, (_, new) in enumerate(marked)
    )


def _marked(state: State, command: Mark, at: int) -> tuple[Position, Position]:
    """An allocation as it is, and with its new mark."""
    position = must_find(state, command.market, command.strategy)
    valued_at = at if command.at is None else command.at
    if valued_at > at:
        raise InvalidInput("at must not lie in the future: a mark is a value that was seen")
    if position.mark is not None and valued_at < position.marked_at:
        raise InvalidInput(f"{command.market} has a later mark: a mark must not be older than the one before")
    guard_bankroll(state, command.value)
    return position, replace(position, mark=command.value, marked_at=valued_at)


def queue_recycle(state: State, command: QueueRecycle, event_id: str, at: int) -> tuple[Event, ...]:
    """Queue the capital of a resolved market; one that holds nothing is recorded with amount 0.

    Raises
    ------
    InvalidInput
        If the same allocation is queued with another P&L already, for a P&L that no ledger
        holds, or if another event has that id and waits or is not told yet.
    """
    position = find(state, command.market, command.strategy)
    due_at = at + (state.mandate.recycle_delay if command.delay is None else command.delay)
    if position is None:
        _refuse_known_event(state, event_id)
        strategy = command.strategy or ""
        return (Queued(event_id=event_id, market=command.market, strategy=strategy, amount=0, due_at=due_at),)
    queued = None if position.queued is None else state.pending[position.queued]
    if queued is not None:
        if (queued.pnl, queued.fees) == (command.pnl, command.fees):
            return ()
        raise InvalidInput(
            f"{command.market} is queued already as {queued.event_id} with P&L {usd(queued.pnl)}, "
            f"now {usd(command.pnl)} was given: recycle it, then reverse_release it if the outcome was wrong"
        )
    _refuse_known_event(state, event_id)
    guard_bankroll(state, command.pnl - command.fees)
    return (
        Queued(
            event_id=event_id,
            market=position.market,
            strategy=position.strategy,
            amount=position.amount,
            due_at=due_at,
            opened=position.opened,
            pnl=command.pnl,
            fees=command.fees,
        ),
    )


def _refuse_known_event(state: State, event_id: str) -> None:
    """An event may wait longer than request ids are kept."""
    if state.pending[event_id] is not None or state.untold[event_id] is not None:
        raise InvalidInput(f"request_id {event_id!r} names an event that waits: use another")


def ask_to_tell(state: State, command: AskToTell) -> tuple[Event, ...]:
    """Remember that a queued event is to be told; nothing, where it frees nothing or that is known."""
    pending = state.pending[command.event_id]
    if pending is None or pending.opened is None or pending.notify:
        return ()
    return (ToBeTold(command.event_id),)


def recycle(state: State, command: Recycle, at: int) -> tuple[Event, ...]:
    """Free the capital of a queued event; what was carried out before, or is unknown, does nothing."""
    pending = state.pending[command.event_id]
    if pending is None:
        return ()
    position = state.positions[pending.market, pending.strategy]
    freed: tuple[Released, ...] = ()
    if position is not None and pending.opened == position.opened:
        guard_bankroll(state, pending.pnl - pending.fees)
        freed = (_released(position, position.amount, pending.pnl, pending.fees, command.event_id),)
    return (
        *freed,
        Recycled(
            event_id=pending.event_id,
            market=pending.market,
            strategy=pending.strategy,
            amount=freed[0].amount if freed else 0,
            resolved_at=pending.resolved_at,
            pnl=freed[0].pnl if freed else 0,
            notify=pending.notify and bool(freed),
        ),
    )


def expire(state: State, at: int) -> tuple[Event, ...]:
    """Leases that are over: held, or freed, as the mandate says."""
    over = sorted(key for key, until in state.leases.entries() if 0 < until <= at)
    events: list[Event] = []
    for market, strategy in over:
        position = state.positions[market, strategy]
        assert position is not None, f"a lease without its allocation: {market}, {strategy}"
        freed = position.amount if state.mandate.on_expiry == "free" else 0
        events.append(LeaseEnded(market, strategy, freed))
    return tuple(events)
