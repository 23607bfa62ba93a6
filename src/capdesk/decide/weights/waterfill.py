"""Shares under bounds: every weight is its share times one level, unless a bound holds it.

    w = min(maximum, max(minimum, level x share)),  sum w = total

This is how a rule without an objective meets bounds; it is part of the rule.
"""

from __future__ import annotations

import numpy as np

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
    moving = shares > 0
    share, low, high = shares[moving], lower[moving], upper[moving]
    starts, ends = low / share, high / share
    levels = np.concatenate([starts, ends])
    changes = np.concatenate([share, -share])
    order = np.argsort(levels, kind="stable")
    levels, slopes = levels[order], np.cumsum(changes[order])
    sums = lower.sum() + np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(levels))])
    place = int(np.searchsorted(sums, total, side="right")) - 1
    if place < 0:
        level = 0.0
    elif place >= len(levels) - 1 or slopes[place] <= 0:
        level = float(levels[min(place, len(levels) - 1)])
    else:
        level = float(levels[place] + (total - sums[place]) / slopes[place])
    weights = lower.astype(float)
    weights[moving] = np.clip(share * min(level, highest), low, high)
    return weights
