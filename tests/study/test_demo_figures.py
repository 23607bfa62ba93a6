"""What a day came to: sums by strategy, means over time, and the plain values of --json."""

from dataclasses import replace

import pytest

from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult
from capdesk.study.demo.day import Ask, Day, Level, Payout, Position
from capdesk.study.demo.figures import desk_figures, sampled, strategy_figures, telling_market

START = 1_000_000


def ask(market: str, strategy: str, asked: str, granted: str, bound_by: str | None = None) -> Ask:
    result = AllocationResult.SUCCESS if Amount(granted) else AllocationResult.MARKET_LIMIT_EXCEEDED
    return Ask(START, market, strategy, strategy, "up", 50, Amount(asked), Amount(granted), result, bound_by)


def payout(market: str, strategy: str, principal: str, hours: int, pnl: str, fees: str) -> Payout:
    position = Position(market, strategy, START, "up", 1, 50, Amount(principal))
    return Payout(position, START + 3600 * hours, Amount(pnl) > 0, Amount(pnl), Amount(fees))


def level(at: int, bankroll: str, allocated: str, drawdown: str = "0") -> Level:
    return Level(START + at, Amount(bankroll), Amount(allocated), Amount(60), 1, Amount(drawdown))


DAY = Day(
    seed=0,
    slippage_ticks=0,
    starts_at=START,
    ends_at=START + 1000,
    initial_bankroll=Amount(200),
    bankroll=Amount("203.9"),
    asks=(
        ask("a", "sniper", "8", "8"),
        ask("a", "momentum", "8", "2", "market_percent"),
        ask("b", "sniper", "8", "0", "market_percent"),
    ),
    payouts=(payout("a", "sniper", "8", 2, "5", "0.1"), payout("a", "momentum", "2", 1, "-1", "0")),
    levels=(
        level(0, "200", "10"),
        level(400, "200", "60"),
        level(600, "200", "20", "0.25"),
        level(5000, "200", "0"),
    ),
)


def test_a_strategys_asks_are_counted_by_answer_and_by_what_stood_in_the_way():
    sniper = next(it for it in strategy_figures(DAY) if it.strategy == "sniper")
    assert (sniper.asks, sniper.asked) == (2, Amount(16))
    assert sniper.answers == {"full": 1, "refused": 1}
    assert sniper.refused_by == {"one market": 1}
    momentum = next(it for it in strategy_figures(DAY) if it.strategy == "momentum")
    assert momentum.cut_by == {"one market": 1}


def test_profit_per_dollar_hour_is_net_of_fees_over_capital_times_time():
    sniper = next(it for it in strategy_figures(DAY) if it.strategy == "sniper")
    assert sniper.dollar_hours == 16
    assert sniper.pnl_per_dollar_hour == Amount("4.9") / 16


def test_the_last_line_is_all_of_them():
    *each, everything = strategy_figures(DAY)
    assert everything.strategy == "all"
    assert everything.pnl == DAY.pnl == sum((it.pnl for it in each), Amount(0))
    assert everything.asks == sum(it.asks for it in each) == 3


def test_mean_utilisation_weighs_each_level_by_its_time_up_to_the_last_close():
    # 5 % for 400 s, 30 % for 200 s, 10 % for 400 s of 1000 s.
    assert desk_figures(DAY).mean_utilisation == pytest.approx(Amount("0.12"))


def test_peaks_are_the_largest_of_all_levels():
    figures = desk_figures(DAY)
    assert figures.peak_utilisation == Amount("0.3")
    assert figures.max_drawdown == Amount("0.25")


def test_a_curve_is_sampled_at_equal_times():
    assert sampled(DAY, 3, lambda each: each.allocated) == [10, 20, 0]


def test_the_market_to_look_at_is_the_one_with_most_kinds_of_answers():
    assert telling_market(DAY) == "a"
    assert telling_market(replace(DAY, asks=())) is None
