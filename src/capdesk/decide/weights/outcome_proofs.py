"""The proofs of what depends on whole outcomes: the tail of scenarios, and the growth of a bankroll."""

from __future__ import annotations

from math import inf, isqrt

import numpy as np
from msgspec.structs import replace

from capdesk.decide.weights.growth import IndependentBets, Scenarios
from capdesk.decide.weights.proving import LARGEST_GAP, least_over_box, padded, stated, tolerance_of
from capdesk.model.errors import CertificateError
from capdesk.model.evidence import Array, Evidence
from capdesk.model.plans import Certificate

_CHANCE = 1e-12


def tail_loss(returns: Array, tail: float) -> float:
    """The mean loss of the worst share `tail` of returns (T,), the boundary one counted in part."""
    worst = np.sort(returns)
    count = tail * len(worst)
    whole = min(int(count), len(worst) - 1)
    return -(float(worst[:whole].sum()) + (count - whole) * float(worst[whole])) / count


def tail(evidence: Evidence) -> Certificate:
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
    coarse = (1 + isqrt(held.shape[1])) * float((np.abs(chances) @ held).max(initial=0.0)) / evidence.per_one
    return stated(
        evidence,
        x,
        objective=value,
        bound=bound,
        gap=gap,
        rounding=(value - unrounded) / scale,
        tolerance=min(LARGEST_GAP, tolerance_of(evidence, scale, 0.0) + coarse / scale),
        says=f"no feasible weights have a tail loss lower by more than {max(gap, 0.0):.1e} of what moves in the tail",
    )


def growth(evidence: Evidence) -> Certificate:
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
        coarse = 2 * price * float(np.abs(risk.gradient).sum()) / evidence.per_one
        broken = wealth.drawdown_risk(x[:count], evidence.exponent).value
    costs, constant = evidence.priced(evidence.linear - padded(steep, len(point)))
    bound = least_over_box(evidence, costs) - constant + tangent
    scale = max(abs(value), float(np.abs(there.gradient) @ np.abs(point[:count])), 1e-300)
    gap = (value - bound) / scale
    certificate = stated(
        evidence,
        x,
        objective=-value,
        bound=-bound,
        gap=gap,
        rounding=(value - float(evidence.linear @ point) + fraction * there.value) / scale,
        tolerance=min(LARGEST_GAP, tolerance_of(evidence, scale, 0.0) + coarse / scale),
        says=f"no feasible stakes grow faster by more than {max(gap, 0.0):.1e} of this",
    )
    return replace(certificate, violation=max(certificate.violation, broken))
