"""Seed 002's budgets of one balance: market making, arbitrage and a reserve.

The functions take dollars and give exact `Amount`s; show them with two decimals. The same
rule for any number of sleeves is `decide/sleeves.py`, which these call.
"""

from __future__ import annotations

from typing import Any

from capdesk.decide.sleeves import budgets
from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM, Amount, to_micro_down, usd
from capdesk.model.rules import Sleeve

MM_CAPITAL_ALLOCATION_PCT = Amount("0.78")
ARB_CAPITAL_ALLOCATION_PCT = Amount("0.20")
RESERVE_PCT = Amount("0.02")
MM_MAX_CAPITAL_CAP = Amount("500")
ARB_MAX_CAPITAL_CAP = Amount("200")
MM_MIN_CAPITAL = Amount("50")
ARB_MIN_CAPITAL = Amount("10")
DRAWDOWN_LIMIT_PCT = Amount("0.05")
MAX_EXPOSURE_PCT = Amount("0.95")

SLEEVES = (
    Sleeve(
        "market_making", int(MM_CAPITAL_ALLOCATION_PCT * PPM), MM_MAX_CAPITAL_CAP.micro, MM_MIN_CAPITAL.micro
    ),
    Sleeve(
        "arbitrage", int(ARB_CAPITAL_ALLOCATION_PCT * PPM), ARB_MAX_CAPITAL_CAP.micro, ARB_MIN_CAPITAL.micro
    ),
)


def calculate_strategy_capital(current_balance: object) -> dict[str, Any]:
    """The capital of seed 002's two strategies and its reserve, from a balance in dollars.

    Returns
    -------
    dict
        ``market_making``, ``arbitrage``, ``reserve`` (Amounts), ``mm_enabled``,
        ``arb_enabled``, ``total_allocated`` (both sleeves and the reserve) and
        ``unallocated`` (the rest of the balance).

    Raises
    ------
    InvalidInput
        For a negative balance or no number.
    """
    balance = _dollars(current_balance, "current_balance")
    making, arbitrage = budgets(SLEEVES, balance, lambda sleeve: PPM)
    reserve = balance * int(RESERVE_PCT * PPM) // PPM
    allocated = making.amount + arbitrage.amount + reserve
    return {
        "market_making": Amount.from_micro(making.amount),
        "arbitrage": Amount.from_micro(arbitrage.amount),
        "reserve": Amount.from_micro(reserve),
        "mm_enabled": making.enabled,
        "arb_enabled": arbitrage.enabled,
        "total_allocated": Amount.from_micro(allocated),
        "unallocated": Amount.from_micro(balance - allocated),
    }


def calculate_drawdown_limit(peak_equity: object) -> Amount:
    """Dollars of drawdown at which the kill switch fires: 5 % of the peak."""
    return Amount.from_micro(_dollars(peak_equity, "peak_equity") * int(DRAWDOWN_LIMIT_PCT * PPM) // PPM)


def calculate_max_exposure(current_balance: object) -> Amount:
    """Dollars that may be at work at once: 95 % of the balance."""
    return Amount.from_micro(
        _dollars(current_balance, "current_balance") * int(MAX_EXPOSURE_PCT * PPM) // PPM
    )


def get_allocation_summary(current_balance: object, peak_equity: object) -> str:
    """The budgets, the drawdown and the limits of a balance, to read or to log."""
    capital = calculate_strategy_capital(current_balance)
    balance, peak = _dollars(current_balance, "current_balance"), _dollars(peak_equity, "peak_equity")
    limit = calculate_drawdown_limit(peak_equity).micro
    drawdown = max(0, peak - balance)
    lines = [f"balance            {usd(balance):>14}   peak {usd(peak)}"]
    for name, key, enabled, cap, least in (
        ("market making", "market_making", "mm_enabled", MM_MAX_CAPITAL_CAP, MM_MIN_CAPITAL),
        ("arbitrage", "arbitrage", "arb_enabled", ARB_MAX_CAPITAL_CAP, ARB_MIN_CAPITAL),
    ):
        amount = capital[key].micro
        note = (
            f"disabled: under its minimum of {usd(least.micro)}"
            if not capital[enabled]
            else f"capped at {usd(cap.micro)}"
            if amount >= cap.micro
            else ""
        )
        lines.append(f"{name:<18} {usd(amount):>14}   {note}".rstrip())
    lines.append(f"reserve            {usd(capital['reserve'].micro):>14}")
    lines.append(f"unallocated        {usd(capital['unallocated'].micro):>14}")
    lines.append(f"maximum exposure   {usd(calculate_max_exposure(current_balance).micro):>14}")
    state = "kill switch" if drawdown > limit else "within its limit"
    lines.append(f"drawdown           {usd(drawdown):>14}   {state} of {usd(limit)}")
    return "\n".join(lines)


def _dollars(value: object, name: str) -> int:
    micro = to_micro_down(value, name)
    if micro < 0:
        raise InvalidInput(f"{name} must be 0 or more, got {value}")
    return micro
