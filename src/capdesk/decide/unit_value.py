"""The value of one unit of the bankroll, as funds keep it.

A flow buys or sells units at their value, so that neither a deposit nor a withdrawal
is a drawdown or a recovery; profit and loss change the value of a unit. The high-water
mark is of the unit value. All figures are integers and compared by cross-multiplying.
"""

from __future__ import annotations

from capdesk.model.money import PPM
from capdesk.model.state import Halt, State

UNITS_PER_MICRO = 10**12
_PARKED = 10**30
PPB = 10**9


def found_units(state: State) -> None:
    """Begin the units and the high-water mark anew, at the equity of this moment."""
    equity = max(0, state.equity)
    state.units = equity * UNITS_PER_MICRO
    state.peak_equity, state.peak_units = equity, max(1, state.units)


def flow(state: State, equity_before: int) -> None:
    """Buy or sell units for a flow that is already in the equity.

    After a total loss a deposit is no recovery: its units are valued at a billionth of
    the high-water mark, so that the drawdown stays.
    """
    equity = state.equity
    if equity <= 0:
        if equity_before > 0 and state.units:
            # Nobody holds a unit: the high-water mark is kept relative to a unit's first value.
            ratio = state.peak_equity * state.units * _PARKED
            state.peak_equity = ratio // (state.peak_units * equity_before)
            state.peak_units = _PARKED * UNITS_PER_MICRO
            state.units = 0
        return
    if equity_before > 0 and state.units:
        state.units = (2 * state.units * equity + equity_before) // (2 * equity_before)
    elif state.units:
        state.units = equity * state.peak_units * PPB // max(1, state.peak_equity)
    else:
        state.units = equity * UNITS_PER_MICRO


def mark_peak(state: State) -> None:
    """Raise the high-water mark, or note the drawdown, after profit or loss."""
    equity = state.equity
    if not state.units:
        state.units = max(0, equity) * UNITS_PER_MICRO
    here, peak = equity * state.peak_units, state.peak_equity * state.units
    if here >= peak:
        if state.units:
            state.peak_equity, state.peak_units = equity, state.units
    elif peak > 0:
        state.worst_ppb = max(state.worst_ppb, drawdown_ppb(state))


def watch_drawdown(state: State, at: int) -> None:
    """The kill switch: it latches in the fold itself, so that no later gain undoes it."""
    limit_ppm = state.mandate.drawdown_ppm
    if limit_ppm is None or state.halt is not None:
        return
    drawdown = drawdown_ppb(state)
    if drawdown * PPM > limit_ppm * PPB:
        reason = f"drawdown {drawdown / PPB:.2%} of the unit value exceeds the limit of {limit_ppm / PPM:.2%}"
        state.halt = Halt(at, reason, journaled=False)


def drawdown_ppb(state: State, equity: int | None = None) -> int:
    """How far the unit value is below its high-water mark, to the nearest part in 10^9 (more than 10^9 below zero).

    `equity` is the equity of another moment; None: the state's own.
    """
    if equity is None:
        equity = state.equity
    equity, units = (equity, state.units) if state.units else (1, UNITS_PER_MICRO)
    peak = state.peak_equity * units
    if peak <= 0:
        return 0
    return max(0, (2 * (peak - equity * state.peak_units) * PPB + peak) // (2 * peak))
