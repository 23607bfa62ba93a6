"""A journal replayed from scratch: every decision, hash and figure comes out again."""

from __future__ import annotations

from collections.abc import Callable

from capdesk.decide import transition
from capdesk.ledger.codec import GENESIS, Row, read_row, verify_row, write_row
from capdesk.ledger.invariants import check_in_full
from capdesk.ledger.snapshot import same_state
from capdesk.model.journal import Body, Entry
from capdesk.model.state import State


def check_replay(rows: list[Row], published: State) -> None:
    """Decide each command of a journal anew; the events, the chain of hashes and the state are the same."""
    state, last_hash = State(), GENESIS
    for row in rows:
        verify_row(row, last_hash, state.sequence + 1)
        entry = read_row(row)
        transition.tick(state, entry.at)
        events = transition.decide(state, entry.command, entry.request_id, entry.at)
        assert events == entry.events
        again = write_row(last_hash, row.sequence, row.at, row.request_id, Body(entry.command, events))
        assert again == row
        for event in events:
            transition.evolve(state, event, entry.sequence, entry.at)
        state.sequence, state.at, last_hash = entry.sequence, entry.at, row.hash
    check_in_full(state)
    assert same_state(state, published)


def check_explanations(rows: list[Row], explain: Callable[[str], list[Entry]]) -> None:
    """`explain` of a market gives every entry that names it, and no other, oldest first."""
    named: dict[str, list[int]] = {}
    for row in rows:
        for text in {part.split(b'"', 1)[0] for part in row.body.split(b'"market":"')[1:]}:
            named.setdefault(text.decode(), []).append(row.sequence)
    named.pop("", None)
    for market, sequences in named.items():
        told = [entry.sequence for entry in explain(market)]
        assert told == sequences, f"explain({market!r}) tells {told}, the journal names it in {sequences}"
