"""Which limits of a treasury cannot be kept together, and by how little one of them would have to give way.

A deletion filter (Chinneck & Dravnieks 1991) over the parameters: each in its turn is let go
of, and stays so where the problem remains impossible without it. For each of those that are
left the smallest change that alone makes the problem possible is found by halving.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from capdesk.decide.pools import whole
from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.problem import Infeasible, NotSolved, PoolProblem
from capdesk.model.pool_parameters import PoolParameters

ANY = 1e9
"""A gap at which every plan is good enough: it is asked whether there is one."""

Statement = Callable[[PoolParameters], Desk]
_SHARE_STEP = 1e-4
_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Knob:
    """A limit that may give way, in steps from the value as given (0) to none (the last).

    Parameters
    ----------
    names
        The parameters that are the limit; together they give way.
    values
        The value at each step, as far from the first as it has to be.
    apply
        Parameters with the limit at a value.
    show
        A value in words.
    """

    names: tuple[str, ...]
    values: Sequence[float]
    apply: Callable[[PoolParameters, float], PoolParameters]
    show: Callable[[float], str]


def possible(problem: PoolProblem) -> bool:
    """Whether any flows obey the limits.

    The whole program is asked: its rows show at once what a tree would have to try to the end.
    """
    try:
        whole.solve(problem, ANY)
    except (Infeasible, NotSolved):
        return False
    return True


def minimal(state: Statement, parameters: PoolParameters, knobs: Iterable[Knob]) -> tuple[list[Knob], Desk]:
    """The limits of which none can be spared, and the problem in which only they stand."""
    kept: list[Knob] = []
    desk = state(parameters)
    for knob in knobs:
        without = knob.apply(parameters, knob.values[-1])
        its = state(without)
        if possible(its.problem):
            kept.append(knob)
        else:
            parameters, desk = without, its
    return kept, desk


def change(state: Statement, parameters: PoolParameters, knob: Knob) -> float | None:
    """The value nearest to the one given at which this limit alone makes the problem possible."""

    def does(step: int) -> bool:
        return possible(state(knob.apply(parameters, knob.values[step])).problem)

    low, high = 0, len(knob.values) - 1
    if not does(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if does(middle) else (middle, high)
    return knob.values[high]


def knobs(
    parameters: PoolParameters, desk: Desk, pools: int, days_since_moves: Iterable[float]
) -> list[Knob]:
    """Every limit that is in force, the plainest last: the filter keeps what it asks last.

    Where the smallest position is all that keeps pools from taking anything, it is the plainest.
    """
    found = [
        *_waiting(parameters, days_since_moves),
        *_ceiling(parameters),
        *_sums(parameters),
        *_counts(parameters, pools),
        *(
            knob
            for table in ("token_max_pct", "protocol_max_pct", "chain_max_pct")
            for knob in _named(parameters, table)
        ),
        _shares(parameters, ("tvl_limit_percentage", "position_max_pct_pool_tvl")),
        _shares(
            parameters,
            ("position_max_pct_total_assets",)
            if parameters.profit_optimization
            else ("position_max_pct_total_assets", "max_alloc_percentage"),
        ),
        *(_shares(parameters, (f"group{group}_max_pct",)) for group in (3, 2, 1)),
    ]
    if not desk.problem.size:
        found.sort(key=lambda knob: knob.names == ("minimum_ticket_usd",))
    return [knob for knob in found if len(knob.values) > 1]


def _shares(parameters: PoolParameters, names: tuple[str, ...]) -> Knob:
    """Fractions that give way upwards to 1; of several all that are smaller move along."""
    given = min(getattr(parameters, name) for name in names)

    def apply(its: PoolParameters, value: float) -> PoolParameters:
        return replace(its, **{name: max(getattr(its, name), value) for name in names})

    return Knob(names, _upwards(given), apply, _percent)


def _named(parameters: PoolParameters, table: str) -> list[Knob]:
    limits: dict[str, float] = getattr(parameters, table)

    def of(name: str) -> Knob:
        def apply(its: PoolParameters, value: float) -> PoolParameters:
            return replace(its, **{table: {**getattr(its, table), name: value}})

        return Knob((f"{table}[{name!r}]",), _upwards(limits[name]), apply, _percent)

    return [of(name) for name in limits]


def _upwards(given: float) -> list[float]:
    first = math.floor(given / _SHARE_STEP + 1e-6) + 1
    last = round(1 / _SHARE_STEP)
    return [given, *(step * _SHARE_STEP for step in range(first, last + 1))]


def _counts(parameters: PoolParameters, pools: int) -> list[Knob]:
    """The number of pools: at most more of them, at least fewer."""
    found: list[Knob] = []
    if not parameters.profit_optimization and parameters.min_pools > 1:
        found.append(_field("min_pools", list(range(parameters.min_pools, 0, -1)), str))
    if parameters.max_pools is not None and pools > parameters.max_pools:
        found.append(_field("max_pools", list(range(parameters.max_pools, pools + 1)), str))
    return found


def _sums(parameters: PoolParameters) -> list[Knob]:
    """The smallest move and the smallest position."""
    least = {"minimum_move_usd": 0.0, "minimum_ticket_usd": 0.01}
    found: list[Knob] = []
    for name, low in least.items():
        given = getattr(parameters, name)
        if given > low:
            steps = min(_STEPS, math.ceil((given - low) * 100))
            values = [given - (given - low) * step / steps for step in range(1, steps)]
            found.append(
                _field(name, [given, *(math.floor(each * 100) / 100 for each in values), low], _dollars)
            )
    return found


def _waiting(parameters: PoolParameters, days_since_moves: Iterable[float]) -> list[Knob]:
    given = parameters.cool_down_days
    shorter = sorted({days for days in days_since_moves if days < given}, reverse=True)
    return [_field("cool_down_days", [given, *shorter], lambda days: f"{days:g}")]


def _ceiling(parameters: PoolParameters) -> list[Knob]:
    given = parameters.max_gas_gwei
    if given is None:
        return []
    higher = sorted({costs.gas_gwei for costs in parameters.chains.values() if costs.gas_gwei > given})
    return [_field("max_gas_gwei", [given, *higher], lambda gwei: f"{gwei:g}")]


def _field(name: str, values: Sequence[float], show: Callable[[Any], str]) -> Knob:
    return Knob((name,), values, lambda its, value: replace(its, **{name: value}), show)


def _percent(value: float) -> str:
    return f"{value * 100:.6g} %"


def _dollars(value: float) -> str:
    return f"${value:,.2f}"
