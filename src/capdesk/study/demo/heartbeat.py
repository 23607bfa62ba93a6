"""The desk's heartbeat on the demo's clock: it sees the day's own volatility, and notes what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from capdesk.decide.risk.volatility import ewma_volatility
from capdesk.desk import CapitalAllocator
from capdesk.model.journal import Event
from capdesk.model.journal import Recalled as RecallEvent
from capdesk.model.mandate import SECOND
from capdesk.model.money import Amount
from capdesk.study.demo.markets import RETURN_SECONDS, Tape
from capdesk.study.demo.supervised import Pause, Recalled, Sighting, Stop, Supervised
from capdesk.supervisor import Hooks, Supervisor

RETURNS_PER_YEAR = 365 * 86_400 / RETURN_SECONDS


class Heartbeat:
    """Supervises a desk, one beat whenever it is told to.

    Parameters
    ----------
    tape
        The bitcoin price of the day, of which no beat sees more than what has been.
    """

    def __init__(self, desk: CapitalAllocator, tape: Tape) -> None:
        self._desk = desk
        self._tape = tape
        self._now = 0
        self._seen: float | None = None
        self._sightings: list[Sighting] = []
        self._pauses: dict[str, Pause] = {}
        self._recalls: dict[str, Recalled] = {}
        self._past: list[Pause | Recalled] = []
        self._stop: Stop | None = None
        self._supervisor = Supervisor(
            desk,
            Hooks(pause=self._paused, resume=self._resumed),
            look=self._look,
            every_seconds=RETURN_SECONDS,
        )

    async def beat(self, now: int) -> None:
        """Let the heart beat at `now` (unix seconds) and note what it did."""
        self._now = now
        events = await self._supervisor.beat()
        for event in events:
            self._note(event)
        budgets = await self._desk.get_budgets()
        multiplier = max(budget.multiplier for budget in budgets)
        self._sightings.append(Sighting(now, self._seen, multiplier))

    def note_stop(self) -> None:
        """Note that the kill switch has fired, in the very second in which it did."""
        halt = self._desk.halted
        if halt is not None and self._stop is None:
            self._stop = Stop(int(halt.since.timestamp()), self._desk.drawdown, halt.reason)

    @property
    def supervised(self) -> Supervised:
        """Everything that was noted."""
        pauses = [*self._past, *self._pauses.values(), *self._recalls.values()]
        return Supervised(
            sightings=tuple(self._sightings),
            pauses=tuple(sorted((it for it in pauses if isinstance(it, Pause)), key=lambda it: it.at)),
            recalls=tuple(sorted((it for it in pauses if isinstance(it, Recalled)), key=lambda it: it.at)),
            stop=self._stop,
        )

    def _look(self) -> dict[str, Any] | None:
        returns = self._tape.returns(self._now)
        fresh = self._tape.price(self._now) is not None
        self._seen = round(ewma_volatility(returns, RETURNS_PER_YEAR), 6) if returns and fresh else None
        return None if self._seen is None else {"volatility": self._seen}

    def _paused(self, strategy: str) -> None:
        self._pauses[strategy] = Pause(strategy, self._now)

    def _resumed(self, strategy: str, _capital: Amount) -> None:
        self._past.append(replace(self._pauses.pop(strategy), ended_at=self._now))

    def _note(self, event: Event) -> None:
        if not isinstance(event, RecallEvent):
            return
        open_ = self._recalls.pop(event.sleeve, None)
        if not event.amount:
            if open_ is not None:
                self._past.append(replace(open_, met_at=self._now))
            return
        over = Amount.from_micro(event.amount)
        if open_ is None:
            open_ = Recalled(event.sleeve, self._now, event.deadline // SECOND, over)
        self._recalls[event.sleeve] = replace(open_, worst=max(open_.worst, over))
