"""What happens to granted capital: confirmed, marked, given back, recycled, reversed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.ledger.invariants import check_in_full
from capdesk.ledger.snapshot import same_state
from capdesk.model import commands as c
from capdesk.model.errors import InvalidInput, UnknownAllocation
from capdesk.model.journal import Confirmed, Recycled, Restored
from capdesk.model.requests import AllocationResult, Refused
from tests.decide.support import SECOND, Fold, dollars

OPEN = {"market_percent_ppm": 1_000_000, "market_absolute": None, "total_percent_ppm": 1_000_000}


def desk(**mandate: object) -> Fold:
    fold = Fold(100, **{**OPEN, **mandate})
    fold.ask("rain", 30, lease=60 * SECOND)
    return fold


def held(fold: Fold, market: str = "rain", strategy: str = "sniper") -> int:
    position = fold.state.positions[market, strategy]
    return 0 if position is None else position.amount


def test_confirmation_of_a_part_gives_the_rest_back() -> None:
    fold = desk()
    (event,) = fold.do(c.Confirm("rain", filled=dollars(12)))
    assert isinstance(event, Confirmed)
    assert (event.amount, event.returned) == (dollars(12), dollars(18))
    assert (held(fold), fold.state.allocated) == (dollars(12), dollars(12))


def test_confirmation_splits_what_stays_anew() -> None:
    fold = desk()
    (event,) = fold.do(c.Confirm("rain", filled=dollars(12)))
    assert isinstance(event, Confirmed)
    assert event.orders == ()
    fold = desk()
    (event,) = fold.do(c.Confirm("rain"))
    assert isinstance(event, Confirmed)
    assert event.orders == (dollars(10),) * 3


def test_confirmation_of_nothing_closes_the_allocation() -> None:
    fold = desk()
    fold.do(c.Confirm("rain", filled=0))
    assert (held(fold), fold.state.allocated, fold.state.leases) == (0, 0, {})


def test_confirmation_of_more_than_is_held_is_refused_with_both_figures() -> None:
    with pytest.raises(InvalidInput, match=r"filled must lie between 0 and the \$30.00 .* got \$31.00"):
        desk().do(c.Confirm("rain", filled=dollars(31)))


def test_confirmed_allocation_never_expires() -> None:
    fold = desk(on_expiry="free")
    fold.do(c.Confirm("rain"))
    fold.at += 3_600 * SECOND
    fold.do(c.Deposit(1))
    assert held(fold) == dollars(30)


def test_lease_that_ends_unconfirmed_is_held() -> None:
    fold = desk()
    fold.at += 60 * SECOND
    fold.do(c.Deposit(1))
    position = fold.state.positions["rain", "sniper"]
    assert position is not None
    assert position.held
    assert fold.state.allocated == dollars(30)


def test_held_allocation_can_be_confirmed_late() -> None:
    fold = desk()
    fold.at += 600 * SECOND
    (event,) = fold.do(c.Confirm("rain", filled=dollars(30)))
    assert isinstance(event, Confirmed)
    position = fold.state.positions["rain", "sniper"]
    assert position is not None
    assert not position.held


def test_lease_that_ends_is_freed_where_the_mandate_says_so() -> None:
    fold = desk(on_expiry="free")
    fold.at += 60 * SECOND - 1
    fold.do(c.Deposit(1))
    assert held(fold) == dollars(30)
    fold.at += 1
    fold.do(c.Deposit(1))
    assert (held(fold), fold.state.allocated) == (0, 0)


def test_confirmation_of_a_freed_lease_is_told_so() -> None:
    fold = desk(on_expiry="free")
    fold.at += 61 * SECOND
    (event,) = fold.do(c.Confirm("rain"))
    assert isinstance(event, Refused)
    assert event.code is AllocationResult.LEASE_EXPIRED


def test_confirmation_of_what_was_never_granted_is_told_so() -> None:
    (event,) = desk().do(c.Confirm("sun"))
    assert isinstance(event, Refused)
    assert event.code is AllocationResult.NOT_ALLOCATED


def test_new_grant_makes_an_expired_lease_forgotten() -> None:
    fold = desk(on_expiry="free")
    fold.at += 61 * SECOND
    fold.ask("rain", 5)
    fold.release("rain")
    (event,) = fold.do(c.Confirm("rain"))
    assert isinstance(event, Refused)
    assert event.code is AllocationResult.NOT_ALLOCATED


def test_release_of_a_part_keeps_the_rest_open() -> None:
    fold = desk()
    (event,) = fold.release("rain", pnl=2, amount=dollars(10))
    assert isinstance(event, c.Released)
    assert (event.amount, event.rest, held(fold)) == (dollars(10), dollars(20), dollars(20))
    assert fold.state.bankroll == dollars(102)


def test_release_of_an_unknown_market_books_nothing() -> None:
    fold = desk()
    assert fold.release("sun", pnl=50) == ()
    assert fold.state.bankroll == dollars(100)


@pytest.mark.parametrize("amount", [0, -1, dollars(30) + 1])
def test_release_of_more_than_is_held_is_refused(amount: int) -> None:
    with pytest.raises(InvalidInput, match=r"amount must be above 0 and at most the \$30.00"):
        desk().do(c.Release("rain", amount=amount))


def test_fees_are_a_line_of_their_own() -> None:
    fold = desk()
    fold.release("rain", pnl=5, fees=2)
    assert (fold.state.pnl, fold.state.fees) == (dollars(5), dollars(2))
    assert fold.state.bankroll == dollars(103)


def test_strategy_must_be_named_where_several_hold_a_market() -> None:
    fold = desk(share_markets=True)
    fold.ask("rain", 10, "momentum")
    with pytest.raises(InvalidInput, match=r"rain holds capital for sniper, momentum: name one"):
        fold.release("rain")
    fold.do(c.Release("rain", "momentum"))
    assert (held(fold), held(fold, strategy="momentum")) == (dollars(30), 0)


def test_reversal_opens_the_allocation_again_and_takes_its_pnl_back() -> None:
    fold = desk()
    (released,) = fold.release("rain", pnl=7, fees=1)
    entry = fold.state.sequence
    (event,) = fold.do(c.ReverseRelease(entry, released, "disputed"))
    assert isinstance(event, Restored)
    assert (held(fold), fold.state.bankroll) == (dollars(30), dollars(100))
    assert (fold.state.pnl, fold.state.fees) == (0, 0)


def test_reversal_happens_once() -> None:
    fold = desk()
    (released,) = fold.release("rain", pnl=7)
    entry = fold.state.sequence
    fold.do(c.ReverseRelease(entry, released, "disputed"))
    fold.release("rain", pnl=-7)
    with pytest.raises(InvalidInput, match="was reversed before"):
        fold.do(c.ReverseRelease(entry, released, "disputed"))


def test_reversal_is_refused_where_the_market_is_held_anew() -> None:
    fold = desk()
    (released,) = fold.release("rain")
    entry = fold.state.sequence
    fold.ask("rain", 5)
    with pytest.raises(InvalidInput, match=r"rain holds \$5.00 anew"):
        fold.do(c.ReverseRelease(entry, released, "disputed"))


def test_reversed_allocation_is_still_in_the_queue_it_was_in() -> None:
    fold = desk()
    fold.do(c.QueueRecycle("rain", pnl=dollars(1)), "event-1")
    (released,) = fold.release("rain", pnl=2)
    fold.do(c.ReverseRelease(fold.state.sequence, released, "disputed"))
    with pytest.raises(InvalidInput, match="queued already as event-1"):
        fold.do(c.QueueRecycle("rain", pnl=dollars(3)), "event-2")


def test_mark_of_an_unknown_allocation_is_an_error() -> None:
    with pytest.raises(UnknownAllocation, match="sun holds no allocation"):
        desk().do(c.Mark("sun", 1))


def test_mark_is_neither_in_the_future_nor_older_than_the_last() -> None:
    fold = desk()
    with pytest.raises(InvalidInput, match="future"):
        fold.do(c.Mark("rain", 1, fold.at + 1))
    fold.do(c.Mark("rain", 1, fold.at - 5))
    with pytest.raises(InvalidInput, match="later mark"):
        fold.do(c.Mark("rain", 1, fold.at - 6))


def test_mark_that_is_stale_when_told_gives_the_same_state_however_entries_are_batched() -> None:
    """A writer lets time pass once for a batch, a replay before each entry."""
    states = []
    for alone in (False, True):
        fold = desk(max_mark_age=60 * SECOND)
        fold.do(c.Mark("rain", dollars(50), fold.at - 100 * SECOND))
        fold.do(c.Deposit(dollars(1)), ticks=alone)
        assert fold.state.equity == dollars(101)
        states.append(fold.state)
    assert same_state(*states)


def test_recycling_waits_for_its_time_and_frees_with_its_pnl() -> None:
    fold = desk()
    fold.do(c.QueueRecycle("rain", pnl=dollars(3), fees=dollars(1)), "event-1")
    events = fold.do(c.Recycle("event-1"))
    assert isinstance(events[-1], Recycled)
    assert (events[-1].amount, events[-1].pnl) == (dollars(30), dollars(3))
    assert fold.state.bankroll == dollars(102)


def test_recycling_happens_once() -> None:
    fold = desk()
    fold.do(c.QueueRecycle("rain", pnl=dollars(3)), "event-1")
    fold.do(c.Recycle("event-1"))
    assert fold.do(c.Recycle("event-1")) == ()
    assert fold.state.bankroll == dollars(103)


def test_recycling_does_not_free_a_later_allocation_of_the_market() -> None:
    fold = desk()
    fold.do(c.QueueRecycle("rain", pnl=dollars(3)), "event-1")
    fold.release("rain", pnl=1)
    fold.ask("rain", 5)
    (event,) = fold.do(c.Recycle("event-1"))
    assert isinstance(event, Recycled)
    assert (event.amount, event.pnl, held(fold)) == (0, 0, dollars(5))


@given(
    st.lists(
        st.tuples(st.integers(1, dollars(40)), st.integers(-dollars(40), dollars(40)), st.booleans()),
        max_size=20,
    )
)
def test_totals_are_the_sums_of_what_is_open(steps: list[tuple[int, int, bool]]) -> None:
    fold = Fold(100, **OPEN, share_markets=True, accounts=("main", "venue"))
    fold.do(c.Deposit(dollars(50), "venue"))
    for number, (amount, pnl, releases) in enumerate(steps):
        fold.ask(f"m{number % 4}", amount / 1e6, account="venue" if number % 3 else "main")
        position = fold.state.positions[f"m{(number + 1) % 4}", "sniper"]
        if releases and position is not None:
            fold.do(c.Release(position.market, pnl=pnl, amount=max(1, position.amount // 2)))
        check_in_full(fold.state)
