"""Splitting a sum into parts that add up exactly, in whole units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal

_EXACT = Context(prec=2_500)


def apportion(parts: Sequence[Decimal], unit: Decimal, rounding: str = ROUND_FLOOR) -> list[int]:
    """Whole units for each part, 0 or more, that add up to the rounded sum of all.

    Each part is rounded down; the units that are spare then go to the largest remainders,
    the earlier of equal ones first.
    """
    exact = [_EXACT.divide(part, unit) for part in parts]
    total = Decimal(0)
    for part in exact:
        total = _EXACT.add(total, part)
    whole = [int(part) for part in exact]
    spare = int(total.to_integral_value(rounding, _EXACT)) - sum(whole)
    for place in sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])[:spare]:
        whole[place] += 1
    return whole
