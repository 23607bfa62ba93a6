"""A plan's JSON checked with the standard library alone, in rational arithmetic.

Nothing of capdesk is needed: this file runs by itself. Every float is the fraction it stands for,
so feasibility, objective, bound and gap are exact. Only one thing is shown in floating point,
with a rigorous bound of its errors: that a dense covariance is positive semidefinite but for a
multiple `shift` of the identity, by a Cholesky factorisation that ends (Higham, Accuracy and
Stability of Numerical Algorithms, theorem 10.3). The shift is charged to the bound.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, isqrt, lcm, sqrt
from operator import mul
from typing import Any

GAP = Fraction(1, 10**6)
LARGEST_GAP = Fraction(1, 10**5)
CONTRIBUTION = Fraction(1, 10**5)
VIOLATION = Fraction(1, 10**9)
UNIT = Fraction(1, 10**6)
REACH = 10
CHOLESKY_NAMES = 1_000
"""The most names for which a dense covariance is factorised here."""

Vector = list[Fraction]


class NotAPlan(ValueError):
    """The text is no plan of a format that is known."""


@dataclass(frozen=True)
class Check:
    """One thing that was recomputed: whether it holds, and the figures."""

    name: str
    holds: bool
    said: str


def verify(text: str | bytes) -> list[Check]:
    """Check a plan's JSON; it is right if every check holds.

    Raises
    ------
    NotAPlan
        For a text that cannot be read as a plan.
    """
    try:
        plan = json.loads(text)
        if plan["format"] != "capdesk-plan/1":
            raise NotAPlan(f"the plan has the format {plan['format']!r}: this reads 'capdesk-plan/1'")
        problem = Problem(plan)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, NotAPlan):
            raise
        raise NotAPlan(f"this is not a plan: {type(error).__name__} {error}") from error
    return [_sums(plan, problem), _feasible(problem), *_KINDS[problem.kind](problem)]


class Row:
    """``coefficients' x <= most``, or equal to it."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.at: list[int] = value["at"]
        self.coefficients = [_exact(text) for text in value["coefficients"]]
        self.most = _exact(value["most"])
        self.size = max((abs(each) for each in self.coefficients), default=Fraction(1))
        self.defines = not value["limit"]

    def of(self, x: Vector) -> Fraction:
        """The row's value at x."""
        return sum((c * x[place] for place, c in zip(self.at, self.coefficients, strict=True)), Fraction(0))


class Problem:
    """What a plan states, as fractions."""

    def __init__(self, plan: dict[str, Any]) -> None:
        problem, proof = plan["problem"], plan["proof"]
        self.kind: str = problem["kind"]
        if self.kind not in _KINDS:
            raise NotAPlan(f"the plan's kind is {self.kind!r}: this reads {', '.join(_KINDS)}")
        self.weights = [Fraction(text) for text in plan["weights"].values()]
        self.count = len(self.weights)
        self.covariance = Covariance(problem["covariance"], self.count)
        self.curvature = _exact(problem["curvature"])
        self.linear = _vector(problem["linear"])
        self.equal = [Row(row) for row in problem["equalities"]]
        self.at_most = [Row(row) for row in problem["inequalities"]]
        self.lower = [_bound(text) for text in problem["lower"]]
        self.upper = [_bound(text) for text in problem["upper"]]
        self.budgets = None if problem["budgets"] is None else _vector(problem["budgets"])
        self.point = _vector(proof["point"])
        self.equal_prices = _vector(proof["equality_multipliers"])
        self.most_prices = _vector(proof["inequality_multipliers"])
        self.slope, self.anchor_price = _exact(proof["slope"]), _exact(proof["anchor_price"])
        self.anchor = None if proof["anchor"] is None else _vector(proof["anchor"])
        parts = problem["parts"]
        self.x = self.weights + [
            max(Fraction(0), sign * (self.weights[index] - _exact(offset)))
            for index, sign, offset in zip(parts["index"], parts["sign"], parts["offset"], strict=True)
        ]
        _require_lengths(self)

    def priced(self, gradient: Vector) -> tuple[Vector, Fraction]:
        """The reduced costs ``gradient + E'y + A'z``, and ``f'y + b'z``."""
        costs, constant = list(gradient), Fraction(0)
        for rows, prices in ((self.equal, self.equal_prices), (self.at_most, self.most_prices)):
            for row, price in zip(rows, prices, strict=True):
                constant += price * row.most
                for place, coefficient in zip(row.at, row.coefficients, strict=True):
                    costs[place] += price * coefficient
        return costs, constant

    def least(self, costs: Vector) -> Fraction:
        """The least of costs'x over the box; a side without a bound ends ten times as far as any weight."""
        reach = REACH * max([Fraction(1), *(abs(each) for each in self.point)])
        total = Fraction(0)
        for cost, low, high in zip(costs, self.lower, self.upper, strict=True):
            end = (-reach if low is None else max(low, -reach)) if cost > 0 else reach
            total += cost * (end if cost > 0 else (reach if high is None else min(high, reach)))
        return total

    def largest_square(self) -> Fraction:
        """At least ``w'w`` of any feasible weights."""
        bounds = list(zip(self.lower[: self.count], self.upper[: self.count], strict=True))
        budget = [row for row in (*self.equal, *self.at_most) if len(row.at) >= self.count and row.size == 1]
        if budget and all(low is not None and low >= 0 for low, _ in bounds):
            return budget[0].most ** 2
        reach = REACH * max([Fraction(1), *(abs(each) for each in self.point)])
        return sum(
            (
                max(abs(-reach if low is None else low), abs(reach if high is None else high)) ** 2
                for low, high in bounds
            ),
            Fraction(0),
        )


class Covariance:
    """Sigma as integers over one denominator; `shift` times the identity more makes it semidefinite."""

    def __init__(self, value: dict[str, Any] | None, count: int) -> None:
        self.count = count
        self.rows: list[list[int]] | None = None
        self.factors: list[list[int]] | None = None
        self.shift = Fraction(0)
        self.convex, self.said = True, "there is no covariance"
        if value is None:
            return
        if "matrix" in value:
            rows = _whole_rows([[_float(text) for text in row] for row in value["matrix"]])
            self.shift, self.convex, self.said = _shown_semidefinite(rows)
            self.rows, self.denominator = _integers(rows)
            return
        self.factors, self.denominator = _integers(
            [[_float(text) for text in row] for row in value["loadings"]]
        )
        self.specific = _vector(value["specific"])
        self.convex = all(each >= 0 for each in self.specific)
        self.said = "the covariance is semidefinite by its factors"

    def times(self, weights: Vector) -> Vector:
        """Sigma w."""
        if self.rows is None and self.factors is None:
            return [Fraction(0)] * len(weights)
        common = lcm(*(each.denominator for each in weights)) if weights else 1
        whole = [int(each * common) for each in weights]
        if self.rows is not None:
            below = self.denominator * common
            return [Fraction(sum(map(mul, row, whole)), below) for row in self.rows]
        factors = self.factors or []
        moved = [sum(map(mul, column, whole)) for column in zip(*factors, strict=True)]
        below = self.denominator**2 * common
        own = zip(factors, self.specific, weights, strict=True)
        return [
            Fraction(sum(map(mul, row, moved)), below) + variance * weight for row, variance, weight in own
        ]

    def variances(self) -> Vector:
        """The diagonal."""
        if self.rows is not None:
            return [Fraction(row[place], self.denominator) for place, row in enumerate(self.rows)]
        if self.factors is None:
            return [Fraction(0)] * self.count
        below = self.denominator**2
        return [
            Fraction(sum(map(mul, row, row)), below) + own
            for row, own in zip(self.factors, self.specific, strict=True)
        ]


def _exact(text: str) -> Fraction:
    return Fraction(_float(text))


def _float(text: str) -> float:
    value = float.fromhex(text)
    if not isfinite(value):
        raise NotAPlan(f"a figure of the plan is {value}")
    return value


def _bound(text: str) -> Fraction | None:
    value = float.fromhex(text)
    return Fraction(value) if isfinite(value) else None


def _vector(texts: Sequence[str]) -> Vector:
    return [_exact(text) for text in texts]


def _require_lengths(problem: Problem) -> None:
    width = len(problem.x)
    for values, length in (
        (problem.linear, width),
        (problem.lower, width),
        (problem.upper, width),
        (problem.point, width),
        (problem.equal_prices, len(problem.equal)),
        (problem.most_prices, len(problem.at_most)),
        (problem.anchor or problem.weights, problem.count),
        (problem.budgets or problem.weights, problem.count),
        (problem.covariance.variances(), problem.count),
    ):
        if len(values) != length:
            raise NotAPlan(f"a part of the plan has {len(values)} figures where {length} belong")


def _integers(rows: list[list[float]]) -> tuple[list[list[int]], int]:
    """Rows of floats as integers over their least common denominator, a power of two."""
    ratios = [[value.as_integer_ratio() for value in row] for row in rows]
    common = max((below for row in ratios for _, below in row), default=1)
    return [[above * (common // below) for above, below in row] for row in ratios], common


def _whole_rows(rows: list[list[float]]) -> list[list[float]]:
    """A lower triangle filled up; a full matrix as it is, if it is symmetric."""
    count = len(rows)
    if all(len(row) == place + 1 for place, row in enumerate(rows)):
        return [[rows[max(i, j)][min(i, j)] for j in range(count)] for i in range(count)]
    if any(len(row) != count for row in rows):
        raise NotAPlan("the covariance is not square")
    return [[(rows[i][j] + rows[j][i]) / 2 for j in range(count)] for i in range(count)]


def _shown_semidefinite(rows: list[list[float]]) -> tuple[Fraction, bool, str]:
    """A shift that makes the matrix semidefinite, whether that is shown, and how."""
    count = len(rows)
    if count > CHOLESKY_NAMES:
        return Fraction(0), True, f"that the covariance of {count} names is semidefinite was taken as given"
    trace = sum(rows[place][place] for place in range(count))
    rounding = (count + 2) * 2.0**-53
    rounding /= 1 - rounding
    # Twice: what the factorisation may err by, and as much again so that a singular matrix passes.
    for steps in (4, 1e4, 1e6):
        added = steps * rounding * trace
        if _has_cholesky(rows, added):
            shift = Fraction(added) + Fraction(rounding) * Fraction(trace) * 2
            return (
                shift,
                True,
                f"the covariance is semidefinite but for {float(shift) / trace:.1e} of its trace",
            )
    return Fraction(0), False, "the covariance is not positive semidefinite"


def _has_cholesky(rows: list[list[float]], added: float) -> bool:
    factor: list[list[float]] = []
    for place, row in enumerate(rows):
        own: list[float] = []
        for other in range(place):
            above = factor[other]
            own.append((row[other] - sum(map(mul, above, own))) / above[other])
        rest = row[place] + added - sum(map(mul, own, own))
        if not rest > 0:
            return False
        own.append(sqrt(rest))
        factor.append(own)
    return True


def _dot(first: Vector, second: Vector) -> Fraction:
    return sum(map(mul, first, second), Fraction(0))


def _root_above(value: Fraction) -> Fraction:
    """A fraction not below the square root, by less than a part in 10^30."""
    scale = 10**60
    return Fraction(isqrt(value.numerator * scale // value.denominator) + 1, 10**30)


def _root_below(value: Fraction) -> Fraction:
    scale = 10**60
    return Fraction(isqrt(value.numerator * scale // value.denominator), 10**30)


def _sums(plan: dict[str, Any], problem: Problem) -> Check:
    total, cash, budget = sum(problem.weights, Fraction(0)), Fraction(plan["cash"]), Fraction(plan["budget"])
    whole = all((weight / UNIT).denominator == 1 for weight in problem.weights)
    said = f"weights {_decimal(total)} + cash {_decimal(cash)} = {_decimal(total + cash)}, budget {_decimal(budget)}"
    return Check("sum", whole and total + cash == budget, said)


def _feasible(problem: Problem) -> Check:
    worst = Fraction(0)
    for value, low, high in zip(problem.x, problem.lower, problem.upper, strict=True):
        worst = max(
            worst, (low - value) if low is not None else worst, (value - high) if high is not None else worst
        )
    for row in problem.at_most:
        worst = max(worst, (row.of(problem.x) - row.most) / row.size)
    for row in problem.equal:
        worst = max(worst, abs(row.of(problem.x) - row.most) / row.size)
    rows = len(problem.equal) + len(problem.at_most)
    said = f"largest excess over {2 * len(problem.x)} bounds and {rows} rows: {float(worst):.1e}"
    return Check("feasible", worst <= VIOLATION, said)


def _prices_allowed(problem: Problem) -> Check:
    negative = [price for price in problem.most_prices if price < 0]
    said = f"{len(problem.most_prices)} multipliers of rows, {len(negative)} of them negative"
    return Check("multipliers", not negative, said)


def _convex(problem: Problem) -> Check:
    return Check("convex", problem.covariance.convex and problem.curvature >= 0, problem.covariance.said)


def _tolerance(problem: Problem, scale: Fraction, risk: Fraction) -> Fraction:
    """1e-6, and what whole millionths cost: at each priced row, and their own variance."""
    prices = risk / 2 * UNIT * sum(problem.covariance.variances(), Fraction(0))
    for row, price in zip(problem.at_most, problem.most_prices, strict=True):
        if not row.defines:
            prices += price * row.size
    return min(LARGEST_GAP, GAP + 2 * UNIT * prices / scale)


def _optimum(problem: Problem) -> list[Check]:
    count, half = problem.count, problem.curvature / 2
    linear = _dot(problem.linear, problem.x)
    value = linear + half * _dot(problem.weights, problem.covariance.times(problem.weights))
    point = problem.point[:count]
    shift = problem.covariance.shift
    slope = [own + shift * at for own, at in zip(problem.covariance.times(point), point, strict=True)]
    gradient = [
        cost + (problem.curvature * slope[place] if place < count else 0)
        for place, cost in enumerate(problem.linear)
    ]
    costs, constant = problem.priced(gradient)
    bound = problem.least(costs) - constant - half * _dot(point, slope)
    bound -= half * shift * problem.largest_square()
    own = half * _dot([weight**2 for weight in problem.weights], problem.covariance.variances())
    size = own + sum(
        (abs(cost * at) for cost, at in zip(problem.linear, problem.x, strict=True)), Fraction(0)
    )
    scale = max(abs(value), size, Fraction(1, 10**300))
    gap, tolerance = (value - bound) / scale, _tolerance(problem, scale, half)
    said = (
        f"objective {float(value):.12g}, nothing feasible is below {float(bound):.12g}: gap {float(gap):.1e}, "
        f"at most {float(tolerance):.1e}"
    )
    return [_convex(problem), _prices_allowed(problem), Check("optimal", gap <= tolerance, said)]


def _sharpe(problem: Problem) -> list[Check]:
    count, shift = problem.count, problem.covariance.shift
    excess = -_dot(problem.linear, problem.x)
    variance = _dot(problem.weights, problem.covariance.times(problem.weights))
    point = problem.point[:count]
    tangent = [own + shift * at for own, at in zip(problem.covariance.times(point), point, strict=True)]
    of_point = _dot(point, tangent)
    gradient = [
        cost + (problem.slope * tangent[place] if place < count else 0)
        for place, cost in enumerate(problem.linear)
    ]
    costs, constant = problem.priced(gradient)
    residue = max(constant - problem.least(costs), Fraction(0))
    least = _least_variance(problem)
    charge = shift * problem.largest_square()
    checks = [_convex(problem), _prices_allowed(problem)]
    if excess <= 0 or variance <= 0 or least <= charge or problem.slope <= 0:
        return [*checks, Check("optimal", False, "the proof shows no largest Sharpe ratio")]
    largest = problem.slope * _root_above(of_point) + residue / _root_below(least)
    largest_squared = largest**2 / (1 - charge / least)
    gap = largest_squared * variance / excess**2 - 1
    tolerance = _tolerance(problem, excess, excess / variance)
    said = (
        f"Sharpe ratio {sqrt(excess**2 / variance):.12g}, none is above {sqrt(largest_squared):.12g}: "
        f"gap of the squares {float(gap):.1e}, at most {float(tolerance):.1e}"
    )
    return [*checks, Check("optimal", gap <= tolerance, said)]


def _least_variance(problem: Problem) -> Fraction:
    """A lower bound of every feasible variance (of the shifted covariance), by the anchor."""
    if problem.anchor is None or not problem.equal:
        return Fraction(0)
    shift = problem.covariance.shift
    slope = [
        own + shift * at
        for own, at in zip(problem.covariance.times(problem.anchor), problem.anchor, strict=True)
    ]
    budget = problem.equal[0]
    costs = [*slope, *([Fraction(0)] * (len(problem.x) - problem.count))]
    for place, coefficient in zip(budget.at, budget.coefficients, strict=True):
        costs[place] += problem.anchor_price * coefficient
    least = problem.least(costs) - problem.anchor_price * budget.most
    size = _dot(problem.anchor, slope)
    return max(least, Fraction(0)) ** 2 / size if size > 0 else Fraction(0)


def _contributions(problem: Problem) -> list[Check]:
    slope = problem.covariance.times(problem.weights)
    shares = [weight * each for weight, each in zip(problem.weights, slope, strict=True)]
    variance = sum(shares, Fraction(0))
    if variance <= 0 or problem.budgets is None:
        return [Check("contributions", False, "there is no risk to share, or no budgets of it")]
    worst = max(abs(share / variance - aim) for share, aim in zip(shares, problem.budgets, strict=True))
    said = (
        f"every share of risk is within {float(worst):.1e} of its budget, at most {float(CONTRIBUTION):.1e}"
    )
    return [Check("contributions", worst <= CONTRIBUTION, said)]


def _rule(_problem: Problem) -> list[Check]:
    return [Check("rule", True, "the strategy is a rule: it has no objective to be optimal in")]


def _decimal(value: Fraction) -> str:
    return f"{float(value):.6f}".rstrip("0").rstrip(".")


_KINDS = {"optimum": _optimum, "sharpe": _sharpe, "contributions": _contributions, "rule": _rule}
