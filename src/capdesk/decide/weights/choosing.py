"""Which names to hold: a limit on their number, a least holding, fixed costs of trading.

Where the objective is quadratic the choice is exact, by branch and bound. Elsewhere the names
are preselected: those that have most without the choice, the smallest going while it has less
than the least that may be held; the plan says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from capdesk.decide.weights import feasibility, fixed_trades, mixed_integer, quadratic
from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.optimum import Found, finish, optimum
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.decide.weights.statement import Statement, state
from capdesk.model.errors import CertificateError, InfeasibleError, InvalidInput
from capdesk.model.money import NANO

WITHIN = "the weights are right within the preselected names {names}; another choice of names may be better"
UNPROVEN = "the search for names ended before it was proven: another choice may be better by {part:.1e}"


def best(
    limits: Limits, covariance: Covariance, curvature: float, linear: Array, *, invest: bool | None = None
) -> Found:
    """The optimum of a quadratic objective within limits, names chosen where those ask for it."""
    invest = limits.fully_invested if invest is None else invest
    if limits.discrete:
        return exact(limits, covariance, curvature, linear, invest=invest)
    return optimum(limits, covariance, curvature, linear, invest=invest)


def exact(limits: Limits, covariance: Covariance, curvature: float, linear: Array, *, invest: bool) -> Found:
    """The best choice of names with its best weights, for a quadratic objective.

    Raises
    ------
    InvalidInput
        For weights that have no bound where the covariance is singular, or fixed costs of names
        held now beside another choice.
    InfeasibleError
        Where no choice meets the limits.
    CertificateError
        Where one does, and no solver finds an accurate answer.
    """
    limits = _within_gross(limits)

    def attempt(total: int) -> tuple[Statement, mixed_integer.Chosen]:
        statement = state(limits, covariance, curvature, linear, total, exact=invest)
        try:
            return statement, _search(limits, statement.problem)
        except mixed_integer.Unbounded:
            raise InvalidInput(
                "a choice of names by a singular covariance needs bounds: give gross, or min_weight and max_weight"
            ) from None

    def again(total: int) -> tuple[Statement, mixed_integer.Chosen]:
        try:
            return attempt(total)
        except quadratic.NotSolved as failure:
            raise _unproven(failure) from failure

    total = _total(limits) if invest else limits.budget
    try:
        statement, found = attempt(total)
    except quadratic.NotSolved as failure:
        total = _largest(limits, total, failure)
        statement, found = again(total)
    if invest and limits.allow_cash and (most := _chosen(limits, found).most) < total:
        # The names that were chosen lack a unit or two, which is less than a solver's tolerance.
        total = most
        statement, found = again(total)
    fixed = 0.0 if limits.fixed_costs is None else found.objective - found.problem.objective(found.solution.x)
    stated = replace(statement, problem=found.problem)
    done = finish("search", _chosen(limits, found), stated, found.solution, total if invest else None)
    proof = structs.replace(done.evidence, fixed=fixed, search_bound=found.bound)
    size = max(abs(found.objective), 1e-300)
    notes = () if found.proven else (UNPROVEN.format(part=(found.objective - found.bound) / size),)
    return Found(proof, f"branch and bound over {done.solver}", notes)


def _chosen(limits: Limits, found: mixed_integer.Chosen) -> Limits:
    """The limits that a choice leaves."""
    if _trades(limits):
        return _stayed(limits, ~found.held)
    return _restricted(limits, found.held, found.solution.x[: len(found.held)])


def _within_gross(limits: Limits) -> Limits:
    """No weight is larger than all their sizes together may be."""
    if limits.gross is None:
        return limits
    lower, upper = np.maximum(limits.lower, -limits.gross), np.minimum(limits.upper, limits.gross)
    return replace(
        limits,
        lower=lower,
        upper=upper,
        lower_kinds=_kinds(limits.lower_kinds, lower > limits.lower, "gross"),
        upper_kinds=_kinds(limits.upper_kinds, upper < limits.upper, "gross"),
    )


def _trades(limits: Limits) -> bool:
    """Whether names that are held now cost something to trade, so that trades are what is chosen."""
    fixed, current = limits.fixed_costs, limits.current
    return fixed is not None and current is not None and bool(current[fixed > 0].any())


def _search(limits: Limits, problem: quadratic.QuadraticProblem) -> mixed_integer.Chosen:
    least = None if limits.min_if_held is None else limits.min_if_held / NANO
    fixed, strict = limits.fixed_costs, not limits.allow_cash
    if fixed is not None and limits.current is not None and _trades(limits):
        if limits.max_names is not None or least is not None:
            raise InvalidInput(
                "fixed_costs of names that are held now cannot be planned together with max_names or "
                "min_weight_if_held: leave one of them out"
            )
        return fixed_trades.solve(problem, fixed, limits.current / NANO, strict=strict)
    return mixed_integer.solve(
        problem, max_names=limits.max_names, min_if_held=least, fixed_costs=fixed, strict=strict
    )


def preselected(limits: Limits, plan: Callable[[Limits], Found]) -> Found:
    """Plan without the choice, keep the names that have most, and plan again within those.

    Where those do not meet the limits, it is the names with which most can be invested.

    Raises
    ------
    InfeasibleError
        Where more names have a minimum than may be held, or none may have its least.
    """
    must = (limits.lower > 0) | (limits.upper < 0)
    least: Whole = np.zeros(len(must), np.int64) if limits.min_if_held is None else limits.min_if_held
    places = len(must) if limits.max_names is None else limits.max_names
    if must.sum() > places:
        raise _too_many(limits, int(must.sum()), places)
    everyone = np.ones(len(must), np.bool_)
    free = _restricted(replace(limits, min_if_held=np.where(must, least, 0)), everyone, limits.lower)
    units = plan(free).evidence.weights
    held = np.zeros(len(units), np.bool_)
    held[np.argsort(-np.where(must, np.inf, np.abs(units)), kind="stable")[:places]] = True
    held &= must | (units != 0)
    while held.any():
        try:
            found = plan(_restricted(free, held, units))
        except InfeasibleError:
            break
        short = np.flatnonzero(held & ~must & (np.abs(found.evidence.weights) < least))
        if not len(short):
            return _noted(found, limits, held)
        held[short[np.abs(found.evidence.weights[short]).argmin()]] = False
    widest = feasibility.widest_choice(limits)
    if widest is None or not (held := (widest.lower != 0) | (widest.upper != 0)).any():
        raise _impossible(limits)
    return _noted(plan(widest), limits, held)


def _noted(found: Found, limits: Limits, held: NDArray[np.bool_]) -> Found:
    names = ", ".join(name for name, chosen in zip(limits.names, held, strict=True) if chosen)
    return replace(found, notes=(*found.notes, WITHIN.format(names=names)))


def _total(limits: Limits) -> int:
    """The largest sum that the bounds allow with the names that may be held."""
    whole = feasibility.total(limits)
    if limits.max_names is None:
        return whole
    most = int(np.sort(limits.upper)[::-1][: limits.max_names].sum())
    if most < whole and not limits.allow_cash:
        raise InfeasibleError(
            ("budget", "max_names", "max_weight"),
            f"the {limits.max_names} largest maxima add up to {_percent(most)} < {_percent(whole)}, "
            "and cash is not allowed",
            (("budget", _percent(whole), _percent(most)),),
        )
    return min(whole, most)


def _largest(limits: Limits, total: int, failure: quadratic.NotSolved) -> int:
    """The largest sum below `total` that any choice of names allows.

    Raises
    ------
    InfeasibleError
        Where no choice meets the limits, or the rest would be cash, and that is not allowed.
    CertificateError
        Where a choice allows `total`, so that a solver failed.
    """
    largest = feasibility.largest_choice(limits)
    if not largest:
        raise _impossible(limits) from failure
    if largest >= total:
        raise _unproven(failure) from failure
    if not limits.allow_cash:
        said = f"no choice of names invests more than {_percent(largest)} < {_percent(limits.budget)}, "
        relaxed = ("budget", _percent(limits.budget), _percent(largest))
        raise InfeasibleError(("budget", *_asked(limits)), f"{said}and cash is not allowed", (relaxed,))
    return largest


def _unproven(failure: quadratic.NotSolved) -> CertificateError:
    return CertificateError(f"no solver proved an answer for any choice of names: {failure}")


def _percent(units: int) -> str:
    return f"{units * 100 / NANO:.12g} %"


def _asked(limits: Limits) -> tuple[str, ...]:
    """The limits that make names be chosen."""
    named = (("max_names", limits.max_names), ("min_weight_if_held", limits.min_if_held))
    return tuple(name for name, given in named if given is not None)


def _impossible(limits: Limits) -> InfeasibleError:
    """The conflict of the limits without the choice, or else the choice itself."""
    feasibility.largest_sum(limits)
    must = int(((limits.lower > 0) | (limits.upper < 0)).sum())
    if limits.max_names is not None and must > limits.max_names:
        return _too_many(limits, must, limits.max_names)
    largest = np.maximum(limits.upper, -limits.lower)
    if limits.min_if_held is not None and (limits.min_if_held > largest).all():
        place = int((limits.min_if_held - largest).argmin())
        least, most = _percent(int(limits.min_if_held[place])), _percent(int(largest[place]))
        kinds = limits.upper_kinds if limits.upper[place] == largest[place] else limits.lower_kinds
        beside = kinds if isinstance(kinds, str) else kinds[place]
        return InfeasibleError(
            ("min_weight_if_held", beside),
            f"no name may have more than {most} < {least}",
            (("min_weight_if_held", least, most),),
        )
    asked = _asked(limits)
    said = f"no choice of names meets {' and '.join(asked)} together with the other limits"
    return InfeasibleError((*asked, "budget"), said, ())


def _too_many(limits: Limits, must: int, places: int) -> InfeasibleError:
    kinds = limits.lower_kinds if (limits.lower > 0).any() else limits.upper_kinds
    place = int(((limits.lower > 0) | (limits.upper < 0)).argmax())
    beside = kinds if isinstance(kinds, str) else kinds[place]
    said = f"{must} names have a minimum, and only {places} may be held"
    return InfeasibleError((beside, "max_names"), said, (("max_names", str(places), str(must)),))


def _restricted(limits: Limits, held: NDArray[np.bool_], weights: Array | Whole) -> Limits:
    """Limits in which who is out has nothing, and who is in at least the least, long or short as it is."""
    least: Whole = np.zeros(len(held), np.int64) if limits.min_if_held is None else limits.min_if_held
    long, short = held & (least > 0) & (weights >= 0), held & (least > 0) & (weights < 0)
    lower = np.where(long, np.maximum(limits.lower, least), limits.lower)
    upper = np.where(short, np.minimum(limits.upper, -least), limits.upper)
    lower_kinds = _kinds(limits.lower_kinds, lower > limits.lower, "min_weight_if_held")
    upper_kinds = _kinds(limits.upper_kinds, upper < limits.upper, "min_weight_if_held")
    return replace(
        limits,
        lower=np.where(held, lower, 0),
        upper=np.where(held, upper, 0),
        lower_kinds=_kinds(lower_kinds, ~held & (limits.lower < 0), "max_names"),
        upper_kinds=_kinds(upper_kinds, ~held, "max_names"),
        max_names=None,
        min_if_held=None,
        fixed_costs=None,
    )


def _stayed(limits: Limits, staying: NDArray[np.bool_]) -> Limits:
    """Limits in which who is not traded stays where it is."""
    start = np.zeros(len(staying), np.int64) if limits.current is None else limits.current
    return replace(
        limits,
        lower=np.where(staying, start, limits.lower),
        upper=np.where(staying, start, limits.upper),
        lower_kinds=_kinds(limits.lower_kinds, staying, "fixed_costs"),
        upper_kinds=_kinds(limits.upper_kinds, staying, "fixed_costs"),
        fixed_costs=None,
    )


def _kinds(kinds: str | tuple[str, ...], changed: NDArray[np.bool_], into: str) -> tuple[str, ...]:
    before = [kinds] * len(changed) if isinstance(kinds, str) else kinds
    return tuple(into if change else kind for change, kind in zip(changed, before, strict=True))
