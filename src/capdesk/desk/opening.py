"""A ledger about to be opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from capdesk.model.errors import LedgerClosed

if TYPE_CHECKING:
    from capdesk.desk.allocator import CapitalAllocator


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
