"""An event loop whose time leaps to whatever it waits for: an hour of heartbeats without a second of sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits for a timer: when nothing is left to do, it is the time of the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._leapt = 0.0
        wait = self._selector.select  # type: ignore[attr-defined]

        def leap(timeout: float | None) -> Any:
            if timeout is None:
                return wait(None)
            ready = wait(0)
            if not ready:
                self._leapt += timeout
            return ready

        self._selector.select = leap  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._leapt


def run_virtually(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop of its own, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)
