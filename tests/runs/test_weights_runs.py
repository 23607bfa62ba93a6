"""A plan of weights that was stored is made again, to the last digit, from what was stored."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec import structs

from capdesk import runs
from capdesk.model.errors import InvalidInput
from capdesk.records import Records
from capdesk.records.comparing import Sameness
from capdesk.runs.weights import weights_run
from capdesk.weights import Constraints, Exposure, Group, plan_weights

DAY = dt.date(2026, 2, 16)
NAMES = ["a", "b", "c", "d"]
# Maillard, Roncalli and Teiletche (2010): four assets of 10, 20, 30 and 40 % volatility.
VOLATILITIES = np.array([0.1, 0.2, 0.3, 0.4])
CORRELATIONS = np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]])
COVARIANCE = CORRELATIONS * np.outer(VOLATILITIES, VOLATILITIES)
RETURNS = pd.DataFrame(
    np.random.default_rng(5).multivariate_normal(np.zeros(4), COVARIANCE / 250, 60), columns=list("dcba")
)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a rule": ("equal_weight", {}),
    "a covariance": ("min_variance", {"covariance": COVARIANCE}),
    "limits": (
        "min_variance",
        {
            "covariance": pd.DataFrame(COVARIANCE, index=NAMES, columns=NAMES),
            "constraints": Constraints(
                max_weight={"a": "0.5"},
                groups={"tail": Group(["c", "d"], min=0.3)},
                exposures={"beta": Exposure(np.array([1.0, 0.5, 2, 1]), max="1.2")},
            ),
        },
    ),
    "returns": (
        "mean_variance",
        {"returns": RETURNS, "risk_aversion": 3, "mean": dict.fromkeys(NAMES, 0.01)},
    ),
    "scores": ("risk_parity", {"risk_scores": {"a": 1, "b": 2, "c": 3, "d": 4}}),
    "factors": ("min_variance", {"factors": (VOLATILITIES[:, None], np.full(4, 0.01))}),
    "trades": (
        "mean_variance",
        {
            "mean": [0.01, 0.02, 0.03, 0.04],
            "risk_aversion": "2.5",
            "covariance": COVARIANCE,
            "current": dict.fromkeys(NAMES, 0.25),
            "constraints": Constraints(turnover=0.2, proportional_costs=0.001),
        },
    ),
}


@pytest.mark.parametrize(("strategy", "given"), CASES.values(), ids=CASES.keys())
def test_a_stored_plan_is_made_again_to_the_last_digit(
    tmp_path: Path, strategy: str, given: dict[str, Any]
) -> None:
    plan, run = weights_run(DAY, NAMES, strategy, **given)
    with Records(tmp_path / "records.db", create=True) as records:
        number = records.save_run(run).number
    with Records(tmp_path / "records.db") as records:
        stored = records.run(number)
    found = runs.replay(stored.run)
    assert (found.sameness, found.differences) == (Sameness.IDENTICAL, ())
    assert plan.weights == plan_weights(NAMES, strategy, **given).weights
    assert stored.run.outcome.result["weights"] == {
        name: str(weight) for name, weight in plan.weights.items()
    }


def test_a_plan_from_other_inputs_than_were_stored_is_different() -> None:
    _, run = weights_run(DAY, NAMES, "min_variance", covariance=COVARIANCE)
    other = structs.replace(run, inputs={**run.inputs, "covariance": (COVARIANCE * VOLATILITIES).tolist()})
    with pytest.raises(InvalidInput, match="symmetric"):
        runs.replay(other)
    doubled = np.diag([1.0, 1, 1, 4]) @ COVARIANCE @ np.diag([1.0, 1, 1, 4])
    other = structs.replace(run, inputs={**run.inputs, "covariance": doubled.tolist()})
    found = runs.replay(other)
    assert found.sameness == Sameness.DIFFERENT
    assert "by the stored certificate" in found.reason


def test_the_programs_that_took_part_are_named() -> None:
    _, run = weights_run(DAY, NAMES, "equal_weight")
    assert {"capdesk", "python", "numpy", "scipy", "highspy"} <= set(run.versions)


def test_a_strategy_that_is_no_name_cannot_be_stored() -> None:
    strategy: Any = object()
    with pytest.raises(InvalidInput, match="stored with the name of its strategy"):
        weights_run(DAY, NAMES, strategy)


def test_a_kind_that_nobody_computes_is_refused() -> None:
    _, run = weights_run(DAY, NAMES, "equal_weight")
    with pytest.raises(InvalidInput, match="kind 'futures' cannot be computed again"):
        runs.replay(structs.replace(run, kind="futures"))


def in_millionths(run: Any, weights: dict[str, str]) -> Any:
    """The run as the first releases stored it, which did not tell their unit."""
    result = {name: value for name, value in run.outcome.result.items() if name != "unit"}
    return structs.replace(run, outcome=structs.replace(run.outcome, result={**result, "weights": weights}))


def test_a_rule_that_was_stored_in_millionths_is_the_same_to_a_millionth() -> None:
    names = NAMES[:3]
    _, run = weights_run(DAY, names, "equal_weight")
    assert run.outcome.result["unit"] == "0.000000001"
    found = runs.replay(in_millionths(run, {"a": "0.333334", "b": "0.333333", "c": "0.333333"}))
    assert found.sameness == Sameness.EQUIVALENT
    assert "to the coarser one every weight is the same" in found.reason
    for other in ({"a": "0.333335", "b": "0.333332", "c": "0.333333"}, {"a": "0.5", "b": "0.5"}):
        assert runs.replay(in_millionths(run, other)).sameness == Sameness.DIFFERENT


def test_an_optimum_that_was_stored_in_millionths_is_equivalent() -> None:
    _, run = weights_run(DAY, NAMES, "min_variance", covariance=COVARIANCE)
    coarse = {name: str(round(float(weight), 6)) for name, weight in run.outcome.result["weights"].items()}
    assert runs.replay(in_millionths(run, coarse)).sameness == Sameness.EQUIVALENT
