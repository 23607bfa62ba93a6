"""Volatility by RiskMetrics' recursion, against hand-worked figures and the sum it stands for."""

from __future__ import annotations

from itertools import pairwise
from math import fsum, inf, log, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.config import RiskConfig
from capdesk.decide.risk.volatility import ewma_volatility, to_ppm, volatility_state
from capdesk.model.errors import InvalidInput

ETH_CLOSES = [
    229.268189, 243.5253, 237.853095, 200.689052, 201.986327, 200.767247, 194.868528, 112.347124,
    133.201807, 123.306025, 125.214304, 110.605876, 113.94275, 114.842273, 136.593858,
]  # fmt: skip
"""Daily closes of ether in dollars, 2020-03-05 to 2020-03-19 (CoinMarketCap)."""

RETURNS = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60)


def test_the_first_return_alone_is_its_own_size() -> None:
    assert ewma_volatility([-0.02], 365) == pytest.approx(0.02 * sqrt(365))


def test_two_and_three_returns_by_hand() -> None:
    # 0.94 x 0.0001 + 0.06 x 0.0004 = 0.000118; 0.94 x 0.000118 + 0.06 x 0.0009 = 0.00016492
    assert ewma_volatility([0.01, -0.02], 1) == pytest.approx(sqrt(0.000118))
    assert ewma_volatility([0.01, -0.02, 0.03], 1) == pytest.approx(sqrt(0.00016492))
    assert ewma_volatility([0.01, -0.02], 1, decay=0.97) == pytest.approx(sqrt(0.000109))


@given(returns=RETURNS, decay=st.floats(0.5, 0.99), periods=st.sampled_from([1.0, 252.0, 365.0]))
def test_the_recursion_is_the_weighted_sum_of_squares(
    returns: list[float], decay: float, periods: float
) -> None:
    newest_first = returns[::-1]
    weights = [(1 - decay) * decay**age for age in range(len(returns) - 1)] + [decay ** (len(returns) - 1)]
    variance = fsum(weight * value**2 for weight, value in zip(weights, newest_first, strict=True))

    assert fsum(weights) == pytest.approx(1)
    assert ewma_volatility(returns, periods, decay) == pytest.approx(sqrt(variance * periods), abs=1e-12)


def test_the_crash_of_march_2020_takes_ether_from_high_to_extreme() -> None:
    returns = [log(today / before) for before, today in pairwise(ETH_CLOSES)]
    before, after = ewma_volatility(returns[:2], 365), ewma_volatility(returns[:7], 365)
    table = RiskConfig().compiled()

    assert (round(before, 4), round(after, 4)) == (1.1229, 2.8427)
    assert [volatility_state(to_ppm(it), table) for it in (before, after)] == ["high", "extreme"]


@pytest.mark.parametrize(
    ("volatility", "state"),
    [
        (0, "low"), (0.5, "low"), (0.500001, "medium"), (0.8, "medium"), (0.800001, "high"),
        (1.2, "high"), (1.200001, "extreme"), (9, "extreme"),
    ],
)  # fmt: skip
def test_a_threshold_itself_is_the_calmer_state(volatility: float, state: str) -> None:
    assert volatility_state(to_ppm(volatility), RiskConfig().compiled()) == state


def test_thresholds_are_the_configurations() -> None:
    table = RiskConfig(medium_above="0.1", high_above="0.2", extreme_above="0.3").compiled()

    assert [volatility_state(to_ppm(it), table) for it in (0.1, 0.15, 0.25, 0.35)] == [
        "low",
        "medium",
        "high",
        "extreme",
    ]


@pytest.mark.parametrize(
    ("returns", "periods", "decay", "what"),
    [
        ([], 365, 0.94, "returns must hold at least one return, got none"),
        ([0.1, nan], 365, 0.94, "got nan at place 1"),
        ([inf], 365, 0.94, "got inf at place 0"),
        ([0.1], 365, 0.0, "decay must lie between 0 and 1, got 0.0"),
        ([0.1], 365, 1.0, "decay must lie between 0 and 1, got 1.0"),
        ([0.1], 0, 0.94, "periods_per_year must be above 0, got 0"),
    ],
)
def test_what_has_no_volatility_is_named(
    returns: list[float], periods: float, decay: float, what: str
) -> None:
    with pytest.raises(InvalidInput, match=what):
        ewma_volatility(returns, periods, decay)
