"""Whatever an InfeasibleError says would do does: applied as it is printed, weights can be planned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from capdesk import (
    CertificateError,
    Constraints,
    Exposure,
    Group,
    InfeasibleError,
    InvalidInput,
    Plan,
    frontier,
    plan_weights,
)
from capdesk.decide.weights.relaxing import relaxed
from tests.weights.support import covariance, names


def _each(source: np.random.Generator, called: list[str], low: float, high: float) -> Any:
    """One number for all, or one for most of the names."""
    if source.random() < 0.6:
        return round(float(source.uniform(low, high)), 3)
    return {name: round(float(source.uniform(low, high)), 3) for name in called if source.random() < 0.8}


def _random(seed: int) -> tuple[list[str], Constraints, dict[str, float]]:
    """Limits that often cannot be met together, every kind of them."""
    source = np.random.default_rng(seed)
    called = names(int(source.integers(2, 8)))
    said: dict[str, Any] = {"allow_cash": source.random() < 0.25}

    def often(chance: float) -> bool:
        return source.random() < chance

    if often(0.6):
        said["max_weight"] = _each(source, called, 0.03, 0.6)
    if often(0.3):
        said["min_weight"] = {name: 0.02 for name in called if often(0.5)}
    if often(0.25):
        said |= {"long_only": False, "min_weight": -0.3, "max_weight": 0.5}
        said["gross"] = round(float(source.uniform(0.5, 1.5)), 2)
    if often(0.4):
        said["max_trade"] = _each(source, called, 0.005, 0.2)
    if often(0.3):
        said["turnover"] = round(float(source.uniform(0.01, 0.6)), 3)
    if often(0.5):
        members = [name for name in called if often(0.5)] or called[:1]
        least = round(float(source.uniform(0, 0.8)), 3)
        said["groups"] = {"g": Group(members, min=least) if often(0.4) else Group(members, max=least)}
    if often(0.3):
        size = float(source.choice([1e-6, 1.0, 100.0]))
        loadings = source.uniform(0.2, 2, len(called)) * size
        limit = float(source.uniform(0.1, 2)) * size
        said["exposures"] = {
            "e": Exposure(loadings, max=limit) if often(0.6) else Exposure(loadings, min=limit)
        }
    if often(0.2):
        said["max_names"] = int(source.integers(1, len(called) + 1))
    if often(0.2):
        said["min_weight_if_held"] = round(float(source.uniform(0.05, 0.6)), 3)
    current = dict(zip(called, source.dirichlet(np.ones(len(called))).round(3).tolist(), strict=True))
    return called, Constraints(**said), current


def _planned(called: list[str], limits: Constraints, current: dict[str, float], seed: int) -> Plan:
    sigma = covariance(np.random.default_rng(seed), len(called))
    return plan_weights(called, "min_variance", covariance=sigma, constraints=limits, current=current)


def _value(shown: str) -> Decimal:
    return Decimal(shown.removesuffix(" %")) / 100 if shown.endswith("%") else Decimal(shown)


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_every_relaxation_that_is_printed_does(first: int) -> None:
    suggested = 0
    for seed in range(first, first + 20):
        called, limits, current = _random(seed)
        try:
            _planned(called, limits, current, seed)
        except InfeasibleError as error:
            for limit, before, after in error.relaxations:
                assert before != after
                value = int(after) if limit == "max_names" else _value(after)
                _planned(called, relaxed(limits, called, limit, value), current, seed)
                suggested += 1
        except (InvalidInput, CertificateError):
            continue
    assert suggested


def test_a_looser_maximum_behind_the_largest_trade_is_seen() -> None:
    """A trade of 4 % allows each name 29 %; behind it the maximum of 30 % forbids a hundred too."""
    limits = Constraints(max_weight=0.3, max_trade=0.04, allow_cash=False)
    current = {"a": 0.25, "b": 0.25, "c": 0.25}
    with pytest.raises(InfeasibleError) as caught:
        plan_weights(["a", "b", "c"], "equal_weight", constraints=limits, current=current)
    assert caught.value.relaxations == (("budget", "100 %", "87 %"),)


def test_a_relaxed_trade_is_given_as_a_trade() -> None:
    limits = Constraints(max_trade=0.04, allow_cash=False)
    current = {"a": 0.25, "b": 0.25, "c": 0.25}
    with pytest.raises(InfeasibleError) as caught:
        plan_weights(["a", "b", "c"], "equal_weight", constraints=limits, current=current)
    assert ("max_trade", "4 %", "8.3334 %") in caught.value.relaxations


def test_a_budget_below_all_minima_is_raised() -> None:
    limits = Constraints(budget=0.5, min_weight=0.2)
    with pytest.raises(InfeasibleError) as caught:
        plan_weights(["a", "b", "c"], "equal_weight", constraints=limits)
    assert ("budget", "50 %", "60 %") in caught.value.relaxations


def test_the_choice_of_names_gives_way_too() -> None:
    limits = Constraints(max_names=2, max_weight=0.25, allow_cash=False)
    with pytest.raises(InfeasibleError) as caught:
        plan_weights(
            names(6),
            "min_variance",
            covariance=covariance(np.random.default_rng(1), 6),
            constraints=limits,
        )
    assert ("max_names", "2", "4") in caught.value.relaxations


def test_a_frontier_suggests_only_what_does() -> None:
    limits = Constraints(max_weight=0.3, max_trade=0.04, allow_cash=False)
    current = {"a": 0.25, "b": 0.25, "c": 0.25}
    with pytest.raises(InfeasibleError) as caught:
        frontier(
            ["a", "b", "c"],
            mean=[0.01, 0.02, 0.03],
            covariance=np.diag([0.01, 0.02, 0.03]),
            constraints=limits,
            current=current,
        )
    assert caught.value.relaxations == (("budget", "100 %", "87 %"),)
