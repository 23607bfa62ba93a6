"""What a replay and a comparison of runs promise."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec import structs

from capdesk.model.lists import Listed, Lists
from capdesk.model.runs import Outcome, Position, Run
from capdesk.records.comparing import Difference, Sameness, compare, differences

NOW = dt.datetime(2026, 2, 16, tzinfo=dt.UTC)
STORED = Outcome(
    result={"allocations": {"a": "10"}},
    solver="exact 1",
    objective=100.0,
    bound=100.01,
    gap=1e-4,
    decision={"kind": "reallocate", "reason": "more"},
    positions=(Position("a", 1.0, 10_000_000),),
)
RUN = Run("pools", NOW.date(), STORED)


def again(**changes: Any) -> Outcome:
    return structs.replace(STORED, **changes)


def test_the_same_answer_of_another_solver_is_identical() -> None:
    found = compare(STORED, again(solver="exact 2", bound=100.0, gap=0.0))
    assert (found.sameness, found.differences) == (Sameness.IDENTICAL, ())


OTHER = {"result": {"allocations": {"a": "9.999999"}}}


@pytest.mark.parametrize(
    ("objective", "bound", "sameness"),
    [
        (100.0, 100.01, Sameness.EQUIVALENT),
        (100.005, 100.02, Sameness.EQUIVALENT),
        (99.99, 100.0, Sameness.EQUIVALENT),
        (99.99, 99.9999, Sameness.DIFFERENT),
        (100.02, 100.03, Sameness.DIFFERENT),
    ],
)
def test_another_answer_is_equivalent_as_far_as_the_two_certificates_agree(
    objective: float, bound: float, sameness: Sameness
) -> None:
    assert compare(STORED, again(objective=objective, bound=bound, **OTHER)).sameness == sameness


def test_a_minimum_is_judged_alike() -> None:
    stored = again(objective=-100.0, bound=-100.01)
    assert compare(stored, again(objective=-100.005, bound=-100.006, **OTHER)).sameness == "equivalent"
    assert compare(stored, again(objective=-99.0, bound=-99.1, **OTHER)).sameness == "different"


def test_another_decision_is_different_however_near_the_plans_are() -> None:
    found = compare(STORED, again(decision={"kind": "hold"}, **OTHER))
    assert found.sameness == "different"
    assert "decided to 'reallocate', and now to 'hold'" in found.reason


def test_without_a_certificate_only_the_same_answer_will_do() -> None:
    rule = again(objective=None, bound=None)
    assert compare(rule, rule).sameness == "identical"
    found = compare(rule, again(objective=None, bound=None, **OTHER))
    assert found.sameness == "different"
    assert found.differences == (Difference("result.allocations.a", "10", "9.999999"),)


def test_a_comparison_tells_each_place_where_two_runs_differ() -> None:
    other = structs.replace(
        RUN,
        parameters={"min_pools": 3},
        lists=Lists(approved_tokens=(Listed("ethereum:0x1", NOW, "sound"),)),
        metrics=[{"pool_id": "new", "apy": 1}, {"pool_id": "a", "apy": 3}],
    )
    first = structs.replace(RUN, parameters={"min_pools": 4}, metrics=[{"pool_id": "a", "apy": 2}])
    assert differences(first, other) == [
        Difference(
            "lists.approved_tokens.ethereum:0x1",
            None,
            {"name": "ethereum:0x1", "since": "2026-02-16T00:00:00+00:00", "reason": "sound"},
        ),
        Difference("metrics.a.apy", 2, 3),
        Difference("metrics.new", None, {"pool_id": "new", "apy": 1}),
        Difference("parameters.min_pools", 4, 3),
    ]
    assert differences(first, first) == []
