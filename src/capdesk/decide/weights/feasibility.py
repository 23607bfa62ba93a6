"""How much of the budget the limits let in, and whether they can be met at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import floor
from typing import TypeVar

import highspy
import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights import conflict, quadratic
from capdesk.decide.weights.limits import NO_LIMIT, Limits
from capdesk.decide.weights.linear import is_optimal, optimise
from capdesk.decide.weights.problem import Array
from capdesk.decide.weights.scaling import even_rows
from capdesk.decide.weights.statement import no_risk, state
from capdesk.model.errors import CertificateError
from capdesk.model.money import NANO

Answer = TypeVar("Answer")

_UNIT = 1e-3
_MARGIN = 20
_FAR = 1e3


def total(limits: Limits) -> int:
    """What the weights should add up to: the smaller of the budget and the sum of the maxima.

    Rows may still forbid it, which a solver finds out; then ask `largest_sum`.

    Raises
    ------
    InfeasibleError
        Where the bounds alone forbid it.
    """
    most, least = limits.most, limits.least
    crossed = (limits.lower > limits.upper).any()
    if crossed or least > limits.budget or (most < limits.budget and not limits.allow_cash):
        raise conflict.explained(limits)
    return min(limits.budget, most)


def with_largest_total(limits: Limits, attempt: Callable[[int], Answer]) -> tuple[Answer, int]:
    """An answer for the whole budget, or where that cannot be for the largest sum, and the sum.

    Parameters
    ----------
    attempt
        Solves for a sum in billionths, or raises `quadratic.NotSolved`.

    Raises
    ------
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where they can, and no solver finds an accurate answer.
    """
    whole = total(limits)
    try:
        return attempt(whole), whole
    except quadratic.NotSolved as failure:
        largest = largest_sum(limits)
        if largest >= whole:
            raise CertificateError(_unsolved(limits, whole, failure)) from failure
    try:
        return attempt(largest), largest
    except quadratic.NotSolved as failure:
        raise CertificateError(_unsolved(limits, largest, failure)) from failure


def _unsolved(limits: Limits, invested: int, failure: Exception) -> str:
    said = f"no solver proved an answer with {invested / NANO:g} invested, which the limits allow: {failure}"
    if (limits.lower <= -NO_LIMIT).any() and limits.gross is None:
        said += "; shorts without a limit may have no optimum: give gross, or min_weight and max_weight"
    return said


def largest_sum(limits: Limits) -> int:
    """The largest sum of weights, at most the budget, that all limits allow, in billionths.

    Where exposures to parts of names forbid the whole budget it is twenty billionths less: at
    the largest sum itself only a few weights meet rows of real numbers, and none need be whole
    billionths.

    Raises
    ------
    InfeasibleError
        Where it is less than the budget and cash is not allowed, or no weights meet the limits.
    """
    found = _most(limits)
    if found is None:
        raise conflict.explained(limits)
    if found < limits.budget and not limits.allow_cash:
        raise conflict.explained(limits)
    return _beside_exposures(limits, found)


def largest_choice(limits: Limits) -> int | None:
    """`largest_sum` over all choices of names; None where no choice meets the limits."""
    chosen = widest_choice(limits)
    found = None if chosen is None else _most(chosen)
    return None if found is None else _beside_exposures(limits, found)


def widest_choice(limits: Limits) -> Limits | None:
    """The limits of a choice of names that invests most; None where no choice meets the limits."""
    highs, places = _invested(limits, choosing=True)
    if highs is None:
        return None
    return _with_choice(limits, np.round(highs.getSolution().col_value[-places:]) > 0)


def _beside_exposures(limits: Limits, largest: int) -> int:
    exposed = any(row.kind == "exposure" and not _counts_whole(row.coefficients) for row in limits.rows)
    return largest - _MARGIN if exposed and largest < limits.budget else largest


def _counts_whole(coefficients: Array) -> bool:
    """Whether a row adds up whole weights, as a group does: then whole billionths meet it."""
    return bool(np.isin(coefficients, (-1.0, 0.0, 1.0)).all())


def _most(limits: Limits) -> int | None:
    """The largest sum in billionths, by a linear problem; None where no weights meet the limits."""
    highs, _ = _invested(limits)
    if highs is None:
        return None
    return min(floor(-highs.getInfo().objective_function_value * NANO + _UNIT), limits.budget)


def _invested(limits: Limits, *, choosing: bool = False) -> tuple[highspy.Highs | None, int]:
    """HiGHS at the largest sum, over choices of names too if asked, and how many variables choose."""
    count = len(limits.names)
    stated = state(limits, no_risk(count), 0.0, np.zeros(count), limits.budget, exact=False)
    even = even_rows(stated.problem)
    problem = stated.problem if even is None else even.problem
    costs = np.zeros(len(problem.linear))
    costs[:count] = -1.0
    rows = np.vstack([problem.equalities[0], problem.inequalities[0]])
    high = np.concatenate([problem.equalities[1], problem.inequalities[1]])
    low = np.concatenate([problem.equalities[1], np.full(len(problem.inequalities[1]), -np.inf)])
    lower, upper = problem.lower, problem.upper
    whole = 0
    if choosing:
        chosen, room = _choice(limits, len(costs))
        whole = chosen.shape[1] - len(costs)
        rows = np.vstack([np.hstack([rows, np.zeros((len(rows), whole))]), chosen])
        low, high = np.concatenate([low, np.full(len(room), -np.inf)]), np.concatenate([high, room])
        costs = np.concatenate([costs, np.zeros(whole)])
        lower, upper = np.concatenate([lower, np.zeros(whole)]), np.concatenate([upper, np.ones(whole)])
    highs = optimise(costs, rows, (low, high), (lower, upper), whole)
    return (highs if is_optimal(highs) else None), whole


def _with_choice(limits: Limits, picked: NDArray[np.bool_]) -> Limits:
    """The limits in which names are held as the variables of `_choice` say."""
    count = len(limits.names)
    least = np.zeros(count, np.int64) if limits.min_if_held is None else limits.min_if_held
    long, short = picked[:count], np.zeros(count, np.bool_)
    short[limits.lower < 0] = picked[count:]
    lower = np.where(long, np.maximum(limits.lower, least), np.where(short, limits.lower, 0))
    upper = np.where(long, limits.upper, np.where(short, np.minimum(limits.upper, -least), 0))
    return replace(limits, lower=lower, upper=upper, max_names=None, min_if_held=None, fixed_costs=None)


def _choice(limits: Limits, width: int) -> tuple[Array, Array]:
    """Rows at most their limits that tie weights (of `width` variables) to who is held, and how.

    A name has a variable for being held long, and where it may be short one for that.
    """
    count = len(limits.names)
    least = np.zeros(count) if limits.min_if_held is None else limits.min_if_held / NANO
    own, beside = np.eye(count, width), np.eye(count)
    places = count if limits.max_names is None else limits.max_names
    most = np.clip(limits.upper / NANO, -_FAR, _FAR)
    shorts = np.flatnonzero(limits.lower < 0)
    down = np.clip(limits.lower / NANO, -_FAR, _FAR)
    short = beside[:, shorts]
    rows = np.vstack(
        [
            np.hstack([own, -beside * np.maximum(most, 0.0), short * least[:, None]]),
            np.hstack([-own, beside * least, short * down[:, None]]),
            np.hstack([np.zeros((count, width)), beside, short]),
            np.hstack([np.zeros((1, width)), np.ones((1, count + len(shorts)))]),
        ]
    )
    return rows, np.concatenate([np.zeros(2 * count), np.ones(count), [places]])
