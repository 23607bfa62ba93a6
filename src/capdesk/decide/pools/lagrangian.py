"""The bound that any multipliers give: each activity does what is best for it at their prices.

For multipliers y of the rows, no plan is worth more than what the rows themselves are worth
at y and the sum over activities of the best that each can do, over its exact domain, when it
pays for the rows it uses. The problem couples activities by rows alone, so this is a bound
whatever y is. Rows of cuts are priced like the problem's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import Activities, ranges
from capdesk.decide.pools.cuts import Cut
from capdesk.decide.pools.matrices import sparse
from capdesk.decide.pools.problem import Array, Index, summed

OFF, ON, WHOLE, FREE = range(4)
Modes = Mapping[int, int]
"""What is decided at a node: activity -> OFF, ON or WHOLE; the others are free."""


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """A bound, with the parts it is made of.

    Parameters
    ----------
    bound
        What no plan under the modes can exceed.
    multipliers
        (m,), made fit for rows without a bound.
    free, happening, wholly
        (K,) what each activity adds where it is free, ON and WHOLE; -inf where it cannot be.
    unit
        (K,) what a unit of each uses of the rows, at their prices.
    """

    bound: float
    multipliers: Array
    free: Array
    happening: Array
    wholly: Array
    unit: Array

    def decided(self, activity: int, mode: int) -> float:
        """What an activity adds to the bound once it is decided."""
        if mode == OFF:
            return 0.0
        return float((self.happening if mode == ON else self.wholly)[activity])


class Lagrangian:
    """Prices all activities of a problem at given multipliers."""

    def __init__(self, a: Activities) -> None:
        self.a = a
        self.lower, self.upper = piece_bounds(a)
        self._owner = np.repeat(np.arange(a.size), np.diff(a.start))
        self._used = sparse.csr_array(sparse.vstack([a.unit_rows.T, a.charge_rows.T]))
        self._leaving = np.flatnonzero(a.whole > 0)
        pieces = a.start[self._leaving], a.start[self._leaving + 1]
        self._leaving_pieces = ranges(*pieces)
        self._leaving_owner = np.repeat(np.arange(len(self._leaving)), pieces[1] - pieces[0])
        self._whole = sparse.csr_array(a.whole_rows[:, self._leaving].T)
        self._most = np.where(a.most > 0, 0.0, -np.inf)
        self._off = np.where(a.must, -np.inf, 0.0)
        self._row_lower, self._row_upper = a.lower, a.upper
        self._cut_row, self._cut_use, self._cut_value = (np.zeros(0, int), np.zeros(0, int), np.zeros(0))
        self._cut_start = np.zeros(1, dtype=np.intp)

    def extend(self, cuts: Sequence[Cut]) -> None:
        """Price more rows, which stand after all others."""
        first = len(self._row_upper)
        rows = [first + number for number in range(len(cuts))]
        sizes = [len(cut.unit[0]) + len(cut.charge[0]) for cut in cuts]
        self._cut_start = np.concatenate([self._cut_start, self._cut_start[-1] + np.cumsum(sizes)])
        self._cut_row = np.concatenate([self._cut_row, np.repeat(rows, sizes)])
        uses = [part for cut in cuts for part in (cut.unit[0], cut.charge[0] + self.a.size)]
        self._cut_use = np.concatenate([self._cut_use, *uses])
        values = [part for cut in cuts for part in (cut.unit[1], cut.charge[1])]
        self._cut_value = np.concatenate([self._cut_value, *values])
        self._row_upper = np.concatenate([self._row_upper, [cut.upper for cut in cuts]])
        self._row_lower = np.concatenate([self._row_lower, np.full(len(cuts), -np.inf)])

    def cut_uses(self, its: Index) -> tuple[Array, Array]:
        """What a unit and the charge of some activities use of the rows of cuts, (k, cuts) each."""
        some, where = np.unique(its, return_inverse=True)
        place = np.full(2 * self.a.size, -1)
        place[some], place[some + self.a.size] = np.arange(len(some)), np.arange(len(some), 2 * len(some))
        chosen = np.flatnonzero(place[self._cut_use] >= 0)
        dense = np.zeros((2 * len(some), len(self._cut_start) - 1))
        dense[place[self._cut_use[chosen]], self._cut_row[chosen] - len(self.a.lower)] = self._cut_value[
            chosen
        ]
        return dense[: len(some)][where], dense[len(some) :][where]

    def price(self, multipliers: Array, modes: Modes) -> Priced:
        """The bound at some multipliers (m,) under what is decided."""
        a, size = self.a, self.a.size
        y = np.where(np.isfinite(self._row_upper), multipliers, np.minimum(multipliers, 0.0))
        y = np.where(np.isfinite(self._row_lower), y, np.maximum(y, 0.0))
        own = y[: len(a.lower)]
        used: Array = self._used @ own
        active = np.flatnonzero(y[len(a.lower) :])
        if len(active):
            its = ranges(self._cut_start[active], self._cut_start[active + 1])
            used += summed(self._cut_use[its], self._cut_value[its] * y[self._cut_row[its]], 2 * size)
        unit, charge = used[:size], used[size:] + a.charge
        gain = a.slope - unit[self._owner]
        happening = summed(self._owner, np.where(gain > 0, gain * self.upper, gain * self.lower), size)
        happening += self._most - charge
        free = np.maximum(happening, self._off)
        wholly = np.full(size, -np.inf)
        if len(self._leaving):
            its = self._leaving
            pieces = self._leaving_pieces
            every = summed(self._leaving_owner, gain[pieces] * a.length[pieces], len(its))
            wholly[its] = every - charge[its] - self._whole @ own
            free = np.maximum(free, wholly)
        fixed = np.where(y > 0, self._row_upper, self._row_lower)
        rows = float((y * np.where(y != 0, fixed, 0.0)).sum())
        plain = float((np.maximum(a.plain_cost - own @ a.plain_rows, 0.0) * a.plain_upper).sum())
        bound = a.constant + rows + plain + float(free.sum())
        priced = Priced(bound, y, free, happening, wholly, unit)
        bound += sum(priced.decided(each, mode) - float(free[each]) for each, mode in modes.items())
        return Priced(bound, y, free, happening, wholly, unit)


def piece_bounds(a: Activities) -> tuple[Array, Array]:
    """The least and the most of each piece where its activity happens, (s,), (s,); pieces fill in order."""
    owner = np.repeat(np.arange(a.size), np.diff(a.start))
    amounts = np.cumsum(a.length)
    before = amounts - a.length
    before -= before[a.start[:-1]][owner] if a.size else 0.0
    lower = np.clip(a.least[owner] - before, 0.0, a.length)
    return lower, np.maximum(np.clip(a.most[owner] - before, 0.0, a.length), lower)
