"""A clock that ran far ahead and is right again: opening says so, with the remedy, and the remedy works."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from capdesk import CapitalAllocator, CapitalRecycler
from tests.desk.support import DAY_SECONDS, Clock, roomy


async def test_opening_warns_of_entries_of_the_future_and_their_capital_can_be_freed(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, roomy(), initial_bankroll=200, clock=clock) as desk:
        clock.advance(3_650 * DAY_SECONDS)
        for market in ("queued", "leased"):
            await desk.request_allocation(market, 10, lease_seconds=60)
        await CapitalRecycler(None, desk).queue_recycle("queued", pnl=1)
    clock.advance(-3_650 * DAY_SECONDS)
    with caplog.at_level(logging.WARNING, "capdesk.desk"):
        async with CapitalAllocator.open(path, clock=clock) as desk:
            assert "s before the last entry" in caplog.text
            assert "recycle MARKET --now" in caplog.text
            recycler = CapitalRecycler(None, desk)
            clock.advance(DAY_SECONDS)
            assert await recycler.run_due() == []
            assert await recycler.force_recycle("queued") == 10
            assert (await desk.confirm_allocation("leased", 4)).amount == 4
            assert await desk.release_allocation("leased") == 4
            assert await desk.get_available() == 201


async def test_clocks_that_differ_a_little_are_not_warned_of(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, roomy(), initial_bankroll=200, clock=clock):
        clock.advance(-60)
    async with CapitalAllocator.open(path, clock=clock):
        assert caplog.text == ""
