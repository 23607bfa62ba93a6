"""Weights in parts per million: they add up as the plan's do, and pass no limit that the plan keeps."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capdesk.decide.weights.coarser import coarser
from capdesk.weights import Constraints, Exposure, Group, plan_weights

PPM = 1_000_000


def parts(scores: list[float], **limits: Any) -> list[int]:
    names = [f"n{place}" for place in range(len(scores))]
    plan = plan_weights(names, "risk_parity", risk_scores=scores, constraints=Constraints(**limits))
    return coarser(plan.evidence, PPM)


def test_thirds_are_all_of_it_and_the_first_has_the_spare_part() -> None:
    assert parts([1, 1, 1]) == [333_334, 333_333, 333_333]


def test_spare_parts_go_to_the_largest_remainders() -> None:
    assert parts([1, 2, 4]) == [571_429, 285_714, 142_857]


def test_nobody_is_rounded_up_over_the_largest_weight() -> None:
    assert parts([1, 1, 1], max_weight=1 / 3) == [333_333, 333_333, 333_333]
    assert parts([1, 1, 3], max_weight="0.4000009") == [400_000, 400_000, 199_999]


def test_a_group_is_not_rounded_up_over_its_limit() -> None:
    group = {"g": Group(["n0", "n1"], max="0.5000001")}
    assert parts([1, 1.2, 3, 3], groups=group)[:2] == [272_727, 227_273]
    full = {"g": Group(["n0", "n1"], max="0.5000009")}
    assert parts([1, 1, 3], groups=full) == [250_000, 250_000, 500_000]
    assert parts([1, 1, 3], groups=full, max_weight={"n2": "0.4999991"}) == [250_000, 250_000, 499_999]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=9), st.floats(0.2, 0.9), st.floats(0.3, 1))
def test_limits_are_kept_and_the_sum_is_short_of_less_than_a_part_for_each_name(
    scores: list[float], top: float, half: float
) -> None:
    count = len(scores)
    names = [f"n{place}" for place in range(count)]
    limits = Constraints(
        max_weight=top,
        groups={"half": Group(names[: count // 2], max=half)},
        exposures={"beta": Exposure([place / count for place in range(count)], max=0.7)},
    )
    plan = plan_weights(names, "risk_parity", risk_scores=scores, constraints=limits)
    found = coarser(plan.evidence, PPM)
    exact = [weight * PPM for weight in plan.weights.values()]
    assert all(int(whole) <= part <= int(whole) + 1 for whole, part in zip(exact, found, strict=True))
    assert sum(exact) - count < sum(found) <= sum(exact)
    assert max(found) <= top * PPM
    assert sum(found[: count // 2]) <= half * PPM + 1e-6
    assert sum(place / count * part for place, part in enumerate(found)) <= 0.7 * PPM + 1e-5
