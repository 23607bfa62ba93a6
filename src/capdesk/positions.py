"""Adopted plans of pools: each position becomes an allocation of the desk, by the desk's one decision.

The market of an allocation is its pool. What a position earned is its mark above what was
paid for it, until it is withdrawn: then it is the release's profit. What moving money cost
is booked as fees at once, also conversions that end as cash. So the desk's equity follows the
treasury's to the micro-unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import msgspec

from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Costs, Position
from capdesk.model.runs import StoredRun
from capdesk.position_steps import NOTHING, Adopted, Done, Step, check_start, name_of
from capdesk.runs.pools import KIND, bear_costs

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator

STRATEGY = "pools"

CONVERSIONS = "conversions"
"""The market of what conversions cost that no position bears."""


def positions_of(stored: StoredRun) -> tuple[tuple[Position, ...], Amount]:
    """The positions of a stored run, for adoption, and what its conversions cost that none of them bears.

    Raises
    ------
    InvalidInput
        If the run is no plan of pools, or a later one stands for its day.
    """
    if stored.run.kind != KIND:
        raise InvalidInput(
            f"run {stored.number} plans {stored.run.kind}, not pools: 'capdesk adopt' takes weights"
        )
    if not stored.latest:
        raise InvalidInput(
            f"run {stored.number} is not the latest of {stored.run.day}: adopt the one that is"
        )
    result: dict[str, Any] = stored.run.outcome.result
    positions = [
        msgspec.convert(each, Position, strict=False, dec_hook=_amount) for each in result["positions"]
    ]
    costs = msgspec.convert(result["costs"], Costs, strict=False, dec_hook=_amount)
    return bear_costs(positions, costs.total)


async def adopt_positions(
    desk: CapitalAllocator,
    positions: Iterable[Position],
    plan: str,
    *,
    elsewhere: Amount = NOTHING,
    strategy: str = STRATEGY,
    account: str | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[Adopted]:
    """Take the positions of a plan to the desk: what is held at its value today, releases, then what needs capital.

    Nothing is hidden: what the desk's limits cut or refuse is told with its reason, and the
    rest is carried out. Adopted again, a plan changes nothing.

    Parameters
    ----------
    plan
        The hash of the plan's run: the commands are known by it, so each takes effect once.
    elsewhere
        What conversions cost that no position bears, in dollars.
    strategy
        Whose allocations they are: a sleeve of the desk, where it has sleeves.
    account
        Where the money lies; the mandate's first account when left out.
    names
        What people call the pools, for errors.

    Returns
    -------
    list of Adopted
        First what had been sent without a grant (``sent``), then each position.

    Raises
    ------
    InvalidInput
        If the desk holds a pool that the plan takes for empty: its balances are those of before.
    """
    held = {each.market_id: each for each in await desk.get_allocations(strategy)}
    steps = [
        Step(desk, each, held.get(each.pool_id), plan, strategy, account)
        for each in sorted(positions, key=lambda each: each.amount >= each.before)
    ]
    if not any([await step.has_begun() for step in steps]):
        there = {
            pool: each
            for pool, each in held.items()
            if account in (None, each.account) and pool != CONVERSIONS
        }
        check_start(steps, there, names)
    sent = [await step.value_today() for step in steps]
    adopted = [await step.take() for step in steps]
    for step, its in zip(steps, adopted, strict=True):
        await step.value_after(its)
    elsewhere += sum(
        (step.cost for step, its in zip(steps, adopted, strict=True) if its.done == "kept"), NOTHING
    )
    adopted = [each for each in sent if each is not None] + adopted
    if elsewhere:
        adopted.append(await _pay(desk, elsewhere, name_of(plan, CONVERSIONS), strategy, account))
    return adopted


async def _pay(
    desk: CapitalAllocator, cost: Amount, name: str, strategy: str, account: str | None
) -> Adopted:
    """Ask for a cost that no position bears, as for any capital, and book it as fees at once."""
    verdict = await desk.request_allocation(CONVERSIONS, cost, strategy, account=account, request_id=name)
    if verdict.granted:
        await desk.release_allocation(
            CONVERSIONS,
            amount=verdict.amount,
            fees=verdict.amount,
            strategy=strategy,
            request_id=f"{name}:costs",
        )
    done: Done = "paid" if verdict.granted else "refused"
    why = verdict.why if verdict.amount < cost else ""
    return Adopted(CONVERSIONS, done, cost, verdict.amount, NOTHING, why)


def _amount(kind: type, value: Any) -> Any:
    return cast("Any", Amount(value)) if kind is Amount else value
