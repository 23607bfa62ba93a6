"""One ledger, whatever it is called: links to it share its log and its turn, a second file name is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from capdesk import CapitalAllocator
from capdesk.ledger import tools
from capdesk.model.errors import LedgerUnavailable
from tests.desk.support import roomy


async def test_a_symbolic_link_is_the_ledger_itself(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    path, link = tmp_path / "there" / "desk.db", tmp_path / "link.db"
    link.symlink_to(path)
    async with CapitalAllocator.open(link, roomy(), initial_bankroll=50) as first:
        await first.request_allocation("before", 5)
        async with CapitalAllocator.open(path) as second, CapitalAllocator.open(link) as third:
            desks = [first, second, third]
            verdicts = await asyncio.gather(
                *(
                    desk.request_allocation(f"m{number}-{id(desk)}", 5)
                    for number in range(5)
                    for desk in desks
                )
            )
            assert sum(verdict.amount for verdict in verdicts) == 45
            assert tools.check(link).problems == []
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["link.db"]


async def test_a_ledger_with_two_file_names_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "desk.db", tmp_path / "other.db"
    async with CapitalAllocator.open(path, initial_bankroll=50):
        pass
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(LedgerUnavailable, match=r"has 2 names \(hard links\)"):
            await CapitalAllocator.open(name)
    other.unlink()
    async with CapitalAllocator.open(path) as desk:
        assert desk.bankroll == 50


@pytest.mark.parametrize("put_there", ["nothing", "another ledger"])
async def test_nothing_is_granted_from_a_file_that_its_name_no_longer_stands_for(
    tmp_path: Path, put_there: str
) -> None:
    path, away = tmp_path / "desk.db", tmp_path / "away"
    away.mkdir()
    async with CapitalAllocator.open(path, roomy(), initial_bankroll=50) as desk:
        await desk.request_allocation("before", 5)
        names = [file.name for file in tmp_path.glob("desk.db*")]
        for name in names:
            (tmp_path / name).rename(away / name)
        if put_there == "another ledger":
            async with CapitalAllocator.open(path, roomy(), initial_bankroll=50):
                pass
        with pytest.raises(LedgerUnavailable, match=r"moved, removed or replaced while it was open"):
            await desk.request_allocation("lost", 5)
        for name in names:
            (away / name).replace(tmp_path / name)
        assert (await desk.request_allocation("after", 5)).granted
        assert await desk.get_available() == 40
    async with CapitalAllocator.open(path) as again:
        assert [it.market_id for it in await again.get_allocations()] == ["before", "after"]
