"""One position on its way to the desk: what the desk carries of it already, and what it grants now.

The desk carries a position at what it granted. What was sent although a limit had cut it is
asked for first when the next plan shows it; as long as the desk refuses it, it stays cash in
the desk's books, at cost, so that no dollar counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, to_micro, usd
from capdesk.model.pool_plans import Position
from capdesk.model.requests import Granted, Request, Verdict

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import Allocation

NOTHING = Amount(0)
PREFIX = "adopt"

Done = Literal["opened", "increased", "released", "kept", "paid", "sent", "refused"]


class Adopted(Struct, frozen=True):
    """What became of one position.

    Attributes
    ----------
    done
        ``opened``, ``increased`` or ``released``; ``kept`` where only its value changed;
        ``paid`` for what conversions cost that no position bears; ``sent`` for what lies in
        the pool beyond what the desk had granted; ``refused`` by the desk.
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


def name_of(plan: str, pool_id: str) -> str:
    """The id of the command that takes a plan's position to the desk."""
    return f"{PREFIX}:{plan[:32]}:{pool_id}"


class Step:
    """One position on its way to the desk.

    Parameters
    ----------
    held
        What the desk holds of it; None where it holds nothing.
    plan
        The hash of the plan's run.
    """

    def __init__(
        self,
        desk: CapitalAllocator,
        position: Position,
        held: Allocation | None,
        plan: str,
        strategy: str,
        account: str | None,
    ) -> None:
        self.desk, self.position, self.held = desk, position, held
        self.name = name_of(plan, position.pool_id)
        self.strategy, self.account = strategy, account
        self.cost = position.gas + position.conversion
        self.outside = NOTHING

    async def has_begun(self) -> bool:
        """Whether the plan was taken to the desk before, if only in part."""
        return any(
            [
                await self.desk.get_outcome(f"{self.name}{each}") is not None
                for each in ("", ":before", ":after")
            ]
        )

    async def value_today(self) -> Adopted | None:
        """Ask for what was sent and not granted, and value what the desk holds as the plan saw it.

        Returns
        -------
        Adopted or None
            What became of what was sent and not granted; None where there is no such thing.
        """
        asked = await self.desk.get_outcome(f"{self.name}:sent")
        if isinstance(asked, Verdict):
            told = await self._answered(asked)
        else:
            sent = await self._sent()
            told = await self._ask_for(sent) if sent else None
        if self.held is not None and await self.desk.get_outcome(self.name) is None:
            await self._mark(self._carried(self.position.before), "before")
        return told

    async def take(self) -> Adopted:
        """Move capital as the plan does."""
        p = self.position
        done = await self.desk.get_outcome(self.name)
        if isinstance(done, Verdict):
            return self._granted(done)
        less = not p.amount or self._carried(p.amount) < self._carried(p.before)
        if done is not None or (self.held is not None and less):
            return await self._release(again=done is not None)
        if p.amount <= p.before and (self.held is not None or self.outside or not p.amount):
            return Adopted(p.pool_id, "kept", NOTHING, NOTHING, self._carried(p.amount))
        if self.held is None:
            verdict = await self.desk.request_allocation(
                p.pool_id,
                p.amount - self.outside + self.cost,
                self.strategy,
                account=self.account,
                request_id=self.name,
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

    async def _sent(self) -> Amount:
        """What lies in the pool and the desk had not granted when the last plan was adopted.

        What was cut then, with its costs, counts as sent when the position has grown by more
        than a half of it. What was known to lie there stays whole while the desk holds a part
        of the position, for it leaves last: a loss is the desk's, as a gain is.
        """
        p = self.position
        known, cut = await self._lacking() if p.before else (0, 0)
        carried = NOTHING if self.held is None else self.held.mark or self.held.amount
        grown = to_micro(p.before - carried)
        if grown > known + cut // 2:
            return Amount.from_micro(known + cut)
        if self.held is not None and grown > known // 2:
            return Amount.from_micro(known)
        return Amount.from_micro(max(min(known, grown), 0))

    async def _lacking(self) -> tuple[int, int]:
        """What the last plan lacked here, in micro-units: of what had been sent before, and of what it asked for."""
        entries = [
            entry
            for entry in await self.desk.explain(self.position.pool_id)
            if entry.request_id.startswith(f"{PREFIX}:")
        ]
        if not entries:
            return 0, 0
        name = name_of(entries[-1].request_id.split(":")[1], self.position.pool_id)
        lacking = {f"{name}:sent": 0, name: 0}
        for entry in entries:
            if entry.request_id in lacking and isinstance(entry.command, Request):
                granted = sum(event.amount for event in entry.events if isinstance(event, Granted))
                lacking[entry.request_id] = entry.command.asked - granted
        return lacking[f"{name}:sent"], lacking[name]

    async def _ask_for(self, sent: Amount) -> Adopted:
        pool, name = self.position.pool_id, f"{self.name}:sent"
        if self.held is None:
            verdict = await self.desk.request_allocation(
                pool, sent, self.strategy, account=self.account, request_id=name
            )
        else:
            verdict = await self.desk.increase_allocation(pool, sent, self.strategy, request_id=name)
        return await self._answered(verdict)

    async def _answered(self, verdict: Verdict) -> Adopted:
        """What the desk said of what was sent; it may have left the pool by now."""
        pool = self.position.pool_id
        self.outside = verdict.asked - verdict.amount
        self.held = await self.desk.get_allocation(pool, self.strategy)
        was_held = verdict.granted or verdict.request.increase
        value = self._carried(self.position.before) if was_held else NOTHING
        why = verdict.why if self.outside else ""
        return Adopted(pool, "sent", verdict.asked, verdict.amount, value, why)

    def _carried(self, amount: Amount) -> Amount:
        """What of a position is the desk's: all but what lies outside, which leaves the pool last."""
        return max(amount - self.outside, NOTHING)

    def _granted(self, verdict: Verdict) -> Adopted:
        p, more = self.position, verdict.request.increase
        lacking = verdict.asked - verdict.amount
        if not verdict.granted:
            value = self._carried(p.before) if more else NOTHING
            return Adopted(p.pool_id, "refused", verdict.asked, NOTHING, value, verdict.why)
        value = self._carried(p.amount - lacking)
        why = verdict.why if lacking else ""
        return Adopted(
            p.pool_id, "increased" if more else "opened", verdict.asked, verdict.amount, value, why
        )

    async def _release(self, *, again: bool) -> Adopted:
        p = self.position
        before, after = self._carried(p.before), self._carried(p.amount)
        out = before - after
        if not again:
            assert self.held is not None
            principal = self.held.amount if not after else _share(self.held.amount, out, before)
            await self.desk.release_allocation(
                p.pool_id,
                out - principal,
                amount=principal,
                fees=self.cost,
                strategy=self.strategy,
                request_id=self.name,
            )
        return Adopted(p.pool_id, "released", out, out, after)

    async def _mark(self, value: Amount, when: str) -> None:
        await self.desk.mark_allocation(
            self.position.pool_id, value, strategy=self.strategy, request_id=f"{self.name}:{when}"
        )


def check_start(steps: Iterable[Step], held: Mapping[str, Allocation], names: Mapping[str, str]) -> None:
    """See to it that a plan knows of all that the desk holds: else it started from balances of before.

    Parameters
    ----------
    held
        What the desk holds, by pool.
    names
        What people call the pools.

    Raises
    ------
    InvalidInput
        Naming each pool that the desk holds and the plan takes for empty.
    """
    known = {each.position.pool_id for each in steps if each.position.before}
    missed = [
        f"{names.get(pool, pool)} ({usd((each.mark or each.amount).micro)})"
        for pool, each in held.items()
        if pool not in known
    ]
    if missed:
        raise InvalidInput(
            f"the desk holds {', '.join(missed)}, and the plan started from balances that have nothing there: "
            "import the day's balances with their pools, plan again and adopt that. What has left a pool without a "
            "plan is released with 'capdesk release'; another treasury needs an account or a strategy of its own"
        )


def _share(principal: Amount, out: Amount, of: Amount) -> Amount:
    """The part of what was paid that goes out with a part of the value; at least a micro-unit, never all."""
    whole = to_micro(principal)
    part = whole * to_micro(out) // to_micro(of)
    return Amount.from_micro(min(max(part, 1), whole - 1))
