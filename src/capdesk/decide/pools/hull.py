"""The concave hull of each activity's domain: the points and pieces that a relaxation mixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.problem import Array, Index, Mask, summed

_ABOVE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """The hull of 0 and of all amounts at which an activity happens, with its value less charge.

    Parameters
    ----------
    chord, worth
        (K,) the amount where value less charge is largest per dollar, and the value there.
    beyond
        (s,) whether a piece lies beyond the chord.
    first_point
        (K + 1,) the points of activity k are first_point[k] ... first_point[k + 1] - 1.
    point_owner, point_amount, point_worth
        (k,) amounts before the chord's end whose value lies above the chord from the
        least amount on, and the least amount itself: an activity that pays its charge in
        full earns there what its curve says.
    bent
        (K,) whether an activity has points above the chord; such points and the chord
        together are at most one.
    """

    chord: Array
    worth: Array
    beyond: Mask
    first_point: Index
    point_owner: Index
    point_amount: Array
    point_worth: Array
    bent: Mask


def hull(a: Activities) -> Hull:
    """The hull of every activity."""
    owner = np.repeat(np.arange(a.size), np.diff(a.start))
    first = a.start[:-1]
    amounts, worths = np.cumsum(a.length), np.cumsum(a.length * a.slope)
    ends = amounts - (amounts - a.length)[first][owner]
    values = worths - (worths - a.length * a.slope)[first][owner]
    low = np.where(a.most > 0, a.least, a.whole)
    reached = ends >= low[owner] * (1 - 1e-9)
    ratio = np.where(reached, (values - a.charge[owner]) / ends, -np.inf)
    best = np.full(a.size, -np.inf)
    np.maximum.at(best, owner, ratio)
    last = np.full(a.size, -1)
    at_best = np.flatnonzero(ratio >= best[owner])
    last[owner[at_best]] = at_best
    below = np.clip(low[owner] - ends + a.length, 0.0, a.length)
    least_worth = summed(owner, below * a.slope, a.size)
    chord = ends[last]
    span = chord - low
    rise = np.where(span > 0, (values[last] - least_worth) / np.where(span > 0, span, 1.0), 0.0)
    line = least_worth[owner] + rise[owner] * (ends - low[owner])
    between = reached & (np.arange(len(owner)) < last[owner]) & (ends > low[owner] * (1 + 1e-9))
    above = between & (values > line + _ABOVE)
    bent = np.zeros(a.size, dtype=bool)
    bent[owner[above]] = True
    starts = np.flatnonzero(low < chord * (1 - 1e-9))
    points = np.concatenate([starts, owner[above]])
    amount = np.concatenate([low[starts], ends[above]])
    gross = np.concatenate([least_worth[starts], values[above]])
    order = np.argsort(points, kind="stable")
    points = points[order]
    return Hull(
        chord=chord,
        worth=values[last] - a.charge,
        beyond=np.arange(len(owner)) > last[owner],
        first_point=np.searchsorted(points, np.arange(a.size + 1)),
        point_owner=points,
        point_amount=amount[order],
        point_worth=gross[order] - a.charge[points],
        bent=bent,
    )
