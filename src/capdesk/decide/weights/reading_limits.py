"""Constraints as people write them, read for the names of a plan: every limit in billionths.

A maximum is rounded down and a minimum up, so that weights in billionths that obey what is
read obey what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, SupportsIndex, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.constraints import Constraints, Exposure, Group
from capdesk.decide.weights.limits import NO_LIMIT, Limits, Row, Trading, Whole
from capdesk.decide.weights.reading_names import check_known, order_of
from capdesk.model.errors import InvalidInput
from capdesk.model.evidence import Array
from capdesk.model.money import NANO, Amount, read_decimal, to_nano

_LARGEST_BARE = 10 * NANO

_PLAIN = frozenset((type(None), int, float, str, Decimal, Amount))

Kind = TypeVar("Kind")


def read_limits(
    names: tuple[str, ...], constraints: Constraints, current: Mapping[str, Any] | None = None
) -> Limits:
    """Read constraints for names.

    Parameters
    ----------
    current
        Weights by name (0 for those left out), where trades, turnover or costs count from.

    Raises
    ------
    InvalidInput
        For a percent where a fraction is meant, an unknown name, a minimum above its maximum,
        and limits of trades without current weights.
    """
    c = constraints
    sizes: tuple[Any, ...] = (c.max_weight, c.min_weight, c.budget)
    others = (c.gross, c.turnover, c.max_trade, c.max_names, c.min_weight_if_held, c.proportional_costs)
    rows = (c.groups, c.exposures)
    if (
        current is None
        and _PLAIN.issuperset(map(type, sizes))
        and all(each is None for each in (*others, c.fixed_costs))
        and all(type(each) is dict and not each for each in rows)
    ):
        return _bounds_alone(names, *sizes, c.long_only, c.fully_invested, c.allow_cash)
    return _read(names, constraints, current)


@lru_cache(maxsize=16, typed=True)
def _bounds_alone(
    names: tuple[str, ...], most: Any, least: Any, budget: Any, long_only: bool, invest: bool, cash: bool
) -> Limits:
    """The limits of constraints that are numbers alone: the same for the same numbers, plan after plan."""
    given = Constraints(
        max_weight=most,
        min_weight=least,
        budget=budget,
        long_only=long_only,
        fully_invested=invest,
        allow_cash=cash,
    )
    limits = _read(names, given, None)
    limits.lower.flags.writeable = limits.upper.flags.writeable = False
    return limits


def _read(names: tuple[str, ...], constraints: Constraints, current: Mapping[str, Any] | None) -> Limits:
    budget = _limit(constraints.budget, "budget", _LARGEST_BARE)
    if budget < 0 and constraints.long_only:
        raise InvalidInput(f"budget={constraints.budget}: below 0 needs long_only=False")
    gross = None if constraints.gross is None else _size(constraints.gross, "gross", _LARGEST_BARE)
    top = max(budget, NANO, gross or 0)
    read = _Reader(names, top if constraints.long_only else max(top, _LARGEST_BARE))
    lower, upper, lower_kinds, upper_kinds = _bounds(read, constraints, budget)
    start = _current(names, constraints, current)
    trading = None
    if constraints.max_trade is not None and start is not None:
        step = _sizes(
            read.each(constraints.max_trade, "max_trade", NO_LIMIT, ROUND_FLOOR), names, "max_trade"
        )
        trading = Trading(step, lower, upper, lower_kinds, upper_kinds)
        from_below, from_above = start - step > lower, start + step < upper
        lower_kinds = _kinds(lower_kinds, from_below)
        upper_kinds = _kinds(upper_kinds, from_above)
        lower, upper = np.maximum(lower, start - step), np.minimum(upper, start + step)
    costs, fixed = constraints.proportional_costs, constraints.fixed_costs
    asked = constraints.min_weight_if_held
    held = None if asked is None else read.each(asked, "min_weight_if_held", 0, ROUND_CEILING)
    return Limits(
        names=names,
        lower=lower,
        upper=upper,
        lower_kinds=lower_kinds,
        upper_kinds=upper_kinds,
        long_only=constraints.long_only,
        budget=budget,
        fully_invested=constraints.fully_invested,
        allow_cash=constraints.allow_cash,
        rows=(*_groups(read, constraints), *_exposures(names, constraints)),
        gross=gross,
        turnover=None
        if constraints.turnover is None
        else _size(constraints.turnover, "turnover", max(4 * NANO, 2 * top)),
        current=start,
        trading=trading,
        max_names=_max_names(constraints.max_names),
        min_if_held=None if held is None else _some(_sizes(held, names, "min_weight_if_held")),
        proportional_costs=None if costs is None else read.costs(costs, "proportional_costs"),
        fixed_costs=None if fixed is None else read.costs(fixed, "fixed_costs"),
    )


class _Reader:
    """Reads a limit that is one number for all, or a number for each name."""

    def __init__(self, names: tuple[str, ...], largest: int) -> None:
        self.names = names
        self.largest = largest

    def each(self, given: Any, what: str, missing: int, rounding: str) -> Whole:
        """(n,) billionths."""
        if isinstance(given, Mapping):
            values = cast("Mapping[str, Any]", given)
            check_known(values, self.names, what)
            return np.array(
                [
                    _limit(values[name], f"{what} of {name}", self.largest, rounding)
                    if values.get(name) is not None
                    else missing
                    for name in self.names
                ],
                np.int64,
            )
        return np.full(len(self.names), _limit(given, what, self.largest, rounding), np.int64)

    def costs(self, given: Any, what: str) -> Array:
        """(n,) fractions, 0 for names left out."""
        values = cast(
            "Mapping[str, Any]", given if isinstance(given, Mapping) else dict.fromkeys(self.names, given)
        )
        check_known(values, self.names, what)
        read = np.array(
            [float(read_decimal(values.get(name, 0), f"{what} of {name}")) for name in self.names]
        )
        for name, cost in zip(self.names, read, strict=True):
            if not 0 <= cost < 1:
                hint = f": a fraction is meant, did you mean {cost / 100:g}?" if cost >= 1 else ""
                raise InvalidInput(f"{what} of {name} must be from 0 to below 1, got {cost:g}{hint}")
        return read


def _limit(value: Any, what: str, largest: int, rounding: str = ROUND_FLOOR) -> int:
    units = to_nano(value, what, rounding)
    if abs(units) > largest and abs(units) >= 2 * NANO:
        hint = Amount(read_decimal(value)) / 100
        raise InvalidInput(f"{what}={value}: a fraction is meant, did you mean {hint.normalize():f}?")
    return units


def _size(value: Any, what: str, largest: int) -> int:
    """A limit of a size, which is never below 0."""
    units = _limit(value, what, largest)
    if units < 0:
        raise InvalidInput(f"{what} must be 0 or more, got {value}")
    return units


def _sizes(values: Whole, names: tuple[str, ...], what: str) -> Whole:
    if (values < 0).any():
        place = int(values.argmin())
        raise InvalidInput(f"{what} of {names[place]} must be 0 or more, got {values[place] / NANO:g}")
    return values


def _bounds(
    read: _Reader, constraints: Constraints, budget: int
) -> tuple[Whole, Whole, str | tuple[str, ...], str | tuple[str, ...]]:
    count = len(read.names)
    floor = 0 if constraints.long_only else -NO_LIMIT
    ceiling = max(budget, 0) if constraints.long_only else NO_LIMIT
    lower_kinds, upper_kinds = "long_only", "budget"
    lower: Whole = np.full(count, floor, np.int64)
    upper: Whole = np.full(count, ceiling, np.int64)
    if constraints.min_weight is not None:
        asked = read.each(constraints.min_weight, "min_weight", floor, ROUND_CEILING)
        if constraints.long_only and (asked < 0).any():
            name = read.names[int(asked.argmin())]
            raise InvalidInput(
                f"min_weight of {name} is {asked.min() / NANO:g}: below 0 needs long_only=False"
            )
        lower = np.maximum(lower, asked)
        lower_kinds = _kinds("long_only", asked > floor, "min_weight")
    if constraints.max_weight is not None and not isinstance(constraints.max_weight, Mapping):
        most = min(_limit(constraints.max_weight, "max_weight", read.largest), ceiling)
        upper_kinds = "max_weight" if count and most < ceiling else "budget"
        upper = np.full(count, most, np.int64)
    elif constraints.max_weight is not None:
        asked = read.each(constraints.max_weight, "max_weight", ceiling, ROUND_FLOOR)
        upper = np.minimum(upper, asked)
        upper_kinds = _kinds("budget", asked < ceiling, "max_weight")
    if (lower > upper).any():
        index = int((lower - upper).argmax())
        raise InvalidInput(
            f"the minimum of {read.names[index]}, {lower[index] / NANO:g}, is above its maximum, "
            f"{upper[index] / NANO:g}"
        )
    return lower, upper, lower_kinds, upper_kinds


def _kinds(
    kinds: str | tuple[str, ...], changed: NDArray[np.bool_], into: str = "max_trade"
) -> str | tuple[str, ...]:
    if not changed.any():
        return kinds
    if changed.all():
        return into
    before = [kinds] * len(changed) if isinstance(kinds, str) else kinds
    return tuple(into if change else kind for change, kind in zip(changed, before, strict=True))


def _current(
    names: tuple[str, ...], constraints: Constraints, current: Mapping[str, Any] | None
) -> Whole | None:
    trading = {
        "turnover": constraints.turnover,
        "max_trade": constraints.max_trade,
        "proportional_costs": constraints.proportional_costs,
        "fixed_costs": constraints.fixed_costs,
    }
    asked = [name for name, value in trading.items() if value is not None]
    if current is None:
        if asked:
            raise InvalidInput(f"{asked[0]} needs the weights that trades start from: give current={{...}}")
        return None
    if hasattr(current, "index") and hasattr(current, "to_numpy"):
        series: Any = current
        order_of(series.index, names, "current")
        current = dict(zip(series.index, series.tolist(), strict=True))
    if not isinstance(current, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"current must be weights by name, got {type(current).__name__}")
    check_known(current, names, "current")
    return np.array(
        [to_nano(current.get(name, 0), f"current of {name}", ROUND_HALF_EVEN) for name in names], np.int64
    )


def _groups(read: _Reader, constraints: Constraints) -> list[Row]:
    rows: list[Row] = []
    if not constraints.groups:
        return rows
    places = {name: index for index, name in enumerate(read.names)}
    for name, group in _items(constraints.groups, Group, "groups"):
        if isinstance(group.members, str):
            raise InvalidInput(f"group {name} must have a list of members, got the text {group.members!r}")
        check_known(dict.fromkeys(group.members), read.names, f"group {name}")
        coefficients = np.zeros(len(read.names))
        coefficients[[places[member] for member in group.members]] = 1.0
        low = (
            None
            if group.min is None
            else _limit(group.min, f"min of group {name}", read.largest, ROUND_CEILING)
        )
        high = None if group.max is None else _limit(group.max, f"max of group {name}", read.largest)
        rows.append(_row("group", name, coefficients, low, high, NANO))
    return rows


def _exposures(names: tuple[str, ...], constraints: Constraints) -> list[Row]:
    rows: list[Row] = []
    for name, exposure in _items(constraints.exposures, Exposure, "exposures"):
        coefficients = _loadings(exposure.loadings, names, f"exposure {name}")
        low = None if exposure.min is None else float(read_decimal(exposure.min, f"min of exposure {name}"))
        high = None if exposure.max is None else float(read_decimal(exposure.max, f"max of exposure {name}"))
        unit = float(np.abs(coefficients).max(initial=0.0)) / NANO
        if low is not None and high is not None and 0 <= high - low < unit:
            # A sum of real multiples of billionths meets a number only to within a unit.
            low, high = low - unit / 2, high + unit / 2
        rows.append(_row("exposure", name, coefficients, low, high, 1))
    return rows


def _items(given: Any, kind: type[Kind], what: str) -> list[tuple[str, Kind]]:
    values = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else None
    if values is None or not all(isinstance(value, kind) for value in values.values()):
        raise InvalidInput(f"{what} must be {kind.__name__}(...) by their own names, got {given!r}")
    return list(values.items())


def _loadings(given: Any, names: tuple[str, ...], what: str) -> Array:
    if isinstance(given, Mapping):
        values = cast("Mapping[str, Any]", given)
        check_known(values, names, what)
        return np.array([float(read_decimal(values.get(name, 0), f"{what} of {name}")) for name in names])
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the loadings of {what} must be numbers: {error}") from None
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        order = order_of(given.index, names, f"the loadings of {what}")
        array = array if order is None else array[order]
    if array.shape != (len(names),):
        raise InvalidInput(f"the loadings of {what} must be {len(names)} numbers, got shape {array.shape}")
    if not np.isfinite(array).all():
        name = names[int(np.flatnonzero(~np.isfinite(array))[0])]
        raise InvalidInput(
            f"the loadings of {what} must be finite, got {array[names.index(name)]} for {name}"
        )
    return array


def _row(kind: str, name: str, coefficients: Array, low: float | None, high: float | None, per: int) -> Row:
    if low is None and high is None:
        raise InvalidInput(f"{kind} {name} has neither min nor max: give one")
    least = -np.inf if low is None else low / per
    most = np.inf if high is None else high / per
    if least > most:
        raise InvalidInput(f"{kind} {name} has min {least:g} above max {most:g}")
    return Row(kind, name, coefficients, least, most)


def _max_names(given: int | None) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, SupportsIndex) or given.__index__() < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"max_names must be a whole number of 1 or more, got {given!r}")
    return given.__index__()


def _some(values: Whole) -> Whole | None:
    return values if values.any() else None
