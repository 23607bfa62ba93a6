"""A certificate is computed from the evidence alone: corrupted answers, proofs and data are caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from capdesk import CertificateError, Constraints, Exposure, Group, Plan, plan_weights
from capdesk.decide.weights.certificate import certify
from capdesk.decide.weights.verification import check
from capdesk.model.evidence import Evidence
from tests.weights.support import covariance, names

COUNT = 10
NAMES = names(COUNT)
RNG = np.random.default_rng(11)
SIGMA = covariance(RNG, COUNT)
MEAN = RNG.normal(size=COUNT) * 0.02 + 0.02
RETURNS = RNG.normal(size=(200, COUNT)) * 0.01
LIMITS = Constraints(
    max_weight=0.25,
    groups={"g": Group(NAMES[:4], max=0.2)},
    exposures={"beta": Exposure(np.linspace(0, 1, COUNT), max=0.6)},
)
SHORTS = Constraints(long_only=False, gross=1.4, turnover=0.3)
CURRENT = dict.fromkeys(NAMES, 0.1)


def plans() -> dict[str, Plan]:
    moments: dict[str, Any] = {"covariance": SIGMA, "mean": MEAN, "current": CURRENT}
    return {
        "min_variance": plan_weights(NAMES, "min_variance", constraints=LIMITS, **moments),
        "utility": plan_weights(NAMES, "mean_variance", risk_aversion=5, constraints=LIMITS, **moments),
        "shorts": plan_weights(NAMES, "mean_variance", risk_aversion=5, constraints=SHORTS, **moments),
        "max_sharpe": plan_weights(NAMES, "max_sharpe", constraints=LIMITS, **moments),
        "risk_parity": plan_weights(NAMES, "risk_parity", constraints=LIMITS, **moments),
        "min_cvar": plan_weights(NAMES, "min_cvar", returns=RETURNS, constraints=LIMITS, tail=0.1),
        "factors": plan_weights(
            NAMES,
            "min_variance",
            factors=(RNG.normal(size=(COUNT, 2)) * 0.1, np.full(COUNT, 0.02)),
            constraints=LIMITS,
        ),
    }


PLANS = plans()
OPTIMA = [name for name in PLANS if name != "risk_parity"]


@pytest.mark.parametrize("name", PLANS)
def test_honest_evidence_is_certified_again_with_the_same_figures(name: str) -> None:
    plan = PLANS[name]
    assert certify(plan.evidence) == plan.certificate
    assert all(each.holds for each in check(plan.to_json()))


def moved(evidence: Evidence, giver: int, taker: int, units: int) -> Evidence:
    weights = evidence.weights.copy()
    weights[giver] -= units
    weights[taker] += units
    return replace(evidence, weights=weights)


def refused(plan: Plan, evidence: Evidence) -> None:
    with pytest.raises(CertificateError, match="not given"):
        certify(evidence)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("seed", range(5))
def test_weights_moved_by_a_percent_are_caught(name: str, seed: int) -> None:
    evidence = PLANS[name].evidence
    giver, taker = np.random.default_rng(seed).choice(COUNT, 2, replace=False)
    refused(PLANS[name], moved(evidence, int(giver), int(taker), 10_000_000))


@pytest.mark.parametrize("name", PLANS)
def test_other_feasible_weights_are_not_optimal(name: str) -> None:
    """The equal weights meet no group here, so they are first mixed with the answer."""
    evidence = PLANS[name].evidence
    held = np.flatnonzero((evidence.weights > 20_000_000) & (evidence.weights < 240_000_000))
    changed = False
    for giver in held:
        for taker in held:
            other = moved(evidence, int(giver), int(taker), 4_000_000)
            try:
                certify(other)
            except CertificateError as error:
                changed |= "not proven" in str(error)
            else:
                assert giver == taker
    assert changed


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("change", [1, -1, 100_000])
def test_a_sum_that_is_off_is_caught(name: str, change: int) -> None:
    evidence = PLANS[name].evidence
    weights = evidence.weights.copy()
    weights[int(weights.argmax())] += change
    refused(PLANS[name], replace(evidence, weights=weights))


@pytest.mark.parametrize("name", OPTIMA)
@pytest.mark.parametrize("row", ["equality_multipliers", "inequality_multipliers"])
@pytest.mark.parametrize("corrupt", [lambda v: v * 0, lambda v: v * 1.01 + 1e-3, lambda v: -v - 1e-3])
def test_multipliers_that_are_off_are_caught(name: str, row: str, corrupt: Callable[[Any], Any]) -> None:
    evidence = PLANS[name].evidence
    values = getattr(evidence, row)
    if not np.abs(values - corrupt(values)).max() > 1e-4 * np.abs(evidence.gradient()).max():
        pytest.skip("this proof does not rest on them")
    refused(PLANS[name], replace(evidence, **{row: corrupt(values)}))


@pytest.mark.parametrize("name", ["min_variance", "utility", "shorts", "max_sharpe", "risk_parity"])
@pytest.mark.parametrize("seed", range(3))
def test_another_covariance_is_caught(name: str, seed: int) -> None:
    other = covariance(np.random.default_rng(100 + seed), COUNT)
    refused(PLANS[name], replace(PLANS[name].evidence, matrix=other))


@pytest.mark.parametrize("name", ["utility", "shorts", "max_sharpe"])
def test_other_means_are_caught(name: str) -> None:
    evidence = PLANS[name].evidence
    linear = evidence.linear.copy()
    linear[:COUNT] = linear[:COUNT][::-1]
    refused(PLANS[name], replace(evidence, linear=linear))


def test_other_scenarios_are_caught() -> None:
    evidence = PLANS["min_cvar"].evidence
    refused(PLANS["min_cvar"], replace(evidence, scenarios=RETURNS[::-1] * 1.3))


def test_a_mixture_that_is_none_is_caught() -> None:
    evidence = PLANS["min_cvar"].evidence
    assert evidence.chances is not None
    refused(PLANS["min_cvar"], replace(evidence, chances=evidence.chances * 1.5))


def test_a_slope_that_is_too_low_is_caught() -> None:
    evidence = PLANS["max_sharpe"].evidence
    refused(PLANS["max_sharpe"], replace(evidence, slope=evidence.slope * 0.99))


def test_a_point_far_from_the_answer_proves_nothing() -> None:
    evidence = PLANS["min_variance"].evidence
    refused(PLANS["min_variance"], replace(evidence, point=np.full(COUNT, 1 / COUNT)))


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("bound", ["lower", "upper"])
def test_a_bound_that_is_passed_is_caught(name: str, bound: str) -> None:
    evidence = PLANS[name].evidence
    limits = getattr(evidence, bound).copy()
    place = int(evidence.weights.argmax())
    limits[place] = evidence.weights[place] / 1e9 + (1e-9 if bound == "lower" else -1e-9)
    refused(PLANS[name], replace(evidence, **{bound: limits}))


@pytest.mark.parametrize("name", PLANS)
def test_what_rounding_may_cost_is_stated_and_small(name: str) -> None:
    certificate = PLANS[name].certificate
    assert certificate.gap <= certificate.tolerance <= 1e-4
    assert certificate.rounding <= certificate.tolerance
    assert certificate.violation <= 1e-12


def test_a_rule_beyond_its_budget_is_caught() -> None:
    plan = plan_weights(NAMES, "equal_weight")
    refused(plan, replace(plan.evidence, weights=plan.evidence.weights + 100))
