"""How the desk's answers and figures are held against the model's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from capdesk import Allocation, CapitalAllocator, RecycleEvent, Verdict
from tests.reference_model import Decision, Model, Recycling

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DRAWDOWN_TOLERANCE = Fraction(1, 10**6)


def micros(value: Any) -> Fraction:
    """A figure of the desk as an exact fraction."""
    return Fraction(str(value))


def microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


def check_verdict(expected: Decision, verdict: Verdict, version: int) -> None:
    assert (verdict.result.value, micros(verdict.amount)) == (expected.result, expected.amount)
    assert verdict.granted == (expected.result == "success")
    assert verdict.bound_by == expected.bound_by
    assert verdict.mandate_version == version
    rooms = [(it.name, micros(it.limit), micros(it.used), micros(it.room)) for it in verdict.rooms]
    assert rooms == [(it.name, it.limit, it.used, it.room) for it in expected.rooms]


def check_report(desk: CapitalAllocator, model: Model) -> None:
    report = desk.get_allocation_report()
    for name, value in model.report().items():
        assert micros(report[name]) == value, name
    assert micros(desk.bankroll) == model.bankroll
    assert micros(desk.equity) == model.equity()
    if model.unit_value_known:
        expected = model.drawdown()
        difference = abs(micros(desk.drawdown) - expected)
        assert difference <= DRAWDOWN_TOLERANCE, f"{desk.drawdown} instead of {float(expected)}"
    given = {
        (it["market_id"], it["strategy"]): (micros(it["amount"]), [micros(order) for order in it["orders"]])
        for it in report["allocations"]
    }
    held = {key: (it.amount, list(it.orders) or [it.amount]) for key, it in model.held.items()}
    assert given == held


def check_allocations(allocations: list[Allocation], model: Model) -> None:
    assert {(it.market_id, it.strategy) for it in allocations} == model.held.keys()
    assert len(allocations) == len(model.held)
    for it in allocations:
        held = model.held[it.market_id, it.strategy]
        assert micros(it.amount) == held.amount
        assert [micros(order) for order in it.orders] == list(held.orders)
        assert (it.account, it.group, it.held) == (held.account, held.group, held.held)
        assert it.confirmed == (held.lease_until is None)
        assert (it.lease_until and microseconds(it.lease_until)) == held.lease_until
        assert (None if it.mark is None else micros(it.mark)) == held.mark
        assert microseconds(it.timestamp) == held.opened_at


def same(event: RecycleEvent, expected: Recycling) -> None:
    assert (event.market_id, micros(event.amount), micros(event.pnl)) == (
        expected.market,
        expected.amount,
        expected.pnl,
    )
    assert microseconds(event.resolved_at) == expected.resolved_at
    assert (event.recycled_at and microseconds(event.recycled_at)) == expected.recycled_at
    assert event.is_pending() == (expected.recycled_at is None)
    if not expected.event_id.startswith("forced-"):
        assert event.event_id == expected.event_id


def check_pending(events: list[RecycleEvent], model: Model) -> None:
    waiting = sorted(model.queue.values(), key=lambda it: (it.due_at, it.event_id))
    assert len(events) == len(waiting)
    for event, expected in zip(events, waiting, strict=True):
        same(event, expected)


def check_history(events: list[RecycleEvent], model: Model) -> None:
    assert len(events) == len(model.history)
    for event, expected in zip(events, reversed(model.history), strict=True):
        same(event, expected)
