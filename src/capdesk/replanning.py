"""Planning anew from time to time, for a supervisor: what is due is asked for, and adopted."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from capdesk.desk import CapitalAllocator
from capdesk.desk.adoption import is_adoption
from capdesk.model import commands as c
from capdesk.model.mandate import SECOND

if TYPE_CHECKING:
    from capdesk.model.plans import Plan

    Adoption = tuple[Plan, int]


class Replanning:
    """Knows when the next plan is due, by the desk's own clock.

    Parameters
    ----------
    plan
        Gives a plan, or None for the one in force; may be a coroutine function.
    every_seconds
        None: the desk's `optimization_frequency`.
    """

    def __init__(
        self, desk: CapitalAllocator, plan: Callable[[], Any], every_seconds: float | None = None
    ) -> None:
        self._desk = desk
        self._plan = plan
        frequency = desk.planner.settings.optimization_frequency if every_seconds is None else every_seconds
        self._every = int(float(frequency) * SECOND)
        self._last: int | None = None
        self._asked: asyncio.Task[Adoption | None] | None = None

    async def when_due(self, patience_seconds: float) -> Adoption | None:
        """Plan and adopt, if it is time; a plan that takes longer than the patience goes on beside.

        Gives the plan and the version of the mandate where it changed the shares.
        """
        if self._asked is None:
            now = self._desk.ledger.now()
            if self._last is None:
                self._last = await self._last_adoption(now - self._every)
            if self._last is not None and now - self._last < self._every:
                return None
            self._asked = asyncio.create_task(self._plan_anew(now), name="capdesk-replanning")
        done, _ = await asyncio.wait({self._asked}, timeout=patience_seconds)
        if not done:
            return None
        asked, self._asked = self._asked, None
        return asked.result()

    async def stop(self) -> None:
        """Give up a plan that is being made."""
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.gather(self._asked, return_exceptions=True)
            self._asked = None

    async def _plan_anew(self, now: int) -> Adoption | None:
        if inspect.iscoroutinefunction(self._plan):
            plan = await self._plan()
        else:
            plan = await asyncio.to_thread(self._plan)
        before = self._desk.mandate_version
        version = before if plan is None else await self._desk.adopt(plan, reason="planned anew")
        self._last = now
        return None if plan is None or version == before else (plan, version)

    async def _last_adoption(self, since: int) -> int | None:
        """When a plan was adopted last, if that is not longer ago than one is due."""
        changes = await self._desk.ledger.entries(
            lambda store: store.history("update_mandate", 1_000, max(0, since))
        )
        adoptions = (
            entry.at
            for entry in changes
            if isinstance(entry.command, c.UpdateMandate) and is_adoption(entry.command.reason)
        )
        return next(adoptions, None)
