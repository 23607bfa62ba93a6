"""What the durability proofs share: an audit of a ledger file that trusts none of the desk's own sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import apsw

from capdesk.ledger.codec import Row, read_row
from capdesk.ledger.rules import TRANSITION
from capdesk.ledger.snapshot import same_state
from capdesk.ledger.tools import check
from capdesk.model.commands import Arrive, Expire, Released
from capdesk.model.journal import Confirmed, Entry, Flowed, Founded, MandateChanged
from capdesk.model.mandate import Mandate
from capdesk.model.money import PPM
from capdesk.model.requests import Granted
from capdesk.model.state import State

COLUMNS = "sequence, at, kind, market, request_id, body, hash"


@dataclass(slots=True)
class Audit:
    """A journal that was read whole, and the request ids kept beside it."""

    entries: list[Entry]
    rows: list[Row]
    ids: dict[str, int]

    @property
    def grants(self) -> int:
        """How many requests were granted."""
        return sum(isinstance(event, Granted) for entry in self.entries for event in entry.events)


@dataclass(slots=True)
class _Book:
    """Plain sums of what the events say; no total of the desk's state is used."""

    mandate: Mandate = field(default_factory=Mandate)
    bankroll: int = 0
    open: dict[tuple[str, str], int] = field(default_factory=dict)
    by_market: dict[str, int] = field(default_factory=dict)
    allocated: int = 0

    def move(self, market: str, strategy: str, amount: int) -> None:
        key = (market, strategy)
        self.open[key] = self.open.get(key, 0) + amount
        self.by_market[market] = self.by_market.get(market, 0) + amount
        self.allocated += amount
        assert self.open[key] >= 0, f"{market} gave back more than it held"
        if not self.open[key]:
            del self.open[key]

    def grant(self, event: Granted, sequence: int) -> None:
        limits = {
            "available": self.bankroll - self.allocated,
            "total": self.bankroll * self.mandate.total_percent_ppm // PPM - self.allocated,
            "market_percent": self.bankroll * self.mandate.market_percent_ppm // PPM
            - self.by_market.get(event.market, 0),
        }
        if self.mandate.market_absolute is not None:
            limits["market_absolute"] = self.mandate.market_absolute - self.by_market.get(event.market, 0)
        rooms = {room.name: room.limit - room.used for room in event.rooms}
        assert rooms == limits, f"entry {sequence} was decided on rooms that were not there"
        for name, room in limits.items():
            assert 0 < event.amount <= room, f"entry {sequence} goes over {name}: {event.amount} of {room}"
        if not event.increase:
            assert not self.by_market.get(event.market), f"entry {sequence} grants {event.market} twice"
        self.move(event.market, event.strategy, event.amount)

    def follow(self, entry: Entry) -> None:
        for event in entry.events:
            if isinstance(event, Founded):
                self.mandate, self.bankroll = event.mandate, event.bankroll
            elif isinstance(event, Granted):
                self.grant(event, entry.sequence)
            elif isinstance(event, Confirmed):
                self.move(event.market, event.strategy, -event.returned)
            elif isinstance(event, MandateChanged):
                self.mandate = event.mandate
            elif isinstance(event, Released):
                self.move(event.market, event.strategy, -event.amount)
                assert self.open.get((event.market, event.strategy), 0) == event.rest
                self.bankroll += event.pnl - event.fees
            elif isinstance(event, Flowed):
                self.bankroll += event.amount
                assert event.bankroll == self.bankroll


def read_journal(path: Path) -> Audit:
    """The journal as it stands in the file."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        db.set_busy_timeout(10_000)
        db.execute("BEGIN")
        rows = [Row(*row) for row in db.execute(f"SELECT {COLUMNS} FROM journal ORDER BY sequence")]
        ids = dict(db.execute("SELECT request_id, sequence FROM requests ORDER BY period"))
    finally:
        db.close()
    return Audit([read_row(row) for row in rows], rows, ids)


def audit(path: Path) -> Audit:
    """Read a whole ledger and prove it: hashes, pages, snapshots, every room of every grant, every id.

    For workloads without marks and transfers, so that equity is the bankroll and all cash is free.
    """
    report = check(path)
    assert report.problems == []
    journal = read_journal(path)
    assert report.entries == len(journal.entries)
    book, before = _Book(), 0
    for number, entry in enumerate(journal.entries, start=1):
        assert entry.sequence == number
        assert entry.at >= before, f"entry {number} lies before the one it follows"
        before = entry.at
        book.follow(entry)
        if not isinstance(entry.command, Expire | Arrive):
            assert journal.ids[entry.request_id] == number, f"the id of entry {number} was not kept with it"
    state = replay(journal)
    assert state.bankroll == book.bankroll
    assert state.allocated == book.allocated
    held = {key: position.amount for key, position in state.positions.items() if position is not None}
    assert held == book.open
    return journal


def replay(journal: Audit) -> State:
    """The state that follows from the entries alone, without any snapshot."""
    state = State()
    for entry in journal.entries:
        TRANSITION.tick(state, entry.at)
        for event in entry.events:
            TRANSITION.evolve(state, event, entry.sequence, entry.at)
        state.sequence, state.at = entry.sequence, entry.at
    return state


def assert_replays_to(state: State, journal: Audit) -> None:
    """A desk's state is the fold of its journal, in every figure."""
    assert same_state(state, replay(journal))
