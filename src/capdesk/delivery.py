"""Telling a bot what was freed: at least once each, later and later after a failure, and never forgotten."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from capdesk.ledger.ledger import Ledger
from capdesk.model import commands as c
from capdesk.model.money import Amount
from capdesk.model.state import Untold

logger = logging.getLogger("capdesk.recycler")

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0


class BackOff:
    """When what has failed may be tried again: each wait is twice the one before, up to the longest."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, key: str) -> float:
        """How long it must rest yet; 0 for what has not failed."""
        _, not_before = self._failed.get(key, (0.0, 0.0))
        return max(0.0, not_before - asyncio.get_running_loop().time())

    def failed(self, key: str) -> float:
        """Let it rest; for how many seconds."""
        last, _ = self._failed.get(key, (0.0, 0.0))
        wait = min(LONGEST_RETRY_SECONDS, 2 * last if last else FIRST_RETRY_SECONDS)
        self._failed[key] = (wait, asyncio.get_running_loop().time() + wait)
        return wait

    def succeeded(self, key: str) -> None:
        """Forget that it failed."""
        self._failed.pop(key, None)


class Delivery:
    """Tells a callback of every recycled event that the ledger keeps as untold.

    Each is told in a task of its own, so that a callback that hangs holds up nobody but itself.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rest = BackOff()
        self._telling: dict[str, asyncio.Task[None]] = {}

    def begin(self, callback: Callable[..., Any]) -> list[asyncio.Task[None]]:
        """Begin to tell what may be told now; what is being told already is left to its own task."""
        with self._ledger.reading:
            untold = [event for event in self._ledger.state.untold.values() if event is not None]
        begun: list[asyncio.Task[None]] = []
        for event in sorted(untold, key=lambda event: event.recycled_at):
            if event.event_id not in self._telling and not self._rest.wait_seconds(event.event_id):
                task = asyncio.create_task(self._tell(callback, event))
                self._telling[event.event_id] = task
                task.add_done_callback(lambda _, told=event.event_id: self._telling.pop(told, None))
                begun.append(task)
        return begun

    async def stop(self) -> None:
        """End what is being told; it is told again by the next run."""
        tasks = list(self._telling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, callback: Callable[..., Any], event: Untold) -> None:
        try:
            answer = callback(Amount.from_micro(event.amount), **_extra(callback, event))
            if inspect.isawaitable(answer):
                await answer
            await self._ledger.submit(c.Delivered(event.event_id))
        except Exception:
            wait = self._rest.failed(event.event_id)
            logger.exception("on_capital_freed failed for %s; it is told again in %g s", event.event_id, wait)
            return
        self._rest.succeeded(event.event_id)


def _extra(callback: Callable[..., Any], event: Untold) -> dict[str, Any]:
    try:
        parameters = inspect.signature(callback).parameters
    except (TypeError, ValueError):
        return {}
    return {"event_id": event.event_id} if "event_id" in parameters else {}
