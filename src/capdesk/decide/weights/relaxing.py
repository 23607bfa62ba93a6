"""Relaxations of limits that were tried: each, read as it is printed, leaves weights that can be planned.

What `conflict` works out leaves exactly enough room, which whole units of weights may miss by a
little, and it knows nothing of choices of names. So every suggestion is made to the constraints
as people write them and planned with, by the least sum of squares. Where that fails it gives way
a little further, and is not made where that does not do either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
from msgspec.structs import replace

from capdesk.decide.weights import feasibility
from capdesk.decide.weights.certificate import certify
from capdesk.decide.weights.constraints import Constraints, PerName
from capdesk.decide.weights.optimum import optimum
from capdesk.decide.weights.problem import Covariance
from capdesk.decide.weights.reading_limits import read_limits
from capdesk.model.errors import CertificateError, InfeasibleError

Relaxation = tuple[str, str, str]

_MOST = 8
"""How many limits are tried: those that would have to give way least."""
_FURTHER = tuple(map(Decimal, ("0", "1e-6", "1e-5", "1e-4", "1e-3")))
_BY_AMOUNT = (
    "max_weight",
    "min_weight",
    "max_trade",
    "budget",
    "turnover",
    "gross",
    "group_min",
    "group_max",
    "exposure_min",
    "exposure_max",
)
_PER_NAME = ("max_weight", "min_weight", "max_trade", "min_weight_if_held")


def confirmed(
    error: InfeasibleError,
    names: tuple[str, ...],
    constraints: Constraints,
    current: Mapping[str, Any] | None,
) -> InfeasibleError:
    """The error with those of its relaxations that do, and with ones of the choice of names."""

    def would_do(relaxed: Constraints) -> bool:
        limits = read_limits(names, relaxed, current)
        chosen = feasibility.widest_choice(limits) if limits.discrete else limits
        if chosen is None:
            return False
        alike = Covariance(loadings=np.zeros((len(names), 1)), specific=np.ones(len(names)))
        try:
            found = optimum(chosen, alike, 2.0, np.zeros(len(names))).evidence
            certify(found)
        except (InfeasibleError, CertificateError):
            return False
        # To hold nothing is no choice of names.
        return bool(found.weights.any()) or not limits.discrete

    kept = [
        found
        for given in error.relaxations[:_MOST]
        if given[0].split(" ")[0] in _BY_AMOUNT
        and (found := _tried(given, names, constraints, would_do)) is not None
    ]
    kept += [
        found for found in (_places(names, constraints, would_do), _least(constraints, would_do)) if found
    ]
    return InfeasibleError(error.conflict, error.arithmetic, tuple(kept))


def relaxed(constraints: Constraints, names: Sequence[str], limit: str, value: Decimal) -> Constraints:
    """The constraints with another value for a limit that is called as an `InfeasibleError` calls it.

    Parameters
    ----------
    limit
        ``max_weight``, ``max_weight of NAME``, ``group_min of GROUP``, ``budget`` ...
    """
    kind, _, of = limit.partition(" of ")
    if kind in _PER_NAME:
        given: PerName = getattr(constraints, kind)
        by_name = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names, given)
        whole = value if not isinstance(given, Mapping) else dict.fromkeys(by_name, value)
        return replace(constraints, **{kind: {**by_name, of: value} if of else whole})
    if not of:
        return replace(constraints, **{kind: value})
    several, side = f"{kind.rpartition('_')[0]}s", kind.rpartition("_")[2]
    rows = getattr(constraints, several)
    return replace(constraints, **{several: {**rows, of: replace(rows[of], **{side: value})}})


def _tried(
    given: Relaxation, names: Sequence[str], constraints: Constraints, would_do: Callable[[Constraints], bool]
) -> Relaxation | None:
    """A relaxation that does, moved further in its own direction if it must be."""
    limit, before, after = given
    start, end = _value(before), _value(after)
    size = max(abs(start), abs(end)) if limit.startswith("exposure") else Decimal(1)
    for further in _FURTHER:
        value = end + (1 if end > start else -1) * further * size
        if further:
            # Rounded away from what was given, to no more places than were added.
            rounding = ROUND_CEILING if end > start else ROUND_FLOOR
            value = value.quantize(Decimal(1).scaleb((further * size).adjusted()), rounding)
        if would_do(relaxed(constraints, names, limit, value)):
            return limit, before, _shown(value, percent=before.endswith("%"))
    return None


def _places(
    names: Sequence[str], constraints: Constraints, would_do: Callable[[Constraints], bool]
) -> Relaxation | None:
    """The least number of names that would do."""
    if constraints.max_names is None or not would_do(replace(constraints, max_names=None)):
        return None
    low, high = constraints.max_names, len(names)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if would_do(replace(constraints, max_names=middle)) else (middle, high)
    return "max_names", str(constraints.max_names), str(high)


def _least(constraints: Constraints, would_do: Callable[[Constraints], bool]) -> Relaxation | None:
    """The greatest least holding that would do, to a hundredth of a percent."""
    asked = constraints.min_weight_if_held
    if asked is None or isinstance(asked, Mapping):
        return None

    def with_least(value: Decimal) -> Constraints:
        return replace(constraints, min_weight_if_held=value)

    if not would_do(with_least(Decimal(0))):
        return None
    low, high, step = 0, int(Decimal(str(asked)) * 10_000) + 1, Decimal("0.0001")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if would_do(with_least(middle * step)) else (low, middle)
    given = _shown(Decimal(str(asked)), percent=True)
    return "min_weight_if_held", given, _shown(low * step, percent=True)


def _value(shown: str) -> Decimal:
    return Decimal(shown.removesuffix(" %")) / 100 if shown.endswith("%") else Decimal(shown)


def _shown(value: Decimal, *, percent: bool) -> str:
    whole = value * 100 if percent else value
    return f"{whole.normalize():f}{' %' if percent else ''}"
