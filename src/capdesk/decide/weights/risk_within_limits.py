"""Risk contributions in the budgets' proportions, as far as limits allow.

The constrained form of Richard & Roncalli (Constrained Risk Budgeting Portfolios, 2019):
minimise 1/2 w' Sigma w - lambda sum b_i ln w_i within the limits, with the lambda for which
the budget row itself has no price. Names that no limit touches then contribute
w_i (Sigma w)_i = lambda b_i exactly; the others contribute what their limits leave them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.weights import quadratic
from capdesk.decide.weights.inverse import plus_diagonal
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from capdesk.decide.weights.risk_contribution import NotBalanced, equal_risk

_MOST_STEPS = 60
_MOST_TRIALS = 80
_TOLERANCE = 1e-10
_SHRINK = 0.2
Rows = tuple[Array, Array]


def constrained(
    covariance: Covariance,
    budgets: Array,
    lower: Array,
    upper: Array,
    equalities: Rows,
    inequalities: Rows,
) -> Array:
    """Weights (n,) within the limits, their contributions as near to the budgets as those allow.

    Parameters
    ----------
    covariance
        Positive definite.
    budgets
        (n,), positive where `upper` is; a name whose upper limit is 0 gets nothing.
    lower, upper
        (n,).
    equalities, inequalities
        ``(E, f)`` and ``(A, b)``; one row of E is the budget: the same positive figure for
        every name.

    Raises
    ------
    ValueError
        Where no row of E is a budget.
    NotBalanced
        Where the price of the budget cannot be brought to 0.
    quadratic.NotSolved
        Where the limits allow no weights.
    """
    budget = _budget_row(equalities[0])
    open_names = np.flatnonzero(upper > 0)
    chosen = _Limits(
        covariance=covariance if len(open_names) == len(upper) else covariance.of(open_names),
        shares=budgets[open_names] / budgets[open_names].sum(),
        lower=np.maximum(lower[open_names], 0.0),
        upper=upper[open_names],
        equalities=(equalities[0][:, open_names], equalities[1]),
        inequalities=(inequalities[0][:, open_names], inequalities[1]),
    )
    weights = np.zeros(len(lower))
    weights[open_names] = _balanced(chosen, budget)
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class _Limits:
    covariance: Covariance
    shares: Array
    lower: Array
    upper: Array
    equalities: Rows
    inequalities: Rows

    def admit(self, weights: Array) -> bool:
        """Whether weights keep every limit."""
        (equal, aims), (at_most, limits) = self.equalities, self.inequalities
        return bool(
            (weights >= self.lower).all()
            and (weights <= self.upper).all()
            and (np.abs(equal @ weights - aims) <= 1e-12).all()
            and (at_most @ weights <= limits).all()
        )


def _budget_row(rows: Array) -> int:
    for number, row in enumerate(rows):
        if row[0] > 0 and (row == row[0]).all():
            return number
    raise ValueError("risk budgets want one equality that is the budget: the same figure for every name")


def _balanced(limits: _Limits, budget: int) -> Array:
    """The weights for the lambda at which the budget has no price, by bisection and secants."""
    free = equal_risk(limits.covariance, limits.shares)
    free = free * float(limits.equalities[1][budget] / limits.equalities[0][budget, 0])
    if limits.admit(free):
        return free
    variance = float(free @ limits.covariance.times(free))
    weights, price = _at(limits, budget, variance, free)
    known = [(np.log(variance), price / variance)]
    below, above = -np.inf, np.inf
    for _ in range(_MOST_TRIALS):
        if abs(known[-1][1]) <= _TOLERANCE:
            return weights
        if known[-1][1] > 0:
            above = known[-1][0]
        else:
            below = known[-1][0]
        trial = _next(known, below, above)
        scale = float(np.exp(trial))
        weights, price = _at(limits, budget, scale, weights)
        known.append((trial, price / scale))
    raise NotBalanced(f"the budget still has a price of {known[-1][1]:.1e} after {_MOST_TRIALS} trials")


def _next(known: list[tuple[float, float]], below: float, above: float) -> float:
    """A secant's guess where it stays between what is known, else the middle or a stride outward."""
    if len(known) > 1:
        (x0, y0), (x1, y1) = known[-2:]
        if y1 != y0:
            guess = x1 - y1 * (x1 - x0) / (y1 - y0)
            if below < guess < above and abs(guess - x1) < 4.0:
                return guess
    if np.isfinite(below) and np.isfinite(above):
        return (below + above) / 2
    return below + 1.0 if np.isfinite(below) else above - 1.0


def _at(limits: _Limits, budget: int, scale: float, start: Array) -> tuple[Array, float]:
    """The weights for one lambda and the price of the budget: Newton's method, each step a problem."""
    weights = np.maximum(start, 1e-9)
    for _ in range(_MOST_STEPS):
        lean = scale * limits.shares / weights
        found = quadratic.solve(
            QuadraticProblem(
                covariance=plus_diagonal(limits.covariance, lean / weights),
                curvature=1.0,
                linear=-2.0 * lean,
                equalities=limits.equalities,
                inequalities=limits.inequalities,
                lower=np.minimum(np.maximum(limits.lower, _SHRINK * weights), limits.upper),
                upper=limits.upper,
            ),
            weights,
        )
        moved = float(np.abs(found.x / weights - 1.0).max())
        weights = _searched(limits, scale, weights, found.x)
        if moved <= 1e-9:
            return weights, float(found.equality_multipliers[budget] * limits.equalities[0][budget, 0])
    raise NotBalanced(f"the weights did not settle in {_MOST_STEPS} steps")


def _searched(limits: _Limits, scale: float, weights: Array, aim: Array) -> Array:
    """As far towards the aim as the objective falls; the whole way from outside the limits."""
    if not limits.admit(weights):
        return aim
    step, length = aim - weights, 1.0

    def value(at: Array) -> float:
        quadratic_part = 0.5 * float(at @ limits.covariance.times(at))
        return quadratic_part - scale * float(limits.shares @ np.log(at))

    here = value(weights)
    while length > 1e-3 and value(weights + length * step) > here + 1e-12 * abs(here):
        length /= 2
    return weights + length * step
