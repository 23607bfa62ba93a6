"""Figures that people give: a number in its range, or one clear error with what is allowed."""

from __future__ import annotations

import math
from decimal import Decimal

from capdesk.model.errors import InvalidInput
from capdesk.model.money import MAX_MICRO, MICRO

LARGEST_APY = 1_000_000.0
"""Percent a year; what is above it is a broken figure."""

LARGEST_USD = MAX_MICRO / MICRO
"""Dollars; what is above it cannot be written down to the micro-unit."""


def plain(value: object) -> object:
    """NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value  # pyright: ignore


def number(name: str, value: object) -> float:
    """A finite number."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(f"{name} must be a finite number, got {value!r}")
    return float(value)


def fraction(name: str, value: object) -> None:
    """A fraction of 1."""
    its = number(name, value)
    if not 0 <= its <= 1:
        hint = f": did you mean {its / 100:g}?" if 1 < its <= 100 else ""
        raise InvalidInput(f"{name} must be a fraction from 0 to 1, got {its:g}{hint}")


def apy(name: str, value: object) -> None:
    """Percent a year."""
    its = number(name, value)
    if not -100 < its <= LARGEST_APY:
        raise InvalidInput(
            f"{name} must lie between -100 and {LARGEST_APY:,.0f} percent a year, got {its:,.6g}"
        )


def at_least(name: str, value: object, least: float) -> None:
    """A number from a least one on."""
    its = number(name, value)
    if its < least:
        raise InvalidInput(f"{name} must be {least:g} or more, got {its:,.6g}")


def count(name: str, value: object, least: int) -> None:
    """A whole number from a least one on."""
    its = plain(value)
    if isinstance(its, bool) or not isinstance(its, int) or its < least:
        raise InvalidInput(f"{name} must be a whole number from {least} on, got {value!r}")


def dollars(name: str, value: object) -> float:
    """A sum of dollars, exact or not, as a float.

    Raises
    ------
    InvalidInput
        If it is negative, no finite number, or too large to be written down.
    """
    its = float(value) if isinstance(value, Decimal) else number(name, value)
    if not 0 <= its <= LARGEST_USD:
        allowed = f"must be 0 or more, and at most {LARGEST_USD:,.0f} dollars"
        raise InvalidInput(f"{name} {allowed}, got {its:,.6g}")
    return its
