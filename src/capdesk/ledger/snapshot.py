"""The state as bytes: what a ledger keeps so that opening need not read the whole journal.

Totals are not trusted: they are added up again from the allocations, and compared.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from capdesk.ledger.invariants import check_in_full
from capdesk.model.errors import CorruptLedger
from capdesk.model.mandate import Mandate
from capdesk.model.rules import Breaker, Budget, Risk, Today
from capdesk.model.state import (
    Day,
    Halt,
    Key,
    MarketUse,
    Pending,
    Position,
    Recall,
    State,
    Transit,
    Untold,
)

FORMAT = 3
"""Raised when the form changes, or the fold its meaning: older snapshots are then passed over."""


class Snapshot(Struct, frozen=True):
    """A state as it is written, with the hash of its last entry."""

    hash: bytes
    sequence: int
    at: int
    mandate: Mandate
    mandate_version: int
    deposits: int
    withdrawals: int
    pnl: int
    fees: int
    allocated: int
    units: int
    peak_equity: int
    peak_units: int
    worst_ppb: int
    mark_excess: int
    stale_at: int
    transit_total: int
    id_period: int
    id_since: int
    halt: Halt | None
    risk: Risk
    paused: tuple[str, ...]
    budget_version: int
    published: tuple[Budget, ...]
    today: Today
    gas_high_since: int
    day: Day
    balances: dict[str, int]
    positions: list[Position]
    expired: list[tuple[Key, int]]
    pending: list[Pending]
    untold: list[Untold]
    transits: list[Transit]
    recalls: list[Recall]
    breakers: list[Breaker]
    heard: dict[str, int]
    earned: dict[str, int]
    reversed: list[int]


# JSON, for its integers know no bound: turnover, marks and units outgrow 64 bits.
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Snapshot)


def write_snapshot(state: State, last_hash: bytes) -> bytes:
    """The bytes of a state."""
    return _encode(
        Snapshot(
            hash=last_hash,
            **state.scalars(),
            balances=dict(state.balances),
            positions=_values(state.positions),
            expired=list(state.expired.items()),
            pending=_values(state.pending),
            untold=_values(state.untold),
            transits=_values(state.transits),
            recalls=_values(state.recalls),
            breakers=_values(state.breakers),
            heard=dict(state.heard),
            earned=dict(state.earned),
            reversed=list(state.reversed),
        )
    )


def _values(table: dict[Any, Any]) -> list[Any]:
    return list(table.values())


def read_snapshot(body: bytes) -> tuple[State, bytes]:
    """The state of a snapshot and the hash of its last entry, checked in full.

    Raises
    ------
    CorruptLedger
        If it cannot be read or its totals do not add up.
    """
    try:
        snapshot = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptLedger(f"a snapshot cannot be read: {error}") from error
    state = State()
    for name in state.scalars():
        setattr(state, name, getattr(snapshot, name))
    state.balances.update(snapshot.balances)
    for position in snapshot.positions:
        _open(state, position)
    state.expired.update(snapshot.expired)
    state.pending.update((pending.event_id, pending) for pending in snapshot.pending)
    state.untold.update((untold.event_id, untold) for untold in snapshot.untold)
    state.transits.update((transit.transfer, transit) for transit in snapshot.transits)
    state.recalls.update((recall.sleeve, recall) for recall in snapshot.recalls)
    state.breakers.update((breaker.name, breaker) for breaker in snapshot.breakers)
    state.heard.update(snapshot.heard)
    state.earned.update(snapshot.earned)
    state.reversed.update(dict.fromkeys(snapshot.reversed, True))
    check_in_full(state)
    return state, snapshot.hash


def _open(state: State, position: Position) -> None:
    key = (position.market, position.strategy)
    use = state.markets[position.market]
    state.positions[key] = position
    state.markets[position.market] = MarketUse(
        use.used + position.amount, (*use.strategies, position.strategy)
    )
    state.by_account[position.account] += position.amount
    state.by_strategy[position.strategy] += position.amount
    if position.sleeve is not None:
        state.by_sleeve[position.sleeve] += position.amount
    if position.group is not None:
        state.by_group[position.group] += position.amount
    if position.lease_until is not None and not position.held:
        state.leases[key] = position.lease_until


def same_state(one: State, other: State) -> bool:
    """Whether two states are the same in every figure."""
    return _sorted(one) == _sorted(other)


def _sorted(state: State) -> dict[str, Any]:
    plain = msgspec.json.decode(write_snapshot(state, b""))
    return {
        name: sorted(value, key=repr) if isinstance(value, list) else value for name, value in plain.items()
    }
