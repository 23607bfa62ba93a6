"""Volatility from returns, and its state by thresholds.

Exponentially weighted moving average of squared returns (J.P. Morgan/Reuters, RiskMetrics
Technical Document, 4th ed. 1996, section 5.2): ``var_t = lambda var_(t-1) + (1 - lambda) r_t^2``,
begun at the first squared return; annual = sqrt(var x periods a year).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt

from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM
from capdesk.model.rules import RiskTable


def ewma_volatility(returns: Sequence[float], periods_per_year: float, decay: float = 0.94) -> float:
    """Annual volatility as a fraction.

    Parameters
    ----------
    returns
        Simple or log returns of one period each, oldest first, shape (n,).
    periods_per_year
        365 for daily returns of a market that never closes.
    decay
        RiskMetrics' lambda: 0.94 for daily, 0.97 for monthly data.

    Raises
    ------
    InvalidInput
        For no returns, one that is not finite (with its place), or a decay outside (0, 1).
    """
    if not 0 < decay < 1:
        raise InvalidInput(f"decay must lie between 0 and 1, got {decay}")
    if periods_per_year <= 0:
        raise InvalidInput(f"periods_per_year must be above 0, got {periods_per_year}")
    if not returns:
        raise InvalidInput("returns must hold at least one return, got none")
    variance: float | None = None
    for place, value in enumerate(returns):
        if not isfinite(value):
            raise InvalidInput(f"returns must be finite, got {value} at place {place}")
        square = value * value
        variance = square if variance is None else decay * variance + (1 - decay) * square
    return sqrt((variance or 0.0) * periods_per_year)


def volatility_state(volatility_ppm: int, table: RiskTable) -> str:
    """The state of an annual volatility by the table's thresholds; a threshold itself is the calmer state."""
    if volatility_ppm > table.extreme_above:
        return "extreme"
    if volatility_ppm > table.high_above:
        return "high"
    return "medium" if volatility_ppm > table.medium_above else "low"


def to_ppm(volatility: float) -> int:
    """An annual volatility in parts per million."""
    return round(volatility * PPM)
