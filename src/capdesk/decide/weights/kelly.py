"""Kelly's stakes in closed form: one bet, and returns that move continuously.

A stake is a fraction of the bankroll. The bets of `kelly_bets` are many at once.

| | full Kelly | growth at it |
|---|---|---|
| one unit of payout costs c, fee included | (p - c) / (1 - c) | p log(p / c) + q log(q / (1 - c)) |
| odds b to 1 | (b p - q) / b | the same with c = 1 / (1 + b) |
| excess returns mu, covariance Sigma | Sigma^-1 mu | r + mu' Sigma^-1 mu / 2 |

Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal 35 (1956);
Thorp, "The Kelly Criterion in Blackjack, Sports Betting and the Stock Market" (2006).
"""

from __future__ import annotations

from math import log, log1p

import numpy as np

from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput

HALF = 0.5


def cost_of(price: float, fee: float = 0.0) -> float:
    """What one unit of payout costs: its price and the fee on it.

    Raises
    ------
    InvalidInput
        Where it is not between 0 and 1: such a bet cannot lose, or cannot win.
    """
    cost = price + fee
    if not 0 < cost < 1:
        raise InvalidInput(
            f"one unit of payout costs {price} + fee {fee} = {cost:g}: it must be above 0 and under 1"
        )
    return cost


def cost_at(odds: float) -> float:
    """What one unit of payout costs at odds of b to 1: 1 / (1 + b)."""
    if not 0 < odds < float("inf"):
        raise InvalidInput(f"odds are what one unit staked wins: positive, got {odds}")
    return 1 / (1 + odds)


def binary(probability: float, cost: float) -> float:
    """The full Kelly stake on one bet, 0 where its price is not better than fair.

    Parameters
    ----------
    probability
        p, of winning.
    cost
        c, of one unit of payout, fee included (`cost_of`, `cost_at`).
    """
    _require_probability(probability)
    cost_of(cost)
    return max(0.0, (probability - cost) / (1 - cost))


def binary_growth(probability: float, cost: float, stake: float) -> float:
    """The expected growth of log wealth a bet: p log(1 + f (1 - c) / c) + q log(1 - f)."""
    _require_probability(probability)
    if not 0 <= stake <= 1:
        raise InvalidInput(f"a stake is a part of the bankroll, from 0 to 1, got {stake}")
    won = probability * log1p(stake * (1 - cost_of(cost)) / cost) if probability else 0.0
    if probability == 1:
        return won
    return won + (1 - probability) * (log1p(-stake) if stake < 1 else -float("inf"))


def binary_shrinkage(probability: float, cost: float, deviation: float) -> float:
    """The factor for a stake whose probability is estimated: (p - c)^2 / ((p - c)^2 + s^2).

    Parameters
    ----------
    probability, cost
        As for `binary`.
    deviation
        s, the standard deviation of the estimate of p.

    Notes
    -----
    Baker & McHale, "Optimal Betting Under Parameter Uncertainty: Improving the Kelly Criterion",
    Decision Analysis 10(3) (2013): f^2 / (f^2 + ((b + 1) / b)^2 s^2), written with c = 1 / (1 + b).
    """
    _require_deviation(deviation)
    edge = binary(probability, cost) * (1 - cost)
    return edge**2 / (edge**2 + deviation**2) if edge else 0.0


def continuous(covariance: Covariance, excess: Array) -> Array:
    """The full Kelly stakes Sigma^-1 mu, (n,); shorts and leverage as they come.

    Parameters
    ----------
    covariance
        Sigma of the n names, a period.
    excess
        mu - r, (n,), a period.

    Raises
    ------
    InvalidInput
        Where the covariance is singular: growth then has no bound, or many stakes reach it.
    """
    matrix = covariance.dense()
    if np.linalg.cond(matrix) > 1e14:
        raise InvalidInput(
            "the covariance is singular, so without limits no single stake is best: "
            "give limits, or a covariance from more rows than names"
        )
    return np.asarray(np.linalg.solve(matrix, excess), dtype=np.float64)


def continuous_growth(covariance: Covariance, excess: Array, stakes: Array, riskless: float = 0.0) -> float:
    """The expected growth of log wealth a period: r + mu' f - f' Sigma f / 2."""
    return riskless + float(excess @ stakes - stakes @ covariance.times(stakes) / 2)


def continuous_shrinkage(covariance: Covariance, excess: Array, rows: int) -> float:
    """The factor for stakes whose means were estimated: S^2 / (S^2 + n / T), S^2 = mu' Sigma^-1 mu.

    Parameters
    ----------
    covariance, excess
        As for `continuous`.
    rows
        T, the observations that the means come from.

    Notes
    -----
    Kan & Zhou, "Optimal Portfolio Choice with Parameter Uncertainty", J. Financial and
    Quantitative Analysis 42 (2007), section III, with the covariance known and S^2 as estimated.
    """
    if rows < 1:
        raise InvalidInput(f"rows counts the observations: at least 1, got {rows}")
    squared = float(excess @ continuous(covariance, excess))
    return squared / (squared + covariance.size / rows) if squared > 0 else 0.0


def risk_exponent(depth: float, probability: float) -> float:
    """lambda = log beta / log alpha, of the drawdown bound E (wealth)^-lambda <= 1.

    Parameters
    ----------
    depth
        alpha: the part of the bankroll that wealth should not fall under (0.7: a loss of 30 %).
    probability
        beta: how likely it may ever do so, at most.

    Notes
    -----
    Busseti, Ryu & Boyd, "Risk-Constrained Kelly Gambling", J. Investing 25 (2016), section 4.
    """
    if not (0 < depth < 1 and 0 < probability < 1):
        raise InvalidInput(
            f"a drawdown bound is a part of the bankroll and a probability, each between 0 and 1, "
            f"got {depth} and {probability}"
        )
    return log(probability) / log(depth)


def fraction_for_drawdown(depth: float, probability: float) -> float:
    """The largest fraction of continuous Kelly that meets a drawdown bound: 2 / (1 + lambda), at most 1.

    At the fraction c wealth ever falls to alpha with probability alpha^(2 / c - 1) (Thorp 2006).
    """
    return min(1.0, 2 / (1 + risk_exponent(depth, probability)))


def _require_probability(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise InvalidInput(f"a probability is from 0 to 1, got {probability}")


def _require_deviation(deviation: float) -> None:
    if not 0 <= deviation < float("inf"):
        raise InvalidInput(f"a standard deviation is 0 or more, got {deviation}")
