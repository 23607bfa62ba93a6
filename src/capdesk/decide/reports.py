"""What the desk reports about itself, from its state alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from capdesk.decide.bookkeeping import mark_gain
from capdesk.decide.review import deployable
from capdesk.model.journal import Entry, Recycled
from capdesk.model.money import PPM, Amount
from capdesk.model.requests import Allocation, AsOf, RecycleEvent, moment
from capdesk.model.state import Pending, Position, State


def allocation(position: Position) -> Allocation:
    """An open allocation as people see it."""
    lease = position.lease_until
    return Allocation(
        market_id=position.market,
        amount=Amount.from_micro(position.amount),
        strategy=position.strategy,
        timestamp=moment(position.opened_at),
        orders=[Amount.from_micro(order) for order in position.orders],
        account=position.account,
        group=position.group,
        confirmed=lease is None,
        lease_until=None if lease is None else moment(lease),
        held=position.held,
        mark=None if position.mark is None else Amount.from_micro(position.mark),
    )


def as_of(state: State) -> AsOf:
    """The last entry that a report is true of."""
    return AsOf(state.sequence, moment(state.at))


def allocation_report(state: State, positions: list[Position], at: int) -> dict[str, Any]:
    """Seed 001's allocation report; amounts are exact, percentages rounded to six digits.

    What may be allocated in all is what it is at this moment, after the market's multiplier.
    """
    bankroll, allocated = state.bankroll, state.allocated
    total = deployable(state, max(0, equity_at(state, at)), at)
    return {
        "bankroll": Amount.from_micro(bankroll),
        "total_allocated": Amount.from_micro(allocated),
        "available": Amount.from_micro(available(state)),
        "utilization_percent": percent(allocated, bankroll),
        "max_total_allowed": Amount.from_micro(total),
        "headroom": Amount.from_micro(max(0, total - allocated)),
        "num_allocated_markets": len({position.market for position in positions}),
        "allocations": [
            {
                "market_id": position.market,
                "amount": Amount.from_micro(position.amount),
                "strategy": position.strategy,
                "timestamp": moment(position.opened_at),
                "orders": [Amount.from_micro(order) for order in position.orders or (position.amount,)],
            }
            for position in positions
        ],
        "as_of": as_of(state),
    }


def equity_at(state: State, at: int) -> int:
    """Micro-units of equity at a time: marks may have turned stale since the last entry."""
    if at < state.stale_at:
        return state.equity
    return state.bankroll + sum(mark_gain(position, state.mandate, at) for position in positions(state))


def positions(state: State, at: int = 0) -> list[Position]:
    """The open allocations."""
    return [position for _, position in state.positions.entries() if position is not None]


def available(state: State, at: int = 0) -> int:
    """Micro-units that no allocation holds and that are not in transit."""
    return max(0, state.bankroll - state.transit_total - state.allocated)


def percent(part: int, whole: int) -> Amount:
    """A share in percent, rounded down to six digits; 0 of nothing."""
    return Amount.from_micro(part * 100 * PPM // whole) if whole > 0 else Amount(0)


def daily_stats(state: State, at: int) -> dict[str, Any]:
    """Seed 001's recycling statistics of the day that an instant belongs to."""
    day = state.day
    today = day.number == state.mandate.day_of(at) and day.recycles > 0
    return {
        "recycles_today": day.recycles if today else 0,
        "capital_recycled_today": Amount.from_micro(day.capital if today else 0),
        "total_pnl_today": Amount.from_micro(day.pnl if today else 0),
        "avg_recycle_time_seconds": Amount.from_micro(day.waited // day.recycles if today else 0),
        "pending_recycles": len(state.pending),
        "as_of": as_of(state),
    }


def pending_event(pending: Pending) -> RecycleEvent:
    """A queued recycling as people see it."""
    return RecycleEvent(
        event_id=pending.event_id,
        market_id=pending.market,
        strategy=pending.strategy,
        amount=Amount.from_micro(pending.amount),
        pnl=Amount.from_micro(pending.pnl),
        resolved_at=moment(pending.resolved_at),
    )


def recycled_event(entry: Entry) -> RecycleEvent | None:
    """The recycling that an entry carried out, as people see it; None where it carried out none."""
    for event in entry.events:
        if isinstance(event, Recycled):
            return RecycleEvent(
                event_id=event.event_id,
                market_id=event.market,
                strategy=event.strategy,
                amount=Amount.from_micro(event.amount),
                pnl=Amount.from_micro(event.pnl),
                resolved_at=moment(event.resolved_at),
                recycled_at=entry.time,
            )
    return None


def orphans(state: State, at: int, silent: int, heard: Collection[str] = ()) -> list[Allocation]:
    """Allocations whose strategy was not heard of for so long, and leases that ended unconfirmed.

    `heard` names strategies that were heard of beside the journal.
    """
    return [
        allocation(position)
        for position in positions(state)
        if position.held
        or (
            position.strategy not in heard
            and at - max(state.heard[position.strategy], position.opened_at) >= silent
        )
    ]
