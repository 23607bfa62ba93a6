"""Adopted plans of pools: each position becomes an allocation of the desk, by the desk's one decision.

The market of an allocation is its pool. What a position earned is its mark above what was
paid for it, until it is withdrawn: then it is the release's profit. What moving money cost
is booked as fees at once, also conversions that end as cash. So the desk's equity follows the
treasury's to the micro-unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, to_micro
from capdesk.model.pool_plans import Costs, Position
from capdesk.model.requests import Verdict
from capdesk.model.runs import StoredRun
from capdesk.runs.pools import KIND, bear_costs

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import Allocation

STRATEGY = "pools"
NOTHING = Amount(0)

CONVERSIONS = "conversions"
"""The market of what conversions cost that no position bears."""

Done = Literal["opened", "increased", "released", "kept", "paid", "refused"]


class Adopted(Struct, frozen=True):
    """What became of one position.

    Attributes
    ----------
    done
        ``opened``, ``increased`` or ``released``; ``kept`` where only its value changed;
        ``paid`` for what conversions cost that no position bears; ``refused`` by the desk.
    asked, granted
        Dollars that were asked of the desk, or given back to it.
    value
        What the desk takes the position for.
    why
        The desk's own sentence where it cut or refused.
    """

    pool_id: str
    done: Done
    asked: Amount
    granted: Amount
    value: Amount
    why: str = ""

    @property
    def whole(self) -> bool:
        """Whether the desk gave all that was asked."""
        return self.granted == self.asked


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
    """
    held = {each.market_id: each for each in await desk.get_allocations(strategy)}
    steps = [
        _Step(desk, each, held.get(each.pool_id), f"adopt:{plan[:32]}:{each.pool_id}", strategy, account)
        for each in sorted(positions, key=lambda each: each.amount >= each.before)
    ]
    for step in steps:
        await step.value_today()
    adopted = [await step.take() for step in steps]
    for step, its in zip(steps, adopted, strict=True):
        await step.value_after(its)
    if elsewhere:
        adopted.append(await _pay(desk, elsewhere, f"adopt:{plan[:32]}:{CONVERSIONS}", strategy, account))
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


class _Step:
    """One position on its way to the desk."""

    def __init__(
        self,
        desk: CapitalAllocator,
        position: Position,
        held: Allocation | None,
        name: str,
        strategy: str,
        account: str | None,
    ) -> None:
        self.desk, self.position, self.held = desk, position, held
        self.name, self.strategy, self.account = name, strategy, account
        self.cost = position.gas + position.conversion

    async def value_today(self) -> None:
        """Value what the desk holds as the plan saw it, unless the plan has been carried out since."""
        if self.held is not None and await self.desk.get_outcome(self.name) is None:
            await self._mark(self.position.before, "before")

    async def take(self) -> Adopted:
        """Move capital as the plan does."""
        p = self.position
        done = await self.desk.get_outcome(self.name)
        if isinstance(done, Verdict):
            return self._granted(done)
        if done is not None or (p.amount < p.before and self.held is not None):
            return await self._release(again=done is not None)
        if not p.amount or (p.amount == p.before and self.held is not None):
            return Adopted(p.pool_id, "kept", NOTHING, NOTHING, p.amount)
        if self.held is None:
            verdict = await self.desk.request_allocation(
                p.pool_id, p.amount + self.cost, self.strategy, account=self.account, request_id=self.name
            )
        else:
            verdict = await self.desk.increase_allocation(
                p.pool_id, p.amount - p.before + self.cost, self.strategy, request_id=self.name
            )
        return self._granted(verdict)

    async def value_after(self, adopted: Adopted) -> None:
        """Book what getting in cost, and value what the desk holds now."""
        if adopted.done in ("opened", "increased") and adopted.granted > self.cost > 0:
            await self.desk.release_allocation(
                self.position.pool_id,
                amount=self.cost,
                fees=self.cost,
                strategy=self.strategy,
                request_id=f"{self.name}:costs",
            )
        if await self.desk.get_allocation(self.position.pool_id, self.strategy) is not None:
            await self._mark(adopted.value, "after")

    def _granted(self, verdict: Verdict) -> Adopted:
        p, more = self.position, verdict.request.increase
        lacking = verdict.asked - verdict.amount
        if not verdict.granted:
            value = p.before if more else NOTHING
            return Adopted(p.pool_id, "refused", verdict.asked, NOTHING, value, verdict.why)
        value = max(p.amount - lacking, NOTHING)
        why = verdict.why if lacking else ""
        return Adopted(
            p.pool_id, "increased" if more else "opened", verdict.asked, verdict.amount, value, why
        )

    async def _release(self, *, again: bool) -> Adopted:
        p = self.position
        out = p.before - p.amount
        if not again:
            assert self.held is not None
            principal = self.held.amount if not p.amount else _share(self.held.amount, out, p.before)
            await self.desk.release_allocation(
                p.pool_id,
                out - principal,
                amount=principal,
                fees=self.cost,
                strategy=self.strategy,
                request_id=self.name,
            )
        return Adopted(p.pool_id, "released", out, out, p.amount)

    async def _mark(self, value: Amount, when: str) -> None:
        await self.desk.mark_allocation(
            self.position.pool_id, value, strategy=self.strategy, request_id=f"{self.name}:{when}"
        )


def _share(principal: Amount, out: Amount, of: Amount) -> Amount:
    """The part of what was paid that goes out with a part of the value; at least a micro-unit, never all."""
    whole = to_micro(principal)
    part = whole * to_micro(out) // to_micro(of)
    return Amount.from_micro(min(max(part, 1), whole - 1))


def _amount(kind: type, value: Any) -> Any:
    return cast("Any", Amount(value)) if kind is Amount else value
