"""Shares under bounds: every weight is its share times one level, unless a bound holds it.

    w = min(maximum, max(minimum, level x share)),  sum w = total

This is how a rule without an objective meets bounds; it is part of the rule.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.problem import Array


def waterfill(shares: Array, lower: Array, upper: Array, total: float, highest: float = np.inf) -> Array:
    """Weights (n,) in proportion to shares within bounds.

    Parameters
    ----------
    shares
        (n,), 0 or more; a name without a share stays at its minimum.
    lower, upper
        (n,), fractions, ``0 <= lower <= upper``.
    total
        What the weights add up to, or as much of it as the bounds let in.
    highest
        The level is not raised above this: 1 takes shares as targets, and leaves the rest in cash.
    """
    level = total / max(float(np.add.reduce(shares)), 1e-300)
    even = shares * level
    if level <= highest and _all(even >= lower) and _all(even <= upper):
        return even
    moving = shares > 0
    share, low, high = shares[moving], lower[moving], upper[moving]
    starts, ends = low / share, high / share
    levels = np.sort(np.concatenate([starts, ends]))
    still = float(lower[~moving].sum())

    def filled(level: float) -> float:
        return still + float(np.clip(share * level, low, high).sum())

    place = bisect_right(levels, total, key=filled) - 1
    level = float(levels[place]) if place >= 0 else 0.0
    if 0 <= place < len(levels) - 1:
        # Summed anew rather than level by level: shares of very different sizes would cancel.
        free = (starts <= level) & (level < ends)
        held = float(high[ends <= level].sum()) + float(low[starts > level].sum())
        slope = float(share[free].sum())
        if slope > 0:
            level = float(np.clip((total - still - held) / slope, level, levels[place + 1]))
    weights = lower.astype(float)
    weights[moving] = np.clip(share * min(level, highest), low, high)
    return weights


def _all(holds: NDArray[np.bool_]) -> bool:
    return bool(np.logical_and.reduce(holds))
