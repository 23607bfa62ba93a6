"""What a position earns over the horizon, as straight pieces that get no steeper.

Income of x dollars beside the deposits V of others, r = ln(1 + APY) a year:

- no rate model: r x
- emission: r S x / (V + x), S = V + held: what is paid today is shared by all
- kinked: x times what suppliers earn at utilisation u = min(1, u0 S / (V + x)), which is u
  times the borrowers' rate; below the kink the rate is proportional to u, so suppliers earn
  in proportion to u^2
- piecewise: the marginal rates as they are given

A curve is interpolated between the ends of its pieces. Where it is not concave (utilisation
that falls through the kink) a piece takes the slope of the one before, so the plan is never
promised more than the curve gives.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from capdesk.model.pools import Emission, Kinked, Piecewise, Pool

Array = NDArray[np.float64]
DAYS_A_YEAR = 365.0


def yearly(apy_percent: float) -> float:
    """ln(1 + APY): what a dollar earns in a year, continuously compounded."""
    return math.log1p(apy_percent / 100.0)


def pieces(
    pool: Pool, held: float, cap: float, ticket: float, segments: int, horizon_days: float, loss: float
) -> tuple[Array, Array]:
    """Lengths and slopes of the pieces from the first dollar to `cap`, one of which ends at `held`.

    Parameters
    ----------
    held, cap, ticket
        Dollars now, at most (at least `held`), and the smallest position.
    segments
        How many pieces a curve is cut into on each side of `held`.
    horizon_days
        The slopes are per dollar over this time.
    loss
        What a dollar is expected to lose in a year.

    Returns
    -------
    tuple of Array
        Dollars, and dollars a dollar.
    """
    years = horizon_days / DAYS_A_YEAR
    ends = _ends(pool, held, cap, ticket, segments)
    lengths = np.diff(ends, prepend=0.0)
    if isinstance(pool.rate_model, Piecewise):
        slopes = _marginal(pool.rate_model, ends)
    else:
        slopes = np.diff(_income(pool, held, ends), prepend=0.0) / lengths
    return lengths, np.minimum.accumulate(slopes - loss) * years


def _ends(pool: Pool, held: float, cap: float, ticket: float, segments: int) -> Array:
    if isinstance(pool.rate_model, Piecewise):
        cuts = [end for end in pool.rate_model.deposits if end < cap]
    elif pool.rate_model is None:
        cuts = []
    else:
        below = [held * step / segments for step in range(1, segments)] if held else []
        cuts = below + [held + (cap - held) * step / segments for step in range(1, segments)]
    ends = sorted({*(cut for cut in cuts if min(ticket, cap) <= cut < cap), cap})
    if 0 < held < cap and held not in ends:
        ends = sorted([*ends, held])
    return np.array(ends)


def _marginal(model: Piecewise, ends: Array) -> Array:
    where = np.searchsorted(np.array(model.deposits), ends).clip(max=len(model.apys) - 1)
    return np.array([yearly(apy) for apy in model.apys])[where]


def _income(pool: Pool, held: float, x: Array) -> Array:
    rate = yearly(pool.forecasted_apy)
    if pool.rate_model is None:
        return rate * x
    everything = max(pool.forecasted_tvl, held)
    deposits = everything - held + x
    if isinstance(pool.rate_model, Emission):
        return rate * everything * x / deposits
    model = pool.rate_model
    assert isinstance(model, Kinked)
    today = _supply(model, np.array([model.utilisation]))[0]
    utilisation = np.minimum(1.0, model.utilisation * everything / deposits)
    return x * rate * _supply(model, utilisation) / today


def _supply(model: Kinked, utilisation: Array) -> Array:
    """Suppliers' rate, up to a factor: utilisation times the borrowers' rate."""
    below = model.slope_below * np.minimum(utilisation, model.kink) / model.kink
    beyond = np.maximum(utilisation - model.kink, 0.0) / max(1.0 - model.kink, 1e-12)
    return utilisation * (below + model.slope_above * beyond)
