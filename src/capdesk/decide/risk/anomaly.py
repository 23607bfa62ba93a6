"""Anomalies in the market's state, by a robust z-score.

``z = 0.6745 (x - median) / MAD`` (Iglewicz and Hoaglin 1993, How to Detect and Handle
Outliers, eq. 3); they advise 3.5 as a limit. One wild value moves neither the median nor
the median absolute deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from statistics import median

from capdesk.model.errors import InvalidInput

MINIMUM_HISTORY = 10


def robust_z(value: float, history: Sequence[float]) -> float:
    """How many robust standard deviations a value is from its history.

    Returns
    -------
    float
        0 while the history is shorter than 10 or the value is its median; infinite when
        the history never moved and the value did.

    Raises
    ------
    InvalidInput
        For values that are not finite.
    """
    if not isfinite(value) or not all(isfinite(past) for past in history):
        raise InvalidInput(f"value and history must be finite, got {value}")
    if len(history) < MINIMUM_HISTORY:
        return 0.0
    middle = median(history)
    spread = median(abs(past - middle) for past in history)
    if value == middle:
        return 0.0
    if spread == 0:
        return inf if value > middle else -inf
    return 0.6745 * (value - middle) / spread
