"""The growth of a bankroll in rational arithmetic: bounds of logarithms, and of what no stakes can beat.

Growth is E log(1 + R'v), concave in the stakes v. Its slope is rational, so at any point p the
tangent ``growth(p) + slope(p)'(v - p)`` is a bound for all stakes once the logarithm at p is
bounded from above (Boyd & Vandenberghe, Convex Optimization, section 3.1.3). Logarithms are
summed as 2 artanh t = 2 (t + t^3 / 3 + ...) in integers of 2^-192, each error counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from capdesk.decide.weights.rational import Problem, Vector

MOST_BETS = 12
"""The most independent bets whose 2^n outcomes are listed."""

_BITS = 192
_ONE = 1 << _BITS
_TERMS = 80
# Growth as small as this is none: the errors of the logarithms are far below a part of it.
_NOTHING = Fraction(1, 10**30)


@dataclass(frozen=True)
class Growth:
    """The objective ``linear'x - s growth(x / s)`` at the weights, and what nothing feasible is below.

    Attributes
    ----------
    value, bound
        Rounded against the plan: the value up, the bound down.
    scale
        The size that their difference is judged by.
    outcomes
        How many outcomes were gone through.
    """

    value: Fraction
    bound: Fraction
    scale: Fraction
    outcomes: int

    @property
    def said(self) -> str:
        """The figures in words."""
        return (
            f"growth after costs {float(-self.value):.12g} by {self.outcomes} outcomes, nothing feasible is "
            f"above {float(-self.bound):.12g}"
        )


def untold(problem: Problem) -> str | None:
    """What to say where growth is not recomputed: bounded in drawdown, or too many independent bets."""
    if problem.exponent:
        return "taken as stated: a drawdown bound has powers that no fraction is; the limits were checked"
    bets = len(problem.scenarios[0][0]) if problem.tail else 0
    if bets <= MOST_BETS:
        return None
    return f"taken as stated: {bets} independent bets have 2^{bets} outcomes, more than are gone through here"


def proven(problem: Problem) -> Growth | None:
    """The figures of a plan of stakes; None where some outcome leaves nothing.

    Notes
    -----
    The slope is rounded to 2^-192 a term. What that may change in the tangent is charged to the
    bound, over the largest weights that its box has.
    """
    part, count = problem.slope, problem.count
    if part <= 0:
        return None
    weights = [weight / part for weight in problem.weights]
    point = [stake / part for stake in problem.point[:count]]
    here = there = Fraction(0)
    slope, outcomes = [0] * count, 0
    for chance, returns in _outcomes(problem):
        wealth, at_point = 1 + _dot(returns, weights), 1 + _dot(returns, point)
        if wealth <= 0 or at_point <= 0 or chance < 0:
            return None
        here += chance * log_below(wealth)
        there += chance * log_above(at_point)
        share = chance / at_point
        for place, each in enumerate(returns):
            moved = share * each
            slope[place] += (moved.numerator << _BITS) // moved.denominator
        outcomes += 1
    steep = [Fraction(each, _ONE) for each in slope]
    gradient = list(problem.linear)
    for place, each in enumerate(steep):
        gradient[place] -= each
    costs, constant = problem.priced(gradient)
    bound = problem.least(costs) - constant - part * there + part * _dot(steep, point)
    bound -= 2 * Fraction(outcomes, _ONE) * count * _reach(problem)
    value = _dot(problem.linear, problem.x) - part * here
    moves = sum((abs(each * stake) for each, stake in zip(steep, problem.point, strict=False)), Fraction(0))
    return Growth(value, bound, max(abs(value), moves, _NOTHING), outcomes)


def _outcomes(problem: Problem) -> Iterator[tuple[Fraction, Vector]]:
    """Each outcome's chance and net returns: as they are listed, or all of independent bets."""
    rows, below = problem.scenarios
    chances = problem.chances or []
    if not problem.tail:
        for chance, row in zip(chances, rows, strict=True):
            yield chance, [Fraction(value, below) for value in row]
        return
    wins = [Fraction(below - cost, cost) for cost in rows[0]]
    for outcome in range(1 << len(wins)):
        chance, returns = Fraction(1), list[Fraction]()
        for place, (win, own) in enumerate(zip(wins, chances, strict=True)):
            won = bool(outcome >> place & 1)
            chance *= own if won else 1 - own
            returns.append(win if won else Fraction(-1))
        if chance:
            yield chance, returns


def _reach(problem: Problem) -> Fraction:
    """At least the size of any weight in the box, and of the point."""
    ends = [end for end in (*problem.lower, *problem.upper) if end is not None]
    return 2 * max([Fraction(1), *map(abs, ends), *map(abs, problem.point)])


def _dot(first: Vector, second: Vector) -> Fraction:
    return sum(map(mul, first, second), Fraction(0))


def log_below(value: Fraction) -> Fraction:
    """A fraction below log(value) by less than 2^-150 of its size, or of 1."""
    middle, error = _log(value)
    return Fraction(middle - error, _ONE)


def log_above(value: Fraction) -> Fraction:
    """A fraction above log(value) by as little."""
    middle, error = _log(value)
    return Fraction(middle + error, _ONE)


def _log(value: Fraction) -> tuple[int, int]:
    """log(value) in units of 2^-192, and by how many of them it may be off."""
    doublings = value.numerator.bit_length() - value.denominator.bit_length()
    near = value / Fraction(2) ** doublings
    # Between 1/2 and 2, so that |t| is at most 1/3 and the series falls ninefold a term.
    size = _artanh(near.numerator - near.denominator, near.numerator + near.denominator)
    return 2 * (size + doublings * _artanh(1, 3)), 4 * _TERMS * (1 + abs(doublings))


def _artanh(above: int, below: int) -> int:
    """artanh(above / below) in units of 2^-192, off by at most two units a term."""
    ratio = (above << _BITS) // below
    square = ratio * ratio >> _BITS
    total, power = 0, ratio
    for term in range(_TERMS):
        total += power // (2 * term + 1)
        power = power * square >> _BITS
    return total
