"""Everything that cannot be used gets one clear error; tables of every kind give the same plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from capdesk import Amount, Constraints, Exposure, Group, InvalidInput, plan_weights
from tests.weights.support import covariance, names

NAMES = names(4)
RNG = np.random.default_rng(7)
SIGMA = covariance(RNG, 4)
RETURNS = RNG.normal(0.001, 0.02, size=(80, 4))
ASYMMETRIC = SIGMA + np.triu(np.full((4, 4), 0.001), 1)


def with_nan(array: np.ndarray, *place: int) -> np.ndarray:
    array = array.copy()
    array[place] = np.nan
    return array


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown strategy": ("best", {}, "must be one of equal_weight, risk_parity"),
    "no covariance": ("min_variance", {}, "give covariance, factors, returns or prices"),
    "no mean": ("max_sharpe", {"covariance": SIGMA}, "give mean, returns or prices"),
    "no scores": ("risk_parity", {}, "needs risk_scores, or a covariance"),
    "no returns": ("min_cvar", {"covariance": SIGMA}, "needs returns or prices"),
    "no bets": ("kelly_criterion", {"probabilities": [0.5] * 4}, "bet_prices or odds"),
    "no market": ("black_litterman", {"covariance": SIGMA}, "needs market_weights"),
    "shape of the covariance": ("min_variance", {"covariance": SIGMA[:3]}, r"shape \(3, 4\)"),
    "shape of the mean": ("max_sharpe", {"covariance": SIGMA, "mean": [1, 2]}, r"shape \(2,\)"),
    "shape of the returns": ("min_cvar", {"returns": RETURNS[:, :3]}, "4 names"),
    "NaN in the covariance": ("min_variance", {"covariance": with_nan(SIGMA, 2, 2)}, "n2, n2 is nan"),
    "NaN in the mean": ("max_sharpe", {"covariance": SIGMA, "mean": [1, 1, 1, np.nan]}, "n3 has nan"),
    "NaN in the returns": ("min_variance", {"returns": with_nan(RETURNS, 5, 1)}, "n1 has nan in row 5"),
    "negative eigenvalue": (
        "min_variance",
        {"covariance": SIGMA - 0.05 * np.eye(4) + 0.05},
        "eigenvalue is -0",
    ),
    "not symmetric": ("min_variance", {"covariance": ASYMMETRIC}, "must be symmetric"),
    "no variance": ("min_variance", {"covariance": np.diag([1, 0, 1, 1.0])}, r"n1 \(0\)"),
    "a column that never changes": (
        "min_variance",
        {"returns": np.hstack([RETURNS[:, :3], np.ones((80, 1))])},
        "returns of n3 never change",
    ),
    "a price of nothing": ("min_variance", {"prices": np.zeros((5, 4))}, "n0 has 0"),
    "scores": ("risk_parity", {"risk_scores": [1, 2, 0, 4]}, "above 0, got 0 for n2"),
    "a score that is missing": ("risk_parity", {"risk_scores": {"n0": 1}}, "no value for n1, n2, n3"),
    "a score of nobody": ("risk_parity", {"risk_scores": dict.fromkeys([*NAMES, "x"], 1)}, "speaks of x"),
    "risk budgets": (
        "risk_parity",
        {"covariance": SIGMA, "risk_budgets": [1, 1, 1, 0]},
        "risk_budgets must be above 0, got 0 for n3",
    ),
    "risk aversion": (
        "mean_variance",
        {"covariance": SIGMA, "mean": [0.1] * 4, "risk_aversion": -1},
        "risk_aversion must be 0 or more",
    ),
    "a tail in percent": ("min_cvar", {"returns": RETURNS, "tail": 5}, "between 0 and 1"),
    "a tail without a scenario": ("min_cvar", {"returns": RETURNS, "tail": 0.01}, "holds 0.8 of 80"),
    "linkage": ("hierarchical_risk_parity", {"covariance": SIGMA, "linkage": "x"}, "linkage must be one of"),
    "fraction": (
        "kelly_criterion",
        {"probabilities": [0.6] * 4, "odds": [1] * 4, "fraction": 2},
        "above 0, at most 1",
    ),
    "factors": ("min_variance", {"factors": SIGMA}, "factors must be"),
    "specific variance": ("min_variance", {"factors": (SIGMA, [-1, 0, 0, 0])}, "0 or more"),
    "estimator": ("min_variance", {"returns": RETURNS, "estimator": "x"}, "estimator 'x'"),
    "costs without a start": (
        "min_variance",
        {"covariance": SIGMA, "constraints": Constraints(turnover=0.1)},
        "turnover needs the weights that trades start from",
    ),
    "costs without their worth": (
        "min_variance",
        {"covariance": SIGMA, "constraints": Constraints(proportional_costs=0.01), "current": {}},
        "needs risk_aversion",
    ),
    "a start of nobody": (
        "min_variance",
        {"covariance": SIGMA, "constraints": Constraints(turnover=0.1), "current": {"x": 1}},
        "current speaks of x",
    ),
    "labels of others": (
        "max_sharpe",
        {"covariance": SIGMA, "mean": pd.Series([0.1, 0.2, 0.3, 0.4], index=["n3", "n2", "n1", "x"])},
        "mean has no value for n0: its index must be the names",
    ),
    "a label twice": (
        "max_sharpe",
        {"covariance": SIGMA, "mean": pd.Series([1, 2, 3, 4, 5], index=["n0", *NAMES])},
        "mean has n0 more than once",
    ),
    "rows of others": (
        "min_variance",
        {"covariance": pd.DataFrame(SIGMA, columns=NAMES, index=["n3", "n2", "n1", "x"])},
        "covariance has no value for n0",
    ),
    "a column twice": (
        "min_cvar",
        {"returns": pd.DataFrame(np.hstack([RETURNS, RETURNS[:, :1]]), columns=[*NAMES, "n0"])},
        "returns must have a column once",
    ),
    "complex numbers": ("min_variance", {"covariance": SIGMA + 1j}, "must be real numbers"),
    "a risk aversion in words": (
        "mean_variance",
        {"covariance": SIGMA, "mean": [0.1] * 4, "risk_aversion": "high"},
        "risk_aversion must be a number",
    ),
    "a tail in words": ("min_cvar", {"returns": RETURNS, "tail": "worst"}, "tail must be a number"),
    "a rate in percent": (
        "max_sharpe",
        {"covariance": SIGMA, "mean": [0.1] * 4, "risk_free_rate": 2},
        "risk_free_rate=2: a fraction is meant, did you mean 0.02",
    ),
    "a market in percent": (
        "black_litterman",
        {"covariance": SIGMA, "market_weights": [10, 20, 30, 40]},
        "market_weights add up to 100",
    ),
    "a view that is none": (
        "black_litterman",
        {"covariance": SIGMA, "market_weights": [0.25] * 4, "views": [0.1]},
        "view 1 must be",
    ),
    "a start without names": (
        "min_variance",
        {"covariance": SIGMA, "constraints": Constraints(turnover=0.1), "current": [0.25] * 4},
        "current must be weights by name, got list",
    ),
    "all cash": (
        "min_variance",
        {"covariance": SIGMA, "constraints": Constraints(fully_invested=False)},
        "is all cash",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_one_clear_error(case: str) -> None:
    strategy, given, said = BAD[case]
    with pytest.raises(InvalidInput, match=said):
        plan_weights(NAMES, strategy, **given)


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "percent": ({"max_weight": 20}, "max_weight=20: a fraction is meant, did you mean 0.2?"),
    "percent by name": ({"max_weight": {"n1": 20}}, "max_weight of n1=20: a fraction is meant"),
    "percent of a group": (
        {"groups": {"g": Group(["n0"], max=30)}},
        "max of group g=30: a fraction is meant",
    ),
    "percent of a cost": ({"proportional_costs": 1}, "did you mean 0.01"),
    "minimum above maximum": (
        {"max_weight": 0.1, "min_weight": 0.2},
        "minimum of n0, 0.2, is above its maximum",
    ),
    "unknown name": ({"max_weight": {"x": 0.1}}, "max_weight speaks of x"),
    "unknown member": ({"groups": {"g": Group(["x"], max=0.3)}}, "group g speaks of x"),
    "group without limits": ({"groups": {"g": Group(["n0"])}}, "neither min nor max"),
    "group upside down": ({"groups": {"g": Group(["n0"], min=0.5, max=0.1)}}, "min 0.5 above max 0.1"),
    "loadings": ({"exposures": {"e": Exposure([1, 2], max=1)}}, r"must be 4 numbers, got shape \(2,\)"),
    "NaN loading": ({"exposures": {"e": Exposure([1, 2, float("nan"), 1], max=1)}}, "got nan for n2"),
    "short in long only": ({"min_weight": -0.1}, "below 0 needs long_only=False"),
    "names": ({"max_names": 0}, "max_names must be a whole number of 1 or more"),
    "not a number": ({"max_weight": "much"}, "max_weight must be a number"),
    "boolean": ({"max_weight": True}, "got the boolean True"),
    "infinite": ({"turnover": float("inf")}, "finite"),
    "an array": ({"max_weight": np.full(4, 0.3)}, "max_weight must be one number, got ndarray"),
    "groups without names": ({"groups": [Group(["n0"], max=0.3)]}, "groups must be Group(...) by their own"),
    "a group of a mapping": ({"groups": {"g": {"members": ["n0"]}}}, "groups must be Group(...) by their"),
    "a text of members": ({"groups": {"g": Group("n0", max=0.3)}}, "list of members, got the text 'n0'"),
    "budget in percent": ({"budget": 100}, "budget=100: a fraction is meant, did you mean 1?"),
    "negative budget": ({"budget": -1}, "below 0 needs long_only=False"),
    "negative gross": ({"gross": -1}, "gross must be 0 or more"),
    "negative turnover": ({"turnover": -0.1}, "turnover must be 0 or more"),
    "negative trade": ({"max_trade": -0.1}, "max_trade of n0 must be 0 or more"),
    "negative least": ({"min_weight_if_held": -0.1}, "min_weight_if_held of n0 must be 0 or more"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_one_clear_error_for_a_limit(case: str) -> None:
    given, said = LIMITS[case]
    with pytest.raises(InvalidInput) as caught:
        plan_weights(NAMES, "equal_weight", constraints=Constraints(**given), current={})
    assert said in str(caught.value) or caught.match(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("abc", "got the text 'abc'"),
        (["a", "a"], "'a' more than once"),
        (["a", ""], "not empty"),
        ([1], "texts"),
        ([["a"]], "texts"),
        (3, "a list of names, got int"),
    ],
)
def test_names_are_texts_that_differ(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        plan_weights(given, "equal_weight")


def shuffled(frame: Any) -> Any:
    return frame[["n2", "n0", "n3", "n1"]]


@pytest.mark.parametrize("strategy", ["min_variance", "max_sharpe", "min_cvar", "risk_parity"])
def test_pandas_polars_and_arrays_give_one_plan(strategy: str) -> None:
    tables = [
        RETURNS,
        RETURNS.tolist(),
        shuffled(pd.DataFrame(RETURNS, columns=NAMES)),
        shuffled(pl.DataFrame(RETURNS, schema=NAMES)),
    ]
    plans = [dict(plan_weights(NAMES, strategy, returns=table).weights) for table in tables]
    assert all(plan == plans[0] for plan in plans)


def test_moments_are_matched_by_their_labels() -> None:
    order = ["n2", "n0", "n3", "n1"]
    places = [NAMES.index(name) for name in order]
    mean = [0.01, 0.02, 0.03, 0.02]
    plain = plan_weights(NAMES, "max_sharpe", mean=mean, covariance=SIGMA)
    for table in (
        pd.DataFrame(SIGMA, columns=NAMES, index=NAMES).loc[order, order],
        pl.DataFrame(SIGMA, schema=NAMES).select(order),
    ):
        series = pd.Series([mean[place] for place in places], index=order)
        labelled = plan_weights(NAMES, "max_sharpe", mean=series, covariance=table)
        assert dict(labelled.weights) == dict(plain.weights)
    by_name = dict(zip(NAMES, mean, strict=True))
    assert dict(plan_weights(NAMES, "max_sharpe", mean=by_name, covariance=SIGMA).weights) == dict(
        plain.weights
    )


def test_prices_are_turned_into_returns() -> None:
    prices = np.cumprod(1 + RETURNS, axis=0)
    by_prices = plan_weights(NAMES, "min_variance", prices=prices)
    by_returns = plan_weights(NAMES, "min_variance", returns=RETURNS[1:])
    found = [float(weight) for weight in by_prices.weights.values()]
    assert found == pytest.approx([float(weight) for weight in by_returns.weights.values()], abs=2e-6)


def test_a_matrix_is_repaired_only_when_asked() -> None:
    broken = np.array([[1, 0.9, 0.2], [0.9, 1, 0.9], [0.2, 0.9, 1]]) * 0.04
    with pytest.raises(InvalidInput, match="repair=True"):
        plan_weights(names(3), "min_variance", covariance=broken)
    assert sum(plan_weights(names(3), "min_variance", covariance=broken, repair=True).weights.values()) == 1


def test_scores_stand_for_volatilities_where_there_is_no_covariance() -> None:
    scores = [0.1, 0.2, 0.3, 0.4]
    by_scores = plan_weights(NAMES, "min_variance", risk_scores=scores)
    by_matrix = plan_weights(NAMES, "min_variance", covariance=np.diag(np.square(scores)))
    assert dict(by_scores.weights) == dict(by_matrix.weights)
    assert "not correlated" in by_scores.notes[0]


@pytest.mark.parametrize("count", [1_100])
def test_large_matrices_are_looked_at_too(count: int) -> None:
    many = names(count)
    sigma = covariance(np.random.default_rng(1), count)
    for place, value, said in (((3, 3), np.nan, "must be finite: n3"), ((5, 9), 1.0, "must be symmetric")):
        broken = sigma.copy()
        broken[place] = value
        with pytest.raises(InvalidInput, match=said):
            plan_weights(many, "min_variance", covariance=broken)
    broken = sigma.copy()
    broken[7, :] = broken[:, 7] = 0
    with pytest.raises(InvalidInput, match="n7 has none"):
        plan_weights(many, "min_variance", covariance=broken)


class Halves:
    """A strategy as scikit-learn has them."""

    def __init__(self, weights: list[float]) -> None:
        self.given = weights

    def fit(self, X: Any) -> Halves:
        self.columns = getattr(X, "columns", None)
        self.weights_ = np.array(self.given)
        return self


def test_any_estimator_may_be_the_strategy() -> None:
    estimator = Halves([0.5, 0.3, 0.1, 0.1])
    frame = shuffled(pd.DataFrame(RETURNS, columns=NAMES))
    plan = plan_weights(NAMES, estimator, returns=frame, constraints=Constraints(max_weight="0.4"))
    assert list(estimator.columns) == NAMES
    assert plan.strategy == "Halves"
    assert plan.certificate.kind == "rule"
    assert dict(plan.weights) == {
        "n0": Amount("0.4"),
        "n1": Amount("0.36"),
        "n2": Amount("0.12"),
        "n3": Amount("0.12"),
    }


def test_an_estimator_without_weights_is_no_strategy() -> None:
    class Nothing:
        def fit(self, X: Any) -> None:
            pass

    with pytest.raises(InvalidInput, match="Nothing has no weights_ after fit"):
        plan_weights(NAMES, Nothing(), returns=RETURNS)


def test_a_model_of_skfolio_is_a_strategy() -> None:
    skfolio = pytest.importorskip("skfolio.optimization")
    plan = plan_weights(NAMES, skfolio.InverseVolatility(), returns=pd.DataFrame(RETURNS, columns=NAMES))
    volatility = RETURNS.std(axis=0, ddof=1)
    shares = 1 / volatility / (1 / volatility).sum()
    assert [float(weight) for weight in plan.weights.values()] == pytest.approx(shares, abs=2e-6)


def test_limits_are_matched_by_their_labels() -> None:
    beta = Exposure(pd.Series([3.0, 2.0, 1.0, 0.0], index=["n3", "n2", "n1", "n0"]), max=1.2)
    plan = plan_weights(
        NAMES, "min_variance", covariance=SIGMA, constraints=Constraints(exposures={"e": beta})
    )
    weights = [float(plan.weights[name]) for name in NAMES]
    assert np.arange(4) @ weights == pytest.approx(1.2, abs=1e-5)
    start = pd.Series([0.1, 0.2, 0.3, 0.4], index=["n3", "n2", "n1", "n0"])
    still = plan_weights(
        NAMES, "min_variance", covariance=SIGMA, constraints=Constraints(turnover=0), current=start
    )
    assert [float(still.weights[name]) for name in NAMES] == [0.4, 0.3, 0.2, 0.1]


def test_gross_is_a_multiple_of_the_capital_not_a_percentage() -> None:
    mean = [0.3, 0.2, 0.1, -0.3]
    plan = plan_weights(
        NAMES,
        "mean_variance",
        covariance=SIGMA,
        mean=mean,
        risk_aversion=1,
        constraints=Constraints(long_only=False, gross=2),
    )
    assert sum(abs(weight) for weight in plan.weights.values()) == 2
    assert plan.cash == 0


def test_a_large_covariance_that_was_not_tested_is_noted() -> None:
    sigma = np.eye(1_001) * 0.04 + 0.01
    called = names(1_001)
    (note,) = plan_weights(called, "min_variance", covariance=sigma).notes
    assert note.startswith("the covariance of 1001 names was not shown to be positive semidefinite")
    assert plan_weights(called, "min_variance", covariance=sigma, repair=True).notes == ()


def test_prices_are_not_taken_for_returns() -> None:
    prices = [[100.0, 20.0], [101.0, 21.0], [99.0, 22.0]]
    with pytest.raises(InvalidInput, match=r"half of these are above .* give prices="):
        plan_weights(["a", "b"], "min_variance", returns=prices)
    assert plan_weights(["a", "b"], "min_variance", prices=prices).cash == 0
