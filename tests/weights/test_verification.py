"""`verify`: a plan's JSON is checked by the standard library alone, in rational arithmetic."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk import Amount, Constraints, InvalidInput, Plan, plan_weights
from capdesk.decide.weights.rational_growth import log_above, log_below
from capdesk.decide.weights.verification import NotAPlan, check
from tests.weights.support import covariance, names
from tests.weights.test_certificate import PLANS

SOURCE = Path(__file__).parents[2] / "src/capdesk/decide/weights"


def failing(value: dict[str, Any]) -> list[str]:
    return [each.name for each in check(json.dumps(value)) if not each.holds]


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_comes_back_from_its_json_to_the_last_bit(name: str) -> None:
    plan = PLANS[name]
    again = Plan.from_json(plan.to_json())
    assert again.to_json() == plan.to_json()
    assert dict(again.weights) == dict(plan.weights)
    assert again.certificate == plan.certificate
    assert again.binding == plan.binding
    assert again.explain() == plan.explain()


def test_three_files_and_a_bare_python_are_enough(tmp_path: Path) -> None:
    """No site-packages, no capdesk: the three modules beside each other under the name they import."""
    package = tmp_path / "capdesk/decide/weights"
    package.mkdir(parents=True)
    for module in ("verification", "rational", "rational_growth"):
        (package / f"{module}.py").write_text((SOURCE / f"{module}.py").read_text(encoding="utf-8"))
    (tmp_path / "plan.json").write_text(PLANS["max_sharpe"].to_json(), encoding="utf-8")
    program = (
        "import sys; sys.path.insert(0, '.');"
        "from capdesk.decide.weights.verification import check;"
        "checks = check(open('plan.json').read());"
        "print(all(each.holds for each in checks), len(checks), 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["True", "6", "False"]


@pytest.mark.parametrize("name", PLANS)
def test_tampered_weights_are_found(name: str) -> None:
    value = json.loads(PLANS[name].to_json())
    first, second = sorted(value["weights"], key=lambda each: -float(value["weights"][each]))[:2]
    value["weights"][first] = f"{float(value['weights'][first]) - 0.02:.6f}"
    value["weights"][second] = f"{float(value['weights'][second]) + 0.02:.6f}"
    assert failing(value)


def test_a_sum_that_is_off_by_a_billionth_is_found() -> None:
    value = json.loads(PLANS["min_variance"].to_json())
    value["cash"] = "0.000000001"
    assert failing(value) == ["sum"]


def test_a_weight_finer_than_a_billionth_is_found() -> None:
    plan = plan_weights(names(2), "equal_weight")
    value = json.loads(plan.to_json())
    value["weights"] = {"n0": "0.5000000005", "n1": "0.4999999995"}
    assert failing(value) == ["sum"]


def test_a_negative_multiplier_is_found() -> None:
    value = json.loads(PLANS["min_variance"].to_json())
    value["proof"]["inequality_multipliers"][0] = (-0.5).hex()
    assert "multipliers" in failing(value)


def test_a_covariance_that_is_none_is_found() -> None:
    value = json.loads(PLANS["min_variance"].to_json())
    value["problem"]["covariance"]["matrix"][3][0] = (1.0).hex()
    assert "convex" in failing(value)


def test_a_negative_specific_variance_is_found() -> None:
    value = json.loads(PLANS["factors"].to_json())
    value["problem"]["covariance"]["specific"][0] = (-0.01).hex()
    assert "convex" in failing(value)


def test_a_singular_covariance_passes_by_its_shift() -> None:
    returns = np.random.default_rng(2).normal(size=(4, 6)) * 0.01
    plan = plan_weights(names(6), "mean_variance", returns=returns, mean=[0.01] * 6, risk_aversion=3)
    checks = check(plan.to_json())
    assert all(each.holds for each in checks)
    assert any("semidefinite but for" in each.said for each in checks)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "capdesk-plan/0"}', "\x00", "NaN"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(NotAPlan):
        check(text)
    with pytest.raises(InvalidInput):
        Plan.from_json(text)


@pytest.mark.parametrize("place", ["linear", "lower", "upper"])
def test_a_missing_figure_is_refused(place: str) -> None:
    value = json.loads(PLANS["utility"].to_json())
    value["problem"][place].pop()
    with pytest.raises(NotAPlan, match="figures"):
        check(json.dumps(value))


def test_an_infinite_figure_is_refused() -> None:
    value = json.loads(PLANS["utility"].to_json())
    value["proof"]["point"][0] = "inf"
    with pytest.raises(NotAPlan, match="inf"):
        check(json.dumps(value))


def test_large_plans_are_checked_in_reasonable_figures() -> None:
    rng = np.random.default_rng(4)
    plan = plan_weights(names(150), "min_variance", covariance=covariance(rng, 150))
    assert all(each.holds for each in check(plan.to_json()))


@pytest.mark.parametrize("figure", ["objective", "bound", "total"])
@pytest.mark.parametrize("name", ["min_variance", "utility", "max_sharpe", "min_cvar"])
def test_a_claim_of_something_better_is_caught(name: str, figure: str) -> None:
    value = json.loads(PLANS[name].to_json())
    value["certificate"][figure] = str(1.001 * float(value["certificate"][figure]))
    assert failing(value) == ["certificate"]


@pytest.mark.parametrize("name", PLANS)
def test_a_proof_cannot_be_left_out_by_calling_the_plan_a_rule(name: str) -> None:
    value = json.loads(PLANS[name].to_json())
    value["problem"]["kind"] = "rule"
    assert failing(value) == ["certificate"]


def test_a_plan_that_is_all_cash_is_what_it_says() -> None:
    plan = plan_weights(
        ["a"],
        "mean_variance",
        covariance=[[0.04]],
        mean=[-0.03],
        risk_aversion=3,
        constraints=Constraints(fully_invested=False),
    )
    assert plan.cash == 1
    value = json.loads(plan.to_json())
    value["proof"]["point"] = [(1e-17).hex()]
    assert failing(value) == []


@pytest.mark.parametrize("place", ["budget", "cash"])
@pytest.mark.parametrize("edit", [None, "much", "nan"])
def test_figures_that_are_none_are_no_plan(place: str, edit: str | None) -> None:
    with pytest.raises(NotAPlan):
        check(json.dumps({**json.loads(PLANS["min_variance"].to_json()), place: edit}))


@pytest.mark.parametrize("place", [0.5, "first", None, 10**6])
def test_a_row_about_no_name_is_no_plan(place: object) -> None:
    value = json.loads(PLANS["min_variance"].to_json())
    value["problem"]["inequalities"][0]["at"][0] = place
    with pytest.raises(NotAPlan):
        check(json.dumps(value))


def _stakes(**given: Any) -> Plan:
    return plan_weights(["a", "b", "c"], "kelly_criterion", constraints=Constraints(max_weight=0.2), **given)


_ROUNDS = np.array([[1.0, -1.0, 0.2], [-1.0, 1.0, 0.1], [0.5, 0.5, -0.3]])
_STAKES = {
    "independent": _stakes(probabilities=[0.6, 0.55, 0.52], odds=[1, 1.2, 1]),
    "joint": _stakes(probabilities=[0.5, 0.3, 0.2], outcomes=_ROUNDS),
}


@pytest.mark.parametrize("name", _STAKES)
def test_growth_is_proven_in_rational_arithmetic(name: str) -> None:
    plan = _STAKES[name]
    (optimal,) = (each for each in check(plan.to_json()) if each.name == "optimal")
    assert optimal.holds
    assert optimal.proven
    assert float(optimal.objective or 0) == pytest.approx(plan.certificate.objective, rel=1e-12)
    assert float(optimal.bound or 0) == pytest.approx(plan.certificate.bound, rel=1e-9)


@pytest.mark.parametrize("name", _STAKES)
def test_other_stakes_are_not_the_best_growth(name: str) -> None:
    value = json.loads(_STAKES[name].to_json())
    weights = value["weights"]
    moved = min(weights, key=lambda each: -float(weights[each]))
    weights[moved] = str(Amount(weights[moved]) - Amount("0.01"))
    value["cash"] = str(Amount(value["cash"]) + Amount("0.01"))
    assert "optimal" in failing(value)


def test_stakes_that_an_outcome_ruins_are_found() -> None:
    value = json.loads(_STAKES["joint"].to_json())
    value["problem"]["scenarios"][0] = [float(-1000).hex()] * 3
    assert "optimal" in failing(value)


def test_more_outcomes_than_can_be_gone_through_are_taken_as_stated() -> None:
    called = names(13)
    plan = plan_weights(called, "kelly_criterion", probabilities=[0.55] * 13, odds=[1] * 13)
    (growth,) = (each for each in check(plan.to_json()) if each.name == "growth")
    assert growth.holds
    assert not growth.proven
    assert "13 independent bets have 2^13 outcomes" in growth.said


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9))
def test_logarithms_are_between_their_bounds(value: Fraction) -> None:
    with localcontext(prec=60):
        exact = (Decimal(value.numerator) / Decimal(value.denominator)).ln()
        low, high = (
            Decimal(each.numerator) / Decimal(each.denominator)
            for each in (log_below(value), log_above(value))
        )
        assert low - Decimal("1e-45") <= exact <= high + Decimal("1e-45")
        assert high - low < Decimal("1e-40")


def test_of_a_searched_plan_it_is_told_what_was_taken_as_stated() -> None:
    sigma = covariance(np.random.default_rng(2), 5)
    plan = plan_weights(names(5), "min_variance", covariance=sigma, constraints=Constraints(max_names=2))
    checks = {each.name: each for each in check(plan.to_json())}
    assert all(each.holds for each in checks.values())
    assert [name for name, each in checks.items() if not each.proven] == ["choice"]
    assert "is taken as the branch and bound states it" in checks["choice"].said
    value = json.loads(plan.to_json())
    # A bound above the plan's own objective proves nothing but that one of them is wrong.
    value["proof"]["search_bound"] = (2 * float.fromhex(value["proof"]["search_bound"])).hex()
    assert failing(value) == ["choice", "certificate"]
    value = json.loads(plan.to_json())
    value["certificate"]["objective"] *= 0.9
    assert failing(value) == ["certificate"]


@pytest.mark.parametrize(("gap", "tolerance"), [(99.0, 1e-6), (1e-7, 0.0), (0.5, 0.6)])
def test_a_stated_gap_that_no_plan_may_have_is_found(gap: float, tolerance: float) -> None:
    value = json.loads(
        plan_weights(names(6), "min_variance", covariance=np.diag([1.0, 2, 3, 4, 5, 6])).to_json()
    )
    assert failing(value) == []
    value["certificate"] |= {"gap": gap, "tolerance": tolerance}
    assert failing(value) == ["certificate"]
