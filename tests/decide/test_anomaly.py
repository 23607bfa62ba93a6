"""The robust z-score by hand, and what it promises of wild values."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.risk.anomaly import robust_z
from capdesk.model.errors import InvalidInput

HISTORY = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]
"""Median 2.45; deviations from it .05 .05 .15 .15 .15 .15 .35 .35 5.75 5.85, whose median is 0.15."""


@pytest.mark.parametrize(
    ("value", "z"),
    [(8.2, 0.6745 * 5.75 / 0.15), (2.1, -0.6745 * 0.35 / 0.15), (2.45, 0), (2.75, 0.6745 * 2)],
)
def test_the_score_by_hand(value: float, z: float) -> None:
    assert robust_z(value, HISTORY) == pytest.approx(z)


def test_two_wild_values_of_ten_hide_neither_themselves_nor_the_next() -> None:
    assert abs(robust_z(8.2, HISTORY)) > 3.5
    assert abs(robust_z(4.0, HISTORY)) > 3.5
    assert abs(robust_z(2.9, HISTORY)) < 3.5


def test_nine_values_are_too_few_to_judge_by() -> None:
    assert robust_z(1e9, HISTORY[:9]) == 0
    assert robust_z(1e9, []) == 0


def test_a_history_that_never_moved_makes_any_move_infinite() -> None:
    assert robust_z(5.0, [5.0] * 10) == 0
    assert robust_z(5.1, [5.0] * 10) == inf
    assert robust_z(4.9, [5.0] * 10) == -inf


@pytest.mark.parametrize(("value", "history"), [(nan, HISTORY), (inf, HISTORY), (1.0, [*HISTORY, nan])])
def test_figures_that_are_not_finite_are_refused(value: float, history: list[float]) -> None:
    with pytest.raises(InvalidInput, match="must be finite"):
        robust_z(value, history)


@given(
    history=st.lists(st.integers(-1000, 1000), min_size=10, max_size=40, unique=True),
    wild=st.integers(10**6, 10**9),
)
def test_one_wild_value_in_the_history_hides_no_other(history: list[int], wild: int) -> None:
    calm = [float(it) for it in history]

    assert robust_z(float(wild), calm) > 3.5
    assert robust_z(float(wild), [*calm, float(wild)]) > 3.5


@given(
    history=st.lists(st.integers(-1000, 1000), min_size=10, max_size=40),
    value=st.integers(-2000, 2000),
    unit=st.sampled_from([2, 8, 64]),
    zero=st.integers(-500, 500),
)
def test_the_score_knows_neither_the_unit_nor_its_zero(
    history: list[int], value: int, unit: int, zero: int
) -> None:
    there = [float(unit * it + zero) for it in history]

    assert robust_z(float(unit * value + zero), there) == robust_z(
        float(value), [float(it) for it in history]
    )
