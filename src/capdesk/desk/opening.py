"""A ledger about to be opened, and what is said where its time is ahead of the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from capdesk.model.errors import LedgerClosed
from capdesk.model.requests import moment

if TYPE_CHECKING:
    from capdesk.desk.allocator import CapitalAllocator


logger = logging.getLogger("capdesk.desk")

_TOLERANCE = 60 * 1_000_000
"""Clocks of processes may differ; a ledger further ahead was written while a clock was wrong, or is now."""


def warn_of_the_clock(last: int, now: int) -> None:
    """Log a warning where the last entry, in microseconds since 1970, is well ahead of the clock."""
    if last - now > _TOLERANCE:
        logger.warning("%s", ahead_of_the_clock(last, now))


def ahead_of_the_clock(last: int, now: int) -> str:
    """Say what follows from a last entry of the future, and what to do."""
    return (
        f"the clock says {moment(now):%Y-%m-%d %H:%M:%S} UTC, {(last - now) / 1e6:,.1f} s before the last entry: "
        "the desk's time stands still until then, so that leases do not end and delays do not pass. "
        "Set the clock right if it is wrong now; if it was wrong when the entry was written, "
        "free what waits with 'capdesk recycle MARKET --now' and confirm or release what is leased"
    )


class Opening:
    """A ledger about to be opened: ``async with`` it, or ``await`` it and close it yourself."""

    def __init__(self, connect: Callable[[], CapitalAllocator]) -> None:
        self._connect = connect
        self._desk: CapitalAllocator | None = None

    def __await__(self) -> Generator[Any, None, CapitalAllocator]:
        return asyncio.to_thread(self._connect).__await__()

    async def __aenter__(self) -> CapitalAllocator:
        self._desk = await self
        return self._desk

    async def __aexit__(self, *_: object) -> None:
        if self._desk is None:
            raise LedgerClosed("the ledger was never opened")
        await self._desk.close()
