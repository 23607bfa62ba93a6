"""A clock that stands still, and desks of $200 in memory and on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator
from tests.desk.support import Clock

MakeDesk = Callable[..., Awaitable[CapitalAllocator]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
async def make_desk(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[MakeDesk]:
    """Open a desk of the given configuration; closed at the end of the test."""
    made: list[CapitalAllocator] = []

    async def make(config: Any = None, bankroll: object = 200) -> CapitalAllocator:
        if request.param == "memory":
            desk = CapitalAllocator(config, bankroll, clock=clock)
        else:
            path = tmp_path / f"desk-{len(made)}.db"
            desk = await CapitalAllocator.open(path, config, initial_bankroll=bankroll, clock=clock)
        made.append(desk)
        return desk

    yield make
    for desk in made:
        await desk.close()
