"""Growth under a bound on drawdown: the price of the bound at which the best stakes just meet it.

    maximise  E log Z(v)    subject to  log E Z(s v)^-lambda <= 0,   Z(v) = 1 + R'v

With lambda = log beta / log alpha, wealth that is staked so in every round ever falls to the
part alpha of where it began with a probability of at most beta (Busseti, Ryu & Boyd,
"Risk-Constrained Kelly Gambling", J. Investing 25 (2016)). Both are concave in v, so a price mu
on the bound settles it: the stakes that maximise E log Z - mu log E Z^-lambda move to the bound
as mu grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log

import numpy as np
from scipy.optimize import brentq  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from capdesk.decide.weights import growth_optimum, quadratic
from capdesk.decide.weights.growth import Expansion, Wealth
from capdesk.decide.weights.growth_optimum import Optimum
from capdesk.decide.weights.problem import Array, QuadraticProblem

_HIGHEST_PRICE = 1e9
_GAP = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    price: float
    found: Optimum
    risk: float


def solve(wealth: Wealth, limits: QuadraticProblem, held: float, exponent: float) -> tuple[Optimum, float]:
    """The optimum under a drawdown bound, and the bound's price mu.

    Parameters
    ----------
    wealth
        The distribution of outcomes.
    limits
        Whose rows, bounds and linear costs are used.
    held
        s, the part of v that is staked.
    exponent
        lambda.

    Raises
    ------
    NotSolved
        Where the limits force stakes that break the bound, or no accurate answer is found.
    """
    free = _best(wealth, limits, held, exponent, 0.0, None)
    if free.risk <= 0:
        return free.found, 0.0
    broken, price = free, 0.01
    met = _best(wealth, limits, held, exponent, price, None)
    while met.risk > 0:
        broken, price = met, 4 * price
        if price > _HIGHEST_PRICE:
            raise quadratic.NotSolved("Kelly stakes: the limits force stakes that break the drawdown bound")
        met = _best(wealth, limits, held, exponent, price, met.found.solution.x)
    return _met(wealth, limits, held, exponent, broken, met)


def _met(
    wealth: Wealth, limits: QuadraticProblem, held: float, exponent: float, broken: _Tried, met: _Tried
) -> tuple[Optimum, float]:
    """Between a price that is too low and one that suffices: the lowest that suffices."""
    best = met

    def risk_at(log_price: float) -> float:
        nonlocal best
        tried = _best(wealth, limits, held, exponent, exp(log_price), best.found.solution.x)
        if best.risk < tried.risk <= 0:
            best = tried
        return tried.risk

    lowest = log(max(broken.price, 1e-9))
    if risk_at(lowest) > 0:
        brentq(risk_at, lowest, log(met.price), xtol=1e-15, maxiter=100, disp=False)
    gap = best.found.gap + best.price * abs(best.risk)
    if gap > _GAP:
        raise quadratic.NotSolved(
            f"Kelly stakes: within the drawdown bound the growth could be {gap:.1e} higher"
        )
    return replace(best.found, gap=gap), best.price


def _best(
    wealth: Wealth, limits: QuadraticProblem, held: float, exponent: float, price: float, start: Array | None
) -> _Tried:
    """The best stakes where breaking the bound costs its price."""

    def cost(stakes: Array) -> Expansion:
        growth = wealth.growth(stakes)
        if price == 0:
            return Expansion(-growth.value, -growth.gradient, -growth.hessian)
        risk = wealth.drawdown_risk(held * stakes, exponent)
        return Expansion(
            price * risk.value - growth.value,
            price * held * risk.gradient - growth.gradient,
            price * held**2 * risk.hessian - growth.hessian,
        )

    found = growth_optimum.solve(wealth, cost, limits, start)
    stakes = held * found.solution.x[: wealth.names]
    risk = wealth.drawdown_risk(stakes, exponent).value if np.any(stakes) else 0.0
    return _Tried(price, found, risk)
