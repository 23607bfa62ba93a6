"""The bots: when they keep out, and how much they ask for when they do not."""

from dataclasses import replace

import pytest

from capdesk.model.money import Amount
from capdesk.study.demo.bots import BOTS, CAUTIOUS, CONTRARIAN, MOMENTUM, SNIPER, SPARE, Belief, Sight, sight


def seen(*deviations: float, seconds_left: int = 60, bankroll: object = 200) -> Sight:
    return Sight("m", seconds_left, deviations, Amount(bankroll))


def test_at_least_three_strategies_run_at_once_and_look_where_they_should():
    assert MOMENTUM.moments == (240,)
    assert set(SNIPER.moments) == {15, 10, 5}
    assert all(max(SNIPER.moments) < moment < 240 for moment in (*CAUTIOUS.moments, *CONTRARIAN.moments))
    assert len({bot.strategy for bot in BOTS}) >= 3


def test_a_bot_asks_for_its_fraction_of_the_kelly_stake_in_whole_cents():
    bot = replace(MOMENTUM, believes=lambda _: Belief("up", 0.6), kelly=0.5)
    wish = bot.wish(seen(0.0))
    # Quoted 51 cents, with the fee 0.527493 dollars: half of (0.6 - c) / (1 - c) of $200 is $15.3452...
    assert wish is not None
    assert (wish.side, wish.cents, wish.asked) == ("up", 51, Amount("15.34"))


def test_a_bot_that_finds_a_bet_asks_for_a_dollar_and_a_half_at_least():
    bot = replace(MOMENTUM, believes=lambda _: Belief("up", 0.5276))
    wish = bot.wish(seen(0.0))
    assert wish is not None
    assert wish.asked == Amount("1.5")


def test_a_bot_keeps_out_when_the_price_with_its_fee_is_not_below_its_belief():
    bot = replace(MOMENTUM, believes=lambda _: Belief("up", 0.5274))
    assert bot.wish(seen(0.0)) is None


def test_the_underdog_is_priced_as_the_other_side_of_the_favourite():
    wish = CONTRARIAN.wish(seen(1.0))
    assert wish is not None
    assert wish.side == "down"
    assert wish.cents == 17  # 1 - Phi(1) is 0.1587, and half a cent, rounded up


@pytest.mark.parametrize("deviations", [(1.0, -0.2, 1.0), (-0.5, 1.0)])
def test_cautious_keeps_out_of_a_market_whose_lead_has_changed(deviations: tuple[float, ...]):
    assert CAUTIOUS.wish(seen(*deviations)) is None
    assert CAUTIOUS.wish(seen(*map(abs, deviations))) is not None


def test_the_sniper_waits_for_a_clear_lead():
    assert SNIPER.wish(seen(0.49, seconds_left=5)) is None
    assert SNIPER.wish(seen(0.9, seconds_left=5)) is not None


def test_the_spare_sniper_is_the_sniper_under_another_name():
    assert replace(SPARE, name=SNIPER.name) == SNIPER


def test_sight_measures_every_price_with_the_time_that_was_left_then():
    looked = sight("m", ((120, 101.0), (30, 101.0)), 100.0, 1e-3, Amount(200))
    assert looked.seconds_left == 30
    assert looked.deviations[1] == pytest.approx(2 * looked.deviations[0])
