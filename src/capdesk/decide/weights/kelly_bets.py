"""Kelly's stakes on many bets at once, with limits inside the optimisation.

    maximise  E log(1 + R'v) - c'x       x = (v, further variables), limits on x / fraction
    then      stakes = fraction * v

So the fraction is applied to the answer, and the limits are met by what is staked: without
limits that bind the stakes are the fraction of the full Kelly stakes, and with them they are
the best under that same reduced appetite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.weights import drawdown, growth_optimum
from capdesk.decide.weights.growth import Expansion, IndependentBets, Scenarios, Wealth
from capdesk.decide.weights.kelly import HALF
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution
from capdesk.model.errors import InvalidInput


@dataclass(frozen=True, slots=True, eq=False)
class Stakes:
    """The answer.

    Parameters
    ----------
    stakes
        (n,), parts of the bankroll.
    growth
        The expected growth of log wealth a round at these stakes, E log(1 + R'f).
    gap
        How much more the objective could be at most, as its multipliers prove.
    drawdown_price
        The multiplier of the drawdown bound; 0 where it does not bind or none was given.
    solution
        x / fraction with the multipliers of the limits; after the limits' rows come those of
        outcomes that would ruin.
    ruinous
        (k, n), the losses in such outcomes: ruinous @ stakes <= fraction, less what each must leave.
    """

    stakes: Array
    growth: float
    gap: float
    drawdown_price: float
    solution: Solution
    ruinous: Array


def no_limits(names: int) -> QuadraticProblem:
    """Limits that allow every stake from 0 up; every outcome leaves a millionth anyway."""
    return QuadraticProblem(
        covariance=Covariance(loadings=np.zeros((names, 1)), specific=np.zeros(names)),
        curvature=0.0,
        linear=np.zeros(names),
        equalities=(np.zeros((0, names)), np.zeros(0)),
        inequalities=(np.zeros((0, names)), np.zeros(0)),
        lower=np.zeros(names),
        upper=np.full(names, np.inf),
    )


def independent(
    probabilities: Array,
    costs: Array,
    *,
    fraction: float = HALF,
    limits: QuadraticProblem | None = None,
    exponent: float | None = None,
) -> Stakes:
    """Stakes on independent two-way bets that are open at the same time; any number of them.

    Parameters
    ----------
    probabilities
        (n,), of winning.
    costs
        (n,), of one unit of payout, fee included.
    fraction
        Of full Kelly.
    limits
        On the stakes; its rows, bounds and linear costs are used.
    exponent
        lambda of `kelly.risk_exponent`: bounds the drawdown of the stakes.

    Raises
    ------
    InvalidInput
        For a probability outside 0 to 1, a cost that is not between 0 and 1, or a fraction
        that is not above 0 and at most 1.
    NotSolved
        Where no accurate answer is found.
    """
    if probabilities.shape != costs.shape or not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise InvalidInput(f"each of {costs.size} bets has one probability from 0 to 1, got {probabilities}")
    if not np.all((costs > 0) & (costs < 1)):
        raise InvalidInput(f"one unit of payout costs more than 0 and less than 1, fee included, got {costs}")
    if (probabilities == 1).any():
        raise InvalidInput(
            f"bet {int(np.argmax(probabilities)) + 1} cannot lose: it takes the whole bankroll"
        )
    given = limits or no_limits(len(costs))
    count = len(costs)
    upper = given.upper.copy()
    upper[:count] = np.minimum(upper[:count], fraction)
    lower = given.lower.copy()
    lower[:count] = np.maximum(lower[:count], 0.0)
    wealth = IndependentBets(probabilities, costs)
    return _staked(wealth, replace(given, lower=lower, upper=upper), fraction, exponent)


def joint(
    probabilities: Array,
    outcomes: Array,
    *,
    fraction: float = HALF,
    limits: QuadraticProblem | None = None,
    exponent: float | None = None,
) -> Stakes:
    """Stakes on bets whose outcomes hang together: scenarios and what each bet does in them.

    Parameters
    ----------
    probabilities
        (S,), of the scenarios; they sum to 1.
    outcomes
        (S, n), net return of one unit staked; -1 is a loss of the stake.
    fraction, limits, exponent
        As for `independent`.

    Raises
    ------
    InvalidInput
        For probabilities that do not sum to 1, outcomes that are not finite, or a bet that
        cannot lose and has no limit.
    NotSolved
        Where no accurate answer is found; growth without a bound ends so too.
    """
    if probabilities.ndim != 1 or outcomes.shape[:1] != probabilities.shape or outcomes.ndim != 2:
        raise InvalidInput(
            f"outcomes have one row a scenario: probabilities {probabilities.shape}, outcomes {outcomes.shape}"
        )
    if not (np.all(probabilities >= 0) and abs(float(probabilities.sum()) - 1) <= 1e-9):
        raise InvalidInput(
            f"probabilities are 0 or more and sum to 1, got a sum of {probabilities.sum():.12g}"
        )
    if not np.isfinite(outcomes).all():
        raise InvalidInput("outcomes must be finite")
    given = limits or no_limits(outcomes.shape[1])
    possible = outcomes[probabilities > 0]
    free = (
        (possible >= 0).all(axis=0) & np.isinf(given.upper[: outcomes.shape[1]]) & (possible > 0).any(axis=0)
    )
    if free.any():
        raise InvalidInput(
            f"bet {int(np.argmax(free)) + 1} cannot lose: growth has no bound without a limit on it"
        )
    return _staked(Scenarios(probabilities[probabilities > 0], possible), given, fraction, exponent)


def _staked(wealth: Wealth, limits: QuadraticProblem, fraction: float, exponent: float | None) -> Stakes:
    if not 0 < fraction <= 1:
        raise InvalidInput(
            f"fraction is the part of full Kelly that is staked: above 0, at most 1, got {fraction}"
        )
    appetite = _scaled(limits, 1 / fraction)
    if exponent is None:
        found, price = growth_optimum.solve(wealth, _forgone(wealth), appetite), 0.0
    else:
        found, price = drawdown.solve(wealth, appetite, fraction, exponent)
    stakes = fraction * found.solution.x[: wealth.names]
    growth = wealth.growth(stakes).value
    return Stakes(stakes, growth, found.gap, price, found.solution, found.ruinous)


def _forgone(wealth: Wealth) -> growth_optimum.Cost:
    def cost(stakes: Array) -> Expansion:
        growth = wealth.growth(stakes)
        return Expansion(-growth.value, -growth.gradient, -growth.hessian)

    return cost


def _scaled(limits: QuadraticProblem, factor: float) -> QuadraticProblem:
    (rows, sums), (caps, most) = limits.equalities, limits.inequalities
    return replace(
        limits,
        equalities=(rows, sums * factor),
        inequalities=(caps, most * factor),
        lower=limits.lower * factor,
        upper=limits.upper * factor,
    )
