"""Which names to trade when every trade has a fixed cost: exact, by branch and bound.

A name is traded or stays where it is. Counted from the weights now, that is the choice of which
trades to hold, so `mixed_integer` makes it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capdesk.decide.weights import mixed_integer
from capdesk.decide.weights.mixed_integer import Chosen
from capdesk.decide.weights.problem import Array, QuadraticProblem


def solve(problem: QuadraticProblem, fixed: Array, start: Array, *, strict: bool = True) -> Chosen:
    """Minimise the objective and the fixed cost of every name whose weight is not its start.

    Parameters
    ----------
    problem, strict
        As for `mixed_integer.solve`.
    fixed, start
        (n,), the cost of any trade, and the weights now.

    Returns
    -------
    Chosen
        In weights; who is `held` is traded.

    Raises
    ------
    Unbounded, quadratic.NotSolved
        As `mixed_integer.solve` does.
    """
    count, width = problem.names, len(problem.linear)
    origin = np.concatenate([start, np.zeros(width - count)])
    (equal, aims), (at_most, most) = problem.equalities, problem.inequalities
    trades = replace(
        problem,
        linear=problem.gradient(origin),
        equalities=(equal, aims - equal @ origin),
        inequalities=(at_most, most - at_most @ origin),
        lower=problem.lower - origin,
        upper=problem.upper - origin,
    )
    found = mixed_integer.solve(trades, fixed_costs=fixed, constant=problem.objective(origin), strict=strict)
    stays = ~found.held
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[:count][stays] = upper[:count][stays] = start[stays]
    # Where a trade ends at a bound, start + (bound - start) may miss it by a rounding.
    x = np.clip(found.solution.x + origin, lower, upper)
    return replace(
        found,
        solution=replace(found.solution, x=x),
        problem=replace(problem, lower=lower, upper=upper),
    )
