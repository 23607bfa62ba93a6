"""The growth of a bankroll spread over many bets, exactly: its value, slope and curvature.

Wealth after one round is Z = 1 + R'f for stakes f and net returns R. Two distributions of R:
`Scenarios` lists every outcome, `IndependentBets` are any number of two-way bets whose 2^n
outcomes need not be listed, because for independent bets E exp(-t Z) is a product and

    log z = int_0^inf (exp(-t) - exp(-t z)) / t dt,    z^-s = int_0^inf t^(s - 1) exp(-t z) dt / Gamma(s)

With t = exp(u) the integrand is analytic and falls off at both ends, so the trapezoidal rule
is accurate to rounding (Trefethen & Weideman, SIAM Review 56 (2014), section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Protocol

import numpy as np

from capdesk.decide.weights.problem import Array

_STEP = 0.2
_NEGLIGIBLE = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """A function of the stakes at one point: value, gradient (n,), Hessian (n, n)."""

    value: float
    gradient: Array
    hessian: Array


class Wealth(Protocol):
    """What a distribution of outcomes tells about stakes."""

    @property
    def names(self) -> int:
        """How many bets there are."""
        ...

    def worst(self, stakes: Array) -> tuple[float, Array]:
        """The smallest wealth that can follow, and the net returns (n,) that lead to it."""
        ...

    def growth(self, stakes: Array) -> Expansion:
        """E log Z, concave."""
        ...

    def drawdown_risk(self, stakes: Array, exponent: float) -> Expansion:
        """log E Z^-lambda, convex; at most 0 where the drawdown bound holds."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """Probabilities (S,) and the net return of each bet in each scenario (S, n)."""

    probabilities: Array
    outcomes: Array

    @property
    def names(self) -> int:
        """How many bets there are."""
        return self.outcomes.shape[1]

    def worst(self, stakes: Array) -> tuple[float, Array]:
        """The smallest wealth in any scenario, and the returns in it."""
        wealth = 1 + self.outcomes @ stakes
        scenario = int(np.argmin(wealth))
        return float(wealth[scenario]), self.outcomes[scenario]

    def growth(self, stakes: Array) -> Expansion:
        """E log Z."""
        wealth = 1 + self.outcomes @ stakes
        scaled = self.outcomes / wealth[:, None]
        return Expansion(
            float(self.probabilities @ np.log(wealth)),
            self.probabilities @ scaled,
            -(scaled.T * self.probabilities) @ scaled,
        )

    def drawdown_risk(self, stakes: Array, exponent: float) -> Expansion:
        """log E Z^-lambda."""
        wealth = 1 + self.outcomes @ stakes
        logs = -exponent * np.log(wealth)
        top = float(logs.max())
        weights = self.probabilities * np.exp(logs - top)
        total = float(weights.sum())
        scaled = self.outcomes / wealth[:, None]
        share = weights / total
        gradient = -exponent * (share @ scaled)
        curvature = exponent * (exponent + 1) * (scaled.T * share) @ scaled
        return Expansion(top + log(total), gradient, curvature - np.outer(gradient, gradient))


@dataclass(frozen=True, slots=True, eq=False)
class IndependentBets:
    """Independent two-way bets: probabilities of winning (n,), and the cost of one unit of payout (n,)."""

    probabilities: Array
    costs: Array

    @property
    def names(self) -> int:
        """How many bets there are."""
        return len(self.costs)

    def worst(self, stakes: Array) -> tuple[float, Array]:
        """The wealth that is left when every bet is lost."""
        return 1 - float(stakes.sum()), np.full(self.names, -1.0)

    def growth(self, stakes: Array) -> Expansion:
        """E log Z."""
        nodes, step = _nodes(self.worst(stakes)[0], 2.0)
        transform = self._transform(stakes, nodes)
        value = step * float(np.sum(np.exp(-nodes) - transform))
        slope, bend = self._moments(stakes, nodes)
        first, second = step * nodes * transform, step * nodes**2 * transform
        return Expansion(value, first @ slope, -_curvature(second, slope, bend))

    def drawdown_risk(self, stakes: Array, exponent: float) -> Expansion:
        """log E Z^-lambda."""
        nodes, step = _nodes(self.worst(stakes)[0], exponent + 2, exponent)
        transform = self._transform(stakes, nodes)
        logs = np.log(nodes)

        def weights(power: float) -> Array:
            return step * transform * np.exp(power * logs - lgamma(power))

        total = float(weights(exponent).sum())
        slope, bend = self._moments(stakes, nodes)
        gradient = -exponent / total * (weights(exponent + 1) @ slope)
        second = exponent * (exponent + 1) / total * weights(exponent + 2)
        return Expansion(log(total), gradient, _curvature(second, slope, bend) - np.outer(gradient, gradient))

    def _transform(self, stakes: Array, nodes: Array) -> Array:
        """E exp(-t Z) at each t, (k,)."""
        lost = 1 - self.probabilities
        won = self.probabilities * np.exp(-np.outer(nodes, stakes / self.costs))
        return np.exp(-nodes * self.worst(stakes)[0]) * np.prod(lost + won, axis=1)

    def _moments(self, stakes: Array, nodes: Array) -> tuple[Array, Array]:
        """E R exp(-t f R) / E exp(-t f R), and the same with R^2: (k, n) each."""
        lost, odds = 1 - self.probabilities, 1 / self.costs - 1
        won = self.probabilities * np.exp(-np.outer(nodes, stakes / self.costs))
        # A certain winner far out has nothing left on either side: its terms weigh nothing.
        total = np.maximum(lost + won, 1e-300)
        return (odds * won - lost) / total, (odds**2 * won + lost) / total


def _nodes(least: float, power: float, smallest_power: float = 1.0) -> tuple[Array, float]:
    """The t at which the integrals up to t^power are summed, and their distance in log t.

    t^power exp(-t) is a bell of width 1 / sqrt(power) in log t.
    """
    step = _STEP / power**0.5
    first = -_NEGLIGIBLE / min(1.0, smallest_power)
    last = log((power + 12 * power**0.5 + _NEGLIGIBLE) / min(least, 1.0))
    return exp(first) * np.exp(step * np.arange(int((last - first) / step) + 1)), step


def _curvature(weights: Array, slope: Array, bend: Array) -> Array:
    """sum w E R R' exp(-t Z): products of two bets' slopes, and each bet's own second moment."""
    matrix = (slope.T * weights) @ slope
    np.fill_diagonal(matrix, weights @ bend)
    return matrix
