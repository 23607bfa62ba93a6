"""Input that a desk must refuse: for each argument how to give it to a verb, and what to give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from capdesk import CapitalAllocator, CapitalRecycler

NAN, INFINITY = float("nan"), float("inf")
Call = Callable[[CapitalAllocator, Any], Awaitable[object]]


def recycler(desk: CapitalAllocator) -> CapitalRecycler:
    return CapitalRecycler(None, desk)


def leg(**fields: Any) -> list[dict[str, Any]]:
    return [{"market_id": "m", "requested_amount": 5, **fields}]


# argument -> how to give it to a verb; "held" is an open allocation of $5.
NUMBERS: dict[str, Call] = {
    "requested_amount": lambda desk, it: desk.request_allocation("m", it),
    "requested_amount (quote)": lambda desk, it: desk.quote("m", it),
    "requested_amount (leg)": lambda desk, it: desk.request_allocations(leg(requested_amount=it)),
    "requested_amount (increase)": lambda desk, it: desk.increase_allocation("held", it),
    "min_amount": lambda desk, it: desk.request_allocation("m", 5, min_amount=it),
    "lease_seconds": lambda desk, it: desk.request_allocation("m", 5, lease_seconds=it),
    "deadline_seconds": lambda desk, it: desk.request_allocation("m", 5, deadline_seconds=it),
    "pnl": lambda desk, it: desk.release_allocation("held", it),
    "fees": lambda desk, it: desk.release_allocation("held", fees=it),
    "amount (release)": lambda desk, it: desk.release_allocation("held", amount=it),
    "filled": lambda desk, it: desk.confirm_allocation("held", it),
    "value": lambda desk, it: desk.mark_allocation("held", it),
    "amount (deposit)": lambda desk, it: desk.deposit(it),
    "amount (withdraw)": lambda desk, it: desk.withdraw(it),
    "amount (update_bankroll)": lambda desk, it: desk.update_bankroll(it),
    "amount (transfer)": lambda desk, it: desk.transfer(it, "main", "other"),
    "transit_seconds": lambda desk, it: desk.transfer(1, "main", "other", it),
    "cash": lambda desk, it: desk.sync_with_wallet(it),
    "silent_seconds": lambda desk, it: desk.get_orphans(it),
    "pnl (queue)": lambda desk, it: recycler(desk).queue_recycle("held", it),
    "fees (queue)": lambda desk, it: recycler(desk).queue_recycle("held", fees=it),
    "delay_seconds": lambda desk, it: recycler(desk).queue_recycle("held", delay_seconds=it),
    "deadline_seconds (queue)": lambda desk, it: recycler(desk).queue_recycle("held", deadline_seconds=it),
}
NO_NUMBERS = [
    (NAN, "nan"),
    (INFINITY, "inf"),
    (-INFINITY, "-inf"),
    (Decimal("NaN"), "NaN"),
    ("Infinity", "Infinity"),
    (True, "boolean True"),
    (False, "boolean False"),
    ("ten", "'ten'"),
    ("", "''"),
    ([5], "list"),
    (5j, "complex"),
    ("1e1000000", "'1e1000000'"),
    (10**30, str(10**30)),
    (Decimal("1e1000000"), "1E+1000000"),
]
NOT_BELOW_ZERO = [name for name in NUMBERS if not name.startswith(("requested_amount", "pnl"))]
ABOVE_ZERO = [
    name for name in NUMBERS if name.startswith(("amount", "min_amount", "lease_seconds", "deadline_seconds"))
]
NAMES: dict[str, Call] = {
    "market_id": lambda desk, it: desk.request_allocation(it, 5),
    "market_id (quote)": lambda desk, it: desk.quote(it, 5),
    "market_id (leg)": lambda desk, it: desk.request_allocations(leg(market_id=it)),
    "market_id (increase)": lambda desk, it: desk.increase_allocation(it, 5),
    "market_id (confirm)": lambda desk, it: desk.confirm_allocation(it),
    "market_id (mark)": lambda desk, it: desk.mark_allocation(it, 5),
    "market_id (release)": lambda desk, it: desk.release_allocation(it),
    "market_id (explain)": lambda desk, it: desk.explain(it),
    "market_id (get_allocation)": lambda desk, it: desk.get_allocation(it),
    "market_id (queue)": lambda desk, it: recycler(desk).queue_recycle(it),
    "market_id (force)": lambda desk, it: recycler(desk).force_recycle(it),
    "strategy": lambda desk, it: desk.request_allocation("m", 5, it),
    "group": lambda desk, it: desk.request_allocation("m", 5, group=it),
    "account": lambda desk, it: desk.request_allocation("m", 5, account=it),
    "account (deposit)": lambda desk, it: desk.deposit(5, it),
    "source": lambda desk, it: desk.transfer(5, it, "other"),
    "target": lambda desk, it: desk.transfer(5, "main", it),
    "request_id": lambda desk, it: desk.request_allocation("m", 5, request_id=it),
    "request_id (queue)": lambda desk, it: recycler(desk).queue_recycle("held", request_id=it),
    "release_id": lambda desk, it: desk.reverse_release(it, reason="disputed"),
    "reason": lambda desk, it: desk.update_mandate({}, reason=it),
}
NO_NAMES = [
    ("", "''"),
    (" ", "' '"),
    ("m ", "'m '"),
    ("x" * 10_000, "10000 characters"),
    ("m\n", r"'m\n'"),
    ("a\x00b", r"'a\x00b'"),
    ("\ud800", r"'\ud800'"),
    (5, "int"),
    (True, "bool"),
    (b"m", "bytes"),
    (["m"], "list"),
]
OTHERS: dict[str, tuple[Call, object, tuple[str, ...]]] = {
    "min_amount above what is asked": (NUMBERS["min_amount"], 6, ("min_amount", "at most", "5", "6")),
    "filled above what is held": (NUMBERS["filled"], 6, ("filled", "between 0 and the $5.00", "$6.00")),
    "released above what is held": (NUMBERS["amount (release)"], 6, ("amount", "at most the $5.00", "$6.00")),
    "unknown group": (NAMES["group"], "eth", ("group", "btc", "'eth'")),
    "unknown account": (NAMES["account"], "third", ("account", "main, other", "'third'")),
    "unknown source": (NAMES["source"], "third", ("main, other", "'third'")),
    "transfer to itself": (NAMES["target"], "main", ("source and target", "'main'")),
    "unknown priority": (
        lambda desk, it: desk.request_allocation("m", 5, priority=it),
        "urgent",
        ("priority", "critical, high, normal", "'urgent'"),
    ),
    "all_or_none that is no boolean": (
        lambda desk, it: desk.request_allocation("m", 5, all_or_none=it),
        1,
        ("all_or_none", "True or False", "1"),
    ),
    "mark at a naive time": (
        lambda desk, it: desk.mark_allocation("held", 5, it),
        datetime(2026, 7, 24, 12, 0),  # noqa: DTZ001
        ("at", "time zone", "2026-07-24 12:00"),
    ),
    "mark at no time": (
        lambda desk, it: desk.mark_allocation("held", 5, it),
        "yesterday",
        ("at", "time zone", "'yesterday'"),
    ),
    "mark in the future": (
        lambda desk, it: desk.mark_allocation("held", 5, it),
        10**18,
        ("at must not lie in the future",),
    ),
    "history since a naive time": (
        lambda desk, it: recycler(desk).get_recycle_history(it),
        datetime(2026, 7, 24),  # noqa: DTZ001
        ("since", "time zone", "2026-07-24"),
    ),
    "history beyond any time": (
        lambda desk, it: recycler(desk).get_recycle_history(it),
        -1,
        ("since", "-1"),
    ),
    "history of a negative limit": (
        lambda desk, it: recycler(desk).get_recycle_history(limit=it),
        -1,
        ("limit", "0 up", "-1"),
    ),
    "history of half a limit": (
        lambda desk, it: recycler(desk).get_recycle_history(limit=it),
        1.5,
        ("limit", "whole number", "1.5"),
    ),
    "no legs": (lambda desk, it: desk.request_allocations(it), [], ("requests", "at least one")),
    "legs that are one mapping": (
        lambda desk, it: desk.request_allocations(it),
        leg()[0],
        ("must be a mapping", "str"),
    ),
    "legs that are no list": (
        lambda desk, it: desk.request_allocations(it),
        5,
        ("requests", "must be a list"),
    ),
    "a leg with an unknown field": (
        lambda desk, it: desk.request_allocations(it),
        leg(size=5),
        ("request 1", "market_id", "size"),
    ),
    "a leg named twice": (
        lambda desk, it: desk.request_allocations(it),
        [*leg(), *leg()],
        ("once", "m for sniper twice"),
    ),
}
