"""The venue of the demo: whole shares for what was granted, a dollar or nothing for each, after a while."""

import pytest

from capdesk.desk import CapitalAllocator
from capdesk.model.money import Amount
from capdesk.study.demo.bots import SNIPER, Wish
from capdesk.study.demo.day import Position
from capdesk.study.demo.venue import PAYOUT_DELAY_SECONDS, fill, payout_delay, settle

POSITION = Position("m", "sniper", 0, "up", shares=10, cents=90, principal=Amount("9.063"))


@pytest.mark.parametrize(
    ("slippage_ticks", "cents", "shares", "principal"),
    # 90 cents with a fee of 0.0063: 11 shares of $10; at 91 with 0.005733: 10; at 99 with 0.000693: 10.
    [(0, 90, 11, "9.9693"), (1, 91, 10, "9.15733"), (30, 99, 10, "9.90693")],
)
async def test_a_grant_buys_as_many_whole_shares_as_it_pays_for_with_the_fee(
    slippage_ticks: int, cents: int, shares: int, principal: str
):
    verdict = await CapitalAllocator(initial_bankroll=200).request_allocation("m", 10, "sniper")
    position = fill(7, SNIPER, Wish("up", 90, Amount(10)), verdict, slippage_ticks)
    assert position == Position("m", "sniper", 7, "up", shares, cents, Amount(principal))


def test_a_share_that_wins_pays_a_dollar():
    payout = settle(POSITION, True, at=99)
    assert (payout.pnl, payout.fees, payout.net) == (Amount(1), Amount("0.063"), Amount("0.937"))


def test_a_share_that_loses_costs_its_price_and_the_fee():
    payout = settle(POSITION, False, at=99)
    assert payout.net == -POSITION.principal


def test_a_market_pays_after_its_own_delay_which_the_seed_draws():
    delays = [payout_delay(seed, name) for seed in range(20) for name in ("a", "b", "c")]
    assert delays[:3] == [payout_delay(0, name) for name in ("a", "b", "c")]
    assert len(set(delays)) > 50
    assert PAYOUT_DELAY_SECONDS[0] <= min(delays) < max(delays) <= PAYOUT_DELAY_SECONDS[1]
