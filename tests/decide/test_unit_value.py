"""Drawdown is of the value of one unit: flows are neither a loss nor a recovery."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capdesk.decide.unit_value import PPB, drawdown_ppb
from capdesk.model import commands as c
from tests.decide.support import Fold, dollars

OPEN = {"market_percent_ppm": 1_000_000, "market_absolute": None, "total_percent_ppm": 1_000_000}


def drawdown(fold: Fold) -> float:
    return drawdown_ppb(fold.state) / PPB


def lose(fold: Fold, amount: float) -> None:
    fold.ask("rain", 1)
    fold.release("rain", pnl=-amount)


def desk_in_drawdown() -> Fold:
    fold = Fold(100, **OPEN)
    lose(fold, 4)
    return fold


def test_withdrawal_of_half_leaves_the_drawdown() -> None:
    fold = desk_in_drawdown()
    fold.withdraw(48)
    assert drawdown(fold) == 0.04


def test_deposit_heals_nothing() -> None:
    fold = desk_in_drawdown()
    fold.deposit(1_000)
    assert drawdown(fold) == 0.04


def test_withdrawal_is_no_drawdown() -> None:
    fold = Fold(100, **OPEN)
    fold.withdraw(60)
    assert drawdown(fold) == 0


def test_profit_heals() -> None:
    fold = desk_in_drawdown()
    lose(fold, -4)
    assert drawdown(fold) == 0


def test_half_of_the_bankroll_lost_after_a_deposit_is_half_of_a_unit() -> None:
    fold = Fold(100, **OPEN)
    fold.deposit(100)
    lose(fold, 100)
    assert drawdown(fold) == 0.5


def test_total_loss_stays_a_drawdown_after_a_deposit() -> None:
    fold = Fold(100, **OPEN)
    lose(fold, 100)
    assert drawdown(fold) == 1
    fold.deposit(500)
    assert drawdown(fold) > 0.99


def test_loss_beyond_the_bankroll_stays_a_drawdown_after_deposits() -> None:
    fold = Fold(100, **OPEN)
    lose(fold, 130)
    assert drawdown(fold) == 1.3
    fold.deposit(20)
    assert drawdown(fold) >= 1
    fold.deposit(500)
    assert drawdown(fold) > 0.99


def test_withdrawing_everything_leaves_the_drawdown() -> None:
    fold = desk_in_drawdown()
    fold.withdraw(96)
    assert drawdown(fold) == 0.04


def test_coming_back_after_withdrawing_everything_leaves_the_drawdown() -> None:
    fold = desk_in_drawdown()
    fold.withdraw(96)
    fold.deposit(10)
    assert drawdown(fold) == pytest.approx(0.04, abs=1e-9)


def test_a_tiny_deposit_after_withdrawing_everything_keeps_the_unit_value_exact() -> None:
    fold = Fold(100, **OPEN)
    fold.withdraw(100)
    fold.deposit(0.000003)
    fold.do(c.SyncWallet(dollars(100)))
    fold.deposit(20)
    assert drawdown(fold) == 0


def test_marks_are_profit_and_loss() -> None:
    fold = Fold(100, **OPEN)
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", dollars(30)))
    assert drawdown(fold) == 0
    fold.do(c.Mark("rain", dollars(0)))
    assert drawdown(fold) == 0.25


def test_a_gain_that_turns_stale_is_a_drawdown() -> None:
    fold = Fold(100, **OPEN, max_mark_age=60_000_000)
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", dollars(35)))
    fold.at += 61_000_000
    fold.do(c.Deposit(1))
    assert drawdown(fold) == pytest.approx(0.2)


def test_high_water_mark_counts_a_marked_loss_that_goes_with_its_lease() -> None:
    fold = Fold(100, **OPEN, on_expiry="free")
    fold.ask("rain", 10, lease=60_000_000)
    fold.do(c.Mark("rain", 0))
    fold.do(c.SyncWallet(dollars(110)))
    fold.at += 60_000_000
    fold.withdraw(20)
    assert fold.state.equity == dollars(100)
    fold.do(c.SyncWallet(dollars(75)))
    assert drawdown(fold) == 0.25


def test_high_water_mark_counts_a_marked_loss_that_was_never_filled() -> None:
    fold = Fold(100, **OPEN)
    fold.do(c.SyncWallet(dollars(90)))
    fold.ask("rain", 10, lease=60_000_000)
    fold.do(c.Mark("rain", 0))
    fold.do(c.SyncWallet(dollars(100)))
    fold.do(c.Confirm("rain", filled=0))
    assert fold.state.equity == dollars(110)
    fold.withdraw(10)
    fold.do(c.SyncWallet(dollars(75)))
    assert drawdown(fold) == 0.25


def test_release_reversed_after_everything_was_withdrawn_is_booked() -> None:
    fold = Fold(100, **OPEN)
    fold.ask("rain", 10)
    (released,) = fold.release("rain", pnl=5)
    fold.withdraw(105)
    fold.do(c.ReverseRelease(fold.state.sequence - 1, released, "disputed"))
    assert fold.state.bankroll == -dollars(5)


def test_loss_beyond_a_worthless_mark_is_booked_after_everything_was_withdrawn() -> None:
    fold = Fold(100, **OPEN)
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", 0))
    fold.withdraw(90)
    fold.release("rain", pnl=-12)
    assert fold.state.bankroll == -dollars(2)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-300, 400)), min_size=1, max_size=30),
)
@settings(max_examples=200)
def test_drawdown_is_that_of_a_fund_in_exact_fractions(steps: list[tuple[bool, int]]) -> None:
    """Each step is a flow or a P&L in tenths of a dollar; steps that would end below $1 are left out."""
    fold = Fold(100, **OPEN)
    equity, units, peak = Fraction(100), Fraction(100), Fraction(1)
    for is_flow, tenths in steps:
        change = Fraction(tenths, 10)
        if not change or equity + change < 1:
            continue
        if is_flow:
            (fold.deposit if change > 0 else fold.withdraw)(abs(tenths) / 10)
            units += change / (equity / units)
        else:
            lose(fold, -tenths / 10)
        equity += change
        peak = max(peak, equity / units)
        assert abs(drawdown_ppb(fold.state) - (1 - equity / units / peak) * PPB) <= 2
