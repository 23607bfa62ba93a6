"""Binding limits with what one more unit of each is worth, and a reason for every name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from capdesk import Amount, Constraints, Exposure, Group, Plan, plan_weights
from tests.weights.support import covariance, names

COUNT = 8
NAMES = names(COUNT)
RNG = np.random.default_rng(21)
SIGMA = covariance(RNG, COUNT)
MEAN = RNG.normal(size=COUNT) * 0.02 + 0.02
MEAN[2] -= 0.08  # worth a short
BETA = np.linspace(0, 2, COUNT)
EVEN = dict.fromkeys(NAMES, 0.125)
STEP = 1e-3


def attempt(strategy: str, given: dict[str, Any]) -> Plan:
    return plan_weights(
        NAMES,
        strategy,
        mean=MEAN,
        covariance=SIGMA,
        risk_aversion=None if strategy == "max_sharpe" else 4,
        constraints=Constraints(**given),
        current=EVEN,
    )


# The limits with a parameter, and what the binding limit is called.
PRICED: dict[str, tuple[Any, float, str, str]] = {
    "max_weight": (
        lambda v: {"max_weight": {"n0": 1, **dict.fromkeys(NAMES, 0.9), "n5": v}},
        0.05,
        "max_weight",
        "n5",
    ),
    "min_weight": (lambda v: {"min_weight": {"n6": v}}, 0.2, "min_weight", "n6"),
    "group_max": (lambda v: {"groups": {"g": Group(NAMES[3:7], max=v)}}, 0.1, "group_max", "g"),
    "group_min": (lambda v: {"groups": {"g": Group(NAMES[:3], min=v)}}, 0.8, "group_min", "g"),
    "exposure_max": (lambda v: {"exposures": {"e": Exposure(BETA, max=v)}}, 0.3, "exposure_max", "e"),
    "exposure_min": (lambda v: {"exposures": {"e": Exposure(BETA, min=v)}}, 1.8, "exposure_min", "e"),
    "turnover": (lambda v: {"turnover": v}, 0.2, "turnover", ""),
    "gross": (lambda v: {"long_only": False, "gross": v}, 1.01, "gross", ""),
}


@pytest.mark.parametrize("strategy", ["min_variance", "mean_variance", "max_sharpe"])
@pytest.mark.parametrize("case", PRICED)
def test_a_shadow_price_is_what_a_unit_of_the_limit_is_worth(strategy: str, case: str) -> None:
    """By differences of proven bounds on both sides of the limit."""
    make, value, limit, name = PRICED[case]
    found = [
        each for each in attempt(strategy, make(value)).binding if (each.limit, each.name) == (limit, name)
    ]
    if not found:
        pytest.skip("this limit does not bind here")
    assert found[0].value == pytest.approx(value)
    below, above = attempt(strategy, make(value - STEP)), attempt(strategy, make(value + STEP))
    better = (above.certificate.bound - below.certificate.bound) / (2 * STEP)
    if strategy != "max_sharpe":
        better = -better
    if case.endswith("min") or case == "min_weight":
        better = -better
    assert found[0].shadow_price == pytest.approx(better, rel=0.05, abs=1e-7)
    assert found[0].shadow_price > 0


@pytest.mark.parametrize("case", PRICED)
def test_most_of_these_limits_bind_somewhere(case: str) -> None:
    make, value, limit, name = PRICED[case]
    plans = [attempt(strategy, make(value)) for strategy in ("min_variance", "mean_variance", "max_sharpe")]
    assert any((each.limit, each.name) == (limit, name) for plan in plans for each in plan.binding)


def test_binding_limits_come_dearest_first() -> None:
    prices = [abs(each.shadow_price or 0) for each in attempt("mean_variance", {"max_weight": 0.3}).binding]
    assert prices == sorted(prices, reverse=True)


def test_a_reason_for_every_name() -> None:
    plan = attempt("mean_variance", {"max_weight": 0.3, "min_weight": {"n1": 0.05}})
    told = plan.explain()
    assert list(told) == NAMES
    kinds = {
        "at its most (max_weight)": lambda weight, name: weight == Amount("0.3"),
        "out, its reduced cost is": lambda weight, name: weight == 0,
        "at its least (min_weight)": lambda weight, name: name == "n1",
        "between its limits, reduced cost 0": lambda weight, name: 0 < weight < Amount("0.3"),
    }
    for name, reason in told.items():
        (kind,) = [kind for kind in kinds if kind in reason]
        assert kinds[kind](plan.weights[name], name), reason
    assert sum(any(kind in reason for reason in told.values()) for kind in kinds) >= 2


def test_a_rule_says_which_limit_holds_a_name() -> None:
    plan = plan_weights(
        ["a", "b"], "risk_parity", risk_scores=[1, 9], constraints=Constraints(max_weight=0.7)
    )
    assert plan.explain() == {"a": "70 %: held by max_weight", "b": "30 %: what the rule gives it"}
    assert [(each.limit, each.name, each.shadow_price) for each in plan.binding] == [
        ("budget", "", None),
        ("max_weight", "a", None),
    ]


def test_a_plan_shows_its_weights_and_not_its_evidence() -> None:
    plan = plan_weights(["a", "b"], "equal_weight")
    assert repr(plan) == "Plan(equal_weight, {a: 0.5, b: 0.5}, cash=0, gap=0.0e+00)"
    assert [(each.protocol, each.target_percentage) for each in plan.targets] == [("a", 0.5), ("b", 0.5)]


def test_a_name_that_was_not_chosen_is_told_so() -> None:
    plan = plan_weights(
        ["a", "b", "c"],
        "min_variance",
        covariance=np.diag([1.0, 2.0, 4.0]),
        constraints=Constraints(max_names=2),
    )
    assert plan.weights["c"] == 0
    assert plan.explain()["c"].startswith(
        "0 %: not among the names that were chosen (max_names); with a place more, one unit of it would improve"
    )
