"""The state as bytes: figures of any size are kept, and what cannot be kept stops nobody."""

from __future__ import annotations

from pathlib import Path

from capdesk import CapitalAllocator
from capdesk.ledger import tools
from tests.desk.support import roomy

LARGE = 9_000_000_000_000


async def test_turnover_and_marks_beyond_64_bits_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, roomy(), initial_bankroll=1_000) as desk:
        for _ in range(4):
            await desk.deposit(LARGE)
            await desk.withdraw(LARGE)
            await desk.request_allocation("m", 10)
            await desk.release_allocation("m", LARGE, fees=LARGE)
        for market in "abc":
            await desk.request_allocation(market, 10)
            await desk.mark_allocation(market, LARGE)
        equity = desk.equity
    assert equity == 3 * LARGE + 970
    assert tools.check(path).problems == []
    tools.compact(path)
    async with CapitalAllocator.open(path) as desk:
        assert (desk.bankroll, desk.equity) == (1_000, equity)
        assert await desk.release_allocation("a") == 10
