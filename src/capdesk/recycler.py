"""The recycler: resolved markets' capital back to the bankroll, after a delay, exactly once.

Its queue is in the ledger: a restart, or another process, resumes it. The callback is
told at least once; one that fails is told again, later and later, and never forgotten.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from capdesk.decide import reports
from capdesk.desk import arguments as read
from capdesk.desk.allocator import CapitalAllocator, recycle_ids
from capdesk.model import commands as c
from capdesk.model.errors import CapdeskError, InvalidInput, MandateMismatch
from capdesk.model.journal import Entry, Queued, Recycled
from capdesk.model.money import Amount, to_micro
from capdesk.model.requests import RecycleEvent, moment
from capdesk.model.state import State, Untold

logger = logging.getLogger("capdesk.recycler")

LOOK_SECONDS = 1.0
LONGEST_HISTORY = 10**9
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0


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
        self._retries: dict[str, tuple[int, float]] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

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
        for telling in self._telling.values():
            telling.cancel()
        await asyncio.gather(task, *self._telling.values(), return_exceptions=True)
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
            If it is queued already with another P&L.
        """
        command = c.QueueRecycle(
            market=read.name(market_id, "market_id"),
            strategy=read.optional_name(strategy, "strategy"),
            pnl=to_micro(pnl, "pnl"),
            fees=read.not_negative(fees, "fees"),
            delay=None if delay_seconds is None else read.seconds(delay_seconds, "delay_seconds"),
        )
        if request_id is not None:
            read.name(request_id, "request_id")
        entry = await self._ledger.submit(command, request_id, read.deadline(deadline_seconds))
        self._poke.set()
        return self._queued(entry, command)

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
        event = await self._recycle(event_id)
        await self._tell_all()
        return event.amount if event is not None else Amount(0)

    async def run_due(self) -> list[RecycleEvent]:
        """Recycle everything that is due by the desk's clock; the events, in the order of their time."""
        events = await self._recycle_due()
        await self._tell_all()
        return events

    async def _recycle_due(self) -> list[RecycleEvent]:
        await self._ledger.refresh()
        now = self._ledger.now()
        due = sorted((p.due_at, p.event_id) for p in self._pending() if p.due_at <= now)
        events = await asyncio.gather(*(self._recycle(event_id) for _, event_id in due))
        return [event for event in events if event is not None]

    async def get_pending_recycles(self) -> list[RecycleEvent]:
        """What is queued, the next one first."""
        await self._ledger.refresh()
        waiting = sorted(self._pending(), key=lambda pending: (pending.due_at, pending.event_id))
        return [reports.pending_event(pending) for pending in waiting]

    async def get_recycle_history(self, since: object = None, limit: int = 100) -> list[RecycleEvent]:
        """Completed recyclings, newest first, from `since` (a datetime with a time zone) on."""
        if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= LONGEST_HISTORY:
            raise InvalidInput(
                f"limit must be a whole number from 0 up to {LONGEST_HISTORY}, got {str(limit)[:40]}"
            )
        after = 0 if since is None else read.instant(since, "since")
        entries = await self._ledger.entries(lambda store: store.history("recycle", limit, after))
        return [event for entry in entries if (event := _recycled(entry)) is not None]

    def get_daily_stats(self) -> dict[str, Any]:
        """Seed 001's statistics of today, by the desk's clock and day boundary."""
        with self._ledger.reading:
            return reports.daily_stats(self._ledger.state, self._ledger.now())

    async def _run(self) -> None:
        while True:
            self._poke.clear()
            try:
                await self._recycle_due()
                # A callback that hangs holds up nobody but itself.
                self._begin_telling()
            except CapdeskError:
                logger.exception("recycling failed and will be tried again in %g s", LOOK_SECONDS)
            try:
                async with asyncio.timeout(self._patience()):
                    await self._poke.wait()
            except TimeoutError:
                continue

    def _patience(self) -> float:
        """Seconds until something is due, or until another process may have queued something."""
        now = self._ledger.now()
        waits = [LOOK_SECONDS, *((pending.due_at - now) / 1e6 for pending in self._pending())]
        return max(0.001, min(waits))

    async def _recycle(self, event_id: str) -> RecycleEvent | None:
        notify = self.on_capital_freed is not None
        request_id = recycle_ids(event_id)[notify]
        return _recycled(await self._ledger.submit(c.Recycle(event_id, notify), request_id))

    async def _tell_all(self) -> None:
        """Tell what is untold; what is being told already, perhaps by the caller of this, is left to it."""
        await asyncio.gather(*self._begin_telling())

    def _begin_telling(self) -> list[asyncio.Task[None]]:
        callback = self.on_capital_freed
        if callback is None:
            return []
        with self._ledger.reading:
            untold = [event for event in self._ledger.state.untold.values() if event is not None]
        now = asyncio.get_running_loop().time()
        begun: list[asyncio.Task[None]] = []
        for event in sorted(untold, key=lambda event: event.recycled_at):
            _, not_before = self._retries.get(event.event_id, (0, 0.0))
            if now >= not_before and event.event_id not in self._telling:
                task = asyncio.create_task(self._tell(callback, event))
                self._telling[event.event_id] = task
                task.add_done_callback(lambda _, told=event.event_id: self._telling.pop(told, None))
                begun.append(task)
        return begun

    async def _tell(self, callback: Callable[..., Any], event: Untold) -> None:
        try:
            answer = callback(Amount.from_micro(event.amount), **_extra(callback, event))
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            tries = self._retries.get(event.event_id, (0, 0.0))[0]
            wait = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**tries)
            self._retries[event.event_id] = (tries + 1, asyncio.get_running_loop().time() + wait)
            logger.exception("on_capital_freed failed for %s; it is told again in %g s", event.event_id, wait)
            return
        self._retries.pop(event.event_id, None)
        await self._ledger.submit(c.Delivered(event.event_id))

    def _pending(self) -> list[Any]:
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


def _extra(callback: Callable[..., Any], event: Untold) -> dict[str, Any]:
    try:
        parameters = inspect.signature(callback).parameters
    except (TypeError, ValueError):
        return {}
    return {"event_id": event.event_id} if "event_id" in parameters else {}


def _recycled(entry: Entry) -> RecycleEvent | None:
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
