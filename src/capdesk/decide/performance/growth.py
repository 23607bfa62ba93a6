"""Compounded capital, in decimals: growth, drawdown, and what flows make of a return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal
from math import expm1
from typing import cast

import numpy as np
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.model.portfolio import Drawdown

DIGITS = Context(prec=34)
"""As many as a decimal128 has: a product of returns is exact until it is longer."""


def growth_of(returns: Sequence[Decimal]) -> list[Decimal]:
    """What one unit of capital has become at the beginning and after each period, (T + 1)."""
    path = [Decimal(1)]
    for each in returns:
        path.append(DIGITS.multiply(path[-1], DIGITS.add(1, each)))
    return path


def deepest_drawdown(path: Sequence[Decimal], dates: Sequence[date]) -> Drawdown:
    """The deepest fall from a high, the initial capital being the first.

    `dates` are those of the path's ends of periods, with or without the beginning's before
    them, or empty.
    """
    peak = deep_peak = trough = 0
    deepest = Decimal(0)
    for place, value in enumerate(path):
        if value > path[peak]:
            peak = place
        elif path[peak] > 0:
            depth = DIGITS.divide(DIGITS.subtract(path[peak], value), path[peak])
            if depth > deepest:
                deepest, deep_peak, trough = depth, peak, place
    if not deepest:
        return Drawdown()
    recovered = next((at for at in range(trough + 1, len(path)) if path[at] >= path[deep_peak]), None)
    at = [None] * (len(path) - len(dates)) + list(dates) if dates else [None] * len(path)
    return Drawdown(
        Amount(deepest),
        deep_peak,
        trough,
        recovered,
        at[deep_peak],
        at[trough],
        None if recovered is None else at[recovered],
    )


def value_after(initial: Decimal, flows: Sequence[Decimal], returns: Sequence[Decimal]) -> Decimal:
    """Dollars at the end; each flow comes in (or goes out, negative) as its period begins.

    Raises
    ------
    InvalidInput
        Where a flow takes more than there is.
    """
    value = initial
    for place, (flow, each) in enumerate(zip(flows, returns, strict=True)):
        invested = DIGITS.add(value, flow)
        if invested < 0:
            raise InvalidInput(
                f"flows[{place}] takes {-flow:f}, which is more than the {value:.2f} that are there then"
            )
        value = DIGITS.multiply(invested, DIGITS.add(1, each))
    return value


def money_weighted(initial: Decimal, flows: Sequence[Decimal], final: Decimal) -> float | None:
    """The return of one period at which all flows together grow to the final value.

    None where no rate or more than one does: where the flows, the final value last, change
    their sign other than once (Descartes' rule).
    """
    paid = np.array([float(flow) for flow in flows], dtype=float)
    if not len(paid):
        return None
    paid[0] += float(initial)
    signs = np.sign(np.append(paid, -float(final)))
    signs = signs[signs != 0]
    if np.count_nonzero(np.diff(signs)) != 1:
        return None
    scale = float(np.abs(paid).max())
    ages = np.arange(len(paid), 0, -1)

    def surplus(log_growth: float) -> float:
        # Discounted to the beginning, so that a high growth cannot overflow.
        factors = np.exp(log_growth * (ages - len(paid)))
        return float(paid @ factors - float(final) * np.exp(-log_growth * len(paid))) / scale

    low, high = -1.0, 1.0
    while surplus(low) * surplus(high) > 0:
        low, high = 2 * low, 2 * high
        if high > 700 / len(paid) + 8:
            return None
    root = cast(float, optimize.brentq(surplus, low, high, xtol=1e-15))  # pyright: ignore[reportUnknownMemberType]
    return expm1(root)
