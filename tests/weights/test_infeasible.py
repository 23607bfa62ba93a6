"""Impossible limits: a minimal set of them, the arithmetic, and the smallest relaxation, which does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from capdesk import Constraints, Exposure, Group, InfeasibleError, plan_weights
from tests.weights.support import covariance, names

NAMES = names(20)
SIGMA = covariance(np.random.default_rng(1), 20)
EVEN = dict.fromkeys(NAMES, 0.05)
HALVES = {"x": Group(NAMES[:10], max=0.3), "y": Group(NAMES[10:], max=0.4)}

CASES: dict[str, tuple[dict[str, Any], str, set[str]]] = {
    "caps": (
        {"max_weight": 0.04, "allow_cash": False},
        "20 x 4 % = 80 % < 100 %, and cash is not allowed",
        {"budget", "max_weight"},
    ),
    "minima": ({"min_weight": 0.06}, "100 % < 20 x 6 % = 120 %", {"budget", "min_weight"}),
    "groups": (
        {"groups": HALVES, "allow_cash": False},
        "group_max of x 30 % + group_max of y 40 % = 70 % < 100 %, and cash is not allowed",
        {"budget", "group_max of x", "group_max of y"},
    ),
    "group and caps": (
        {"groups": {"x": Group(NAMES[:10], min=0.5)}, "max_weight": 0.04},
        "10 x 4 % = 40 % < group_min of x 50 %",
        {"group_min of x", "max_weight"},
    ),
    "turnover and caps": (
        {"turnover": 0.2, "max_weight": 0.03},
        "turnover 20 % + 20 x 3 % = 80 % < the current weights 100 %",
        {"turnover", "max_weight"},
    ),
    "exposure": (
        {"exposures": {"beta": Exposure([2.0] * 20, max=1.0)}, "allow_cash": False},
        "0.5 x exposure_max of beta 1 = 0.5 < 1, and cash is not allowed",
        {"budget", "exposure_max of beta"},
    ),
}


def attempt(given: dict[str, Any]) -> Any:
    return plan_weights(
        NAMES, "min_variance", covariance=SIGMA, constraints=Constraints(**given), current=EVEN
    )


@pytest.mark.parametrize("case", CASES)
def test_the_arithmetic_and_the_minimal_set(case: str) -> None:
    given, arithmetic, conflict = CASES[case]
    with pytest.raises(InfeasibleError) as caught:
        attempt(given)
    assert caught.value.arithmetic == arithmetic
    assert set(caught.value.conflict) == conflict
    assert arithmetic in str(caught.value)


def number(text: str) -> float:
    found = re.fullmatch(r"(-?[\d.e-]+)( %)?", text)
    assert found is not None
    return float(found[1]) / (100 if found[2] else 1)


def relaxed(given: dict[str, Any], limit: str, value: float) -> dict[str, Any]:
    kind, _, name = limit.partition(" of ")
    if kind == "budget":
        return {**given, "budget": value}
    if kind.startswith("group"):
        group = given["groups"][name]
        side = kind.removeprefix("group_")
        other = Group(group.members, **{"min": group.min, "max": group.max, side: value})
        return {**given, "groups": {**given["groups"], name: other}}
    if kind.startswith("exposure"):
        beta = given["exposures"][name]
        return {**given, "exposures": {name: Exposure(beta.loadings, max=value)}}
    return {**given, kind: value}


@pytest.mark.parametrize("case", CASES)
def test_every_relaxation_does_and_a_smaller_one_does_not(case: str) -> None:
    given, _, _ = CASES[case]
    with pytest.raises(InfeasibleError) as caught:
        attempt(given)
    assert caught.value.relaxations
    for limit, before, after in caught.value.relaxations:
        attempt(relaxed(given, limit, number(after)))
        almost = number(after) + 0.01 * (number(before) - number(after))
        with pytest.raises(InfeasibleError):
            attempt(relaxed(given, limit, almost))


@pytest.mark.parametrize("case", CASES)
def test_no_limit_of_the_conflict_can_be_spared(case: str) -> None:
    """Without any one limit of the minimal set the rest of that set can be met."""
    given, _, conflict = CASES[case]
    for limit in conflict - {"budget"}:
        kind, _, name = limit.partition(" of ")
        rest = {key: value for key, value in given.items() if key != kind}
        if kind.startswith("group"):
            rest["groups"] = {key: value for key, value in given["groups"].items() if key != name}
        if kind.startswith("exposure"):
            rest.pop("exposures")
        attempt(rest)


def test_with_cash_allowed_the_rest_is_cash() -> None:
    assert attempt({"max_weight": 0.04}).cash == pytest.approx(0.2, abs=0)
    assert float(attempt({"groups": HALVES}).cash) == 0.3


@pytest.mark.parametrize("strategy", ["min_variance", "max_sharpe", "equal_weight", "mean_variance"])
def test_an_exposure_that_forbids_the_budget_leaves_cash(strategy: str) -> None:
    """The exposure allows 0.6 at most: twenty billionths less are invested, so that billionths can meet it."""
    beta = np.random.default_rng(5).uniform(0.5, 2.0, size=20)
    limits = Constraints(exposures={"beta": Exposure(beta, max=float(beta.min()) * 0.6)})
    plan = plan_weights(
        NAMES,
        strategy,
        mean=np.linspace(0.01, 0.05, 20),
        covariance=SIGMA,
        constraints=limits,
        risk_aversion=None if strategy == "max_sharpe" else 3,
    )
    invested = float(sum(plan.weights.values()))
    assert 0.6 - 2.1e-8 <= invested <= 0.6
    assert beta @ [float(weight) for weight in plan.weights.values()] <= float(beta.min()) * 0.6 + 1e-12


def test_three_protocols_under_twenty_percent() -> None:
    with pytest.raises(InfeasibleError, match=r"3 x 20 % = 60 % < 100 %, and cash is not allowed"):
        plan_weights(
            ["scroll", "zksync", "eigenlayer"],
            "equal_weight",
            constraints=Constraints(max_weight="0.2", allow_cash=False),
        )


def test_a_limit_on_the_number_of_names_has_its_arithmetic() -> None:
    with pytest.raises(InfeasibleError, match=r"3 largest maxima add up to 60 % < 100 %"):
        attempt({"max_names": 3, "max_weight": 0.2, "allow_cash": False})


@pytest.mark.parametrize(
    "strategy", ["risk_parity", "max_sharpe", "hierarchical_risk_parity", "mean_variance"]
)
def test_every_strategy_explains_the_same_way(strategy: str) -> None:
    with pytest.raises(InfeasibleError, match=r"20 x 4 % = 80 % < 100 %"):
        plan_weights(
            NAMES,
            strategy,
            mean=[0.01] * 20,
            covariance=SIGMA,
            constraints=Constraints(max_weight=0.04, allow_cash=False),
        )


def impossible(limits: Constraints, current: dict[str, float]) -> InfeasibleError:
    with pytest.raises(InfeasibleError) as caught:
        plan_weights(
            ["a", "b", "c"], "min_variance", covariance=np.eye(3), constraints=limits, current=current
        )
    return caught.value


def test_trades_are_counted_both_ways_where_a_minimum_gives_way() -> None:
    """With a minimum of m, a sells 0.1 + m and c buys m, while b stays: 0.2 in trades allow m = 0.05."""
    error = impossible(Constraints(budget=0.8, min_weight=0.25, turnover=0.2), {"a": 0.7, "b": 0.2})
    assert set(error.conflict) == {"min_weight", "turnover"}
    assert set(error.relaxations) == {("min_weight", "25 %", "5 %"), ("turnover", "20 %", "70 %")}


def test_a_minimum_that_gives_way_does_not_allow_shorts() -> None:
    beta = Exposure({"a": 1.0, "b": -1.0}, min=0.9)
    error = impossible(Constraints(min_weight=0.2, max_weight=0.8, exposures={"beta": beta}), {})
    assert not any(limit == "min_weight" for limit, _, _ in error.relaxations)


def test_a_single_unit_that_is_missing_is_told() -> None:
    """A third as a maximum leaves a billionth: less than the tolerance of a solver, and still impossible."""
    said = r"3 x 33\.3333333 % = 99\.9999999 % < 100 %, and cash is not allowed"
    with pytest.raises(InfeasibleError, match=said):
        plan_weights(
            ["a", "b", "c"], "equal_weight", constraints=Constraints(max_weight=1 / 3, allow_cash=False)
        )
