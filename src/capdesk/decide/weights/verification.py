"""A plan's JSON checked with the standard library alone, in rational arithmetic.

Nothing else of capdesk is needed than `rational` and `rational_growth` beside it. Feasibility, objective, bound and
gap are exact. Only one thing is shown in floating point, with a rigorous bound of its errors:
that a dense covariance is positive semidefinite but for a multiple `shift` of the identity, by
a Cholesky factorisation that ends (Higham, Accuracy and Stability of Numerical Algorithms,
theorem 10.3). The shift is charged to the bound.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt, sqrt
from operator import mul
from typing import Any

from capdesk.decide.weights import rational_growth
from capdesk.decide.weights.rational import NotAPlan, Problem, Vector

GAP = Fraction(1, 10**6)
LARGEST_GAP = Fraction(1, 10**4)
CONTRIBUTION = Fraction(1, 10**5)
OF_A_UNIT = Fraction(1, 10**3)
TOLD = Fraction(1, 10**6)
SMALLEST = Fraction(1, 10**300)


@dataclass(frozen=True)
class Check:
    """One thing that was recomputed: whether it holds, and the figures.

    `objective` and `bound` are what was found, where the plan states them too, and `scale` the
    size that differences are judged by. What is not `proven` was taken as the plan states it.
    """

    name: str
    holds: bool
    said: str
    objective: Fraction | None = None
    bound: Fraction | None = None
    scale: Fraction = Fraction(0)
    proven: bool = True


def check(text: str | bytes) -> list[Check]:
    """Check a plan's JSON; it is right if every check holds.

    Raises
    ------
    NotAPlan
        For a text that cannot be read as a plan.
    """
    try:
        plan = json.loads(text)
        problem = Problem(plan)
        if problem.kind not in _KINDS:
            raise NotAPlan(f"the plan's kind is {problem.kind!r}: this reads {', '.join(_KINDS)}")
        checks = [_sums(plan, problem), _feasible(problem), *_KINDS[problem.kind](problem)]
        return [*checks, _claims(plan, problem, checks)]
    except json.JSONDecodeError as error:
        raise NotAPlan(f"this is not a plan, because it is no JSON: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        if isinstance(error, NotAPlan):
            raise
        raise NotAPlan(f"this is not a plan: {type(error).__name__} {error}") from error


def _claims(plan: dict[str, Any], problem: Problem, checks: list[Check]) -> Check:
    """Whether the plan's own certificate says what was found: its kind, its sum, its objective and bound."""
    stated = plan["certificate"]
    kinds = _OF_STRATEGY.get(plan["strategy"], ("rule",))
    if stated["kind"] != problem.kind or problem.kind not in kinds:
        said = f"{plan['strategy']} with a certificate of kind {stated['kind']} and a problem of kind {problem.kind}"
        return Check("certificate", False, said)
    gap, tolerance = stated["gap"], stated["tolerance"]
    if gap is not None and not gap <= tolerance <= LARGEST_GAP:
        said = f"gap {gap:.1e} and tolerance {tolerance:.1e} are stated, and no plan with them is given"
        return Check("certificate", False, said)
    figures = [("sum", Fraction(stated["total"]), sum(problem.weights, Fraction(0)), Fraction(0))]
    for each in checks:
        for name, found in (("objective", each.objective), ("bound", each.bound)):
            if found is not None:
                figures.append((name, Fraction(stated[name]), found, LARGEST_GAP * each.scale))
    for name, claimed, found, room in figures:
        if abs(claimed - found) > room:
            return Check(
                "certificate", False, f"{name} {float(claimed):.12g} is stated, {float(found):.12g} found"
            )
    return Check("certificate", True, f"{', '.join(name for name, *_ in figures)} as stated")


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
    whole = all((weight / problem.unit).denominator == 1 for weight in problem.weights)
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
    return Check("feasible", worst <= OF_A_UNIT * problem.unit, said)


def _prices_allowed(problem: Problem) -> Check:
    negative = [price for price in problem.most_prices if price < 0]
    said = f"{len(problem.most_prices)} multipliers of rows, {len(negative)} of them negative"
    return Check("multipliers", not negative, said)


def _convex(problem: Problem) -> Check:
    covariance = problem.covariance
    holds = covariance.convex and problem.curvature >= 0
    return Check("convex", holds, covariance.said, proven=covariance.shown)


def _tolerance(problem: Problem, scale: Fraction, risk: Fraction) -> Fraction:
    """1e-6, and what whole units cost: at each priced row, and their own variance."""
    prices = risk / 2 * problem.unit * sum(problem.covariance.variances(), Fraction(0))
    for row, price in zip(problem.at_most, problem.most_prices, strict=True):
        if row.limit:
            prices += price * row.size
    return min(LARGEST_GAP, GAP + 2 * problem.unit * prices / scale)


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
    scale = max(abs(value), size, TOLD * max(map(abs, problem.linear), default=Fraction(0)), SMALLEST)
    gap, tolerance = (value - bound) / scale, _tolerance(problem, scale, half)
    said = (
        f"objective {float(value):.12g}, nothing feasible is below {float(bound):.12g}: gap {float(gap):.1e}, "
        f"at most {float(tolerance):.1e}"
    )
    optimal = Check("optimal", gap <= tolerance, said, value, bound, scale)
    return [_convex(problem), _prices_allowed(problem), optimal]


def _search(problem: Problem) -> list[Check]:
    """The optimum within the names that were chosen; what other choices are worth rests on the search."""
    *others, optimal = _optimum(problem)
    value = (optimal.objective or Fraction(0)) + problem.fixed
    scale = max(abs(value), optimal.scale)
    gap = (value - problem.search_bound) / scale
    within = replace(optimal, objective=value, bound=problem.search_bound, scale=scale)
    said = (
        f"with fixed costs of {float(problem.fixed):.6g} the objective is {float(value):.12g}; that no other choice "
        f"of names is below {float(problem.search_bound):.12g} (a gap of {max(float(gap), 0.0):.1e}) is taken as "
        "the branch and bound states it"
    )
    holds = problem.fixed >= 0 and gap >= -GAP
    return [
        *others,
        replace(within, name="within", said=optimal.said),
        Check("choice", holds, said, proven=False),
    ]


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
    ratio, most = _root_below(excess**2 / variance), _root_above(largest_squared)
    return [*checks, Check("optimal", gap <= tolerance, said, ratio, most, most)]


def _least_variance(problem: Problem) -> Fraction:
    """A lower bound of every feasible variance (of the shifted covariance), by the anchor."""
    if problem.anchor is None or any(price < 0 for price in problem.anchor_most):
        return Fraction(0)
    if len(problem.anchor_equal) != len(problem.equal) or len(problem.anchor_most) != len(problem.at_most):
        return Fraction(0)
    shift = problem.covariance.shift
    slope = [
        own + shift * at
        for own, at in zip(problem.covariance.times(problem.anchor), problem.anchor, strict=True)
    ]
    padded = [*slope, *([Fraction(0)] * (len(problem.x) - problem.count))]
    costs, constant = problem.priced_by(padded, problem.anchor_equal, problem.anchor_most)
    least = problem.least(costs) - constant
    size = _dot(problem.anchor, slope)
    return max(least, Fraction(0)) ** 2 / size if size > 0 else Fraction(0)


def _contributions(problem: Problem) -> list[Check]:
    """The optimality conditions of risk budgets, each in shares of the risk."""
    weights, slope = problem.x, problem.covariance.times(problem.weights)
    variance = _dot(problem.weights, slope)
    if variance <= 0 or problem.budgets is None or len(weights) > problem.count:
        return [Check("contributions", False, "there is no risk to share, or no budgets of it")]
    costs, _ = problem.priced(slope)
    worst = Fraction(0)
    for weight, cost, aim, low, high in zip(
        weights, costs, problem.budgets, problem.lower, problem.upper, strict=True
    ):
        error = (weight * cost - problem.slope * aim) / variance
        if high is not None and weight > high - problem.unit / 2:
            error = max(error, Fraction(0))
        elif low is not None and weight < low + problem.unit / 2:
            error = min(error, Fraction(0))
        worst = max(worst, abs(error))
    for row, price in zip(problem.at_most, problem.most_prices, strict=True):
        worst = max(worst, abs(price * (row.most - row.of(weights))) / variance)
    beside = max(problem.covariance.variances()) * (1 + isqrt(len(weights)))
    coarse = (
        problem.unit
        * max(abs(own) + weight * beside for own, weight in zip(slope, weights, strict=True))
        / variance
    )
    tolerance = min(LARGEST_GAP, CONTRIBUTION + coarse)
    said = (
        f"every share of risk that no limit holds is within {float(worst):.1e} of its budget, "
        f"at most {float(tolerance):.1e}"
    )
    return [_prices_allowed(problem), Check("contributions", worst <= tolerance, said)]


def _mixture(problem: Problem) -> Vector:
    """The chances, cut to what a mixture may have and filled up to 1."""
    most = 1 / (problem.tail * len(problem.scenarios[0]))
    chances = [min(max(chance, Fraction(0)), most) for chance in problem.chances or []]
    missing = 1 - sum(chances, Fraction(0))
    room = [most - chance if missing > 0 else chance for chance in chances]
    total = sum(room, Fraction(0))
    return (
        [chance + missing * own / total for chance, own in zip(chances, room, strict=True)]
        if missing
        else chances
    )


def _tail(problem: Problem) -> list[Check]:
    rows, below = problem.scenarios
    if not rows or len(problem.chances or []) != len(rows) or not 0 < problem.tail <= 1 or problem.curvature:
        return [Check("optimal", False, "the proof has no scenarios, or a curvature beside them")]
    outcomes = sorted(Fraction(sum(map(mul, row, problem.weights)), below) for row in rows)
    count = problem.tail * len(rows)
    whole = min(int(count), len(rows) - 1)
    own = -(sum(outcomes[:whole], Fraction(0)) + (count - whole) * outcomes[whole]) / count
    value = own + _dot(problem.linear, problem.x)
    chances = _mixture(problem)
    gradient = list(problem.linear)
    for place in range(problem.count):
        gradient[place] -= (
            sum((row[place] * chance for row, chance in zip(rows, chances, strict=True)), Fraction(0)) / below
        )
    costs, constant = problem.priced(gradient)
    bound = problem.least(costs) - constant
    sizes = (abs(cost * at) for cost, at in zip(problem.linear, problem.x, strict=True))
    held = [place for place, weight in enumerate(problem.weights) if weight]
    moves = sum(
        (
            chance * sum((abs(row[place] * problem.weights[place]) for place in held), Fraction(0))
            for row, chance in zip(rows, chances, strict=True)
            if chance
        ),
        Fraction(0),
    )
    scale = max(abs(own), moves / below, SMALLEST) + sum(sizes, Fraction(0))
    largest = max(
        (sum(abs(row[place]) * chance for row, chance in zip(rows, chances, strict=True)) for place in held),
        default=Fraction(0),
    )
    coarse = problem.unit * (1 + isqrt(len(held))) * largest / below
    tolerance = min(LARGEST_GAP, _tolerance(problem, scale, Fraction(0)) + coarse / scale)
    gap = (value - bound) / scale
    said = (
        f"tail loss and costs {float(value):.12g}, nothing feasible is below {float(bound):.12g}: "
        f"gap {float(gap):.1e}, at most {float(tolerance):.1e}"
    )
    return [_prices_allowed(problem), Check("optimal", gap <= tolerance, said, value, bound, scale)]


def _growth(problem: Problem) -> list[Check]:
    if (untold := rational_growth.untold(problem)) is not None:
        return [_prices_allowed(problem), Check("growth", True, untold, proven=False)]
    found = rational_growth.proven(problem)
    if found is None:
        return [Check("optimal", False, "an outcome that the plan lists leaves nothing of the bankroll")]
    gap, tolerance = (found.value - found.bound) / found.scale, _tolerance(problem, found.scale, Fraction(0))
    said = f"{found.said}: gap {float(gap):.1e}, at most {float(tolerance):.1e}"
    optimal = Check("optimal", gap <= tolerance, said, -found.value, -found.bound, found.scale)
    return [_prices_allowed(problem), optimal]


def _rule(_problem: Problem) -> list[Check]:
    said = "the strategy is a rule: its limits were checked, there is no objective to be optimal in"
    return [Check("rule", True, said)]


def _decimal(value: Fraction) -> str:
    return f"{float(value):.9f}".rstrip("0").rstrip(".")


_KINDS = {
    "optimum": _optimum,
    "search": _search,
    "sharpe": _sharpe,
    "contributions": _contributions,
    "tail": _tail,
    "growth": _growth,
    "rule": _rule,
}

_OF_STRATEGY = {
    "risk_parity": ("rule", "contributions"),
    "min_variance": ("optimum", "search"),
    "mean_variance": ("optimum", "search", "sharpe"),
    "max_sharpe": ("optimum", "sharpe"),
    "black_litterman": ("optimum", "search"),
    "kelly_criterion": ("optimum", "search", "growth", "rule"),
    "min_cvar": ("tail",),
    "frontier": ("optimum", "tail"),
}
"""The kinds of proof that a strategy has; those that are not here are rules."""
