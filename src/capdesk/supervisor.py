"""The supervisor: a heartbeat that looks at the market and the sleeves, and tells strategies to pause or resume.

It decides nothing: budgets, recalls, pauses and the kill switch are decided and journaled
by the desk. The supervisor gives it what it sees, and passes on what follows.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from capdesk.decide.risk.anomaly import robust_z
from capdesk.desk import CapitalAllocator
from capdesk.model.errors import LedgerError, StaleReading
from capdesk.model.journal import Event, Recalled
from capdesk.model.money import Amount
from capdesk.model.requests import moment
from capdesk.replanning import Replanning

logger = logging.getLogger("capdesk.supervisor")


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a supervisor calls; each may be a plain or a coroutine function.

    Attributes
    ----------
    pause, resume
        ``pause(strategy)`` when a sleeve is disabled, ``resume(strategy, capital)`` (an
        Amount in dollars) when it is enabled again.
    halted
        ``halted(reason)`` when the kill switch has fired.
    recalled
        ``recalled(strategy, amount, deadline)``: so many dollars above the budget are to be
        given back by then (a datetime).
    adopted
        ``adopted(plan, mandate_version)`` when a new plan's weights have become the shares.
    """

    pause: Callable[[str], Any] | None = None
    resume: Callable[[str, Amount], Any] | None = None
    halted: Callable[[str], Any] | None = None
    recalled: Callable[..., Any] | None = None
    adopted: Callable[..., Any] | None = None


class Supervisor:
    """Runs the heartbeat of a desk.

    Parameters
    ----------
    look
        Called at each heartbeat; gives the arguments of `CapitalAllocator.observe_market`
        (a mapping), or None when the market could not be seen: then the last state ages,
        and the gate fails closed when it is stale. One that fails, or gives figures that
        cannot be read, is logged and has not seen the market either.
    wallet
        Called at each heartbeat; gives the free cash in dollars by account, which is
        compared with the books; None, or one that fails: the desk's own books are believed,
        as they are where capital was granted or came back while the wallet was read.
    positions
        Called at each heartbeat; gives what open allocations are worth in dollars, by market
        or by ``(market, strategy)``: they are marked at one moment, and equity follows. What
        is not named keeps its mark; what the desk does not hold is logged.
    notify
        ``notify(title, text)``, told of every halt, breaker and overdue recall. It runs
        beside the heartbeat, which never waits for it; one that fails is logged.
    anomaly_z
        Robust z-score of volatility or gas beyond which the manual breaker is tripped;
        None: anomalies are not looked for.
    plan
        Gives a new plan (`CapitalAllocator.plan_portfolio`), or None for the one in force;
        plain functions run in a thread. Its weights become the shares of the sleeves.
    plan_every_seconds
        Time between two plans; the configuration's `optimization_frequency` without it. It
        counts from the last adoption in the journal, so a restart plans no sooner. A plan
        that fails, or cannot be adopted, is logged and tried again at the next heartbeat.
    every_seconds
        Time between heartbeats; also how long a source or a hook may take.
    """

    def __init__(
        self,
        desk: CapitalAllocator,
        hooks: Hooks | None = None,
        *,
        look: Callable[[], Any] | None = None,
        wallet: Callable[[], Any] | None = None,
        positions: Callable[[], Any] | None = None,
        notify: Callable[[str, str], Any] | None = None,
        anomaly_z: float | None = None,
        plan: Callable[[], Any] | None = None,
        plan_every_seconds: float | None = None,
        every_seconds: float = 60.0,
    ) -> None:
        self._desk = desk
        self._hooks = hooks or Hooks()
        self._look = look
        self._wallet = wallet
        self._positions = positions
        self._notify = notify
        self._anomaly_z = anomaly_z
        self._every = every_seconds
        self._replanning = None if plan is None else Replanning(desk, plan, plan_every_seconds)
        self._notices: set[asyncio.Task[None]] = set()
        self._breakers: set[str] = set()
        self._overdue: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._running: dict[str, bool] = {}
        self._paused_before: set[str] = set()
        self._told_halt: datetime | None = None

    async def start(self) -> None:
        """Begin the heartbeat; the first beat is at once."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="capdesk-supervisor")

    async def stop(self) -> None:
        """End the heartbeat."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._replanning is not None:
            await self._replanning.stop()
        await asyncio.gather(*self._notices)

    async def beat(self) -> tuple[Event, ...]:
        """One heartbeat: see the wallet, the positions and the market, review the sleeves, tell whom it concerns."""
        if not self._running:
            self._remember_paused()
        await self._believe(self._compare_wallet)
        await self._believe(self._mark_positions)
        events = await self._believe(self._see_market)
        await self._believe(self._plan_anew)
        events += await self._desk.review()
        await self._tell(events)
        return events

    def _remember_paused(self) -> None:
        """Whom an earlier run told to pause must be told to resume by this one."""
        with self._desk.ledger.reading:
            published = self._desk.ledger.state.published
        self._paused_before = {budget.sleeve for budget in published if not budget.enabled}

    async def _believe(self, source: Callable[[], Awaitable[tuple[Event, ...]]]) -> tuple[Event, ...]:
        """A source that fails has said nothing: it is logged, and the review goes on without it."""
        try:
            return await source()
        except LedgerError:
            raise
        except Exception:
            logger.exception("%s failed; the review goes on without it", source.__name__.strip("_"))
            return ()

    async def _plan_anew(self) -> tuple[Event, ...]:
        if self._replanning is not None:
            adopted = await self._replanning.when_due(self._every)
            if adopted is not None and self._hooks.adopted is not None:
                await self._call(self._hooks.adopted, *adopted)
        return ()

    async def _compare_wallet(self) -> tuple[Event, ...]:
        if self._wallet is None:
            return ()
        believed = {account: await self._desk.get_cash(account) for account in self._desk.config.accounts}
        for account, cash in (await _called(self._wallet, self._every)).items():
            expected = believed.get(account)
            if cash == expected:
                continue
            try:
                await self._desk.sync_with_wallet(cash, account, expected=expected)
            except StaleReading as error:
                # Which of the two the wallet shows nobody knows: what was granted is no profit.
                logger.info("%s; the next beat compares it", error)
        return ()

    async def _mark_positions(self) -> tuple[Event, ...]:
        if self._positions is None:
            return ()
        worth: dict[Any, Any] = dict(await _called(self._positions, self._every))
        held = await self._desk.get_allocations()
        places = {it.market_id for it in held} | {(it.market_id, it.strategy) for it in held}
        if worth.keys() - places:
            logger.warning("the desk holds nothing in %s, so it is not marked", list(worth.keys() - places))
        if marked := {place: value for place, value in worth.items() if place in places}:
            await self._desk.mark_allocations(marked)
        return ()

    async def _see_market(self) -> tuple[Event, ...]:
        if self._look is None or (seen := await _called(self._look, self._every)) is None:
            return ()
        if self._anomaly_z is not None:
            await self._look_for_anomalies(seen, self._anomaly_z)
        return await self._desk.observe_market(**seen)

    async def _tell(self, events: tuple[Event, ...]) -> None:
        hooks = self._hooks
        for event in events:
            if isinstance(event, Recalled) and event.amount and hooks.recalled is not None:
                deadline = moment(event.deadline)
                await self._call(hooks.recalled, event.sleeve, Amount.from_micro(event.amount), deadline)
        for budget in await self._desk.get_budgets():
            name, was = budget.sleeve, self._running.get(budget.sleeve)
            self._running[name] = budget.enabled
            waits = was is False or (was is None and name in self._paused_before)
            if not budget.enabled and was is not False and hooks.pause is not None:
                await self._call(hooks.pause, name)
            elif budget.enabled and waits and hooks.resume is not None:
                await self._call(hooks.resume, name, budget.amount)
        halt = self._desk.halted
        if halt is None:
            self._told_halt = None
        elif self._told_halt != halt.since:
            self._told_halt = halt.since
            self._send("capdesk is halted", halt.reason)
            if hooks.halted is not None:
                await self._call(hooks.halted, halt.reason)
        await self._tell_breakers()
        await self._tell_overdue()

    async def _tell_breakers(self) -> None:
        breakers = await self._desk.get_breakers()
        for breaker in breakers:
            if breaker.name not in self._breakers:
                self._send(f"capdesk: the breaker {breaker.name} has tripped", breaker.reason)
        self._breakers = {breaker.name for breaker in breakers}

    async def _tell_overdue(self) -> None:
        late = [recall for recall in await self._desk.get_recalls() if recall.overdue]
        for recall in late:
            if recall.sleeve not in self._overdue:
                text = f"{recall.sleeve} holds ${recall.amount:,.2f} above its budget since {recall.since}"
                self._send(f"capdesk: the recall of {recall.sleeve} is overdue", text)
        self._overdue = {recall.sleeve for recall in late}

    async def _look_for_anomalies(self, seen: Mapping[str, Any], limit: float) -> None:
        if any(breaker.name == "manual" for breaker in await self._desk.get_breakers()):
            return
        history = await self._desk.get_market_history()
        for name, past in (
            ("volatility", [state.volatility for state in history]),
            ("gas_price_gwei", [state.gas_price_gwei for state in history]),
        ):
            value = seen.get(name)
            known = [float(figure) for figure in past if figure is not None]
            if value is not None and abs(z := robust_z(float(value), known)) > limit:
                await self._desk.trip_breaker(
                    f"{name} {float(value):g} is {z:.1f} robust deviations from the median of {len(known)} past states"
                )
                return

    def _send(self, title: str, text: str) -> None:
        if self._notify is not None:
            notice = asyncio.create_task(self._call(self._notify, title, text))
            self._notices.add(notice)
            notice.add_done_callback(self._notices.discard)

    async def _call(self, hook: Callable[..., Any], *arguments: Any) -> None:
        """A hook that fails never stops the heartbeat: it is logged, and the next beat goes on."""
        try:
            await _called(hook, self._every, *arguments)
        except Exception:
            logger.exception("the hook %r failed for %s", hook, arguments)

    async def _run(self) -> None:
        while True:
            try:
                await self.beat()
            except Exception:
                logger.exception("the heartbeat failed; the next one is in %g s", self._every)
            await asyncio.sleep(self._every)


async def _called(function: Callable[..., Any], within_seconds: float, *arguments: Any) -> Any:
    answer = function(*arguments)
    if not inspect.isawaitable(answer):
        return answer
    async with asyncio.timeout(within_seconds):
        return await answer
