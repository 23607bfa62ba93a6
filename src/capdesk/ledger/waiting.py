"""Who waits for the writer, and for what."""

from __future__ import annotations

import threading
from typing import Any

from msgspec import Struct


class Item(Struct, eq=False):
    """A command or a question on its way to the writer, and back to the loop it came from."""

    command: Any
    request_id: str
    given: bool
    question: Any
    future: Any
    loop: Any = None
    reply: Any = None
    error: Exception | None = None
    due: float = 0.0

    def abandoned(self) -> bool:
        return self.future is not None and self.future.done()

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.reply


class ThreadWaiter:
    """Stands in for a future where a thread waits."""

    __slots__ = ("_event",)

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def done(self) -> bool:
        return self._event.is_set()

    def finish(self) -> None:
        self._event.set()
