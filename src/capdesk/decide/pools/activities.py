"""The problem as activities with a fixed charge, each of which happens or does not.

A deposit, a withdrawal, a token's selling leg and its buying leg are activities: an amount y
that is 0, or between `least` and `most` (or, for a withdrawal, `whole`), worth a concave
f(y) less a charge. Both the amount and the charge use rows: token balances, markets, limits.

For the linear relaxation an activity that is free to happen or not is the concave hull of its
domain: the chord from 0 to the amount where value less charge is largest per dollar, and the
pieces beyond. Money that the chord saves of the charge is spent by no one, so rows of
tokens and markets may lose it (`waste`) in a relaxation, and nowhere else.

Everything is in units of a thousandth of all assets, and the gain in units of `gain` of these,
so that a solver's absolute tolerances mean the same at every size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activity_kinds import (
    DEPOSIT,
    WITHDRAWAL,
    Layout,
    deposits,
    legs,
    plain,
    withdrawals,
)
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, Mask, PoolProblem, summed


@dataclass(frozen=True, slots=True, eq=False)
class Activities:
    """K activities, their s pieces, and m rows; all rows are ``lower <= A y <= upper``.

    Parameters
    ----------
    kind, owner
        (K,) DEPOSIT, WITHDRAWAL (owner: the pool), SALE or PURCHASE (owner: the member, counted
        through all markets).
    least, most, whole
        (K,) the amounts between which it happens; `whole` is 0 where there is no third way.
    must
        (K,) whether it has to happen.
    charge
        (K,) its fixed charge.
    start
        (K + 1,) the pieces of activity k are start[k] ... start[k + 1] - 1.
    length, slope
        (s,) of pieces, slopes not rising within an activity.
    unit_rows, charge_rows, whole_rows
        (m, K) sparse: what a unit of the amount, the charge, and happening wholly use of the rows.
    rival
        (K,) the activity that may not happen beside it, or -1.
    plain_rows, plain_cost, plain_upper
        Columns without a charge: cash of each token, trades of each market, waste.
    waste
        Which of the plain columns are waste.
    lower, upper
        (m,) bounds of rows.
    unit, gain
        Dollars of one unit, and units of one unit of the objective.
    constant
        What the positions earn that are held now.
    fewest
        The row that asks for `min_pools` pools in use, or -1.
    """

    kind: Index
    owner: Index
    least: Array
    most: Array
    whole: Array
    must: Mask
    charge: Array
    start: Index
    length: Array
    slope: Array
    unit_rows: Matrix
    charge_rows: Matrix
    whole_rows: Matrix
    rival: Index
    plain_rows: Array
    plain_cost: Array
    plain_upper: Array
    waste: Mask
    lower: Array
    upper: Array
    unit: float
    gain: float
    constant: float
    fewest: int
    tokens: int
    markets: int
    first_limit: int
    limits: int

    @property
    def size(self) -> int:
        """The number of activities."""
        return len(self.kind)

    def worth(self, its: Index, amount: Array) -> Array:
        """What some activities are worth at some amounts, all of which happen: f(y) less the charge."""
        count = self.start[its + 1] - self.start[its]
        pieces = ranges(self.start[its], self.start[its + 1])
        owner = np.repeat(np.arange(len(its)), count)
        length = self.length[pieces]
        ends = np.cumsum(length)
        before = ends - length - np.repeat((ends - length)[np.cumsum(count) - count], count)
        filled = np.clip(amount[owner] - before, 0.0, length)
        return summed(owner, filled * self.slope[pieces], len(its)) - self.charge[its]


def activities(p: PoolProblem, *, count: bool) -> Activities:
    """The activities of a problem.

    Parameters
    ----------
    count
        Whether to add the row that asks for `min_pools` pools in use.
    """
    rows = Layout.of(p, count)
    unit = rows.unit
    parts = [deposits(p, rows), withdrawals(p, rows), *legs(p, rows)]
    size = sum(len(part.owner) for part in parts)
    kind = np.concatenate([np.full(len(part.owner), part.kind) for part in parts])
    owner = np.concatenate([part.owner for part in parts])
    offsets = np.cumsum([0] + [len(part.owner) for part in parts])
    piece_of = np.concatenate([part.piece_of + at for part, at in zip(parts, offsets, strict=False)])
    least = np.concatenate([part.least for part in parts])
    length = np.concatenate([part.length for part in parts])
    slope = np.concatenate([part.slope for part in parts])
    piece_of, length, slope = _split(least, piece_of, length, slope)
    gain = float(np.abs(slope).max(initial=0.0)) or 1.0
    plain_rows, plain_cost, plain_upper, waste = plain(p, rows)
    lower, upper = rows.bounds(p)

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    return Activities(
        kind=kind,
        owner=owner,
        least=least / unit,
        most=joined("most") / unit,
        whole=joined("whole") / unit,
        must=joined("must").astype(bool),
        charge=joined("charge") / unit / gain,
        start=np.searchsorted(piece_of, np.arange(size + 1)),
        length=length / unit,
        slope=slope / gain,
        unit_rows=sparse.csc_array(sparse.hstack([part.unit_rows for part in parts])),
        charge_rows=sparse.csc_array(sparse.hstack([part.charge_rows for part in parts])),
        whole_rows=sparse.csc_array(sparse.hstack([part.whole_rows for part in parts])),
        rival=_rivals(kind, owner, p.size),
        plain_rows=plain_rows,
        plain_cost=plain_cost / gain,
        plain_upper=plain_upper,
        waste=waste,
        lower=lower,
        upper=upper,
        unit=unit,
        gain=gain,
        constant=float(p.income(p.held).sum()) / unit / gain,
        fewest=rows.fewest_row if count else -1,
        tokens=rows.tokens,
        markets=rows.markets,
        first_limit=rows.limit,
        limits=rows.limits,
    )


def _split(least: Array, piece_of: Index, length: Array, slope: Array) -> tuple[Index, Array, Array]:
    """Cut the piece in which `least` lies, so that a chord may end there."""
    ends = np.cumsum(length)
    first = np.searchsorted(piece_of, np.arange(len(least)))
    before = ends - length - np.concatenate(([0.0], ends))[first][piece_of]
    part = least[piece_of] - before
    cut = np.flatnonzero((before > 1e-9) & (part > 1e-9 * least[piece_of]) & (part < length * (1 - 1e-9)))
    rest = length[cut] - part[cut]
    length = length.copy()
    length[cut] = part[cut]
    return (
        np.insert(piece_of, cut + 1, piece_of[cut]),
        np.insert(length, cut + 1, rest),
        np.insert(slope, cut + 1, slope[cut]),
    )


def _rivals(kind: Index, owner: Index, pools: int) -> Index:
    place = np.full((2, pools), -1)
    for each in (DEPOSIT, WITHDRAWAL):
        chosen = np.flatnonzero(kind == each)
        place[each, owner[chosen]] = chosen
    rival = np.full(len(kind), -1)
    for each in (DEPOSIT, WITHDRAWAL):
        chosen = np.flatnonzero(kind == each)
        rival[chosen] = place[1 - each, owner[chosen]]
    return rival


def ranges(starts: Index, ends: Index) -> Index:
    """The numbers from each start up to each end, one after the other."""
    sizes = ends - starts
    offsets = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    return np.arange(int(sizes.sum()), dtype=np.intp) + offsets
