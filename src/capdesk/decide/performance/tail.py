"""The tail of losses: value at risk, and the mean loss beyond it with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tail:
    """Losses as positive fractions; the interval is None where the tail has fewer than two points."""

    value_at_risk: float
    conditional: float
    interval: tuple[float, float] | None
    points: int


def tail_of(returns: Array, tail: Decimal, confidence: float) -> Tail:
    """The worst `tail` of the returns (T,), as they were.

    Value at risk is the smallest loss that at least 1 - tail of the returns do not exceed;
    the conditional one is the mean of the worst tail x T returns, the one at the boundary
    counting in part (Rockafellar and Uryasev 2002, proposition 8). The interval is normal,
    with the variance (var of the tail + (1 - tail)(CVaR - VaR)^2) / (tail T) of
    Manistre and Hancock (2005).
    """
    losses = np.sort(-returns)
    count = len(losses)
    place = ceil((1 - tail) * count) - 1
    value_at_risk = float(losses[max(0, place)])
    beyond = losses[max(0, place) + 1 :]
    mass = float(tail * count)
    conditional = value_at_risk + float(np.sum(beyond - value_at_risk)) / mass
    at_boundary = mass - len(beyond)
    within = float(np.sum((beyond - conditional) ** 2)) + at_boundary * (value_at_risk - conditional) ** 2
    points = len(beyond) + (at_boundary > 1e-12)
    if points < 2:
        return Tail(value_at_risk, conditional, None, points)
    variance = within / mass + (1 - float(tail)) * (conditional - value_at_risk) ** 2
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt(variance / mass)
    return Tail(value_at_risk, conditional, (conditional - reach, conditional + reach), points)
