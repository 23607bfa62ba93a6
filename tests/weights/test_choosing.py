"""Which names to hold: exact against every choice tried one by one, and honest where names are preselected."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations, product

import numpy as np
import pytest
from msgspec import structs

from capdesk import Amount, Constraints, Group, InfeasibleError, InvalidInput, Plan, plan_weights
from capdesk.decide.weights.verification import check
from tests.weights.support import covariance, names

COUNT = 7
NAMES = names(COUNT)
RNG = np.random.default_rng(31)
SIGMA = covariance(RNG, COUNT)
MEAN = RNG.normal(size=COUNT) * 0.02 + 0.02
LOSING = MEAN - (MEAN.argmin() == np.arange(COUNT))
"""Expectations of which one is worth a short."""
EVEN = dict.fromkeys(NAMES, round(1 / COUNT, 6))


def held(weights: dict[str, object]) -> list[str]:
    return [name for name, weight in weights.items() if weight]


@pytest.mark.parametrize("places", [1, 2, 3, 5])
def test_the_best_few_names_are_found(places: int) -> None:
    plan = plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=Constraints(max_names=places))
    every = [
        plan_weights([NAMES[i] for i in chosen], "min_variance", covariance=SIGMA[np.ix_(chosen, chosen)])
        for chosen in map(list, combinations(range(COUNT), places))
    ]
    best = min(every, key=lambda each: each.certificate.objective)
    assert plan.certificate.kind == "search"
    assert plan.certificate.objective == pytest.approx(best.certificate.objective, rel=1e-6)
    assert plan.certificate.bound == pytest.approx(best.certificate.objective, rel=1e-6)
    assert len(held(dict(plan.weights))) <= places


def test_nothing_or_at_least_the_least() -> None:
    limits = Constraints(min_weight_if_held=0.18, max_weight=0.5)
    plan = plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=limits)
    assert all(weight == 0 or weight >= 0.18 for weight in plan.weights.values())
    free = plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=Constraints(max_weight=0.5))
    assert any(0 < weight < 0.18 for weight in free.weights.values())


@pytest.mark.parametrize("cost", [1e-4, 1e-3, 1e-2])
def test_fixed_costs_of_trades_against_every_choice(cost: float) -> None:
    start = np.array(list(EVEN.values()))
    plan = plan_weights(
        NAMES,
        "mean_variance",
        covariance=SIGMA,
        mean=MEAN,
        risk_aversion=3,
        constraints=Constraints(fixed_costs=cost),
        current=EVEN,
    )
    total = float(sum(plan.weights.values()))
    best = np.inf
    for traded in range(2**COUNT):
        moving = [place for place in range(COUNT) if traded >> place & 1]
        stays = {NAMES[place]: start[place] for place in range(COUNT) if place not in moving}
        try:
            one = plan_weights(
                NAMES,
                "mean_variance",
                covariance=SIGMA,
                mean=MEAN,
                risk_aversion=3,
                constraints=Constraints(max_weight=stays, min_weight=stays),
            )
        except InfeasibleError:
            continue
        if abs(float(sum(one.weights.values())) - total) < 1e-9:
            best = min(best, one.certificate.objective + cost * len(moving))
    assert plan.certificate.objective == pytest.approx(best, rel=2e-6)
    assert plan.certificate.bound <= best + 1e-9


def test_a_fixed_cost_that_is_not_earned_leaves_everything_where_it_is() -> None:
    start = dict(zip(NAMES, [0.2, 0.1, 0.1, 0.2, 0.1, 0.1, 0.2], strict=True))
    plan = plan_weights(
        NAMES,
        "mean_variance",
        covariance=SIGMA,
        mean=MEAN,
        risk_aversion=3,
        constraints=Constraints(fixed_costs=0.5),
        current=start,
    )
    assert {name: float(weight) for name, weight in plan.weights.items()} == start


@pytest.mark.parametrize(
    "strategy", ["max_sharpe", "equal_weight", "risk_parity", "hierarchical_risk_parity"]
)
def test_preselected_names_are_called_so(strategy: str) -> None:
    plan = plan_weights(
        NAMES,
        strategy,
        mean=MEAN,
        covariance=SIGMA,
        constraints=Constraints(max_names=3, min_weight_if_held=0.2),
    )
    assert len(held(dict(plan.weights))) <= 3
    assert all(weight == 0 or weight >= 0.2 for weight in plan.weights.values())
    assert "within the preselected names" in plan.notes[-1]


def test_no_choice_meets_the_limits() -> None:
    apart = {"g": Group(NAMES[:2], min=0.1), "h": Group(NAMES[2:], min=0.1)}
    limits = Constraints(min_weight_if_held=0.6, groups=apart)
    with pytest.raises(InfeasibleError, match="no choice of names meets min_weight_if_held"):
        plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=limits)


def _with_signs(places: int, limits: Constraints, least: float) -> list[Constraints]:
    """Every choice of names, and of a side for each, as limits without a choice."""
    most = float(limits.max_weight or 0)
    choices: list[Constraints] = []
    for chosen in combinations(range(COUNT), places):
        for signs in product((1, -1), repeat=places):
            low, high = dict.fromkeys(NAMES, 0.0), dict.fromkeys(NAMES, 0.0)
            for place, sign in zip(chosen, signs, strict=True):
                low[NAMES[place]], high[NAMES[place]] = (least, most) if sign > 0 else (-most, -least)
            choices.append(
                structs.replace(
                    limits, min_weight=low, max_weight=high, max_names=None, min_weight_if_held=None
                )
            )
    return choices


@pytest.mark.parametrize(("places", "least", "gross"), [(2, 0.0, None), (3, 0.0, 1.6), (3, 0.15, 1.8)])
def test_shorts_are_chosen_as_exactly_as_every_choice_and_side_tried(
    places: int, least: float, gross: float | None
) -> None:
    limits = Constraints(
        max_names=places,
        min_weight_if_held=least or None,
        long_only=False,
        max_weight=1.5,
        min_weight=-1.5,
        gross=gross,
        allow_cash=False,
    )

    def planned(constraints: Constraints) -> Plan:
        return plan_weights(
            NAMES, "mean_variance", covariance=SIGMA, mean=LOSING, risk_aversion=5, constraints=constraints
        )

    best = np.inf
    for choice in _with_signs(places, limits, least):
        try:
            best = min(best, planned(choice).certificate.objective or 0.0)
        except InfeasibleError:
            continue
    plan = planned(limits)
    assert plan.certificate.kind == "search"
    assert plan.certificate.objective == pytest.approx(best, rel=1e-6)
    assert plan.certificate.bound == pytest.approx(best, rel=1e-6)
    assert any(weight < 0 for weight in plan.weights.values())
    assert all(weight == 0 or abs(weight) >= least for weight in plan.weights.values())
    assert len(held(dict(plan.weights))) <= places


def test_shorts_without_bounds_are_chosen_where_the_covariance_is_regular() -> None:
    best = min(
        plan_weights(
            [NAMES[i] for i in chosen],
            "min_variance",
            covariance=SIGMA[np.ix_(chosen, chosen)],
            constraints=Constraints(long_only=False),
        ).certificate.objective
        or 0.0
        for chosen in map(list, combinations(range(COUNT), 3))
    )
    limits = Constraints(max_names=3, long_only=False)
    plan = plan_weights(NAMES, "min_variance", covariance=SIGMA, constraints=limits)
    assert plan.certificate.objective == pytest.approx(best, rel=1e-6)
    assert plan.certificate.bound == pytest.approx(best, rel=1e-6)


def test_shorts_without_bounds_by_a_singular_covariance_are_refused() -> None:
    twins = np.ones((3, 3)) * 0.04
    with pytest.raises(InvalidInput, match="give gross, or min_weight and max_weight"):
        plan_weights(
            NAMES[:3],
            "min_variance",
            covariance=twins,
            constraints=Constraints(max_names=2, long_only=False),
        )


def test_shorts_are_preselected_with_their_side() -> None:
    limits = Constraints(
        max_names=3, min_weight_if_held=0.1, long_only=False, max_weight=1.2, min_weight=-0.8
    )
    plan = plan_weights(NAMES, "max_sharpe", covariance=SIGMA, mean=LOSING, constraints=limits)
    assert any(weight < 0 for weight in plan.weights.values())
    assert all(weight == 0 or abs(weight) >= Amount("0.1") for weight in plan.weights.values())
    assert "within the preselected names" in plan.notes[-1]


@pytest.mark.parametrize("strategy", ["max_sharpe", "min_variance", "risk_parity"])
def test_a_name_with_a_minimum_is_always_among_those_held(strategy: str) -> None:
    dearest = NAMES[int(MEAN.argmin())]
    limits = Constraints(max_names=2, min_weight={dearest: 0.05})
    plan = plan_weights(NAMES, strategy, covariance=SIGMA, mean=MEAN, constraints=limits)
    assert plan.weights[dearest] >= Amount("0.05")
    assert len(held(dict(plan.weights))) <= 2


@pytest.mark.parametrize("strategy", ["max_sharpe", "min_variance"])
def test_more_minima_than_places_are_counted(strategy: str) -> None:
    limits = Constraints(max_names=2, min_weight=dict.fromkeys(NAMES[:3], 0.05))
    with pytest.raises(InfeasibleError, match="3 names have a minimum, and only 2 may be held") as caught:
        plan_weights(NAMES, strategy, covariance=SIGMA, mean=MEAN, constraints=limits)
    assert caught.value.relaxations == (("max_names", "2", "3"),)


def test_a_choice_that_cannot_invest_all_invests_the_most_it_can() -> None:
    """Of 0.5 in trades 0.2 sell the other name, and 0.3 are left to buy."""
    plan = plan_weights(
        ["a", "b"],
        "min_variance",
        covariance=np.diag([0.01, 0.04]),
        constraints=Constraints(max_names=1, turnover=0.5),
        current={"a": 0.4, "b": 0.2},
    )
    assert dict(plan.weights) == {"a": Amount("0.7"), "b": 0}
    assert plan.cash == Amount("0.3")


def test_a_choice_that_cannot_invest_all_is_refused_where_cash_is_not_allowed() -> None:
    limits = Constraints(max_names=1, turnover=0.5, allow_cash=False)
    with pytest.raises(InfeasibleError, match=r"no choice of names invests more than 70 % < 100 %") as caught:
        plan_weights(
            ["a", "b"],
            "min_variance",
            covariance=np.diag([0.01, 0.04]),
            constraints=limits,
            current={"a": 0.4, "b": 0.2},
        )
    assert caught.value.conflict == ("budget", "max_names")


def test_a_least_holding_above_every_maximum_is_named() -> None:
    with pytest.raises(InfeasibleError, match=r"no name may have more than 50 % < 60 %") as caught:
        plan_weights(
            NAMES,
            "min_variance",
            covariance=SIGMA,
            constraints=Constraints(min_weight_if_held=0.6, max_weight=0.5),
        )
    assert caught.value.conflict == ("min_weight_if_held", "max_weight")


def test_a_choice_that_lacks_a_unit_leaves_it_in_cash() -> None:
    """Three names of a third each are a billionth short, which no solver sees; five may be held."""
    factor = np.array([0.047, 0.128, 0.068, -0.033, 0.01])
    sigma = np.outer(factor, factor) + 1e-12 * np.eye(5)
    limits = Constraints(max_weight=1 / 3, max_names=5)
    plan = plan_weights(names(5), "min_variance", covariance=sigma, constraints=limits)
    assert sum(plan.weights.values()) + plan.cash == 1
    assert plan.cash <= Amount("0.000000001")
    assert plan.certificate.gap <= plan.certificate.tolerance


def test_fixed_costs_of_names_held_beside_another_choice_are_refused_for_what_they_are() -> None:
    with pytest.raises(InvalidInput, match="cannot be planned together with max_names"):
        plan_weights(
            NAMES,
            "min_variance",
            covariance=SIGMA,
            risk_aversion=1,
            constraints=Constraints(fixed_costs=0.001, max_names=3),
            current=EVEN,
        )


@pytest.mark.parametrize("unit", [-1, 0, 1])
def test_weights_now_that_miss_the_budget_by_a_unit_are_planned_from(unit: int) -> None:
    """A solver takes a unit for met: who stays may not exceed the budget by one, and what lacks is cash."""
    current = [Decimal(429302597 + unit).scaleb(-9), Decimal("0.449629801"), Decimal("0.121067602")]
    plan = plan_weights(
        names(3),
        "min_variance",
        covariance=np.diag([0.04, 0.05, 0.06]),
        risk_aversion=1,
        constraints=Constraints(fixed_costs=0.5),
        current=dict(zip(names(3), current, strict=True)),
    )
    traded = [weight != start for weight, start in zip(plan.weights.values(), current, strict=True)]
    assert sum(traded) == (unit > 0)
    assert plan.cash == (Decimal("0.000000001") if unit < 0 else 0)
    assert all(each.holds for each in check(plan.to_json()))


def test_without_cash_a_choice_that_lacks_units_is_none() -> None:
    """Seven names of a seventh each are six billionths short; it takes eight."""
    limits = Constraints(max_weight=1 / 7, max_names=8, min_weight_if_held=0.083, allow_cash=False)
    mean = [0.02, 0.09, 0.07, 0.06, 0.05, 0.04, 0.03, -0.05, -0.9]
    plan = plan_weights(
        names(9),
        "mean_variance",
        mean=mean,
        covariance=1e-4 * np.eye(9),
        risk_aversion=3,
        constraints=limits,
    )
    assert (len(held(dict(plan.weights))), plan.cash) == (8, 0)
