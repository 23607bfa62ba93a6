"""Of which days the balances are that a plan starts from, and what speaks against them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from capdesk.model.money import Amount
from capdesk.runs.pools import KIND

if TYPE_CHECKING:
    from capdesk.model.market_rows import Balance
    from capdesk.records import Records

MOST_NAMED = 3


def days_of(balances: Iterable[Balance]) -> dict[str, dt.date]:
    """Account -> the day of its balances."""
    return {each.account: each.day for each in balances}


def warnings(
    records: Records, day: dt.date, days: Mapping[str, dt.date], held: Mapping[str, Amount]
) -> tuple[str, ...]:
    """What speaks against the balances of a plan.

    Parameters
    ----------
    days
        Account -> the day of its balances.
    held
        Pool -> dollars in it by the balances.
    """
    old = [f"the balances of {name} {_age(each, day)}" for name, each in sorted(days.items()) if each < day]
    return (*old, *_against_the_last_plan(records, day, held))


def _age(of: dt.date, day: dt.date) -> str:
    count = (day - of).days
    before = "a day" if count == 1 else f"{count} days"
    return f"are of {of}, {before} before the plan's: what has moved and earned since is not in them"


def _against_the_last_plan(records: Records, day: dt.date, held: Mapping[str, Amount]) -> Iterable[str]:
    """Where the last plan of a day before left something and nothing is held now, or the other way round."""
    earlier = [each for each in records.runs(KIND) if each.latest and each.day < day]
    if not earlier:
        return
    last = max(earlier, key=lambda each: each.day)
    left = records.run(last.number).run.outcome.result["allocations"]
    gone = {pool: Amount(left[pool]) for pool in left if not held.get(pool)}
    come = {pool: held[pool] for pool in held if held[pool] and pool not in left}
    plan, unless = f"the plan of {last.day} (run {last.number})", "right only if it was not carried out"
    if gone:
        yield f"{plan} left {_sum(gone)}, where these balances have nothing: {unless}"
    if come:
        yield f"{plan} left nothing where these balances have {_sum(come)}: {unless}"


def _sum(pools: Mapping[str, Amount]) -> str:
    """How much in which pools, the largest by name."""
    largest = sorted(pools, key=lambda pool: (-pools[pool], pool))[:MOST_NAMED]
    rest = len(pools) - len(largest)
    names = ", ".join(largest) + (f" and {rest} more" if rest else "")
    return f"${sum(pools.values(), Amount(0)):,.2f} in {names}"
