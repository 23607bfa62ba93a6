"""A plan of weights as a run, and computed again from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from capdesk.decide.weights import inputs
from capdesk.decide.weights.constraints import Constraints, Exposure, Group
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.model.plans import Plan
from capdesk.model.runs import Outcome, Position, Run
from capdesk.records.canonical import plain
from capdesk.runs.versions import versions
from capdesk.weights import plan_weights

KIND = "weights"
_VECTORS, _TABLES = ("mean", "risk_scores"), ("returns", "prices")


def weights_run(day: dt.date, names: Sequence[str], strategy: str, **given: Any) -> tuple[Plan, Run]:
    """Plan weights for a day, and give the plan with the run that can be stored.

    Parameters
    ----------
    names, strategy, given
        As `capdesk.weights.plan_weights` takes them.

    Raises
    ------
    InvalidInput
        For a strategy that is no name: an object cannot be stored. And as `plan_weights` does.
    """
    if not isinstance(strategy, str):
        raise InvalidInput(
            f"a run is stored with the name of its strategy, got a {type(strategy).__name__}: plan without storing"
        )
    parameters = {"strategy": str(strategy), **plain(_parameters(given))}
    run = Run(
        KIND,
        day,
        Outcome(None),
        inputs={"names": list(names), **plain(_data(tuple(names), given))},
        parameters=parameters,
        versions=versions(),
    )
    plan = _plan(run)
    return plan, structs.replace(run, outcome=outcome(plan))


def compute(run: Run) -> Outcome:
    """Plan again from what a run carries."""
    return outcome(_plan(run))


def outcome(plan: Plan) -> Outcome:
    """What a plan of weights comes to."""
    return Outcome(
        result={
            "weights": {name: str(weight) for name, weight in plan.weights.items()},
            "cash": str(plan.cash),
            "budget": str(plan.budget),
            "notes": list(plan.notes),
            "unit": str(Amount.from_nano(1)),
        },
        solver=plan.solver,
        objective=plan.certificate.objective,
        bound=plan.certificate.bound,
        gap=plan.certificate.gap,
        positions=tuple(Position(name, float(weight)) for name, weight in plan.weights.items()),
    )


def _plan(run: Run) -> Plan:
    data, parameters = dict(run.inputs), dict(run.parameters)
    names, strategy = data.pop("names"), parameters.pop("strategy")
    constraints = _constraints(parameters.pop("constraints", {}))
    return plan_weights(names, strategy, constraints=constraints, **data, **parameters)


def _data(names: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The tables and vectors, in the order of the names."""
    found: dict[str, Any] = {}
    for what in _VECTORS:
        if given.get(what) is not None:
            found[what] = inputs.vector(given[what], names, what)
    for what in _TABLES:
        if given.get(what) is not None:
            found[what] = inputs.table(given[what], names, what)
    if given.get("covariance") is not None:
        found["covariance"] = inputs.covariance_matrix(
            given["covariance"], names, mend=bool(given.get("repair"))
        ).dense()
    if given.get("factors") is not None:
        covariance = inputs.factor_covariance(given["factors"], names)
        found["factors"] = list(covariance.factors())
    if given.get("current") is not None:
        found["current"] = dict(given["current"])
    return found


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Everything else, as it was given."""
    data = {*_VECTORS, *_TABLES, "covariance", "factors", "current"}
    return {name: value for name, value in given.items() if name not in data and value is not None}


def _constraints(stored: Mapping[str, Any]) -> Constraints:
    parts = dict(stored)
    groups = {name: Group(**each) for name, each in parts.pop("groups", {}).items()}
    exposures = {name: Exposure(**each) for name, each in parts.pop("exposures", {}).items()}
    return Constraints(**parts, groups=groups, exposures=exposures)
