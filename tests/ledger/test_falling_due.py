"""What nobody has to ask for happens in its time, and is not looked for before."""

from __future__ import annotations

from dataclasses import replace

from capdesk.ledger.ledger import Ledger
from capdesk.ledger.rules import TRANSITION
from capdesk.model.commands import Command, Deposit, Found
from capdesk.model.mandate import SECOND, Mandate
from capdesk.model.requests import Request
from capdesk.model.state import State

FOUNDING = 1_785_000_000 * SECOND


def test_leases_are_looked_through_only_when_one_may_have_ended() -> None:
    now, looked = [FOUNDING], [0]

    def due(state: State, at: int) -> list[Command]:
        looked[0] += 1
        return TRANSITION.due(state, at)

    ledger = Ledger.in_memory(replace(TRANSITION, due=due), lambda: now[0])
    ledger.decide_now(Found(Mandate(), 200 * SECOND))
    for market, seconds in (("long", 900), ("short", 60), ("later", 90)):
        ledger.decide_now(Request(market, 2 * SECOND, "sniper", lease=seconds * SECOND))
    for _ in range(5):
        ledger.decide_now(Deposit(1))
    assert looked[0] == 0
    for passed, ended in ((60, {"short"}), (89, {"short"}), (90, {"short", "later"})):
        now[0] = FOUNDING + passed * SECOND
        ledger.decide_now(Deposit(1))
        held = {position.market for position in ledger.state.positions.values() if position and position.held}
        assert held == ended
    assert looked[0] == 2
    ledger.close()
