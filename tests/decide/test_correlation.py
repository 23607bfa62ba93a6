"""Correlation groups and the mean correlation, on real closes and on made-up chains."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import log, nan
from statistics import correlation, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.risk.correlation import correlation_groups, mean_correlation
from capdesk.model.errors import InvalidInput

CLOSES = {
    "BTC": [
        9078.762792, 9122.545573, 8909.953652, 8108.116291, 7923.644703, 7909.729393, 7911.430129,
        4970.787901, 5563.706892, 5200.366264, 5392.31488, 5014.479977, 5225.629193, 5238.438577, 6191.192952,
    ],
    "ETH": [
        229.268189, 243.5253, 237.853095, 200.689052, 201.986327, 200.767247, 194.868528,
        112.347124, 133.201807, 123.306025, 125.214304, 110.605876, 113.94275, 114.842273, 136.593858,
    ],
    "LTC": [
        62.04546, 63.025601, 60.546309, 51.728601, 50.168147, 50.256389, 48.463785,
        30.930883, 37.437955, 34.396586, 36.437092, 32.876215, 33.56387, 33.684177, 39.073766,
    ],
    "USDT": [
        1.002522, 0.99843, 1.000182, 1.009775, 0.999048, 1.001721, 0.998806,
        1.053585, 0.999629, 1.001621, 1.001987, 0.997004, 0.976145, 0.974248, 1.003193,
    ],
}  # fmt: skip
"""Daily closes in dollars, 2020-03-05 to 2020-03-19 (CoinMarketCap)."""

MARCH = {name: [log(today / before) for before, today in pairwise(closes)] for name, closes in CLOSES.items()}


def test_the_coins_are_one_group_and_the_stable_one_is_in_none() -> None:
    assert correlation_groups(MARCH, 0.9) == [("BTC", "ETH", "LTC")]
    assert correlation(MARCH["BTC"], MARCH["USDT"]) < 0


def test_the_mean_is_of_all_pairs() -> None:
    pairs = [correlation(MARCH[one], MARCH[other]) for one, other in combinations(MARCH, 2)]

    assert mean_correlation(MARCH) == pytest.approx(fmean(pairs))
    assert mean_correlation({"BTC": MARCH["BTC"]}) == 0
    assert mean_correlation({}) == 0


def test_names_are_joined_through_others() -> None:
    # The first and the last are not correlated; each is with the one between them.
    chain = {
        "first": [1.0, -1.0, 0.0, 0.0],
        "between": [1.0, -1.0, 1.0, -1.0],
        "last": [0.0, 0.0, 1.0, -1.0],
    }

    assert correlation(chain["first"], chain["last"]) == 0
    assert correlation_groups(chain, 0.7) == [("first", "between", "last")]
    assert correlation_groups(chain, 0.71) == []


def test_names_that_move_against_each_other_are_not_grouped() -> None:
    assert correlation_groups({"long": [1.0, 2.0, 4.0], "short": [-1.0, -2.0, -4.0]}, 0.5) == []


@given(
    rows=st.lists(st.lists(st.integers(-9, 9), min_size=6, max_size=6), min_size=1, max_size=5).filter(
        lambda rows: all(len(set(row)) > 1 for row in rows)
    ),
    limit=st.sampled_from([-0.5, 0.123, 0.577, 0.901]),
)
def test_groups_are_the_connected_parts_of_what_exceeds_the_limit(
    rows: list[list[int]], limit: float
) -> None:
    returns = {f"m{place}": [float(it) for it in row] for place, row in enumerate(rows)}
    parts = [{name} for name in returns]
    for one, other in combinations(returns, 2):
        if correlation(returns[one], returns[other]) > limit:
            joined = [part for part in parts if part & {one, other}]
            parts = [part for part in parts if part not in joined] + [set().union(*joined)]

    found = correlation_groups(returns, limit)

    assert {frozenset(group) for group in found} == {frozenset(part) for part in parts if len(part) > 1}
    assert all(list(group) == sorted(group) for group in found)


@pytest.mark.parametrize(
    ("returns", "limit", "what"),
    [
        ({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0]}, 0.5, r"one length of at least 3, got .*'b': 2"),
        ({"a": [1.0, 2.0]}, 0.5, "one length of at least 3"),
        ({"a": [1.0, 2.0, 3.0], "b": [1.0, nan, 3.0]}, 0.5, "the returns of b must be finite"),
        ({"a": [1.0, 1.0, 1.0]}, 0.5, "the returns of a never change"),
        ({"a": [1.0, 2.0, 3.0]}, 1.5, "limit must be a correlation from -1 to 1, got 1.5"),
    ],
)
def test_what_has_no_correlation_is_named(returns: dict[str, list[float]], limit: float, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        correlation_groups(returns, limit)
