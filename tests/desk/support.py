"""What the tests of the desk share: a clock that stands still, and a mandate that binds nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from capdesk import CapitalAllocator

START = datetime(2026, 7, 24, 12, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_SECONDS = 86_400


class Clock:
    """Microseconds since 1970 that pass only when they are told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = (at - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND

    def __call__(self) -> int:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += round(seconds * 1_000_000)

    @property
    def time(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + self.at * MICROSECOND


def roomy(**fields: Any) -> dict[str, Any]:
    """A configuration whose limits are the bankroll itself, but for the fields that are given."""
    return {
        "max_exposure_per_market_percent": 100,
        "max_exposure_per_market_absolute": None,
        "max_total_exposure_percent": 100,
        "order_split_count": 1,
        **fields,
    }


def length(desk: CapitalAllocator) -> int:
    """How many entries the journal has."""
    return desk.ledger.state.sequence


@asynccontextmanager
async def busy_writer(desk: CapitalAllocator) -> AsyncIterator[None]:
    """Keep the writer of a ledger file busy; what is sent meanwhile waits, and goes into one batch."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        begun.set()
        go_on.wait()

    waiting = asyncio.create_task(desk.ledger.ask(wait, deadline_seconds=60))
    await asyncio.to_thread(begun.wait)
    try:
        yield
    finally:
        go_on.set()
        await waiting
