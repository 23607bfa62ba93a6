"""The proof of a plan in figures, computed from its evidence alone.

With the tangent of the objective at any point p and multipliers y and z >= 0, convexity and
weak duality give a bound that no feasible x can be better than (Boyd & Vandenberghe, Convex
Optimization, section 5.1.3):

    bound = -(curvature / 2) p' Sigma p + min over the box of (gradient(p) + E'y + A'z)' x - f'y - b'z

For the Sharpe ratio: with g = Sigma p, every w has g'w <= sqrt(p'g) sqrt(w' Sigma w)
(Cauchy-Schwarz). Where ``s g'w + e >= excess return`` for all feasible w, which the same kind of
bound shows, no Sharpe ratio is above ``s sqrt(p'g) + e / sqrt(v)`` with v the least feasible
variance; e is a solver's residue, and v is bounded from below by Cauchy-Schwarz at an anchor q:
v >= (least feasible (Sigma q)'w)^2 / q' Sigma q.
"""

from __future__ import annotations

from math import inf, isqrt, sqrt

import numpy as np
from msgspec.structs import replace

from capdesk.decide.weights import outcome_proofs
from capdesk.decide.weights.inputs import FULLY_CHECKED
from capdesk.decide.weights.proving import (
    LARGEST_GAP,
    REACH,
    largest,
    least_over_box,
    padded,
    stated,
    tolerance_of,
)
from capdesk.model.errors import CertificateError
from capdesk.model.evidence import Array, Evidence
from capdesk.model.plans import Certificate

CONTRIBUTION = 1e-5
_OF_A_UNIT = 1e-3
_TOLD = 1e-6


def certify(evidence: Evidence) -> Certificate:
    """Compute the certificate of a plan, and refuse an answer that it does not prove.

    Raises
    ------
    CertificateError
        Where a limit is exceeded by more than a thousandth of a weight's unit, or the gap is above its tolerance.
    """
    certificate = _KINDS[evidence.kind](evidence)
    most = _OF_A_UNIT / evidence.per_one
    if not certificate.violation <= most:
        raise CertificateError(
            f"the weights exceed a limit by {certificate.violation:.2e}, at most {most:g} is accepted: "
            "the answer is not given"
        )
    if not certificate.gap <= certificate.tolerance:
        raise CertificateError(
            f"the weights are not proven right: {certificate.says}, at most {certificate.tolerance:.2g} is "
            "accepted: the answer is not given"
        )
    return certificate


def _optimum(evidence: Evidence) -> Certificate:
    count, curvature, linear = len(evidence.names), evidence.curvature, evidence.linear
    x, point, gradient = evidence.full_point(), evidence.point, evidence.gradient()
    value = size = least = straight = 0.0
    if curvature:
        weights = x[:count]
        value = curvature / 2 * float(weights.dot(evidence.times(weights)))
        size = curvature / 2 * float((weights * weights).dot(evidence.variances()))
    if np.logical_or.reduce(linear):
        costs = np.abs(linear)
        value += float(linear.dot(x))
        size += float(costs.dot(np.abs(x)))
        straight = float(linear.dot(point))
        # A millionth of what costs most is as small as an objective can be told from nothing.
        least = largest(costs) * _TOLD
    scale = max(abs(value), size, least, 1e-300)
    # The tangent at p is gradient'x - (curvature / 2) p' Sigma p.
    quadratic = (float(gradient.dot(point)) - straight) / 2
    costs, constant = evidence.priced(gradient)
    bound = least_over_box(evidence, costs) - constant - quadratic
    gap = (value - bound) / scale
    return stated(
        evidence,
        x,
        objective=value,
        bound=bound,
        gap=gap,
        rounding=(value - straight - quadratic) / scale,
        tolerance=tolerance_of(evidence, scale, curvature / 2),
        says=f"nothing feasible is better by more than {max(gap, 0.0):.1e} of the objective",
    )


def _search(evidence: Evidence) -> Certificate:
    """Within the names that were chosen an optimum; over the choices the bound is the search's own."""
    within = _optimum(evidence)
    value = (within.objective or 0.0) + evidence.fixed
    left = max((value - evidence.search_bound) / max(abs(value), 1e-300), 0.0)
    return replace(
        within,
        objective=value,
        bound=evidence.search_bound,
        says=f"within the chosen names {within.says}; over all choices, by branch and bound, by more than {left:.1e}",
    )


def least_variance(evidence: Evidence, anchor: Array, y: Array, z: Array) -> float:
    """A lower bound of every feasible variance, by the anchor and multipliers of the rows."""
    slope = evidence.times(anchor)
    costs, constant = evidence.priced(padded(slope, len(evidence.linear)), y, z)
    least = least_over_box(evidence, costs) - constant
    return max(least, 0.0) ** 2 / max(float(anchor @ slope), 1e-300)


def _sharpe(evidence: Evidence) -> Certificate:
    x, point, count = evidence.full_point(), evidence.point, len(evidence.names)
    tangent = evidence.times(point[:count])
    volatility = sqrt(float(x[:count] @ evidence.times(x[:count])))
    missing = unsure(evidence)
    of_point = sqrt(float(point[:count] @ tangent) + missing * float(point[:count] @ point[:count]))
    excess = -float(evidence.linear @ x)
    ratio = excess / volatility
    costs, constant = evidence.priced(evidence.linear + padded(evidence.slope * tangent, len(point)))
    residue = max(constant - least_over_box(evidence, costs), 0.0)
    least = 0.0
    if evidence.anchor is not None and evidence.anchor_equal is not None and evidence.anchor_most is not None:
        least = least_variance(evidence, evidence.anchor, evidence.anchor_equal, evidence.anchor_most)
    charge = missing * _reach(evidence) ** 2
    sure = least > charge
    largest = (
        (float(evidence.slope) * of_point + residue / sqrt(least)) / sqrt(1 - charge / least) if sure else inf
    )
    gap = (largest / ratio) ** 2 - 1 if ratio > 0 and largest > 0 else inf
    return stated(
        evidence,
        x,
        objective=ratio,
        bound=largest,
        gap=gap,
        rounding=(-float(evidence.linear @ point) / of_point / ratio) ** 2 - 1,
        tolerance=tolerance_of(evidence, abs(excess), abs(excess) / volatility**2),
        says=f"no feasible Sharpe ratio is above {largest:.9g}, its square {max(gap, 0.0):.1e} more than this",
    )


def unsure(evidence: Evidence) -> float:
    """By how much of the identity a dense covariance may miss being semidefinite, as `verification` charges it."""
    if evidence.matrix is None or len(evidence.names) > FULLY_CHECKED:
        return 0.0
    return 3 * (len(evidence.names) + 2) * 2.0**-53 * float(np.add.reduce(evidence.variances()))


def _reach(evidence: Evidence) -> float:
    """A length that no feasible weights have more of."""
    rows = zip(evidence.inequality_labels, evidence.inequalities[1].tolist(), strict=True)
    sizes = [most for label, most in rows if label.limit == "gross"]
    if largest(-evidence.lower[: len(evidence.names)]) <= 0:
        sizes += [float(most) for most in evidence.equalities[1][:1]]
    furthest = REACH * max(1.0, largest(np.abs(evidence.point))) * sqrt(len(evidence.names))
    return min(sizes, default=furthest)


def _contributions(evidence: Evidence) -> Certificate:
    """By how much the optimality conditions of risk budgets within limits are missed, in shares of the risk.

    w_i (Sigma w + E'y + A'z)_i = slope b_i where no bound holds w_i, less at a maximum, more at
    a minimum (Richard & Roncalli 2019); without limits that is the contribution itself.
    """
    weights = evidence.full_point()
    marginal = evidence.times(weights)
    costs, _ = evidence.priced(marginal)
    budgets = np.zeros(len(weights)) if evidence.budgets is None else evidence.budgets
    variance = float(weights @ marginal)
    errors = (weights * costs - evidence.slope * budgets) / variance
    at_most, at_least = weights >= evidence.upper, weights <= evidence.lower
    if np.logical_or.reduce(at_most | at_least):
        np.maximum(errors, 0.0, out=errors, where=at_most)
        np.minimum(errors, 0.0, out=errors, where=at_least & ~at_most)
    gap = max(largest(np.abs(errors)), _loose(evidence, weights) / variance)
    # A unit of one name changes its own share by its marginal risk, and of others those beside it.
    beside = largest(evidence.variances()) * (1 + isqrt(len(weights)))
    coarse = largest(np.abs(marginal) + weights * beside) / variance / evidence.per_one
    says = f"every share of risk that no limit holds is within {gap:.1e} of its budget"
    return stated(evidence, weights, gap=gap, tolerance=min(LARGEST_GAP, CONTRIBUTION + coarse), says=says)


def _loose(evidence: Evidence, x: Array) -> float:
    """What rows are charged for though they leave room."""
    if not len(evidence.inequality_multipliers):
        return 0.0
    room = np.abs(evidence.inequalities[1] - evidence.inequalities[0] @ x)
    return float(np.abs(evidence.inequality_multipliers) @ room)


def _rule(evidence: Evidence) -> Certificate:
    return stated(evidence, evidence.full_point(), gap=0.0, tolerance=0.0, says="a rule without an objective")


_KINDS = {
    "optimum": _optimum,
    "search": _search,
    "sharpe": _sharpe,
    "contributions": _contributions,
    "tail": outcome_proofs.tail,
    "growth": outcome_proofs.growth,
    "rule": _rule,
}
