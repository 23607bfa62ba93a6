"""Stability groups: how steady a pool's APY has been.

Group 1 is steady and group 3 is not. A pool is in the first group whose three bounds it
keeps: the change of one day, and the deviation over 7 and over 30 days, in percentage
points of APY (seed 004, group limits). A figure on a bound keeps it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import stdev

from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import PoolDay

_CLOSE_ENOUGH = 1e-9
"""Percentage points: 3.3 - 2.3 is above 1 only in binary."""


class Bounds(Struct, frozen=True):
    """What the pools of a group keep, in percentage points of APY."""

    one_day: float
    week: float
    month: float


STEADY, MODERATE = Bounds(1.0, 1.5, 2.0), Bounds(3.0, 4.0, 5.0)

WEEK_DAYS, WEEK_VALUES = 7, 5
MONTH_DAYS, MONTH_VALUES = 30, 20
LONGEST_STEP_DAYS = 2


class Stability(Struct, frozen=True):
    """A pool's group and the figures that put it there.

    Attributes
    ----------
    group
        1, 2 or 3.
    one_day, week, month
        The change and the deviations, in percentage points; None where nobody knows.
    from_source
        Which of them are the source's own, for want of a history.
    """

    group: int
    one_day: float | None
    week: float | None
    month: float | None
    from_source: tuple[str, ...] = ()


def stability(history: Sequence[PoolDay], bounds: tuple[Bounds, Bounds] = (STEADY, MODERATE)) -> Stability:
    """The group of a pool as of the last day of its history.

    Parameters
    ----------
    history
        One pool's days, the last one being the day of the decision; gaps are allowed.

    Raises
    ------
    InvalidInput
        Without a day.

    Notes
    -----
    The change is against the last day before, two days back at most. A deviation is the
    sample standard deviation (ddof 1) of at least 5 values in 7 days, 20 in 30. Where the
    history is too short, the source's own stands in: the larger of its sigma and of the
    distance of today's APY from its 30-day mean. What not even the source knows counts as
    unsteady.
    """
    if not history:
        raise InvalidInput("history has no days: a pool's group needs at least the day of the decision")
    days = sorted(history, key=lambda day: day.day)
    today = days[-1]
    own = {
        "one_day": _step(days),
        "week": _deviation(days, WEEK_DAYS, WEEK_VALUES),
        "month": _deviation(days, MONTH_DAYS, MONTH_VALUES),
    }
    theirs = _source_deviation(today)
    figures = {name: theirs if figure is None else figure for name, figure in own.items()}
    borrowed = tuple(name for name, figure in own.items() if figure is None and theirs is not None)
    group = next((number for number, bound in enumerate(bounds, 1) if _keeps(figures, bound)), 3)
    return Stability(group, figures["one_day"], figures["week"], figures["month"], borrowed)


def _step(days: Sequence[PoolDay]) -> float | None:
    if len(days) < 2 or days[-1].day - days[-2].day > dt.timedelta(days=LONGEST_STEP_DAYS):
        return None
    return abs(days[-1].apy - days[-2].apy)


def _deviation(days: Sequence[PoolDay], window: int, fewest: int) -> float | None:
    begins = days[-1].day - dt.timedelta(days=window - 1)
    values = [day.apy for day in days if day.day >= begins]
    return stdev(values) if len(values) >= fewest else None


def _source_deviation(today: PoolDay) -> float | None:
    known = [] if today.sigma is None else [today.sigma]
    if today.apy_30d_avg is not None:
        known.append(abs(today.apy - today.apy_30d_avg))
    return max(known, default=None)


def _keeps(figures: dict[str, float | None], bound: Bounds) -> bool:
    return all(
        figure is not None and figure <= getattr(bound, name) + _CLOSE_ENOUGH
        for name, figure in figures.items()
    )
