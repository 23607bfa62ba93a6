"""What a frontier may keep small beside the variance: concentration, trades, or the loss in the tail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from capdesk.decide.weights import tail_risk
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.optimum import Found, finish, optimum
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.decide.weights.statement import state
from capdesk.model.errors import CertificateError, InvalidInput

_TAIL_ERROR = 1e-6


class Criterion(Protocol):
    """A convex criterion of weights."""

    def value(self, weights: Array) -> float:
        """Of weights (n,)."""
        ...

    def least(self, limits: Limits, covariance: Covariance, weight: float) -> Found:
        """Minimise w' Sigma w + weight * criterion within limits."""
        ...


@dataclass(frozen=True, slots=True)
class Concentration:
    """The Herfindahl-Hirschman index sum w^2: 1 over the number of equal positions that it is like."""

    def value(self, weights: Array) -> float:
        """Sum w^2."""
        return float(weights @ weights)

    def least(self, limits: Limits, covariance: Covariance, weight: float) -> Found:
        """With the weight as a specific variance of every name."""
        if covariance.matrix is not None:
            wider = Covariance(matrix=covariance.matrix + weight * np.eye(covariance.size))
        else:
            loadings, specific = covariance.factors()
            wider = Covariance(loadings=loadings, specific=specific + weight)
        return optimum(limits, wider, 2.0, np.zeros(covariance.size))


@dataclass(frozen=True, slots=True)
class Turnover:
    """The sizes of all trades from the current weights, sum |w - current|."""

    current: Array

    def value(self, weights: Array) -> float:
        """Sum |w - current|."""
        return float(np.abs(weights - self.current).sum())

    def least(self, limits: Limits, covariance: Covariance, weight: float) -> Found:
        """With the weight as a cost of trading."""
        costs = np.zeros(covariance.size) if limits.proportional_costs is None else limits.proportional_costs
        dearer = replace(limits, proportional_costs=costs + weight) if weight else limits
        return optimum(dearer, covariance, 2.0, np.zeros(covariance.size))


@dataclass(frozen=True, slots=True)
class TailLoss:
    """CVaR: the mean loss of the worst share `tail` of equally likely scenarios (T, n)."""

    scenarios: Array
    tail: float

    def __post_init__(self) -> None:
        if not (0 < self.tail < 1 and self.tail * len(self.scenarios) >= 1):
            raise InvalidInput(
                f"tail is a share of the {len(self.scenarios)} scenarios that holds one at least, got {self.tail}"
            )

    def value(self, weights: Array) -> float:
        """The mean loss in the tail."""
        return tail_risk.cvar(self.scenarios @ weights, self.tail)

    def least(self, limits: Limits, covariance: Covariance, weight: float) -> Found:
        """With the mixture of the worst scenarios as part of the objective, so that the evidence is quadratic.

        Raises
        ------
        CertificateError
            Where the mixture found is not the tail of the weights.
        """
        if weight == 0:
            return optimum(limits, covariance, 2.0, np.zeros(covariance.size))
        scaled = weight * self.scenarios
        total = min(limits.budget, int(limits.upper.sum()))
        statement = state(limits, covariance, 2.0, np.zeros(covariance.size), total)
        solution = tail_risk.solve(scaled, self.tail, statement.problem)
        stated = replace(statement, problem=tail_risk.stated(scaled, solution.chances, statement.problem))
        found = finish("optimum", limits, stated, solution, total)
        returns = self.scenarios @ solution.x[: covariance.size]
        error = tail_risk.cvar(returns, self.tail) + float(solution.chances @ returns)
        if error > _TAIL_ERROR * float(np.abs(returns).max()):
            raise CertificateError(f"the loss in the tail is {error:.1e} above that of the proof's scenarios")
        return found
