"""Deadlines of waiting callers, at next to no cost for those that are answered in time.

A caller with the usual deadline joins a line that is looked at a few times a second; one
that names its own gets a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from capdesk.model.errors import DeadlineExceeded

_LOOK_SECONDS = 0.2


class Deadlines:
    """Watches futures; each that is not done in time fails with `DeadlineExceeded`."""

    def __init__(self, usual_seconds: float) -> None:
        self._usual = usual_seconds
        self._lines: dict[asyncio.AbstractEventLoop, deque[tuple[float, Any, str]]] = {}

    def watch(
        self, loop: asyncio.AbstractEventLoop, future: Any, request_id: str, seconds: float | None
    ) -> None:
        """Let a future fail when its time is over."""
        if seconds is not None:
            timer = loop.call_later(seconds, _fail, future, request_id, seconds)
            future.add_done_callback(lambda _: timer.cancel())
            return
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = deque()
            loop.call_later(min(_LOOK_SECONDS, self._usual), self._look, loop, line)
        line.append((loop.time() + self._usual, future, request_id))

    def _look(self, loop: asyncio.AbstractEventLoop, line: deque[tuple[float, Any, str]]) -> None:
        now = loop.time()
        while line and (line[0][1].done() or line[0][0] <= now):
            _, future, request_id = line.popleft()
            _fail(future, request_id, self._usual)
        if line:
            loop.call_later(min(_LOOK_SECONDS, self._usual), self._look, loop, line)
        else:
            del self._lines[loop]


def _fail(future: Any, request_id: str, seconds: float) -> None:
    if not future.done():
        future.set_exception(DeadlineExceeded(request_id, seconds))
