"""Stability groups: the bounds, the windows, and the source's own figures where history is short."""

from __future__ import annotations

import datetime as dt
from statistics import stdev
from typing import Any

import pytest

from capdesk.decide.pools.stability import stability
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import PoolDay

TODAY = dt.date(2026, 2, 27)


def history(*apys: float, **today: Any) -> list[PoolDay]:
    """Days without a gap that end today; `today` are fields of the last one."""
    last = len(apys) - 1
    return [
        PoolDay(
            "p", TODAY - dt.timedelta(days=last - number), 10**12, apy, **(today if number == last else {})
        )
        for number, apy in enumerate(apys)
    ]


def test_a_pool_that_does_not_move_is_steady() -> None:
    told = stability(history(*[4.0] * 30))
    assert (told.group, told.one_day, told.week, told.month, told.from_source) == (1, 0, 0, 0, ())


@pytest.mark.parametrize(("step", "group"), [(1.0, 1), (1.01, 2), (3.0, 2), (3.01, 3)])
def test_the_change_of_a_day_on_the_bound_stays_in_the_lower_group(step: float, group: int) -> None:
    """Thirty days at 2.3 %, then one step: its deviations stay far below their bounds."""
    assert stability(history(*[2.3] * 60, 2.3 + step)).group == group


def test_deviations_are_of_seven_and_of_thirty_days() -> None:
    apys = [float(number % 5) for number in range(40)]
    told = stability(history(*apys))
    assert told.week == pytest.approx(stdev(apys[-7:]))
    assert told.month == pytest.approx(stdev(apys[-30:]))


@pytest.mark.parametrize(("swing", "group"), [(1.4, 1), (1.5, 1), (1.6, 2), (4.0, 2), (4.1, 3)])
def test_a_week_that_swings_decides_though_each_day_was_calm(swing: float, group: int) -> None:
    """Seven values of deviation `swing` whose last step is 0, after a calm month."""
    wave = [-1.0, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0]
    week = [10 + swing * value / stdev(wave) for value in wave]
    month = [10.0] * 23
    told = stability(history(*month, *week))
    assert told.week == pytest.approx(swing)
    assert told.group == group


def test_a_short_history_takes_the_sources_own_deviation_and_says_so() -> None:
    told = stability(history(5.0, 5.0, sigma=0.4, apy_30d_avg=3.2))
    assert told.from_source == ("week", "month")
    assert told.week == told.month == pytest.approx(1.8)
    assert told.group == 2


def test_what_nobody_knows_counts_as_unsteady() -> None:
    assert stability(history(5.0)).group == 3


def test_a_gap_of_one_day_is_bridged_and_a_longer_one_is_not() -> None:
    days = history(*[5.0] * 30, 5.5)
    assert stability([day for day in days if day.day != TODAY - dt.timedelta(days=1)]).one_day == 0.5
    far = [day for day in days if not 1 <= (TODAY - day.day).days <= 2]
    assert stability(far).one_day is None


def test_a_history_without_a_day_is_refused() -> None:
    with pytest.raises(InvalidInput, match="history has no days"):
        stability([])
