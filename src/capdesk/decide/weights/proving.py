"""What certificates of every kind are made of: limits kept, the least over a box, tolerances, the figures."""

from __future__ import annotations

import numpy as np

from capdesk.model.evidence import Array, Evidence
from capdesk.model.money import NANO, Amount
from capdesk.model.plans import Certificate

GAP = 1e-6
LARGEST_GAP = 1e-4
REACH = 2.0


def violation(evidence: Evidence, x: Array) -> float:
    """The largest excess over a bound or a row, a row's in units of its largest coefficient."""
    worst = largest(np.maximum(evidence.lower - x, x - evidence.upper))
    for (rows, limits), exact in ((evidence.equalities, True), (evidence.inequalities, False)):
        if len(limits):
            excess = rows.dot(x) - limits
            size = np.maximum.reduce(np.abs(rows), axis=1, initial=1e-300)
            worst = max(worst, float(np.maximum.reduce((np.abs(excess) if exact else excess) / size)))
    return worst


def largest(values: Array) -> float:
    """The largest value, 0 where none is above 0; NaN where there is one."""
    return float(np.maximum.reduce(values, initial=0.0))


def least_over_box(evidence: Evidence, costs: Array) -> float:
    """The least of costs'x over the box; a side without a bound ends twice as far as any weight."""
    ends = np.where(costs > 0, evidence.lower, evidence.upper)
    if largest(np.abs(ends)) > REACH:
        reach = REACH * max(1.0, largest(np.abs(evidence.point)))
        ends = np.minimum(np.maximum(ends, -reach), reach)
    return float(costs.dot(ends))


def tolerance_of(evidence: Evidence, scale: float, risk: float) -> float:
    """1e-6, and what whole units cost: twice a unit of room at each priced row, and their variance.

    `risk` is what a variance of 1 costs in the objective.
    """
    prices = risk / 2 / evidence.per_one * float(np.add.reduce(evidence.variances()))
    if len(evidence.inequality_labels):
        sizes = np.maximum.reduce(np.abs(evidence.inequalities[0]), axis=1, initial=0.0)
        told = [bool(label.limit) for label in evidence.inequality_labels]
        prices += float(np.maximum(evidence.inequality_multipliers, 0.0)[told].dot(sizes[told]))
    return min(LARGEST_GAP, GAP + 2 * prices / evidence.per_one / scale)


def padded(weights: Array, width: int) -> Array:
    """Weights with nothing for the further variables."""
    if len(weights) == width:
        return weights
    return np.concatenate([weights, np.zeros(width - len(weights))])


def stated(
    evidence: Evidence,
    x: Array,
    *,
    gap: float,
    tolerance: float,
    says: str,
    objective: float | None = None,
    bound: float | None = None,
    rounding: float = 0.0,
) -> Certificate:
    """The figures with the worst violation and the sum of the plan's weights."""
    return Certificate(
        kind=evidence.kind,
        objective=objective,
        bound=bound,
        gap=float(gap),
        rounding=rounding,
        violation=max(violation(evidence, x), 0.0),
        total=Amount.from_nano(int(np.add.reduce(evidence.weights)) * (NANO // evidence.per_one)),
        tolerance=tolerance,
        says=says,
    )
