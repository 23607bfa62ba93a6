"""The problem and proof of a plan's JSON as exact fractions; the standard library alone.

Every float is the fraction it stands for. A matrix is kept as integers over one power of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite, lcm, sqrt
from operator import mul
from typing import Any

REACH = 2
CHOLESKY_NAMES = 1_000
"""The most names for which a dense covariance is factorised here."""

Vector = list[Fraction]


FORMATS = {"capdesk-plan/1": Fraction(1, 10**6), "capdesk-plan/2": Fraction(1, 10**9)}
"""The formats that are known, and the unit of a weight in each."""


class NotAPlan(ValueError):
    """The text is no plan of a format that is known."""


class Row:
    """``coefficients' x <= most``, or equal to it."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.at: list[int] = value["at"]
        self.coefficients = [_exact(text) for text in value["coefficients"]]
        self.most = _exact(value["most"])
        self.size = max((abs(each) for each in self.coefficients), default=Fraction(1))
        self.limit: str = value["limit"]

    def of(self, x: Vector) -> Fraction:
        """The row's value at x."""
        return sum((c * x[place] for place, c in zip(self.at, self.coefficients, strict=True)), Fraction(0))


class Problem:
    """What a plan states, as fractions."""

    def __init__(self, plan: dict[str, Any]) -> None:
        if plan["format"] not in FORMATS:
            known = " and ".join(map(repr, FORMATS))
            raise NotAPlan(f"the plan has the format {plan['format']!r}: this reads {known}")
        problem, proof = plan["problem"], plan["proof"]
        self.unit = FORMATS[plan["format"]]
        self.kind: str = problem["kind"]
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
        self.slope = _exact(proof["slope"])
        self.anchor = None if proof["anchor"] is None else _vector(proof["anchor"])
        self.anchor_equal = _vector(proof["anchor_equal"] or [])
        self.anchor_most = _vector(proof["anchor_most"] or [])
        self.fixed, self.search_bound = _exact(proof["fixed"]), _exact(proof["search_bound"])
        self.exponent = _exact(proof.get("exponent", "0x0p+0"))
        self.tail = _exact(problem["tail"])
        self.chances = None if proof["chances"] is None else _vector(proof["chances"])
        self.scenarios: tuple[list[list[int]], int] = ([], 1)
        if problem["scenarios"] is not None:
            self.scenarios = _integers([[_float(text) for text in row] for row in problem["scenarios"]])
        self.x = [*self.weights, *_parts(self.weights, problem["parts"])]
        _require_lengths(self)

    def priced(self, gradient: Vector) -> tuple[Vector, Fraction]:
        """The reduced costs ``gradient + E'y + A'z``, and ``f'y + b'z``."""
        return self.priced_by(gradient, self.equal_prices, self.most_prices)

    def priced_by(self, gradient: Vector, y: Vector, z: Vector) -> tuple[Vector, Fraction]:
        """The same by other multipliers."""
        costs, constant = list(gradient), Fraction(0)
        for rows, prices in ((self.equal, y), (self.at_most, z)):
            for row, price in zip(rows, prices, strict=True):
                constant += price * row.most
                for place, coefficient in zip(row.at, row.coefficients, strict=True):
                    costs[place] += price * coefficient
        return costs, constant

    def least(self, costs: Vector) -> Fraction:
        """The least of costs'x over the box; a side without a bound ends twice as far as any weight."""
        reach = REACH * max([Fraction(1), *(abs(each) for each in self.point)])
        total = Fraction(0)
        for cost, low, high in zip(costs, self.lower, self.upper, strict=True):
            end = (-reach if low is None else max(low, -reach)) if cost > 0 else reach
            total += cost * (end if cost > 0 else (reach if high is None else min(high, reach)))
        return total

    def largest_square(self) -> Fraction:
        """At least ``w'w`` of any feasible weights."""
        bounds = list(zip(self.lower[: self.count], self.upper[: self.count], strict=True))
        sizes = [row.most**2 for row in self.at_most if row.limit == "gross"]
        if all(low is not None and low >= 0 for low, _ in bounds):
            sizes += [row.most**2 for row in (*self.equal, *self.at_most) if row.limit == "budget"]
        if sizes:
            return min(sizes)
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
        self.convex, self.shown, self.said = True, True, "there is no covariance"
        if value is None:
            return
        if "matrix" in value:
            rows = _whole_rows([[_float(text) for text in row] for row in value["matrix"]])
            self.shift, self.convex, self.said = _shown_semidefinite(rows)
            self.shown = len(rows) <= CHOLESKY_NAMES
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


def _parts(weights: Vector, parts: dict[str, Any]) -> Vector:
    """The further variables: positive parts of trades and shorts."""
    places: list[int] = parts["index"]
    signs: list[int] = parts["sign"]
    offsets = _vector(parts["offset"])
    return [
        max(Fraction(0), sign * (weights[place] - offset))
        for place, sign, offset in zip(places, signs, offsets, strict=True)
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
    for steps in (1, 1e3, 1e6):
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
