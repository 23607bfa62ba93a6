"""Efficient frontiers: the least variance for each return, and a third criterion beside them.

    minimise  w' Sigma w + weight * third(w)    subject to  mean'w >= target  and the limits

The returns are equal steps from that of the least variance to the greatest (Markowitz,
Portfolio Selection, 1959; the epsilon-constraint method of Haimes, Lasdon & Wismer 1971). At
each of them the third criterion is weighed in equal steps against the variance: the share s of
the way gives weight = s / (1 - s) * (variance given up) / (third gained) between the two ends.
Every point is optimal in what it states, so none is beaten in all criteria by any other weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.criteria import Criterion
from capdesk.decide.weights.limits import Limits, Row
from capdesk.decide.weights.optimum import Found, optimum
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput
from capdesk.model.money import NANO

_FLAT = 1e-9
_ALL = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """What every point of a frontier shares: the limits, the covariance and the expected returns (n,)."""

    limits: Limits
    covariance: Covariance
    mean: Array

    def returning(self, target: float) -> Limits:
        """The limits with a return of at least the target."""
        row = Row("return", "", self.mean, target, np.inf)
        return replace(self.limits, rows=(*self.limits.rows, row))


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Weights with their evidence, and what they are judged by; third is 0 where there is none."""

    found: Found
    mean: float
    variance: float
    third: float


def trace(
    universe: Universe, targets: int | Sequence[float], third: Criterion | None = None, levels: int = 5
) -> list[Point]:
    """The points of a frontier, from the least variance to the greatest return.

    Parameters
    ----------
    universe
        What to choose from.
    targets
        How many returns, or the returns themselves.
    third
        A third criterion to be kept small.
    levels
        How many points there are at each return, where a third criterion is given.

    Raises
    ------
    InvalidInput
        For fewer than two returns or levels, or a return above the greatest.
    InfeasibleError, CertificateError
        As `optimum` does.
    """
    if isinstance(targets, int) and targets < 2:
        raise InvalidInput(f"a frontier has at least 2 points, got {targets}")
    if third is not None and levels < 2:
        raise InvalidInput(f"a third criterion has at least 2 levels at each return, got {levels}")
    safest = optimum(universe.limits, universe.covariance, 2.0, np.zeros(len(universe.mean)))
    invested = int(safest.evidence.weights.sum())
    universe = replace(universe, limits=replace(universe.limits, budget=invested))
    points: list[Point] = []
    for target in _targets(universe, safest, targets):
        limits = universe.limits if target is None else universe.returning(target)
        points += _at(universe, limits, third, levels, points[-1].found if points else safest)
    if third is None:
        return points
    judged = np.array([(-point.mean, point.variance, point.third) for point in points])
    return [point for point, kept in zip(points, non_dominated(judged), strict=True) if kept]


def non_dominated(criteria: Array) -> NDArray[np.bool_]:
    """Which rows of (k, m) criteria, all to be small, no other row beats: no worse in all, better in one.

    Of rows that are equal to a part in 10^9 of their range the first is kept.
    """
    span = np.maximum(np.ptp(criteria, axis=0), np.abs(criteria).max(axis=0) * _FLAT)
    scaled = criteria / np.where(span > 0, span, 1.0)
    kept = np.ones(len(scaled), dtype=bool)
    for row in range(len(scaled)):
        others = scaled[kept & (np.arange(len(scaled)) != row)]
        no_worse = (others <= scaled[row] + _FLAT).all(axis=1)
        better = (others < scaled[row] - _FLAT).any(axis=1)
        earlier = np.flatnonzero(kept & (np.arange(len(scaled)) != row)) < row
        kept[row] = not (no_worse & (better | earlier)).any()
    return kept


def knee(points: Sequence[Point]) -> int:
    """The place of the point where giving up more of one criterion starts to buy little of the others.

    Notes
    -----
    Of two criteria, the point furthest from the chord between the ends, volatility and return
    each scaled to 0..1 (Das 1999; the rule of Kneedle, Satopaa et al. 2011). Of three, the
    point nearest to the best of each, scaled likewise (compromise programming, Zeleny 1973).
    """
    judged = np.array([(-point.mean, point.variance**0.5, point.third) for point in points])
    low, span = judged.min(axis=0), np.ptp(judged, axis=0)
    scaled = (judged - low) / np.where(span > 0, span, 1.0)
    if span[2] > 0:
        return int(np.argmin(np.linalg.norm(scaled, axis=1)))
    # The chord joins (1, 0) and (0, 1).
    return int(np.argmin(scaled[:, 0] + scaled[:, 1]))


def _targets(universe: Universe, safest: Found, targets: int | Sequence[float]) -> list[float | None]:
    """The returns to be had, None for that of the least variance."""
    start = float(universe.mean @ safest.evidence.point[: len(universe.mean)])
    greatest = float(universe.mean @ _greatest(universe).evidence.point[: len(universe.mean)])
    if isinstance(targets, int):
        if greatest - start <= _FLAT * float(np.abs(universe.mean).max()):
            return [None]
        return [None, *np.linspace(start, greatest, targets)[1:].tolist()]
    for target in targets:
        if not target <= greatest + _FLAT * float(np.abs(universe.mean).max()):
            raise InvalidInput(
                f"a return of {target:g} is asked for: the limits allow at most {greatest:.9g}"
            )
    return [None if target <= start else min(target, greatest) for target in targets]


def _greatest(universe: Universe) -> Found:
    return optimum(universe.limits, universe.covariance, 0.0, -universe.mean)


def _at(
    universe: Universe, limits: Limits, third: Criterion | None, levels: int, before: Found
) -> list[Point]:
    """The points at one return: from the least variance towards the least of the third criterion.

    The point before tells the solver which names to begin with.
    """
    if third is None:
        costs, near = np.zeros(len(universe.mean)), before.evidence.point
        return [_point(universe, optimum(limits, universe.covariance, 2.0, costs, near=near), None)]
    first = _point(universe, third.least(limits, universe.covariance, 0.0), third)
    most = _ALL * first.variance / max(abs(first.third), 1e-12)
    last = _point(universe, third.least(limits, universe.covariance, most), third)
    gained, given_up = first.third - last.third, last.variance - first.variance
    if gained <= _FLAT * abs(first.third) or given_up <= _FLAT * first.variance:
        return [first]
    between = [
        third.least(limits, universe.covariance, share / (1 - share) * given_up / gained)
        for share in np.linspace(0, 1, levels)[1:-1].tolist()
    ]
    return [first, *(_point(universe, found, third) for found in between), last]


def _point(universe: Universe, found: Found, third: Criterion | None) -> Point:
    weights = found.evidence.weights / NANO
    return Point(
        found,
        float(universe.mean @ weights),
        # Of names that hedge each other wholly rounding may leave less than nothing.
        max(float(weights @ universe.covariance.times(weights)), 0.0),
        third.value(weights) if third is not None else 0.0,
    )
