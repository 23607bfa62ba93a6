"""Where sums are booked: accounts, flows, marks, transfers, and the periods of time between them."""

from __future__ import annotations

import pytest

from capdesk.decide.transition import decide, evolve, tick
from capdesk.ledger.invariants import check_in_full
from capdesk.model import commands as c
from capdesk.model.errors import ConfigError, InsufficientFunds
from capdesk.model.mandate import DAY, Mandate
from capdesk.model.state import State
from tests.decide.support import SECOND, Fold, dollars

OPEN = {"market_percent_ppm": 1_000_000, "market_absolute": None, "total_percent_ppm": 1_000_000}


def desk(**mandate: object) -> Fold:
    fold = Fold(100, **{**OPEN, "accounts": ("main", "venue"), **mandate})
    fold.do(c.Deposit(dollars(50), "venue"))
    return fold


def test_profit_and_fees_stay_in_the_account_of_the_allocation() -> None:
    fold = desk()
    fold.ask("rain", 10, account="venue")
    fold.release("rain", pnl=5, fees=2)
    assert dict(fold.state.balances) == {"main": dollars(100), "venue": dollars(53)}


def test_reversal_takes_profit_and_fees_back_from_the_account() -> None:
    fold = desk()
    fold.ask("rain", 10, account="venue")
    (released,) = fold.release("rain", pnl=5, fees=2)
    fold.do(c.ReverseRelease(fold.state.sequence, released, "disputed"))
    assert dict(fold.state.balances) == {"main": dollars(100), "venue": dollars(50)}


def test_new_bankroll_is_compared_at_cost_and_not_at_marks() -> None:
    fold = desk()
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", dollars(40)))
    assert fold.do(c.SetBankroll(dollars(150))) == ()
    assert fold.state.equity == dollars(180)


def test_what_is_added_to_a_marked_allocation_counts_at_cost() -> None:
    fold = desk()
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", dollars(40)))
    fold.ask("rain", 5, increase=True)
    assert fold.state.equity == dollars(180)


@pytest.mark.parametrize(("value", "equity"), [(25, 150), (4, 144)])
def test_stale_mark_falls_back_to_the_lower_of_cost_and_mark(value: float, equity: float) -> None:
    fold = desk(max_mark_age=60 * SECOND)
    fold.ask("rain", 10)
    fold.do(c.Mark("rain", dollars(value)))
    fold.at += 61 * SECOND
    fold.do(c.Deposit(1))
    assert fold.state.equity == dollars(equity) + 1


def test_wallet_that_holds_more_is_a_profit_and_no_flow() -> None:
    fold = desk()
    fold.ask("rain", 10)
    fold.do(c.SyncWallet(dollars(93)))
    assert (fold.state.pnl, fold.state.deposits) == (dollars(3), dollars(150))
    assert fold.state.balances["main"] == dollars(103)


def test_money_in_transit_is_in_no_account_and_still_in_the_bankroll() -> None:
    fold = desk()
    fold.do(c.Transfer(dollars(30), "main", "venue", 60 * SECOND))
    assert dict(fold.state.balances) == {"main": dollars(70), "venue": dollars(50)}
    assert (fold.state.bankroll, fold.state.transit_total) == (dollars(150), dollars(30))
    fold.at += 60 * SECOND
    fold.do(c.Deposit(dollars(1)))
    assert dict(fold.state.balances) == {"main": dollars(71), "venue": dollars(80)}
    check_in_full(fold.state)


def test_money_in_transit_cannot_be_withdrawn() -> None:
    fold = desk()
    fold.do(c.Transfer(dollars(100), "main", "venue", 60 * SECOND))
    with pytest.raises(InsufficientFunds, match=r"\$0.00 is free"):
        fold.withdraw(1)


def test_bankroll_is_not_set_below_what_is_allocated_or_under_way() -> None:
    fold = desk()
    fold.ask("rain", 60)
    with pytest.raises(InsufficientFunds, match=r"cannot be set to \$100.00"):
        fold.do(c.SetBankroll(dollars(100)))
    fold.do(c.SetBankroll(dollars(110)))
    assert fold.state.bankroll == dollars(110)


def test_account_with_money_stays_in_the_mandate() -> None:
    fold = desk()
    narrower = Mandate(**OPEN, accounts=("main",))
    with pytest.raises(ConfigError, match=r"accounts must keep 'venue': it holds \$50.00"):
        fold.do(c.UpdateMandate(narrower, "why"))
    fold.do(c.Transfer(dollars(50), "venue", "main"))
    fold.do(c.UpdateMandate(narrower, "why"))
    assert fold.state.mandate_version == 2


def test_ids_age_from_the_founding_on() -> None:
    retention = 7 * DAY
    founding = 1_785_000_000 * SECOND
    state = State()
    tick(state, founding)
    for event in decide(state, c.Found(Mandate(id_retention=retention), dollars(100)), "found", founding):
        evolve(state, event, 1, founding)
    tick(state, founding + retention - 1)
    assert state.id_period == 0
    tick(state, founding + retention)
    assert state.id_period == 1
