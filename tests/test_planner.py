"""The planner: what its settings and constraints make of protocols."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capdesk import CapitalAllocator, InvalidInput, Planner
from capdesk.model.errors import InfeasibleError

THREE = ["scroll", "zksync", "eigenlayer"]
RETURNS = {"scroll": "0.05", "zksync": "0.20", "eigenlayer": "0.10"}
SCORES = {"scroll": 2, "zksync": 4, "eigenlayer": 4}


def test_no_protocols_have_no_weights() -> None:
    assert Planner().optimize_portfolio([], {"max_protocol_exposure_pct": 20}) == {}


def test_a_cap_that_forbids_all_of_it_leaves_cash() -> None:
    plan = Planner().plan_portfolio(THREE, {"max_protocol_exposure_pct": 20})

    assert plan.weights == dict.fromkeys(THREE, Decimal("0.2"))
    assert plan.cash == Decimal("0.4")


def test_weights_of_thirds_add_up_exactly() -> None:
    weights = Planner().optimize_portfolio(THREE, {})

    assert sum(weights.values()) == 1
    assert max(weights.values()) - min(weights.values()) <= Decimal("0.000001")


def test_risk_parity_is_inverse_to_the_scores() -> None:
    weights = Planner({"strategy": "risk_parity"}).optimize_portfolio(THREE, {}, risk_scores=SCORES)

    assert weights == {"scroll": 0.5, "zksync": 0.25, "eigenlayer": 0.25}


def test_mean_variance_of_scores_is_the_sharpe_ratio_of_uncorrelated_names() -> None:
    planner = Planner({"strategy": "mean_variance", "risk_free_rate": 0})
    weights = planner.optimize_portfolio(THREE, {}, RETURNS, SCORES)
    shares = np.array([0.05 / 4, 0.20 / 16, 0.10 / 16])

    assert [float(weights[name]) for name in THREE] == pytest.approx(shares / shares.sum(), abs=2e-6)


def test_the_risk_free_rate_of_the_settings_counts() -> None:
    low, high = (
        Planner({"strategy": "max_sharpe", "risk_free_rate": rate}).optimize_portfolio(
            THREE, {}, RETURNS, SCORES
        )
        for rate in (0, "0.04")
    )

    # At 4 % scroll has one point of excess left, a fifth of what it had.
    assert high["scroll"] < low["scroll"] / 2


def test_a_period_of_returns_has_its_part_of_the_yearly_rate() -> None:
    random = np.random.default_rng(3)
    returns = pd.DataFrame(random.normal(0.002, 0.02, (60, 3)), columns=THREE)
    planner = Planner({"strategy": "max_sharpe", "risk_free_rate": "0.05"})
    weekly = planner.plan_portfolio(THREE, {}, returns=returns, periods_per_year=52)
    same = planner.plan_portfolio(THREE, {}, returns=returns, risk_free_rate=1.05 ** (1 / 52) - 1)

    assert weekly.weights == same.weights
    assert weekly.weights != planner.plan_portfolio(THREE, {}, returns=returns, risk_free_rate=0).weights


def test_rules_hold_the_first_of_too_many_protocols() -> None:
    names = [f"p{number}" for number in range(12)]

    assert Planner().optimize_portfolio(names, {}) == dict.fromkeys(names[:10], Decimal("0.1"))
    assert list(Planner({"max_protocols": 2}).optimize_portfolio(names, {})) == ["p0", "p1"]


def test_rules_hold_the_protocols_with_the_highest_returns_where_these_are_known() -> None:
    weights = Planner({"max_protocols": 2}).optimize_portfolio(THREE, {}, RETURNS)

    assert weights == {"zksync": 0.5, "eigenlayer": 0.5}


def test_a_large_trade_is_limited_where_the_current_weights_are_known() -> None:
    planner = Planner({"strategy": "min_variance"})
    current = {"scroll": "0.1", "zksync": "0.5", "eigenlayer": "0.4"}
    weights = planner.optimize_portfolio(
        THREE, {"max_transaction_size_pct": 5}, risk_scores=SCORES, current=current
    )

    assert weights["scroll"] == Decimal("0.15")
    assert all(abs(weights[name] - Decimal(current[name])) <= Decimal("0.05") for name in THREE)


def test_the_concentration_of_an_asset_is_limited_through_exposures() -> None:
    planner = Planner({"strategy": "min_variance"})
    exposures = {"eth": {"scroll": 1, "zksync": "0.5"}, "usd": {"eigenlayer": 1}}
    weights = planner.optimize_portfolio(
        THREE, {"max_asset_concentration_pct": 50}, risk_scores=SCORES, exposures=exposures
    )

    assert weights["scroll"] + weights["zksync"] / 2 <= Decimal("0.5")
    assert (
        weights["scroll"]
        < Planner({"strategy": "min_variance"}).optimize_portfolio(THREE, {}, risk_scores=SCORES)["scroll"]
    )


def test_without_exposures_a_protocol_is_an_asset_of_its_own() -> None:
    weights = Planner().optimize_portfolio(THREE, {"max_asset_concentration_pct": 25})

    assert weights == dict.fromkeys(THREE, Decimal("0.25"))


def test_a_desk_plans_as_its_planner_does() -> None:
    desk = CapitalAllocator({"strategy": "risk_parity"})

    assert desk.optimize_portfolio(THREE, {}, risk_scores=SCORES) == {
        "scroll": 0.5,
        "zksync": 0.25,
        "eigenlayer": 0.25,
    }


def test_rebalancing_takes_the_threshold_and_the_largest_transaction() -> None:
    planner = Planner({"rebalance_threshold": "0.02"})
    orders = planner.rebalance_portfolio(
        {"a": "0.5"}, {"a": "0.47"}, 10_000, risk_constraints={"max_transaction_size_pct": "1"}
    )

    assert [str(order.amount) for order in orders] == ["100.00"] * 3
    assert Planner().rebalance_portfolio({"a": "0.5"}, {"a": "0.47"}, 10_000) == []


def test_metrics_take_the_rate_of_the_settings_and_the_dates_of_a_series() -> None:
    days = pd.date_range("2026-01-01", periods=4, freq="D")
    series = pd.Series([0.01, -0.02, 0.01, 0.03], index=days)
    metrics = Planner({"risk_free_rate": 0}).calculate_efficiency_metrics(series)

    assert metrics.drawdown.trough_at == days[1].to_pydatetime()
    assert float(metrics.sharpe_ratio) == pytest.approx(series.mean() / series.std() * 365**0.5)
    assert (
        Planner({"risk_free_rate": "0.5"}).calculate_efficiency_metrics(series).sharpe_ratio
        < metrics.sharpe_ratio
    )


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_exposure": 20}, "risk_constraints may have max_protocol_exposure_pct, .* got max_exposure"),
        (
            {"max_protocol_exposure_pct": 0.2},
            r"\['max_protocol_exposure_pct'\] = 0.2: percent is meant, did you mean 20",
        ),
        ({"max_protocol_exposure_pct": 120}, "a percentage must lie between 0 and 100"),
    ],
)
def test_constraints_that_cannot_be_meant_are_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Planner().optimize_portfolio(THREE, limits)


def test_what_a_strategy_needs_is_asked_for_by_name() -> None:
    with pytest.raises(InvalidInput, match="risk_scores"):
        Planner({"strategy": "risk_parity"}).optimize_portfolio(THREE, {})
    with pytest.raises(
        InvalidInput, match="expected_returns must name every protocol, none is given for zksync"
    ):
        Planner({"strategy": "max_sharpe"}).optimize_portfolio(
            THREE, {}, {"scroll": 1, "eigenlayer": 1}, SCORES
        )


def test_an_impossible_problem_says_why() -> None:
    from capdesk.weights import Constraints, plan_weights

    with pytest.raises(InfeasibleError, match="3 x 20 % = 60 % < 100 %"):
        plan_weights(THREE, "equal_weight", constraints=Constraints(max_weight="0.2", allow_cash=False))


def test_an_estimator_of_another_library_serves_as_the_strategy() -> None:
    from skfolio.optimization import InverseVolatility

    random = np.random.default_rng(5)
    returns = random.normal(0, [0.01, 0.02, 0.04], (250, 3))
    weights = Planner().optimize_portfolio(THREE, {}, returns=returns, strategy=InverseVolatility())
    inverse = 1 / returns.std(axis=0, ddof=1)

    assert [float(weights[name]) for name in THREE] == pytest.approx(inverse / inverse.sum(), abs=2e-6)


def test_planning_and_supervising_load_no_arrays_until_they_are_needed() -> None:
    program = "import sys, capdesk.desk, capdesk.supervisor; print({'numpy', 'pydantic', 'scipy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def test_the_least_variance_of_too_many_protocols_is_that_of_the_best_choice() -> None:
    planner = Planner({"strategy": "min_variance", "max_protocols": 2})
    scores = {"a": 3, "b": 1, "c": 2, "d": "1.5"}
    plan = planner.plan_portfolio(list(scores), {}, risk_scores=scores)

    # Uncorrelated, so the two smallest scores, inverse to their squares: 1 and 1 / 2.25.
    assert float(plan.weights["b"]) == pytest.approx(2.25 / 3.25, abs=1e-6)
    assert plan.certificate.kind == "search"
    assert planner.optimize_portfolio(list(scores), {}, risk_scores=scores).keys() == {"b", "d"}


def test_a_choice_that_is_not_proven_says_within_which_names_it_holds() -> None:
    planner = Planner({"strategy": "mean_variance", "max_protocols": 2})
    plan = planner.plan_portfolio(THREE, {}, RETURNS, SCORES)

    assert sum(weight > 0 for weight in plan.weights.values()) == 2
    assert any("within the preselected names" in note for note in plan.notes)
