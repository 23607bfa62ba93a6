"""What the pools demo found: its days, and what simpler treasuries would have had."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from capdesk.decide.pools.eligibility import OnIce
from capdesk.model.money import Amount
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.study.pools_demo.book import Book


class Day(Struct, frozen=True):
    """One day of the demo.

    Attributes
    ----------
    universe, eligible, groups
        How many pools there were, how many were in, and in which stability groups.
    before, after
        The book before and after the plan was carried out.
    earned
        What the pools really paid since the day before.
    promised
        What the plan expects a day to pay.
    run
        The number of the stored run.
    iced, returned
        Coins that went on ice this day, and that came back.
    """

    day: dt.date
    universe: int
    eligible: int
    groups: tuple[int, int, int]
    before: Book
    after: Book
    plan: PoolPlan
    earned: Amount
    promised: float
    run: int
    iced: tuple[str, ...]
    returned: tuple[str, ...]

    @property
    def utilised(self) -> Decimal:
        """The fraction of the treasury that lies in pools."""
        return Decimal(sum(self.after.places.values(), Amount(0)) / self.after.total)


class Rival(Struct, frozen=True):
    """What a simpler treasury would have had.

    Attributes
    ----------
    values, costs
        Its value each day, and what setting up and moving cost.
    unlawful
        Why it may not be held as it is on the last day: a reason for each position that may
        not stay, and one for each broken limit.
    """

    name: str
    values: tuple[Amount, ...]
    costs: Amount
    unlawful: tuple[str, ...]


class PoolsDemo(Struct, frozen=True):
    """The whole demo.

    Attributes
    ----------
    names, coins
        How to call each pool and each token, for people.
    rivals
        Simpler treasuries on the same days.
    choices
        With a depeg: the other choices of `on_ice`, as rivals.
    """

    records: Path
    days: tuple[Day, ...]
    names: dict[str, str]
    coins: dict[str, str]
    parameters: PoolParameters
    rivals: tuple[Rival, ...]
    on_ice: OnIce | None
    choices: tuple[Rival, ...]

    @property
    def values(self) -> tuple[Amount, ...]:
        """What the treasury was worth each day, after the day's costs."""
        return tuple(each.after.total for each in self.days)

    @property
    def costs(self) -> Amount:
        """What moving money cost in all."""
        return sum((each.plan.costs.total for each in self.days), Amount(0))

    @property
    def earned(self) -> Amount:
        """What the pools really paid in all."""
        return sum((each.earned for each in self.days), Amount(0))
