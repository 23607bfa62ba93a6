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

from dataclasses import dataclass
from math import inf, isqrt, sqrt

import numpy as np
from msgspec.structs import replace

from capdesk.decide.weights.growth import IndependentBets, Scenarios
from capdesk.model.errors import CertificateError
from capdesk.model.evidence import Array, Evidence
from capdesk.model.money import MICRO, Amount
from capdesk.model.plans import Certificate

GAP = 1e-6
VIOLATION = 1e-9
CONTRIBUTION = 1e-5
_LARGEST_GAP = 1e-4
_CHANCE = 1e-12
_HALF_UNIT = 0.5 / MICRO
_REACH = 2.0


def certify(evidence: Evidence) -> Certificate:
    """Compute the certificate of a plan, and refuse an answer that it does not prove.

    Raises
    ------
    CertificateError
        Where a limit is exceeded by more than 1e-9, or the gap is above its tolerance.
    """
    certificate = _KINDS[evidence.kind](evidence)
    if not certificate.violation <= VIOLATION:
        raise CertificateError(
            f"the weights exceed a limit by {certificate.violation:.2e}, at most {VIOLATION:g} is accepted: "
            "the answer is not given"
        )
    if not certificate.gap <= certificate.tolerance:
        raise CertificateError(
            f"the weights are not proven right: {certificate.says}, at most {certificate.tolerance:.2g} is "
            "accepted: the answer is not given"
        )
    return certificate


def violation(evidence: Evidence, x: Array) -> float:
    """The largest excess over a bound or a row, a row's in units of its largest coefficient."""
    worst = max(_largest(evidence.lower - x), _largest(x - evidence.upper))
    for (rows, limits), exact in ((evidence.equalities, True), (evidence.inequalities, False)):
        if len(limits):
            excess = rows @ x - limits
            size = np.maximum(np.maximum.reduce(np.abs(rows), axis=1, initial=0.0), 1e-300)
            worst = max(worst, float(np.maximum.reduce((np.abs(excess) if exact else excess) / size)))
    return worst


def _largest(values: Array) -> float:
    """The largest value, 0 where none is above 0; NaN where there is one."""
    return float(np.maximum.reduce(values, initial=0.0))


def least_over_box(evidence: Evidence, costs: Array) -> float:
    """The least of costs'x over the box; a side without a bound ends twice as far as any weight."""
    lower, upper = evidence.lower, evidence.upper
    reach = _REACH * max(1.0, _largest(np.abs(evidence.point)))
    return float(costs @ np.where(costs > 0, np.maximum(lower, -reach), np.minimum(upper, reach)))


@dataclass(frozen=True, slots=True)
class Figures:
    """The objective at a plan's weights and what belongs to it."""

    x: Array
    value: float
    scale: float


def _figures(evidence: Evidence) -> Figures:
    x = evidence.full_point()
    weights = x[: len(evidence.names)]
    value, own = float(evidence.linear @ x), 0.0
    if evidence.curvature:
        value += evidence.curvature / 2 * float(weights @ evidence.times(weights))
        own = evidence.curvature / 2 * float(weights**2 @ evidence.variances())
    costs = np.abs(evidence.linear)
    # A millionth of what costs most is as small as an objective can be told from nothing.
    least = max(float(costs.max(initial=0.0)) / MICRO, 1e-300)
    return Figures(x, value, max(abs(value), own + float(costs @ np.abs(x)), least))


def _optimum(evidence: Evidence) -> Certificate:
    figures = _figures(evidence)
    point, gradient = evidence.point, evidence.gradient()
    # The tangent at p is gradient'x - (curvature / 2) p' Sigma p.
    quadratic = float((gradient - evidence.linear) @ point) / 2
    costs, constant = evidence.priced(gradient)
    bound = least_over_box(evidence, costs) - constant - quadratic
    gap = (figures.value - bound) / figures.scale
    return _certificate(
        evidence,
        figures.x,
        objective=figures.value,
        bound=bound,
        gap=gap,
        rounding=(figures.value - float(evidence.linear @ point) - quadratic) / figures.scale,
        tolerance=_tolerance(evidence, figures.scale, evidence.curvature / 2),
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


def _tolerance(evidence: Evidence, scale: float, risk: float) -> float:
    """1e-6, and what whole millionths cost: twice a millionth of room at each priced row, and their variance.

    `risk` is what a variance of 1 costs in the objective.
    """
    prices = risk / 2 / MICRO * float(np.add.reduce(evidence.variances()))
    rows, multipliers = evidence.inequalities[0], evidence.inequality_multipliers
    for row, price, label in zip(rows, multipliers, evidence.inequality_labels, strict=True):
        if label.limit and price > 0:
            prices += float(price) * float(np.abs(row).max())
    return min(_LARGEST_GAP, GAP + 2 * prices / MICRO / scale)


def least_variance(evidence: Evidence, anchor: Array, y: Array, z: Array) -> float:
    """A lower bound of every feasible variance, by the anchor and multipliers of the rows."""
    slope = evidence.times(anchor)
    costs, constant = evidence.priced(_padded(slope, len(evidence.linear)), y, z)
    least = least_over_box(evidence, costs) - constant
    return max(least, 0.0) ** 2 / max(float(anchor @ slope), 1e-300)


def _padded(weights: Array, width: int) -> Array:
    return np.concatenate([weights, np.zeros(width - len(weights))])


def _sharpe(evidence: Evidence) -> Certificate:
    x, point, count = evidence.full_point(), evidence.point, len(evidence.names)
    tangent = evidence.times(point[:count])
    volatility = sqrt(float(x[:count] @ evidence.times(x[:count])))
    of_point = sqrt(float(point[:count] @ tangent))
    excess = -float(evidence.linear @ x)
    ratio = excess / volatility
    costs, constant = evidence.priced(evidence.linear + evidence.slope * _padded(tangent, len(point)))
    residue = max(constant - least_over_box(evidence, costs), 0.0)
    least = 0.0
    if evidence.anchor is not None and evidence.anchor_equal is not None and evidence.anchor_most is not None:
        least = least_variance(evidence, evidence.anchor, evidence.anchor_equal, evidence.anchor_most)
    largest = float(evidence.slope) * of_point + (residue / sqrt(least) if least > 0 else inf)
    gap = (largest / ratio) ** 2 - 1 if ratio > 0 and largest > 0 else inf
    return _certificate(
        evidence,
        x,
        objective=ratio,
        bound=largest,
        gap=gap,
        rounding=(-float(evidence.linear @ point) / of_point / ratio) ** 2 - 1,
        tolerance=_tolerance(evidence, abs(excess), abs(excess) / volatility**2),
        says=f"no feasible Sharpe ratio is above {largest:.9g}, its square {max(gap, 0.0):.1e} more than this",
    )


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
    errors = np.where(weights >= evidence.upper, np.maximum(errors, 0.0), errors)
    errors = np.where(
        (weights <= evidence.lower) & (weights < evidence.upper), np.minimum(errors, 0.0), errors
    )
    gap = max(_largest(np.abs(errors)), _loose(evidence, weights) / variance)
    # A millionth of one name changes its own share by its marginal risk, and of others those beside it.
    beside = _largest(evidence.variances()) * (1 + isqrt(len(weights)))
    coarse = _largest(np.abs(marginal) + weights * beside) / variance / MICRO
    says = f"every share of risk that no limit holds is within {gap:.1e} of its budget"
    return _certificate(
        evidence, weights, gap=gap, tolerance=min(_LARGEST_GAP, CONTRIBUTION + coarse), says=says
    )


def _loose(evidence: Evidence, x: Array) -> float:
    """What rows are charged for though they leave room."""
    if not len(evidence.inequality_multipliers):
        return 0.0
    room = np.abs(evidence.inequalities[1] - evidence.inequalities[0] @ x)
    return float(np.abs(evidence.inequality_multipliers) @ room)


def tail_loss(returns: Array, tail: float) -> float:
    """The mean loss of the worst share `tail` of returns (T,), the boundary one counted in part."""
    worst = np.sort(returns)
    count = tail * len(worst)
    whole = min(int(count), len(worst) - 1)
    return -(float(worst[:whole].sum()) + (count - whole) * float(worst[whole])) / count


def _tail(evidence: Evidence) -> Certificate:
    """CVaR: any mixture q of scenarios, none above 1 / (tail T), bounds it by -q'R w from below."""
    if evidence.scenarios is None or evidence.chances is None:
        raise CertificateError("the evidence of a tail risk has no scenarios")
    x, count, scenarios = evidence.full_point(), len(evidence.names), evidence.scenarios
    chances, most = evidence.chances, 1 / (evidence.tail * len(scenarios))
    own = tail_loss(scenarios @ x[:count], evidence.tail)
    value = own + float(evidence.linear @ x)
    held = np.abs(scenarios[:, x[:count] != 0])
    # Losses and gains of a hedged tail cancel: a gap is a part of what they are before that.
    moves = float(np.abs(chances) @ (held @ np.abs(x[:count][x[:count] != 0])))
    scale = max(abs(own), moves, 1e-300) + float(np.abs(evidence.linear) @ np.abs(x))
    costs, constant = evidence.priced(evidence.gradient())
    bound = least_over_box(evidence, costs) - constant
    mixture = (
        (chances >= -_CHANCE).all()
        and (chances <= most + _CHANCE).all()
        and abs(chances.sum() - 1) <= _CHANCE
    )
    gap = (value - bound) / scale if mixture else inf
    unrounded = tail_loss(scenarios @ evidence.point[:count], evidence.tail) + float(
        evidence.linear @ evidence.point
    )
    coarse = (1 + isqrt(held.shape[1])) * float((np.abs(chances) @ held).max(initial=0.0)) / MICRO
    return _certificate(
        evidence,
        x,
        objective=value,
        bound=bound,
        gap=gap,
        rounding=(value - unrounded) / scale,
        tolerance=min(_LARGEST_GAP, _tolerance(evidence, scale, 0.0) + coarse / scale),
        says=f"no feasible weights have a tail loss lower by more than {max(gap, 0.0):.1e} of what moves in the tail",
    )


def _growth(evidence: Evidence) -> Certificate:
    """Growth of a bankroll: the tangent of E log at the point bounds it, as everything concave.

    Under a drawdown bound log E Z^-lambda <= 0, which is convex, any price of it adds the bound's
    own tangent: what meets the bound is charged nothing (weak duality).
    """
    if evidence.scenarios is None or evidence.chances is None:
        raise CertificateError("the evidence of stakes has no bets")
    wealth = (
        IndependentBets(evidence.chances, evidence.scenarios[0])
        if evidence.tail
        else Scenarios(evidence.chances, evidence.scenarios)
    )
    x, point, count, fraction = evidence.full_point(), evidence.point, len(evidence.names), evidence.slope
    here, there = wealth.growth(x[:count] / fraction), wealth.growth(point[:count] / fraction)
    value = float(evidence.linear @ x) - fraction * here.value
    steep = there.gradient
    tangent = -fraction * there.value + float(steep @ point[:count])
    broken = coarse = 0.0
    if evidence.exponent > 0:
        price = fraction * max(evidence.drawdown_price, 0.0)
        risk = wealth.drawdown_risk(point[:count], evidence.exponent)
        tangent += price * (risk.value - float(risk.gradient @ point[:count]))
        steep = steep - price * risk.gradient
        # Stakes are rounded away from the bound, each by a unit or two.
        coarse = 2 * price * float(np.abs(risk.gradient).sum()) / MICRO
        broken = wealth.drawdown_risk(x[:count], evidence.exponent).value
    costs, constant = evidence.priced(evidence.linear - _padded(steep, len(point)))
    bound = least_over_box(evidence, costs) - constant + tangent
    scale = max(abs(value), float(np.abs(there.gradient) @ np.abs(point[:count])), 1e-300)
    gap = (value - bound) / scale
    certificate = _certificate(
        evidence,
        x,
        objective=-value,
        bound=-bound,
        gap=gap,
        rounding=(value - float(evidence.linear @ point) + fraction * there.value) / scale,
        tolerance=min(_LARGEST_GAP, _tolerance(evidence, scale, 0.0) + coarse / scale),
        says=f"no feasible stakes grow faster by more than {max(gap, 0.0):.1e} of this",
    )
    return replace(certificate, violation=max(certificate.violation, broken))


def _rule(evidence: Evidence) -> Certificate:
    return _certificate(
        evidence, evidence.full_point(), gap=0.0, tolerance=0.0, says="a rule without an objective"
    )


def _certificate(
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
    return Certificate(
        kind=evidence.kind,
        objective=objective,
        bound=bound,
        gap=float(gap),
        rounding=rounding,
        violation=max(violation(evidence, x), 0.0),
        total=Amount.from_micro(int(evidence.weights.sum())),
        tolerance=tolerance,
        says=says,
    )


_KINDS = {
    "optimum": _optimum,
    "search": _search,
    "sharpe": _sharpe,
    "contributions": _contributions,
    "tail": _tail,
    "growth": _growth,
    "rule": _rule,
}
