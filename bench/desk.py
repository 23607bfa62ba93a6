"""The desk under measurement: capdesk through its public door, on a ledger file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capdesk import CapitalAllocator, CapitalConfig
from capdesk.desk.opening import Opening

CONFIG = CapitalConfig()
"""The defaults of seed 001: 5 % and $50 a market, 30 % in all."""

BANKROLL = 1_000_000_000
"""Dollars; 30 % of it holds more allocations than any claim opens."""

_PRAGMAS = (
    "journal_mode",
    "synchronous",
    "page_size",
    "cache_size",
    "mmap_size",
    "locking_mode",
)


def open_desk(path: Path) -> Opening:
    """A desk on a new ledger file."""
    return CapitalAllocator.open(path, CONFIG, initial_bankroll=BANKROLL)


async def pragmas(desk: CapitalAllocator) -> dict[str, Any]:
    """The pragmas that hold on the writer's own connection: most are a connection's, not the file's."""
    return await desk.ledger.ask(lambda writer: read_pragmas(writer.store._db))  # pyright: ignore


def read_pragmas(db: Any) -> dict[str, Any]:
    """The pragmas of a connection that bear on speed and durability."""
    return {name: db.pragma(name) for name in _PRAGMAS}
