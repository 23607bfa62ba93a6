"""What holds a plan's weights: binding limits with their shadow prices, and a reason for each name.

Everything is read from the evidence. The reduced cost of a name is by how much the objective
would worsen for one unit more of it: 0 where it lies between its limits, positive at its
minimum, negative at its maximum.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from msgspec import Struct

from capdesk.model.evidence import Array, Evidence, Label

_OPTIMA = ("optimum", "sharpe", "tail", "search")
_NOISE = 1e-7
_NEAR = 1.5


class Binding(Struct, frozen=True):
    """A limit that holds the weights where they are.

    Attributes
    ----------
    limit
        Which kind: ``max_weight``, ``min_weight``, ``group_max``, ``turnover``, ``budget`` ...
    name
        The name, group or exposure it is about; empty where it is about all.
    value
        The limit, as a fraction.
    shadow_price
        By how much the objective (of ``max_sharpe`` the ratio) would improve if the limit gave
        way by one unit, of the budget if it grew by one; None for a rule without an objective.
    """

    limit: str
    name: str
    value: float
    shadow_price: float | None


def bindings(evidence: Evidence) -> tuple[Binding, ...]:
    """The binding limits, dearest first."""
    found = _of_optimum(evidence) if evidence.kind in _OPTIMA else _of_rule(evidence)
    return tuple(sorted(found, key=lambda each: -abs(each.shadow_price or 0.0)))


def objective_of(evidence: Evidence) -> str:
    """What shadow prices are counted in: the quantity that a plan makes as small or as large as it can.

    All are of one period of the inputs. A utility is a return less its charge for variance and costs.
    """
    if evidence.kind == "sharpe":
        return "the Sharpe ratio"
    if evidence.kind == "tail":
        return "the tail loss"
    return "the utility" if evidence.linear.any() else "the variance"


def reasons(evidence: Evidence) -> dict[str, str]:
    """Why each name has what it has, one sentence for each."""
    optimal = evidence.kind in _OPTIMA
    costs = _reduced_costs(evidence) if optimal else np.zeros(len(evidence.names))
    unit = objective_of(evidence)
    return {
        name: f"{evidence.weights[place] * 100 / evidence.per_one:.6g} %: "
        + _reason(evidence, place, float(costs[place]), unit if optimal else None)
        for place, name in enumerate(evidence.names)
    }


def _reason(evidence: Evidence, place: int, cost: float, unit: str | None) -> str:
    weight, kind = float(evidence.weights[place]) / evidence.per_one, ""
    near = _NEAR / 2 / evidence.per_one
    if weight >= evidence.upper[place] - near:
        kind = _kind(evidence.upper_limit, place)
    elif weight <= evidence.lower[place] + near:
        kind = _kind(evidence.lower_limit, place)
    if unit is None:
        return f"held by {kind}" if kind and kind != "long_only" else "what the rule gives it"
    if kind == "max_names":
        more = f"; with a place more, one unit of it would improve {unit} by {-cost:.6g}" if cost < 0 else ""
        return f"not among the names that were chosen (max_names){more}"
    if cost < 0:
        return f"at its most ({kind or 'budget'}); one unit more would improve {unit} by {-cost:.6g}"
    if cost > 0 and kind in ("long_only", ""):
        return f"out, its reduced cost is {cost:.6g}: one unit of it would worsen {unit} by that"
    if cost > 0:
        return f"at its least ({kind}); one unit less would improve {unit} by {cost:.6g}"
    return f"between its limits, reduced cost 0: neither more nor less of it would improve {unit}"


def _kind(limits: str | tuple[str, ...], place: int) -> str:
    return limits if isinstance(limits, str) else limits[place]


def _per_unit(evidence: Evidence) -> float:
    """What one unit of the proof is in the objective: a Sharpe ratio is excess return per volatility."""
    if evidence.kind != "sharpe":
        return 1.0
    weights = evidence.point[: len(evidence.names)]
    return 1 / sqrt(max(float(weights @ evidence.times(weights)), 1e-300))


def _reduced_costs(evidence: Evidence) -> Array:
    """Of the weights, (n,), what is only a solver's noise set to 0."""
    gradient = evidence.gradient()
    costs, _ = evidence.priced(gradient)
    count = len(evidence.names)
    costs = costs[:count].copy()
    costs[np.abs(costs) <= _noise(evidence, gradient, count)] = 0.0
    return costs * _per_unit(evidence)


def _noise(evidence: Evidence, gradient: Array, count: int) -> float:
    """Up to what a reduced cost is a solver's noise: by the parts of the gradient, which may cancel."""
    linear = evidence.linear
    parts = np.maximum(np.abs(linear), np.abs(gradient - linear))[:count]
    return _NOISE * float(parts.max(initial=0.0))


def _of_optimum(evidence: Evidence) -> list[Binding]:
    unit = _per_unit(evidence)
    size = max(_noise(evidence, evidence.gradient(), len(evidence.linear)) * unit, 1e-300)
    found = [
        Binding(label.limit, label.name, label.value, float(price) * unit)
        for labels, prices in (
            (evidence.equality_labels, evidence.equality_multipliers),
            (evidence.inequality_labels, evidence.inequality_multipliers),
        )
        for label, price in zip(labels, prices, strict=True)
        if label.limit and abs(price) * unit > size
    ]
    costs = _reduced_costs(evidence)
    for place in np.flatnonzero(costs):
        limits, values = (
            (evidence.upper_limit, evidence.upper)
            if costs[place] < 0
            else (evidence.lower_limit, evidence.lower)
        )
        kind = _kind(limits, int(place))
        found.append(Binding(kind, evidence.names[place], float(values[place]), abs(float(costs[place]))))
    return found


def _of_rule(evidence: Evidence) -> list[Binding]:
    x, near = evidence.full_point(), _NEAR / evidence.per_one
    weights = x[: len(evidence.names)]
    rows: list[tuple[Label, float]] = []
    if len(evidence.inequality_labels):
        room = evidence.inequalities[1] - evidence.inequalities[0] @ x
        size = np.maximum(np.abs(evidence.inequalities[0]).max(axis=1, initial=0.0), 1e-300)
        rows = list(zip(evidence.inequality_labels, room / size, strict=True))
    found = [
        Binding(label.limit, label.name, label.value, None)
        for label, room in rows
        if label.limit and room < near
    ]
    for limits, at in (
        (evidence.upper_limit, weights >= evidence.upper[: len(weights)] - near / 2),
        (evidence.lower_limit, weights <= evidence.lower[: len(weights)] + near / 2),
    ):
        for place in np.flatnonzero(at):
            kind = _kind(limits, int(place))
            if kind not in ("long_only", "budget"):
                found.append(Binding(kind, evidence.names[place], float(weights[place]), None))
    return found
