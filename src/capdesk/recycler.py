"""The recycler: resolved markets' capital back to the bankroll, after a delay, exactly once.

Its queue is in the ledger: a restart, or another process, resumes it. Whether an event is to
be told stands in the ledger too, so it does not matter whose recycler carries it out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from capdesk.decide import reports
from capdesk.delivery import BackOff, Delivery
from capdesk.desk import arguments as read
from capdesk.desk.allocator import CapitalAllocator, recycle_id
from capdesk.ledger.writer import Writer
from capdesk.model import commands as c
from capdesk.model.errors import CapdeskError, InvalidInput, MandateMismatch
from capdesk.model.journal import Entry, Queued
from capdesk.model.money import Amount, to_micro
from capdesk.model.requests import RecycleEvent
from capdesk.model.state import Pending, State

logger = logging.getLogger("capdesk.recycler")

LOOK_SECONDS = 1.0


class CapitalRecycler:
    """Frees the capital of resolved markets.

    Parameters
    ----------
    config
        The desk's own configuration, or None: the mandate decides the delay.
    allocator
        The desk whose capital is recycled.
    on_capital_freed
        Called with the principal (an `Amount`) after it was freed, and with ``event_id=``
        where it takes that argument; may be a coroutine function. Settable later.

    Raises
    ------
    MandateMismatch
        If `config` differs from the desk's mandate.
    """

    def __init__(
        self,
        config: Any,
        allocator: CapitalAllocator,
        on_capital_freed: Callable[..., Any] | None = None,
    ) -> None:
        if config is not None:
            from capdesk.config import differences, read_config

            rules, state = read_config(config), allocator.ledger.state
            if not rules.plans_only and (given := rules.mandate()) != state.mandate:
                raise MandateMismatch(differences(state.mandate, given), state.mandate_version)
        self._desk = allocator
        self._ledger = allocator.ledger
        self.on_capital_freed = on_capital_freed
        self._task: asyncio.Task[None] | None = None
        self._poke = asyncio.Event()
        self._delivery = Delivery(allocator.ledger)
        self._rest = BackOff()

    async def start(self) -> None:
        """Begin to recycle what is due, and to tell what an earlier run could not tell."""
        if self._task is not None and not self._task.done():
            return
        self._poke = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="capdesk-recycler")

    async def stop(self) -> None:
        """Stop; what is queued stays queued."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._delivery.stop()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def queue_recycle(
        self,
        market_id: str,
        pnl: object = 0,
        *,
        fees: object = 0,
        delay_seconds: object = None,
        strategy: str | None = None,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> RecycleEvent:
        """Queue a resolved market with its profit or loss in dollars.

        A market that holds nothing is recorded with amount 0, and its P&L is not booked.
        Queueing the same allocation again gives the event it has.

        Raises
        ------
        InvalidInput
            If it is queued already with another P&L, or `request_id` is still the id of an
            earlier event.
        """
        command = c.QueueRecycle(
            market=read.name(market_id, "market_id"),
            strategy=read.optional_name(strategy, "strategy"),
            pnl=to_micro(pnl, "pnl"),
            fees=read.not_negative(fees, "fees"),
            delay=None if delay_seconds is None else read.seconds(delay_seconds, "delay_seconds"),
        )
        if request_id is not None:
            await self._refuse_earlier_event(read.request_id(request_id))
        entry = await self._ledger.submit(command, request_id, read.deadline(deadline_seconds))
        event = self._queued(entry, command)
        if self.on_capital_freed is not None:
            await self._ask_to_tell([event.event_id])
        self._poke.set()
        return event

    async def _refuse_earlier_event(self, request_id: str) -> None:
        """An event's id is forgotten before the id of its recycling, which would answer for a new event too."""

        def names_an_earlier_event(writer: Writer) -> bool:
            return writer.outcome(request_id) is None and writer.outcome(recycle_id(request_id)) is not None

        if await self._ledger.ask(names_an_earlier_event):
            raise InvalidInput(
                f"request_id {request_id!r} names an event that was recycled before: use another"
            )

    async def force_recycle(self, market_id: str, strategy: str | None = None) -> Amount:
        """Recycle a market at once: with its queued P&L, or with none if it was not queued.

        Returns
        -------
        Amount
            The principal freed; 0 for a market that holds nothing.
        """
        await self._ledger.refresh()
        event_id = self._waiting(read.name(market_id, "market_id"), strategy)
        if event_id is None:
            event_id = (await self.queue_recycle(market_id, strategy=strategy)).event_id
        await self._ask_to_tell([event_id])
        event = await self._recycle(event_id)
        await self._tell()
        return event.amount if event is not None else Amount(0)

    async def run_due(self) -> list[RecycleEvent]:
        """Recycle everything that is due by the desk's clock; the events, in the order of their time.

        Raises
        ------
        CapdeskError
            If some of it could not be carried out; the rest was, and was told.
        """
        events, failures = await self._recycle_due(await self._due())
        await self._tell()
        if failures:
            if len(failures) > 1:
                failures[0].add_note(f"{len(failures) - 1} more events could not be carried out")
            raise failures[0]
        return events

    async def _due(self) -> list[str]:
        """The events that are due, the first one first; all that waits is to be told, if anybody is."""
        await self._ledger.refresh()
        now, pending = self._ledger.now(), self._pending()
        await self._ask_to_tell([it.event_id for it in pending if it.opened is not None and not it.notify])
        return [
            event_id for _, event_id in sorted((it.due_at, it.event_id) for it in pending if it.due_at <= now)
        ]

    async def _recycle_due(self, due: list[str]) -> tuple[list[RecycleEvent], list[CapdeskError]]:
        """Carry events out; one that cannot be holds up no other, and rests before it is tried again."""
        answers = await asyncio.gather(*map(self._recycle, due), return_exceptions=True)
        events: list[RecycleEvent] = []
        failures: list[CapdeskError] = []
        for event_id, answer in zip(due, answers, strict=True):
            if isinstance(answer, CapdeskError):
                self._rest.failed(event_id)
                failures.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                self._rest.succeeded(event_id)
                events += [] if answer is None else [answer]
        return events, failures

    async def get_pending_recycles(self) -> list[RecycleEvent]:
        """What is queued, the next one first."""
        await self._ledger.refresh()
        waiting = sorted(self._pending(), key=lambda pending: (pending.due_at, pending.event_id))
        return [reports.pending_event(pending) for pending in waiting]

    async def get_recycle_history(self, since: object = None, limit: int = 100) -> list[RecycleEvent]:
        """Completed recyclings, newest first, from `since` (a datetime with a time zone) on."""
        most = read.count(limit, "limit")
        after = 0 if since is None else read.instant(since, "since")
        entries = await self._ledger.entries(lambda store: store.history("recycle", most, after))
        return [event for entry in entries if (event := reports.recycled_event(entry)) is not None]

    def get_daily_stats(self) -> dict[str, Any]:
        """Seed 001's statistics of today, by the desk's clock and day boundary."""
        with self._ledger.reading:
            return reports.daily_stats(self._ledger.state, self._ledger.now())

    async def _run(self) -> None:
        while True:
            self._poke.clear()
            rest = 0.0
            try:
                due = [event_id for event_id in await self._due() if not self._rest.wait_seconds(event_id)]
                _, failures = await self._recycle_due(due)
                if failures:
                    logger.error(
                        "%d recyclings failed and are tried again", len(failures), exc_info=failures[0]
                    )
                if self.on_capital_freed is not None:
                    # A callback that hangs holds up nobody but itself.
                    self._delivery.begin(self.on_capital_freed)
            except CapdeskError:
                rest = LOOK_SECONDS
                logger.exception("recycling failed and will be tried again in %g s", rest)
            try:
                async with asyncio.timeout(max(rest, self._patience())):
                    await self._poke.wait()
            except TimeoutError:
                continue

    def _patience(self) -> float:
        """Seconds until something is due and rested, or until another process may have queued something."""
        now = self._ledger.now()
        waits = (max((it.due_at - now) / 1e6, self._rest.wait_seconds(it.event_id)) for it in self._pending())
        return max(0.001, min(LOOK_SECONDS, min(waits, default=LOOK_SECONDS)))

    async def _recycle(self, event_id: str) -> RecycleEvent | None:
        return reports.recycled_event(await self._ledger.submit(c.Recycle(event_id), recycle_id(event_id)))

    async def _ask_to_tell(self, event_ids: list[str]) -> None:
        """Have it journaled that these are to be told, whoever carries them out; a callback is there to tell."""
        if self.on_capital_freed is not None:
            await asyncio.gather(*(self._ledger.submit(c.AskToTell(event_id)) for event_id in event_ids))

    async def _tell(self) -> None:
        if self.on_capital_freed is not None:
            await asyncio.gather(*self._delivery.begin(self.on_capital_freed))

    def _pending(self) -> list[Pending]:
        with self._ledger.reading:
            return [pending for pending in self._ledger.state.pending.values() if pending is not None]

    def _waiting(self, market: str, strategy: str | None) -> str | None:
        with self._ledger.reading:
            state: State = self._ledger.state
            names = state.markets[market].strategies if strategy is None else (strategy,)
            for name in names:
                position = state.positions[market, name]
                if position is not None and position.queued is not None and len(names) == 1:
                    return position.queued if state.pending[position.queued] is not None else None
        return None

    def _queued(self, entry: Entry, command: c.QueueRecycle) -> RecycleEvent:
        queued = next((event for event in entry.events if isinstance(event, Queued)), None)
        if queued is not None:
            return RecycleEvent(
                event_id=queued.event_id,
                market_id=queued.market,
                strategy=queued.strategy,
                amount=Amount.from_micro(queued.amount),
                pnl=Amount.from_micro(queued.pnl),
                resolved_at=entry.time,
            )
        waiting = self._waiting(command.market, command.strategy)
        with self._ledger.reading:
            pending = None if waiting is None else self._ledger.state.pending[waiting]
        if pending is not None:
            return reports.pending_event(pending)
        return RecycleEvent(
            entry.request_id, command.market, command.strategy or "", Amount(0), Amount(0), entry.time
        )
