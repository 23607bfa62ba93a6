"""States to decide on: a desk that holds just what a test says."""

from __future__ import annotations

from typing import Any

from capdesk.decide import transition
from capdesk.model import commands as c
from capdesk.model.journal import Event
from capdesk.model.mandate import Mandate
from capdesk.model.money import MICRO
from capdesk.model.requests import Granted, Refused, Request
from capdesk.model.state import State

SECOND = 1_000_000
NOON = 1_800_000_000 * SECOND


def dollars(amount: float) -> int:
    """Micro-units of a sum of at most six decimals."""
    return round(amount * MICRO)


class Fold:
    """A desk without a ledger: commands are decided and folded one after the other."""

    def __init__(self, bankroll: float = 100, **mandate: Any) -> None:
        self.state = State()
        self.at = NOON
        self.replies: dict[str, tuple[Event, ...]] = {}
        self.do(c.Found(Mandate(**mandate), dollars(bankroll)))

    def do(self, command: c.Command, request_id: str = "", *, ticks: bool = True) -> tuple[Event, ...]:
        """Decide a command and carry its events into the state; `ticks` lets time pass before it."""
        state = self.state
        if ticks:
            transition.tick(state, self.at)
        for due in transition.due(state, self.at):
            self._enter(transition.decide(state, due, "", self.at))
        events = transition.decide(state, command, request_id, self.at)
        self._enter(events)
        return events

    def _enter(self, events: tuple[Event, ...]) -> None:
        sequence = self.state.sequence + 1
        for event in events:
            transition.evolve(self.state, event, sequence, self.at)
        self.state.sequence, self.state.at = sequence, self.at

    def ask(self, market: str, amount: float, strategy: str = "sniper", **options: Any) -> Granted | Refused:
        (outcome,) = self.do(Request(market, dollars(amount), strategy, **options))
        assert isinstance(outcome, Granted | Refused)
        return outcome

    def release(self, market: str, pnl: float = 0, fees: float = 0, **options: Any) -> tuple[Event, ...]:
        return self.do(c.Release(market, pnl=dollars(pnl), fees=dollars(fees), **options))

    def deposit(self, amount: float) -> None:
        self.do(c.Deposit(dollars(amount)))

    def withdraw(self, amount: float) -> None:
        self.do(c.Withdraw(dollars(amount)))
