"""A desk without a bankroll: it knows its rules, and every verb about money says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, CapitalConfig, CapitalRecycler, LedgerError, NoBankroll

VERBS: dict[str, Callable[[CapitalAllocator], Any]] = {
    "request_allocation": lambda desk: desk.request_allocation("m", 5),
    "request_allocations": lambda desk: desk.request_allocations([{"market_id": "m", "requested_amount": 5}]),
    "quote": lambda desk: desk.quote("m", 5),
    "increase_allocation": lambda desk: desk.increase_allocation("m", 5),
    "confirm_allocation": lambda desk: desk.confirm_allocation("m"),
    "mark_allocation": lambda desk: desk.mark_allocation("m", 5),
    "release_allocation": lambda desk: desk.release_allocation("m"),
    "reverse_release": lambda desk: desk.reverse_release("id", reason="disputed"),
    "deposit": lambda desk: desk.deposit(5),
    "withdraw": lambda desk: desk.withdraw(5),
    "update_bankroll": lambda desk: desk.update_bankroll(5),
    "sync_with_wallet": lambda desk: desk.sync_with_wallet(5),
    "transfer": lambda desk: desk.transfer(5, "a", "b"),
    "update_mandate": lambda desk: desk.update_mandate({}, reason="new rules"),
    "get_allocation": lambda desk: desk.get_allocation("m"),
    "get_allocations": lambda desk: desk.get_allocations(),
    "get_available": lambda desk: desk.get_available(),
    "get_outcome": lambda desk: desk.get_outcome("id"),
    "get_orphans": lambda desk: desk.get_orphans(),
    "explain": lambda desk: desk.explain("m"),
}
NOT_AWAITED: dict[str, Callable[[CapitalAllocator], Any]] = {
    "get_allocation_report": lambda desk: desk.get_allocation_report(),
    "bankroll": lambda desk: desk.bankroll,
    "equity": lambda desk: desk.equity,
    "drawdown": lambda desk: desk.drawdown,
    "mandate_version": lambda desk: desk.mandate_version,
    "recycler": lambda desk: CapitalRecycler(None, desk),
    "recycler with its configuration": lambda desk: CapitalRecycler(CapitalConfig(), desk),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_about_money_says_what_is_missing(verb: str) -> None:
    with pytest.raises(NoBankroll, match=r"give initial_bankroll=..., or open a ledger"):
        await VERBS[verb](CapitalAllocator())


@pytest.mark.parametrize("verb", NOT_AWAITED)
def test_a_figure_of_a_desk_without_money_says_what_is_missing(verb: str) -> None:
    with pytest.raises(NoBankroll, match=r"give initial_bankroll=..., or open a ledger"):
        NOT_AWAITED[verb](CapitalAllocator())


async def test_its_rules_are_known_and_it_can_be_closed() -> None:
    async with CapitalAllocator({"min_order_size": 2}) as desk:
        assert desk.config.min_order_size == 2
    await desk.close()


async def test_a_new_ledger_needs_a_bankroll_and_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="give initial_bankroll"):
        await CapitalAllocator.open(tmp_path / "desk.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_ledger_is_awaited_or_entered(tmp_path: Path) -> None:
    desk = await CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200)
    assert desk.path == tmp_path / "desk.db"
    await desk.close()
    async with CapitalAllocator.open(tmp_path / "desk.db") as desk:
        assert desk.bankroll == 200
