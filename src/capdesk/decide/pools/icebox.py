"""The icebox: stablecoins that have left their peg, and when they come back.

A coin is iced when it closes 1 % or more below its peg for a day, or trades 2 % or more
below it for two; it comes back after so many days in a row at the peg. Only the downside
counts: a coin above its peg loses nobody money.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from msgspec import Struct

from capdesk.model.errors import InvalidInput


class IceRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When a coin is iced and when it returns.

    Attributes
    ----------
    close_below, close_days
        So far below its peg at the close, as a fraction, on so many days in a row.
    trade_below, trade_days
        So far below at its lowest of the day, on so many days in a row.
    return_days
        Days in a row that close nearer to the peg than `close_below`, after which it returns.
    """

    close_below: float = 0.01
    close_days: int = 1
    trade_below: float = 0.02
    trade_days: int = 2
    return_days: int = 7


USUAL = IceRules()


class PegDay(Struct, frozen=True):
    """A coin's day in units of its peg.

    Attributes
    ----------
    close, low
        The last and the lowest price; without a lowest one the close stands for it.
    """

    day: dt.date
    close: float
    low: float | None = None


class Iced(Struct, frozen=True):
    """A stay in the icebox; `until` is the day it returned, None while it is there."""

    since: dt.date
    reason: str
    until: dt.date | None = None


_CLOSE_ENOUGH = 1e-12


def icebox(days: Sequence[PegDay], rules: IceRules = USUAL) -> list[Iced]:
    """Every stay of one coin in the icebox, by its daily prices.

    Parameters
    ----------
    days
        In any order. A day without a price neither ices nor counts towards a return, and
        ends a run of days below the peg.

    Raises
    ------
    InvalidInput
        For a price that is no finite number from 0 on.
    """
    for day in days:
        _check(day)
    stays: list[Iced] = []
    closes = trades = at_peg = 0
    before: dt.date | None = None
    for day in sorted(days, key=lambda day: day.day):
        if before is not None and day.day - before > dt.timedelta(days=1):
            closes = trades = at_peg = 0
        before = day.day
        closes = closes + 1 if _below(day.close, rules.close_below) else 0
        low = day.close if day.low is None else min(day.low, day.close)
        trades = trades + 1 if _below(low, rules.trade_below) else 0
        calm = not closes and not trades
        at_peg = at_peg + 1 if calm else 0
        in_box = bool(stays) and stays[-1].until is None
        if in_box and at_peg >= rules.return_days:
            stays[-1] = Iced(stays[-1].since, stays[-1].reason, day.day)
        elif not in_box and closes >= rules.close_days:
            stays.append(Iced(day.day, f"closed at {day.close:.4f} of its peg on {day.day}"))
        elif not in_box and trades >= rules.trade_days:
            stays.append(Iced(day.day, f"traded down to {low:.4f} of its peg on {trades} days to {day.day}"))
    return stays


def iced_on(days: Sequence[PegDay], on: dt.date, rules: IceRules = USUAL) -> Iced | None:
    """The stay that holds a coin on a day, as it could be known then."""
    stays = icebox([day for day in days if day.day <= on], rules)
    return stays[-1] if stays and stays[-1].until is None else None


def is_settled(days: Sequence[PegDay], on: dt.date, rules: IceRules = USUAL) -> bool:
    """Whether a coin has been at its peg on each of the days that a return takes, up to a day.

    Raises
    ------
    InvalidInput
        As `icebox` does.
    """
    for day in days:
        _check(day)
    wanted = {on - dt.timedelta(days=number) for number in range(rules.return_days)}
    calm = {
        day.day
        for day in days
        if not _below(day.close, rules.close_below)
        and not _below(day.close if day.low is None else min(day.low, day.close), rules.trade_below)
    }
    return wanted <= calm


def _check(day: PegDay) -> None:
    for name in ("close", "low"):
        price = getattr(day, name)
        if price is not None and not (math.isfinite(price) and price >= 0):
            raise InvalidInput(
                f"{name} of {day.day} must be a finite number from 0 on, in units of the peg, got {price}: "
                "leave a day without a price out"
            )


def _below(price: float, fraction: float) -> bool:
    return price <= 1 - fraction + _CLOSE_ENOUGH
