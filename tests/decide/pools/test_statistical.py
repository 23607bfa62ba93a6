"""Forecasts by statsforecast's models: those of the library over a frame, and what stands in for short histories."""

from __future__ import annotations

import datetime as dt
import sys

import numpy as np
import pandas as pd
import pytest

from capdesk.decide.pools.forecast import forecast
from capdesk.decide.pools.statistical import FEWEST_DAYS
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import PoolDay
from tests.decide.pools.test_forecast import history

DAYS = 14
RATES = list(5 + np.cumsum(np.random.default_rng(7).normal(0, 0.2, DAYS)))


@pytest.mark.parametrize(
    ("model", "name"), [("ets", "AutoETS"), ("theta", "AutoTheta"), ("arima", "AutoARIMA")]
)
def test_a_forecast_is_that_of_the_library_over_a_frame(model: str, name: str) -> None:
    from statsforecast import StatsForecast, models

    frame = pd.DataFrame({"unique_id": "p", "ds": range(DAYS), "y": RATES})
    table = StatsForecast([getattr(models, name)(season_length=1)], freq=1).forecast(df=frame, h=1)
    (found,) = forecast([history(RATES)], model=model)
    assert found.apy == pytest.approx(float(table[name].iloc[0]), rel=1e-9)


def test_its_error_is_that_of_the_last_week_and_the_naive_one_of_the_same_days() -> None:
    (found,) = forecast([history(RATES)], model="theta")
    missed = []
    for day in range(DAYS - 7, DAYS):
        (before,) = forecast([history(RATES[:day])], model="theta")
        missed.append(abs(RATES[day] - before.apy))
    assert found.error == pytest.approx(np.mean(missed))
    assert found.naive_error == pytest.approx(np.mean(np.abs(np.diff(RATES[-8:]))))


@pytest.mark.parametrize("model", ["ets", "theta", "arima"])
def test_a_short_history_is_forecast_by_the_weighted_mean_and_a_steady_rate_stays(model: str) -> None:
    short, steady = history(RATES[: FEWEST_DAYS - 1]), history([3.5] * 12, [1.0] * 12, pool="q")
    by_model = forecast([short, steady], model=model, haircuts={"*": 0.5})
    weighted = forecast([short, steady], haircuts={"*": 0.5})
    assert by_model[0].apy == weighted[0].apy
    assert by_model[1].apy == pytest.approx(3.0)
    assert (by_model[1].base, by_model[1].reward) == pytest.approx((2.5, 1.0))


def test_one_day_alone_has_no_error() -> None:
    (found,) = forecast([[PoolDay("p", dt.date(2026, 2, 1), 1, 4.0)]], model="theta")
    assert (found.apy, found.error, found.naive_error) == (4.0, None, None)


def test_a_model_that_nobody_knows_or_that_is_not_installed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidInput, match="by weighted, ets, theta, arima, not by 'prophet'"):
        forecast([history(RATES)], model="prophet")
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(InvalidInput, match="with its extra 'forecast'"):
        forecast([history(RATES)], model="theta")
