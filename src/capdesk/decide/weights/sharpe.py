"""Maximum Sharpe ratio by one quadratic problem.

The ratio does not change with the size of the weights, so they are scaled until their excess
return is 1 and the variance is minimised (Cornuejols & Tütüncü, Optimization Methods in
Finance, section 8.2); a limit of b becomes b times the scaled sum over the sum. Its
multipliers, scaled back, prove the ratio in the terms of the plan itself. With many names a
row for every bound costs more than the few problems along the frontier that `ratio` solves,
if those hold few names; where they hold many, only the bounds that are broken become rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from capdesk.decide.weights import feasibility, quadratic, ratio
from capdesk.decide.weights.certificate import least_variance, unsure
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.optimum import Found, finish, optimum
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem, Solution
from capdesk.decide.weights.statement import Statement, state
from capdesk.model.errors import CertificateError, InvalidInput
from capdesk.model.evidence import Evidence
from capdesk.model.money import NANO

NO_EXCESS = (
    "no feasible weights earn more than the risk-free rate, so no Sharpe ratio is positive: "
    "the minimum variance was taken"
)
_UNBOUNDED = (
    "some weights have a positive excess return and no variance, so the Sharpe ratio has no maximum: "
    "the covariance is singular; estimate it with shrinkage or factors"
)
_NO_BUDGET = (
    "max_sharpe scales weights to their sum, so a budget of 0 with shorts has none: give a budget above 0, "
    "or mean_variance a risk_aversion"
)
_ONE_PROBLEM = 110
_MOST_ROWS = 24
_EXCEEDED = 1e-11
_NO_VARIANCE = 1e-13
_CLEARLY_POSITIVE = 1e-4
_SURE = 1e7


def maximum_sharpe(limits: Limits, covariance: Covariance, excess: Array) -> Found:
    """Maximise excess return over volatility within limits.

    Parameters
    ----------
    excess
        (n,), expected return above the risk-free rate.

    Notes
    -----
    Where no feasible weights have a positive excess return the minimum variance is taken, and
    a note says so.

    Raises
    ------
    InvalidInput
        Where some weights have excess return and no variance: the ratio has no maximum.
    InfeasibleError, CertificateError
        As for every optimum.
    """
    if limits.proportional_costs is None and excess.max() <= 0 and limits.lower.min(initial=0) >= 0:
        return _minimum_variance(limits, covariance)
    total = feasibility.total(limits)
    if not total:
        if not limits.long_only:
            raise InvalidInput(_NO_BUDGET)
        return _minimum_variance(limits, covariance)
    statement = _statement(limits, covariance, excess, total)
    try:
        return _solved(limits, statement, total)
    except quadratic.NotSolved:
        largest = feasibility.largest_sum(limits)
        statement = _statement(limits, covariance, excess, largest)
        if _best_excess(statement) <= 0:
            return _minimum_variance(limits, covariance)
        try:
            return _solved(limits, statement, largest)
        except quadratic.NotSolved as failure:
            raise CertificateError(
                f"no largest Sharpe ratio was found: {failure}. Shorts without a limit may have none, and a "
                "covariance without variance neither: give gross, or min_weight and max_weight"
            ) from failure


def _minimum_variance(limits: Limits, covariance: Covariance) -> Found:
    found = optimum(limits, covariance, 2.0, np.zeros(len(limits.names)))
    return Found(found.evidence, found.solver, (*found.notes, NO_EXCESS))


def _statement(limits: Limits, covariance: Covariance, excess: Array, total: int) -> Statement:
    """The limits with minus the excess return as the linear term, trading costs taken from it."""
    statement = state(limits, covariance, 1.0, -excess, total)
    if limits.proportional_costs is None or limits.current is None or not total:
        return statement
    # What staying put saves is a constant; spread over weights whose sum is known it is linear.
    start = limits.current / NANO
    problem = statement.problem
    plain = problem.linear[: len(excess)] + excess
    problem.linear[: len(excess)] -= float(plain @ start) / (total / NANO)
    return statement


def _best_excess(statement: Statement) -> float:
    """The largest excess return that is feasible; infinite where nothing limits it."""
    linear = replace(statement.problem, curvature=0.0)
    try:
        return -linear.objective(quadratic.solve(linear).x)
    except quadratic.NotSolved:
        return float("inf")


def _solved(limits: Limits, statement: Statement, total: int) -> Found:
    scaled = _Scaled(statement.problem, total / NANO)
    solution, slope = scaled.solve(len(limits.names))
    count = len(limits.names)
    tangent = statement.problem.covariance.times(solution.x[:count])
    gradient = statement.problem.linear.copy()
    gradient[:count] += slope * tangent
    proof = finish("sharpe", limits, statement, solution, total, gradient).evidence
    variance = float(solution.x[:count] @ tangent)
    if variance <= _NO_VARIANCE * float(np.maximum.reduce(statement.problem.covariance.diagonal())):
        raise InvalidInput(_UNBOUNDED)
    anchor, y, z = _anchor(proof, statement, total, tangent)
    done = structs.replace(proof, slope=slope, anchor=anchor, anchor_equal=y, anchor_most=z)
    return Found(done, solution.solver)


def _anchor(proof: Evidence, statement: Statement, total: int, tangent: Array) -> tuple[Array, Array, Array]:
    """Weights whose covariances with all feasible ones are large: the answer itself, else the least variance."""
    problem = statement.problem
    count = problem.names
    own, y, z = (
        proof.point[:count],
        np.zeros(len(problem.equalities[1])),
        np.zeros(len(problem.inequalities[1])),
    )
    y[0] = -_marginal(tangent, problem.lower[:count], problem.upper[:count], total / NANO)
    enough = max(_CLEARLY_POSITIVE * float(own @ tangent), _SURE * unsure(proof))
    if least_variance(proof, own, y, z) > enough:
        return own, y, z
    safest = quadratic.solve(replace(problem, curvature=1.0, linear=np.zeros(len(problem.linear))))
    return safest.x[:count], safest.equality_multipliers, safest.inequality_multipliers


def _marginal(costs: Array, lower: Array, upper: Array, total: float) -> float:
    """The cost of the last unit, where a sum is filled with the cheapest names first."""
    order = costs.argsort()
    filled = (upper - lower)[order].cumsum()
    if filled[-1] == np.inf:
        return float(costs[order[0]])
    filled += np.add.reduce(lower)
    return float(costs[order[min(int(filled.searchsorted(total)), len(order) - 1)]])


class _Scaled:
    """The problem in scaled weights, in which bounds become rows; with many names and few held, the frontier."""

    def __init__(self, problem: QuadraticProblem, total: float) -> None:
        self.problem = problem
        self.total = total
        count = problem.names
        lower, upper = problem.lower[:count], problem.upper[:count]
        self.free = lower < 0
        # An excess return of about what the answer has keeps the scaled weights near the weights.
        self.excess = float(np.maximum.reduce(np.abs(problem.linear))) * total
        # With no weight below 0, none is above the sum of all.
        highest = np.inf if self.free.any() else total
        self.upper_rows = (upper < highest).nonzero()[0]
        self.lower_rows = ((lower != 0) & (lower > -np.inf)).nonzero()[0]

    def solve(self, count: int) -> tuple[Solution, float]:
        """The weights with multipliers for the problem as it was, and the slope."""
        if count <= _ONE_PROBLEM:
            return self._with_rows(self.upper_rows, self.lower_rows)
        near = None
        if self.problem.covariance.matrix is not None:
            near = ratio.among_few(self.problem)
            found = self._with_broken_rows() if near is None else None
            if found is not None:
                return found
        settled, stated = ratio.solve(self.problem, near)
        return settled, stated.curvature

    def _with_broken_rows(self) -> tuple[Solution, float] | None:
        """Maxima become rows only where an answer without them exceeds them; None where that does not end."""
        above = self.upper_rows[:0]
        while len(above) <= _MOST_ROWS:
            try:
                solution, slope = self._with_rows(above, self.lower_rows)
            except quadratic.NotSolved:
                return None
            excess = solution.x[self.upper_rows] - self.problem.upper[self.upper_rows]
            broken = np.setdiff1d(self.upper_rows[excess > _EXCEEDED], above)
            if not len(broken):
                return solution, slope
            above = np.concatenate([above, broken])
        return None

    def _with_rows(self, above: NDArray[np.intp], below: NDArray[np.intp]) -> tuple[Solution, float]:
        problem, count, width = self.problem, self.problem.names, len(self.problem.linear)
        share = np.zeros(width)
        share[:count] = 1 / self.total
        equal, aims = problem.equalities[0][1:], problem.equalities[1][1:]
        rows, limits = problem.inequalities
        upper, lower = problem.upper[above], problem.lower[below]
        first, second = len(limits), len(limits) + len(above)
        exact = np.empty((1 + len(aims), width))
        np.negative(problem.linear, out=exact[0])
        if len(aims):
            exact[1:] = equal - aims[:, None] * share
        at_most = np.concatenate((limits, upper, -lower))[:, None] * -share
        at_most[:first] += rows
        at_most[np.arange(first, second), above] += 1.0
        if len(below):
            at_most[np.arange(second, len(at_most)), below] -= 1.0
        lowest = np.zeros(width)
        lowest[:count][self.free] = -np.inf
        aim = np.zeros(len(exact))
        aim[0] = self.excess
        scaled = QuadraticProblem(
            covariance=problem.covariance,
            curvature=1.0,
            linear=np.zeros(width),
            equalities=(exact, aim),
            inequalities=(at_most, np.zeros(len(at_most))),
            lower=lowest,
            upper=np.full(width, np.inf),
        )
        found = quadratic.solve(scaled)
        return self._unscaled(found, limits, aims, upper, lower)

    def _unscaled(
        self, found: Solution, limits: Array, aims: Array, upper: Array, lower: Array
    ) -> tuple[Solution, float]:
        size = float(found.x[: self.problem.names].sum()) / self.total
        if size <= 0:
            raise quadratic.NotSolved("the scaled weights add up to nothing")
        price = -found.equality_multipliers[0]
        y = found.equality_multipliers[1:] / price
        z = found.inequality_multipliers / price
        first, second = len(limits), len(limits) + len(upper)
        value = y @ aims + z[:first] @ limits + z[first:second] @ upper - z[second:] @ lower
        solution = Solution(
            x=found.x / size,
            equality_multipliers=np.concatenate([[-float(value) / self.total], y]),
            inequality_multipliers=z[:first],
            solver=found.solver,
            iterations=found.iterations,
        )
        return solution, float(size / price)
