"""The bound that any multipliers give: each activity does what is best for it at their prices.

For multipliers y of the rows, no plan is worth more than what the rows themselves are worth
at y and the sum over activities of max(0, value of happening - price of the rows it uses).
The problem couples activities by rows alone, so this is a bound whatever y is, and it is the
relaxation's value where y is optimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import Activities, ranges
from capdesk.decide.pools.activity_kinds import DEPOSIT
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, Mask, summed

OFF, ON, WHOLE, FREE = range(4)
Modes = Mapping[int, int]
"""What is decided at a node: activity -> OFF, ON or WHOLE; the others are free."""


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """The concave hull of each activity's domain.

    Parameters
    ----------
    chord, chord_value
        (K,) the amount up to which the hull is a chord, and the value less charge there.
    beyond
        (s,) whether a piece lies beyond the chord.
    left_rows
        (m, K) sparse: what the chord uses of the rows that count pools, where leaving counts.
    rest_charge
        (K,) what the part of a charge costs that the chord does not pay, where a cut asks for
        it: below the chord's end the concave value lies above the chord, so it is less than
        the charge.
    tickets, ticket_value
        (K,) whether an activity counts as a pool in use from `least` on, and its value there:
        where pools are wanted for their number, the smallest position is a point of its own.
    """

    chord: Array
    chord_value: Array
    beyond: Mask
    left_rows: Matrix
    rest_charge: Array
    tickets: Mask
    ticket_value: Array


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """A bound, with the parts it is made of.

    Parameters
    ----------
    bound
        What no plan under the modes can exceed.
    multipliers
        (m,), made fit for rows without a bound.
    free
        (K,) what each activity adds where it is free.
    unit, charge, whole
        (K,) what a unit, the charge, and happening wholly use of the rows, at their prices.
    """

    bound: float
    multipliers: Array
    free: Array
    unit: Array
    charge: Array
    whole: Array


class Lagrangian:
    """Prices all activities of a problem at given multipliers."""

    def __init__(self, a: Activities) -> None:
        self.a = a
        self.hull = hull(a)
        self.lower, self.upper = piece_bounds(a, self.hull.beyond)
        self._unit = sparse.csr_array(a.unit_rows.T)
        self._charge = sparse.csr_array(a.charge_rows.T)
        self._whole = sparse.csr_array(a.whole_rows.T)
        self._left = sparse.csr_array(self.hull.left_rows.T)
        self._beyond = np.flatnonzero(self.hull.beyond)
        self._owner = np.repeat(np.arange(a.size), np.diff(a.start))[self._beyond]

    def price(self, multipliers: Array, modes: Modes) -> Priced:
        """The bound at some multipliers (m,) under what is decided."""
        a, h = self.a, self.hull
        y = np.where(np.isfinite(a.upper), multipliers, np.minimum(multipliers, 0.0))
        y = np.where(np.isfinite(a.lower), y, np.maximum(y, 0.0))
        unit, charge, whole = self._unit @ y, self._charge @ y, self._whole @ y
        chord = h.chord_value - h.chord * unit - charge
        if h.left_rows.nnz:
            chord -= self._left @ y
        free = np.maximum(chord, 0.0)
        if len(self._beyond):
            gain = (a.slope[self._beyond] - unit[self._owner]) * a.length[self._beyond]
            free += summed(self._owner, np.maximum(gain, 0.0), a.size)
        if h.tickets.any():
            ticket = h.ticket_value - a.least * unit - charge
            free += np.where(h.tickets, np.maximum(ticket, 0.0), 0.0)
        free += np.maximum(-h.rest_charge - charge, 0.0)
        fixed = np.where(y > 0, a.upper, a.lower)
        rows = float(np.where(y != 0, y * np.where(y != 0, fixed, 0.0), 0.0).sum())
        plain = float((np.maximum(a.plain_cost - y @ a.plain_rows, 0.0) * a.plain_upper).sum())
        bound = a.constant + rows + plain + float(free.sum())
        if modes:
            which = np.fromiter(modes.keys(), dtype=np.intp, count=len(modes))
            how = np.fromiter(modes.values(), dtype=np.intp, count=len(modes))
            bound += float((self._decided(unit, charge, whole, which, how) - free[which]).sum())
        return Priced(bound, y, free, unit, charge, whole)

    def decided(self, priced: Priced, activity: int, mode: int) -> float:
        """What an activity adds to the bound once it is decided."""
        which, how = np.array([activity]), np.array([mode])
        return float(self._decided(priced.unit, priced.charge, priced.whole, which, how)[0])

    def _decided(self, unit: Array, charge: Array, whole: Array, which: Index, how: Index) -> Array:
        a = self.a
        pieces = ranges(a.start[which], a.start[which + 1])
        owner = np.repeat(np.arange(len(which)), a.start[which + 1] - a.start[which])
        gain = a.slope[pieces] - unit[which][owner]
        lower = self.lower[how[owner], pieces]
        upper = self.upper[how[owner], pieces]
        value = summed(owner, np.where(gain > 0, gain * upper, gain * lower), len(which))
        value -= np.where(how != OFF, a.charge[which] + charge[which], 0.0)
        return value - np.where(how == WHOLE, whole[which], 0.0)


def hull(a: Activities) -> Hull:
    """Where each chord ends: at the amount where value less charge is largest per dollar."""
    owner = np.repeat(np.arange(a.size), np.diff(a.start))
    first = a.start[:-1]
    amounts, worths = np.cumsum(a.length), np.cumsum(a.length * a.slope)
    ends = amounts - (amounts - a.length)[first][owner]
    values = worths - (worths - a.length * a.slope)[first][owner] - a.charge[owner]
    low = np.where(a.most > 0, a.least, a.whole)
    ratio = np.where(ends >= low[owner] * (1 - 1e-9), values / ends, -np.inf)
    best = np.full(a.size, -np.inf)
    np.maximum.at(best, owner, ratio)
    last = np.full(a.size, -1)
    reached = np.flatnonzero(ratio >= best[owner])
    last[owner[reached]] = reached
    chord, gross = ends[last], values[last] + a.charge
    rise = gross / chord
    short = np.maximum(1.0 - ends / chord[owner], 0.0)
    above = values + a.charge[owner] - rise[owner] * ends
    bonus = np.where(short > 1e-9, above / np.where(short > 1e-9, short, 1.0), 0.0)
    bonus = np.where(np.arange(len(owner)) == last[owner], (rise[owner] - a.slope) * chord[owner], bonus)
    bonus = np.where(np.arange(len(owner)) > last[owner], 0.0, bonus)
    most_bonus = np.zeros(a.size)
    np.maximum.at(most_bonus, owner, bonus)
    tickets = np.zeros(a.size, dtype=bool)
    left = a.whole_rows
    if a.fewest >= 0:
        counts = a.charge_rows[[a.fewest], :].toarray().ravel() > 0
        tickets = counts & (a.kind == DEPOSIT) & (a.least > 0)
        weak = np.ones((a.whole_rows.shape[0], 1))
        weak[a.fewest] = 0.0
        left = sparse.csc_array(left.multiply(np.where(a.most > 0, weak, 1.0)))
    slope = a.slope[first] if a.size else np.zeros(0)
    return Hull(
        chord=ends[last],
        chord_value=values[last],
        beyond=np.arange(len(owner)) > last[owner],
        left_rows=sparse.csc_array(left),
        rest_charge=np.maximum(a.charge - most_bonus, 0.0),
        tickets=tickets,
        ticket_value=np.where(tickets, slope * a.least - a.charge, 0.0),
    )


def piece_bounds(a: Activities, beyond: Mask) -> tuple[Array, Array]:
    """Bounds of all pieces in each mode, (4, s) each; pieces are filled in their order.

    While an activity is free its chord stands for the pieces that lie below the chord's end.
    """
    owner = np.repeat(np.arange(a.size), np.diff(a.start))
    amounts = np.cumsum(a.length)
    before = amounts - a.length
    before -= before[a.start[:-1]][owner] if a.size else 0.0
    lower, upper = np.zeros((4, len(owner))), np.zeros((4, len(owner)))
    upper[FREE] = np.where(beyond, a.length, 0.0)
    lower[ON] = np.clip(a.least[owner] - before, 0.0, a.length)
    upper[ON] = np.maximum(np.clip(a.most[owner] - before, 0.0, a.length), lower[ON])
    lower[WHOLE] = upper[WHOLE] = a.length
    return lower, upper
