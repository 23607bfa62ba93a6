"""Forecasts: pandas' exponentially weighted mean is the second opinion."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from statistics import fmean

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.pools.forecast import forecast, weighted_mean
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import PoolDay

FIRST = dt.date(2026, 2, 1)


def history(apys: list[float], rewards: list[float] | None = None, pool: str = "p") -> list[PoolDay]:
    return [
        PoolDay(pool, FIRST + dt.timedelta(days=number), 10**12 + number, apy, apy_reward=reward)
        for number, (apy, reward) in enumerate(zip(apys, rewards or [0.0] * len(apys), strict=True))
    ]


@given(st.lists(st.floats(0, 50), min_size=1, max_size=40), st.floats(0.05, 1))
def test_the_mean_is_that_of_pandas(apys: list[float], alpha: float) -> None:
    (told,) = forecast([history(apys)], alpha=alpha)
    theirs = pd.Series(apys).ewm(alpha=alpha, adjust=True).mean().iloc[-1]
    assert told.apy == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(0, 50), min_size=2, max_size=30))
def test_errors_are_of_each_next_day(apys: list[float]) -> None:
    (told,) = forecast([history(apys)], alpha=0.4)
    theirs = pd.Series(apys).ewm(alpha=0.4, adjust=True).mean()
    assert told.error == pytest.approx(fmean(abs(np.array(apys[1:]) - theirs[:-1])), abs=1e-9)
    assert told.naive_error == pytest.approx(fmean(abs(b - a) for a, b in pairwise(apys)), abs=1e-9)


def test_a_single_day_is_its_own_forecast_and_has_no_error() -> None:
    (told,) = forecast([history([7.0])])
    assert (told.apy, told.error, told.naive_error) == (7.0, None, None)


def test_tvl_is_the_last_one() -> None:
    (told,) = forecast([history([7.0, 8.0, 9.0])])
    assert told.tvl == 10**12 + 2


def test_a_reward_is_cut_by_the_largest_haircut_of_its_tokens() -> None:
    days = history([6.0, 6.0], [2.0, 2.0])
    (told,) = forecast(
        [days], reward_tokens={"p": ["COMP", "OP"]}, haircuts={"COMP": 0.2, "OP": 0.5, "*": 0.9}
    )
    assert (told.base, told.reward, told.haircut, told.apy) == pytest.approx((4.0, 2.0, 0.5, 5.0))


def test_pools_of_different_age_do_not_disturb_each_other() -> None:
    old, new = history([1.0, 2.0, 3.0, 4.0], pool="old"), history([9.0], pool="new")
    together = forecast([old, new])
    assert together == [*forecast([old]), *forecast([new])]


def test_weights_fall_geometrically() -> None:
    assert weighted_mean(np.array([[4.0, 8.0]]), 0.75) == pytest.approx([(0.25 * 4 + 8) / 1.25])


@pytest.mark.parametrize("alpha", [0, -0.1, 1.1, float("nan")])
def test_an_alpha_that_is_no_weight_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha must be above 0 and at most 1"):
        forecast([history([1.0])], alpha=alpha)


def test_a_haircut_that_is_no_fraction_is_refused() -> None:
    with pytest.raises(InvalidInput, match="haircut of OP must be a fraction from 0 to 1, got 35"):
        forecast([history([1.0])], haircuts={"OP": 35})


def test_a_pool_without_a_day_is_refused_by_its_number() -> None:
    with pytest.raises(InvalidInput, match=r"histories\[0\] has no days"):
        forecast([[]])
    assert forecast([]) == []
