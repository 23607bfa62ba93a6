"""The columns of a relaxation: what mixes into an activity, and its bounds in each mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from capdesk.decide.pools.problem import Array, Index

_MODES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Columns of the program that belong to activities.

    Parameters
    ----------
    member
        Which of the admitted activities each belongs to.
    cost
        What a unit is worth.
    amount, share, whole
        What a unit adds to its activity's amount, to its charge, and to its happening wholly.
    lower, upper
        (columns, 4) bounds in each mode.
    """

    member: Index
    cost: Array
    amount: Array
    share: Array
    whole: Array
    lower: Array
    upper: Array

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """All of them, one after the other."""
        names = [each.name for each in fields(Columns)]
        return Columns(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def columns_of(
    member: Index,
    cost: Array,
    *,
    amount: Array | float = 0.0,
    share: Array | float = 0.0,
    whole: Array | float = 0.0,
    modes: Mapping[int, tuple[Array | float, Array | float]],
) -> Columns:
    """Columns of some members; `modes` has the bounds where they are not 0."""
    count = len(member)
    lower, upper = np.zeros((count, _MODES)), np.zeros((count, _MODES))
    for mode, (low, high) in modes.items():
        lower[:, mode], upper[:, mode] = low, high
    amount, share, whole = (np.broadcast_to(each, count).astype(float) for each in (amount, share, whole))
    return Columns(member, cost, amount, share, whole, lower, upper)
