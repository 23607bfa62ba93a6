"""Deadlines of waiting callers, at next to no cost for those that are answered in time.

A caller with the usual deadline joins a line that is looked at a few times a second; one
that names its own gets a timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import takewhile
from typing import Protocol

from capdesk.model.errors import DeadlineExceeded

_LOOK_SECONDS = 0.2


class Waiting(Protocol):
    """Somebody who waits for the answer to a request id."""

    request_id: str
    future: asyncio.Future[object]
    due: float


class Deadlines:
    """Watches futures; each that is not done in time fails with `DeadlineExceeded`.

    What is answered leaves the line at once: nothing keeps it from being freed.
    """

    def __init__(self, usual_seconds: float) -> None:
        self._usual = usual_seconds
        self._lines: dict[asyncio.AbstractEventLoop, dict[Waiting, None]] = {}

    def watch(self, loop: asyncio.AbstractEventLoop, waiting: Waiting, seconds: float | None) -> None:
        """Let a future fail when its time is over."""
        if seconds is None:
            line = self._lines.get(loop) or self._new_line(loop)
            waiting.due = loop.time() + self._usual
            line[waiting] = None
        else:
            timer = loop.call_later(seconds, _fail, waiting, seconds)
            waiting.future.add_done_callback(lambda _: timer.cancel())

    def _new_line(self, loop: asyncio.AbstractEventLoop) -> dict[Waiting, None]:
        if loop not in self._lines:
            self._lines[loop] = {}
            loop.call_later(min(_LOOK_SECONDS, self._usual), self._look, loop, self._lines[loop])
        return self._lines[loop]

    def forget(self, loop: asyncio.AbstractEventLoop, answered: Iterable[Waiting]) -> None:
        """These have their answer."""
        line = self._lines.get(loop)
        if line is not None:
            for waiting in answered:
                line.pop(waiting, None)

    def _look(self, loop: asyncio.AbstractEventLoop, line: dict[Waiting, None]) -> None:
        now = loop.time()
        for waiting in list(takewhile(lambda waiting: waiting.due <= now, line)):
            del line[waiting]
            _fail(waiting, self._usual)
        if line:
            loop.call_later(min(_LOOK_SECONDS, self._usual), self._look, loop, line)
        else:
            del self._lines[loop]


def _fail(waiting: Waiting, seconds: float) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(DeadlineExceeded(waiting.request_id, seconds))
