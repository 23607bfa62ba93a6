"""The public door of efficient frontiers: one call, a sequence of plans with its knee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.constraints import Constraints
from capdesk.decide.weights.criteria import Concentration, Criterion, TailLoss, Turnover
from capdesk.decide.weights.frontier import Point, Universe, knee, trace
from capdesk.decide.weights.reading_limits import read_limits
from capdesk.decide.weights.reading_names import read_names
from capdesk.decide.weights.relaxing import confirmed
from capdesk.model.errors import InfeasibleError, InvalidInput
from capdesk.model.money import NANO, Number
from capdesk.model.plans import Plan
from capdesk.weights import as_plan

__all__ = ["Frontier", "FrontierPoint", "frontier"]

CRITERIA = ("cvar", "concentration", "turnover")
_NO_CONSTRAINTS = Constraints()


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """What a plan of a frontier is judged by.

    Attributes
    ----------
    expected_return, volatility
        For one period, as the inputs are.
    third
        The third criterion; None where there is none.
    """

    expected_return: float
    volatility: float
    third: float | None


@dataclass(frozen=True, slots=True)
class Frontier(Sequence[Plan]):
    """Plans that no other weights beat in all criteria, from the least variance to the greatest return.

    Attributes
    ----------
    plans
        Each with its own certificate; the limit ``return`` among its binding ones tells what
        one more unit of return costs in variance.
    points
        What each plan is judged by, in the same order.
    criterion
        Which third criterion there is, if any.
    knee_index
        The place of the knee.
    """

    plans: tuple[Plan, ...]
    points: tuple[FrontierPoint, ...]
    criterion: str | None
    knee_index: int

    @property
    def knee(self) -> Plan:
        """The plan where more return starts to cost much.

        Notes
        -----
        Without a third criterion it is the furthest from the chord between the two ends,
        volatility and return scaled to 0..1 (Das 1999); with one it is the nearest to the best
        of each criterion (Zeleny 1973).
        """
        return self.plans[self.knee_index]

    @overload
    def __getitem__(self, index: int) -> Plan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Plan]: ...
    def __getitem__(self, index: int | slice) -> Plan | Sequence[Plan]:
        return self.plans[index]

    def __len__(self) -> int:
        return len(self.plans)


def frontier(
    names: Sequence[str],
    *,
    points: int | Sequence[float] = 20,
    criterion: str | None = None,
    levels: int = 5,
    mean: Any = None,
    covariance: Any = None,
    factors: Any = None,
    returns: Any = None,
    prices: Any = None,
    constraints: Constraints = _NO_CONSTRAINTS,
    current: Mapping[str, Number] | None = None,
    estimator: str = "sample",
    half_life: float | None = None,
    factor_count: int | None = None,
    repair: bool = False,
    tail: float = 0.05,
) -> Frontier:
    """Trace the efficient frontier of return and variance, and of a third criterion where one is named.

    Parameters
    ----------
    names
        The n names, once each.
    points
        How many returns, in equal steps from that of the least variance to the greatest; or
        the returns themselves.
    criterion
        ``cvar`` (the mean loss of the worst `tail` of the returns), ``concentration`` (the sum of
        squared weights) or ``turnover`` (the sizes of all trades from `current`), to be small.
    levels
        How many plans there are at each return, where a criterion is named.
    mean, covariance, factors, returns, prices, constraints, current
        As for `plan_weights`, but for trading costs and choices of names, which a frontier does not take.
    estimator, half_life, factor_count, repair
        As for `plan_weights`.
    tail
        For ``cvar``: 0.05 is CVaR 95 %.

    Returns
    -------
    Frontier
        A sequence of plans with a ``knee``.

    Raises
    ------
    InvalidInput
        For an unknown criterion, an input that is missing or cannot be used, or a return that
        the limits do not allow.
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where an answer cannot be proven right.
    """
    read = read_names(names)
    given = {
        "mean": mean,
        "covariance": covariance,
        "factors": factors,
        "returns": returns,
        "prices": prices,
        "estimator": estimator,
        "half_life": half_life,
        "factor_count": factor_count,
        "repair": repair,
    }
    asked = Asked("frontier", read, read_limits(read, constraints, current), given)
    _require(asked)
    third = _third(asked, criterion, tail)
    universe = Universe(asked.limits, asked.covariance, asked.mean)
    try:
        found = trace(universe, points, third, levels)
    except InfeasibleError as error:
        raise confirmed(error, read, constraints, current) from error
    return Frontier(
        plans=tuple(as_plan(asked, point.found) for point in found),
        points=tuple(_judged(point, third) for point in found),
        criterion=criterion,
        knee_index=knee(found),
    )


def _require(asked: Asked) -> None:
    if not asked.names:
        raise InvalidInput("a frontier needs at least one name")
    if asked.limits.discrete or asked.limits.proportional_costs is not None:
        raise InvalidInput(
            "a frontier takes no trading costs and no choice of names (max_names, min_weight_if_held, fixed_costs): "
            "choose the names first, and plan_weights weighs the costs"
        )
    if not asked.limits.fully_invested:
        raise InvalidInput("a frontier invests all that the limits allow: leave out fully_invested=False")


def _third(asked: Asked, criterion: str | None, tail: float) -> Criterion | None:
    if criterion is None:
        return None
    if criterion == "cvar":
        return TailLoss(asked.returns, tail)
    if criterion == "concentration":
        return Concentration()
    if criterion == "turnover":
        if asked.limits.current is None:
            raise InvalidInput("the criterion turnover counts trades from the weights now: give current")
        return Turnover(asked.limits.current / NANO)
    raise InvalidInput(f"criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")


def _judged(point: Point, third: Criterion | None) -> FrontierPoint:
    return FrontierPoint(point.mean, float(np.sqrt(point.variance)), None if third is None else point.third)
