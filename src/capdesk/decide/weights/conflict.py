"""Why limits cannot be met together: a minimal set of them, its arithmetic, and what would do.

A deletion filter (Chinneck & Dravnieks 1991) over linear problems leaves a set of limits of
which none can be spared. The multipliers that prove it infeasible (Farkas) add its limits up
to a contradiction between what is allowed and what is asked; and for each of its limits a
linear problem finds the least by which that one alone would have to give way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

import highspy
import numpy as np

from capdesk.decide.weights.limits import NO_LIMIT, Limits
from capdesk.decide.weights.linear import optimise
from capdesk.decide.weights.problem import Array
from capdesk.decide.weights.statement import no_risk, state
from capdesk.model.errors import CertificateError, InfeasibleError
from capdesk.model.evidence import Label
from capdesk.model.money import MICRO, NANO

_TOLERANCE = 1e-9
# A solver's tolerance must be small beside a weight's unit.
_SCALE = 1e3
_SIDES = {"max_weight": 1, "min_weight": -1, "max_trade": 1, "budget": 1, "long_only": -1}


@dataclass(frozen=True, slots=True, eq=False)
class _Clause:
    """One row ``coefficients' x <= limit`` of a limit that people know by `key`, divided by `size`."""

    key: tuple[str, str]
    coefficients: Array
    limit: float
    value: float
    sign: int
    size: float

    @property
    def asks(self) -> bool:
        """Whether it asks for more, and does not allow less."""
        return self.sign < 0


def explained(limits: Limits) -> InfeasibleError:
    """The error for limits that cannot be met together.

    Raises
    ------
    CertificateError
        Where a linear solver finds weights after all.
    """
    clauses = _clauses(limits)
    if _feasible(clauses):
        raise CertificateError(
            "the limits leave so little room that no solver finds an accurate answer: widen one of them"
        )
    minimal = _minimal(clauses)
    keys = list(dict.fromkeys(clause.key for clause in minimal if clause.key[0]))
    relaxations = [found for key in keys if (found := _relaxation(clauses, key)) is not None]
    relaxations.sort(key=lambda found: found[0])
    return InfeasibleError(
        tuple(_named(key) for key in keys),
        _arithmetic(minimal, limits),
        tuple(words for _, words in relaxations),
    )


def _clauses(limits: Limits) -> list[_Clause]:
    """Every limit as rows that are at most something; the budget is asked for where cash is not allowed."""
    count = len(limits.names)
    # A limit that gives way moves the bounds: sizes must be right on both sides of them.
    free = replace(limits, lower=np.full(count, -NO_LIMIT), upper=np.full(count, NO_LIMIT))
    statement = state(free, no_risk(count), 0.0, np.zeros(count), limits.budget, exact=False)
    problem = statement.problem
    clauses: list[_Clause] = []

    def add(row: Array, limit: float, label: Label) -> None:
        # Exposures have units of their own; a solver's tolerance has those of weights.
        size = float(np.abs(row).max(initial=0.0)) if label.limit.startswith("exposure") else 1.0
        size = size or 1.0
        key = (label.limit, label.name)
        clauses.append(_Clause(key, row / size, limit / size, label.value, label.sign, size))

    for row, limit, label in zip(*problem.equalities, statement.equality_labels, strict=True):
        add(row, float(limit), Label(f"{label.limit}_max", label.name, label.value))
        add(-row, -float(limit), Label(f"{label.limit}_min", label.name, label.value, -1))
    for row, limit, label in zip(*problem.inequalities, statement.inequality_labels, strict=True):
        add(row, float(limit), label)
        if label.limit == "budget" and not limits.allow_cash:
            add(-row, -float(limit), Label("budget", "", label.value, -1))
    width = len(problem.linear)
    bounds = limits if limits.trading is None else limits.trading
    for values, kinds, sign in (
        (bounds.upper, bounds.upper_kinds, 1),
        (bounds.lower, bounds.lower_kinds, -1),
    ):
        for index in range(count):
            kind = kinds if isinstance(kinds, str) else kinds[index]
            if abs(values[index]) >= NO_LIMIT or (kind == "budget" and sign > 0):
                continue
            same = isinstance(kinds, str) and (values == values[0]).all()
            name = "" if same or kind == "long_only" else limits.names[index]
            row = np.zeros(width)
            row[index] = sign
            value = float(values[index]) / NANO
            add(row, sign * value, Label(kind, name, value, sign))
            if sign < 0 and limits.long_only and kind != "long_only":
                add(row, 0.0, Label("long_only", "", 0.0, sign))
    clauses += _trades(limits, width)
    for index in range(count, width):
        row = np.zeros(width)
        row[index] = -1.0
        add(row, 0.0, Label("", "", 0.0))
    return clauses


def _trades(limits: Limits, width: int) -> list[_Clause]:
    """The largest trades as rows: no weight is further than that from where it is, either way."""
    if limits.trading is None or limits.current is None:
        return []
    most, clauses = limits.trading.most, list[_Clause]()
    same = bool((most == most[:1]).all())
    for index in np.flatnonzero(most < NO_LIMIT):
        key = ("max_trade", "" if same else limits.names[index])
        for sign in (1, -1):
            row = np.zeros(width)
            row[index] = sign
            limit = float(sign * limits.current[index] + most[index]) / NANO
            clauses.append(_Clause(key, row, limit, float(most[index]) / NANO, sign, 1.0))
    return clauses


def _minimise(costs: Array, clauses: Sequence[_Clause], extra: Array, lower: Array) -> highspy.Highs:
    """Minimise over ``rows x + extra e <= limits``, with lower bounds for all variables; x and e in thousandths."""
    rows = np.hstack([np.array([clause.coefficients for clause in clauses]), extra])
    limits = _SCALE * np.array([clause.limit for clause in clauses])
    nothing = np.full(len(limits), -np.inf)
    return optimise(costs, rows, (nothing, limits), (lower, np.full(len(costs), np.inf)))


def _elastic(clauses: Sequence[_Clause]) -> highspy.Highs:
    """The least sum of excesses by which rows must be broken."""
    width, count = len(clauses[0].coefficients), len(clauses)
    costs = np.concatenate([np.zeros(width), np.ones(count)])
    lower = np.concatenate([np.full(width, -np.inf), np.zeros(count)])
    return _minimise(costs, clauses, -np.eye(count), lower)


def _feasible(clauses: Sequence[_Clause]) -> bool:
    return not clauses or _elastic(clauses).getInfo().objective_function_value <= _TOLERANCE


def _minimal(clauses: list[_Clause]) -> list[_Clause]:
    """Spare every limit that can be spared while the rest stays impossible."""
    rare_first = sorted(
        {clause.key for clause in clauses if clause.key[0]},
        key=lambda key: (key[0] in _SIDES, key[0] == "budget", key[0] == "long_only", key),
    )
    for key in rare_first:
        rest = [clause for clause in clauses if clause.key != key]
        if not _feasible(rest):
            clauses = rest
    return clauses


def _relaxation(clauses: list[_Clause], key: tuple[str, str]) -> tuple[float, tuple[str, str, str]] | None:
    """By how much one limit would have to give way if all others stay: relatively, and in words."""
    own = [clause for clause in clauses if clause.key == key]
    if key[0] == "long_only":
        return None
    if key[0] == "max_trade":
        return _given_way(clauses, key, own[0].value, dict.fromkeys((1, -1), -1.0), 1)
    if key[0] == "budget":
        # A budget is what may be invested and, without cash, what must be: both move.
        ways = (_given_way(clauses, key, own[0].value, {1: -way, -1: way}, int(way)) for way in (-1.0, 1.0))
        return next((found for found in ways if found is not None), None)
    way = -1 if any(clause.asks for clause in own) else 1
    return _given_way(clauses, key, own[0].value, {way: -1.0}, way)


def _given_way(
    clauses: list[_Clause], key: tuple[str, str], value: float, moved: dict[int, float], way: int
) -> tuple[float, tuple[str, str, str]] | None:
    """The least change of a limit's value, up or down (`way`), that leaves room beside all others.

    `moved` tells, by the sign of its clauses, how their limits follow the change: -1 gives room.
    """
    width = len(clauses[0].coefficients)
    size = next(each.size for each in clauses if each.key == key)
    column = np.array([[moved.get(each.sign, 0.0) if each.key == key else 0.0] for each in clauses])
    costs = np.concatenate([np.zeros(width), [1.0]])
    lower = np.concatenate([np.full(width, -np.inf), [0.0]])
    highs = _minimise(costs, clauses, column, lower)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    change = size * float(highs.getInfo().objective_function_value) / _SCALE
    in_units = (value + way * change) * MICRO / size
    rounded = (floor(in_units + 1e-4) if way < 0 else ceil(in_units - 1e-4)) / MICRO * size
    words = (_named(key), _shown(value, key[0]), _shown(rounded, key[0]))
    return change / max(abs(value), 1e-12), words


def _arithmetic(minimal: list[_Clause], limits: Limits) -> str:
    """The contradiction: what is allowed, added up, is less than what is asked for."""
    duals = -np.asarray(_elastic(minimal).getSolution().row_dual)
    used = [
        (clause, price / clause.size)
        for clause, price in zip(minimal, duals, strict=True)
        if price > _TOLERANCE
    ]
    of_budget = [price for clause, price in used if clause.key[0] == "budget"]
    unit = of_budget[0] if of_budget else max(price for clause, price in used if clause.key[0])
    plain = not any(clause.key[0].startswith("exposure") for clause, _ in used)
    allowed: list[tuple[str, float, float]] = []
    asked: list[tuple[str, float, float]] = []
    for clause, price in used:
        limit = clause.limit * clause.size
        start = 0.0 if clause.key[0] else limit
        if clause.key[0] in ("turnover", "gross"):
            start = limit - clause.value
        if start:
            (allowed if start > 0 else asked).append(("the current weights", abs(start), price / unit))
        if limit - start:
            name = "" if clause.key[0] in _SIDES else _named(clause.key)
            (asked if clause.asks else allowed).append((name, abs(limit - start), price / unit))
    sides = [_side(allowed, plain=plain), _side(asked, plain=plain)]
    cash = (
        ", and cash is not allowed"
        if not limits.allow_cash and any(clause.key[0] == "budget" and clause.asks for clause, _ in used)
        else ""
    )
    return f"{sides[0]} < {sides[1]}{cash}"


def _side(terms: Iterable[tuple[str, float, float]], *, plain: bool) -> str:
    """One side of the contradiction, of terms (name, limit, how often): ``20 x 4 % = 80 %``."""
    counted: dict[tuple[str, float], float] = {}
    total = 0.0
    for name, limit, price in terms:
        counted[name, limit] = counted.get((name, limit), 0.0) + price
        total += price * limit
    words = [
        (f"{count:.6g} x " if abs(count - 1) > 1e-9 else "")
        + (f"{name} " if name else "")
        + _number(limit, plain=plain)
        for (name, limit), count in counted.items()
    ]
    if not words:
        return _number(0.0, plain=plain)
    single = len(words) == 1 and abs(next(iter(counted.values())) - 1) <= 1e-9
    return words[0] if single else f"{' + '.join(words)} = {_number(total, plain=plain)}"


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]} of {key[1]}" if key[1] else key[0]


def _shown(value: float, kind: str) -> str:
    return _number(value, plain=not kind.startswith("exposure"))


def _number(value: float, *, plain: bool) -> str:
    return f"{value * 100:.12g} %" if plain else f"{value:.12g}"
