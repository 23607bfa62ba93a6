"""The decision, limit by limit: which one binds, what it leaves, and what a refusal is called."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk.model import commands as c
from capdesk.model.errors import InvalidInput
from capdesk.model.mandate import GroupLimit, MarketProfile, PriorityTier
from capdesk.model.requests import AllocationResult, Granted, Refused
from tests.decide.support import Fold, dollars

OPEN: dict[str, Any] = {
    "market_percent_ppm": 1_000_000,
    "market_absolute": None,
    "total_percent_ppm": 1_000_000,
}
TIERS = (
    PriorityTier("critical", 1_000_000),
    PriorityTier("high", 800_000),
    PriorityTier("normal", 500_000),
)
BTC = GroupLimit("btc", percent_ppm=100_000, patterns=("btc-*",))

BINDING = {
    "available": OPEN,
    "account:main": {**OPEN, "accounts": ("main", "venue")},
    "total": {**OPEN, "total_percent_ppm": 300_000},
    "priority:normal": {**OPEN, "tiers": TIERS},
    "group:btc": {**OPEN, "groups": (BTC,)},
    "market_percent": {**OPEN, "market_percent_ppm": 50_000},
    "market_absolute": {**OPEN, "market_absolute": dollars(7)},
}
LEFT = {
    "available": 100,
    "account:main": 100,
    "total": 30,
    "priority:normal": 50,
    "group:btc": 10,
    "market_percent": 5,
    "market_absolute": 7,
}
CODES = {
    "available": AllocationResult.INSUFFICIENT_CAPITAL,
    "account:main": AllocationResult.INSUFFICIENT_CAPITAL,
    "total": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "priority:normal": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "group:btc": AllocationResult.GROUP_LIMIT_EXCEEDED,
    "market_percent": AllocationResult.MARKET_LIMIT_EXCEEDED,
    "market_absolute": AllocationResult.MARKET_LIMIT_EXCEEDED,
}


def desk(name: str) -> Fold:
    """A desk of $100 under one limit besides its capital; another account has money for its own."""
    fold = Fold(100, **BINDING[name])
    if name == "account:main":
        fold.do(c.Deposit(dollars(900), "venue"))
    return fold


@pytest.mark.parametrize("name", BINDING)
def test_every_limit_cuts_a_grant_to_what_it_leaves(name: str) -> None:
    outcome = desk(name).ask("btc-up", 500)
    assert isinstance(outcome, Granted)
    assert (outcome.amount, outcome.bound_by) == (dollars(LEFT[name]), name)


@pytest.mark.parametrize("name", BINDING)
def test_every_limit_refuses_with_its_code_when_it_leaves_nothing(name: str) -> None:
    fold = desk(name)
    if name.startswith("market_"):
        fold = Fold(100, **{**BINDING[name], "share_markets": True})
    fold.ask("btc-up", 500)
    outcome = fold.ask("btc-up" if name.startswith("market_") else "btc-down", 500, "momentum")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.bound_by) == (CODES[name], name)


@pytest.mark.parametrize("name", BINDING)
def test_all_or_none_is_refused_where_a_limit_would_cut(name: str) -> None:
    outcome = desk(name).ask("btc-up", 500, all_or_none=True)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.bound_by) == (CODES[name], name)


@pytest.mark.parametrize("name", BINDING)
def test_min_amount_is_refused_where_a_limit_would_cut_below(name: str) -> None:
    least = dollars(LEFT[name]) + 1
    refused = desk(name).ask("btc-up", 500, min_amount=least)
    granted = desk(name).ask("btc-up", 500, min_amount=least - 1)
    assert isinstance(refused, Refused)
    assert refused.code is CODES[name]
    assert isinstance(granted, Granted)


@pytest.mark.parametrize("priority", ["critical", "high", "normal"])
def test_priority_fills_its_share_of_the_total_limit(priority: str) -> None:
    fold = Fold(1_000, **{**OPEN, "total_percent_ppm": 500_000}, tiers=TIERS)
    outcome = fold.ask("rain", 1_000, priority=priority)
    assert isinstance(outcome, Granted)
    assert outcome.amount == dollars({"critical": 500, "high": 400, "normal": 250}[priority])


def test_priority_counts_what_other_priorities_hold() -> None:
    fold = Fold(1_000, **OPEN, tiers=TIERS)
    fold.ask("rain", 600, priority="critical")
    assert isinstance(fold.ask("sun", 10, priority="normal"), Refused)
    assert isinstance(fold.ask("sun", 500, priority="high"), Granted)


def test_profile_rules_the_markets_that_match_it() -> None:
    profiles = (MarketProfile("btc-*", percent_ppm=20_000, absolute=dollars(10)), MarketProfile("*", 90_000))
    fold = Fold(100, **{**OPEN, "market_absolute": dollars(8)}, profiles=profiles)
    grants = [fold.ask(market, 50) for market in ("btc-up", "rain")]
    assert [(it.amount, it.bound_by) for it in grants if isinstance(it, Granted)] == [
        (dollars(2), "market_percent"),
        (dollars(8), "market_absolute"),
    ]


def test_group_is_shared_by_its_markets() -> None:
    fold = Fold(100, **OPEN, groups=(BTC,))
    first, second = fold.ask("btc-up", 6), fold.ask("btc-down", 6)
    assert isinstance(first, Granted)
    assert isinstance(second, Granted)
    assert (second.amount, second.bound_by) == (dollars(4), "group:btc")


def test_group_can_be_named_where_no_pattern_matches() -> None:
    fold = Fold(100, **OPEN, groups=(BTC,))
    outcome = fold.ask("rain", 50, group="btc")
    assert isinstance(outcome, Granted)
    assert outcome.bound_by == "group:btc"


def test_group_has_the_smaller_of_percent_and_absolute() -> None:
    both = GroupLimit("btc", percent_ppm=100_000, absolute=dollars(3), patterns=("btc-*",))
    outcome = Fold(100, **OPEN, groups=(both,)).ask("btc-up", 50)
    assert isinstance(outcome, Granted)
    assert outcome.amount == dollars(3)


def test_unknown_places_are_named_with_what_is_known() -> None:
    fold = Fold(100, **OPEN, groups=(BTC,), accounts=("main", "venue"))
    with pytest.raises(InvalidInput, match=r"account must be one of main, venue, got 'moon'"):
        fold.ask("rain", 5, account="moon")
    with pytest.raises(InvalidInput, match=r"group must be .*btc.* got 'eth'"):
        fold.ask("rain", 5, group="eth")


@pytest.mark.parametrize("amount", [0, -5, 0.999999])
def test_invalid_amount_comes_before_already_allocated(amount: float) -> None:
    fold = Fold(100, **OPEN)
    fold.ask("rain", 5)
    outcome = fold.ask("rain", amount)
    assert isinstance(outcome, Refused)
    assert outcome.code is AllocationResult.INVALID_AMOUNT


def test_already_allocated_comes_before_any_limit() -> None:
    fold = Fold(100, **{**OPEN, "total_percent_ppm": 50_000})
    fold.ask("rain", 5)
    outcome = fold.ask("rain", 5, "momentum")
    assert isinstance(outcome, Refused)
    assert outcome.code is AllocationResult.ALREADY_ALLOCATED


def test_limits_that_leave_nothing_answer_with_the_capital_first() -> None:
    fold = Fold(100, total_percent_ppm=300_000, market_percent_ppm=300_000)
    fold.ask("rain", 30)
    fold.ask("sun", 5)
    fold.do(c.SyncWallet(0))
    assert fold.state.bankroll == fold.state.allocated
    outcome = fold.ask("wind", 5)
    assert isinstance(outcome, Refused)
    assert outcome.code is AllocationResult.INSUFFICIENT_CAPITAL


def test_equity_below_zero_refuses_for_want_of_capital() -> None:
    fold = Fold(100, **OPEN)
    fold.ask("rain", 10)
    fold.release("rain", pnl=-150)
    assert fold.state.equity == -dollars(50)
    outcome = fold.ask("sun", 5)
    assert isinstance(outcome, Refused)
    assert outcome.code is AllocationResult.INSUFFICIENT_CAPITAL
    assert all(room.left >= 0 for room in outcome.rooms)


def test_percentages_are_of_the_equity_rounded_down() -> None:
    fold = Fold(100, **{**OPEN, "market_percent_ppm": 333_333})
    fold.deposit(0.000001)
    outcome = fold.ask("rain", 100)
    assert isinstance(outcome, Granted)
    assert outcome.amount == 100_000_001 * 333_333 // 1_000_000


def test_increase_draws_on_the_account_that_holds_the_allocation() -> None:
    fold = Fold(100, **OPEN, accounts=("main", "venue"))
    fold.do(c.Deposit(dollars(10), "venue"))
    fold.ask("rain", 8, account="venue")
    outcome = fold.ask("rain", 50, increase=True)
    assert isinstance(outcome, Granted)
    assert (outcome.amount, outcome.bound_by) == (dollars(2), "account:venue")


def test_increase_counts_toward_the_group_that_holds_the_allocation() -> None:
    fold = Fold(100, **OPEN, groups=(BTC,))
    fold.ask("rain", 8, group="btc")
    outcome = fold.ask("rain", 50, increase=True)
    assert isinstance(outcome, Granted)
    assert (outcome.amount, outcome.bound_by) == (dollars(2), "group:btc")
