"""The desk: the one authority over a bankroll. Each verb reads its arguments, submits a command, and answers.

The decision itself is `decide/grants.py`; the record is `ledger/`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from capdesk.desk import arguments as read
from capdesk.desk.answers import confirmation, equity_after, principal, verdict, verdicts
from capdesk.desk.flows import FlowVerbs
from capdesk.desk.opening import Opening, open_ledger
from capdesk.desk.planning import PlanningVerbs
from capdesk.desk.supervision import SupervisionVerbs
from capdesk.ledger.ledger import Ledger
from capdesk.ledger.rules import TRANSITION
from capdesk.model import commands as c
from capdesk.model.errors import UnknownAllocation
from capdesk.model.money import Amount, to_micro
from capdesk.model.requests import Verdict

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig

    ConfigLike = CapitalConfig | Mapping[str, Any] | None

Clock = Callable[[], int]


def system_clock() -> int:
    """Microseconds since 1970 (UTC) by the system's clock."""
    return time.time_ns() // 1_000


class CapitalAllocator(PlanningVerbs, FlowVerbs, SupervisionVerbs):
    """Grants capital to markets under limits, and takes it back with its P&L; plans where it should go.

    Parameters
    ----------
    config
        The rules: a `CapitalConfig` or a mapping of its fields; None for the defaults.
    initial_bankroll
        Dollars in a ledger in memory. For one on disk use `open`.
    clock
        Microseconds since 1970 (UTC); the system's clock by default.

    Raises
    ------
    InvalidInput
        If the bankroll is not above 0.
    """

    def __init__(
        self, config: ConfigLike = None, initial_bankroll: object = None, *, clock: Clock | None = None
    ) -> None:
        from capdesk.config import read_config

        self._config: CapitalConfig | None = read_config(config)
        self._clock = clock or system_clock
        self._ledger: Ledger | None = None
        self.path: Path | None = None
        if initial_bankroll is not None:
            bankroll = read.positive(initial_bankroll, "initial_bankroll")
            self._ledger = Ledger.in_memory(TRANSITION, self._clock)
            self._ledger.decide_now(c.Found(self._config.mandate(), bankroll))

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        config: ConfigLike = None,
        *,
        initial_bankroll: object = None,
        clock: Clock | None = None,
        deadline_seconds: float = 30.0,
        vfs: str | None = None,
    ) -> Opening:
        """Open a ledger file: ``async with CapitalAllocator.open(path, config, initial_bankroll=200) as desk``.

        Parameters
        ----------
        config
            None, or fields of planning alone: the ledger's own mandate (a new ledger: the
            defaults). Another configuration than the ledger's mandate is refused.
        initial_bankroll
            Dollars, for a new ledger only; a resumed one keeps its own.
        deadline_seconds
            How long a caller waits for an answer, unless it says otherwise.
        vfs
            The SQLite VFS to go through; the system's by default.

        Raises
        ------
        MandateMismatch
            Listing the fields that differ.
        LedgerError
            If the file cannot be used; it is left as it was.
        """
        bankroll = None if initial_bankroll is None else read.positive(initial_bankroll, "initial_bankroll")
        patience = read.deadline(deadline_seconds) or 30.0

        def connect() -> CapitalAllocator:
            return cls._connect(Path(path), config, bankroll, clock or system_clock, patience, vfs)

        return Opening(connect)

    @classmethod
    def _connect(
        cls,
        path: Path,
        config: ConfigLike,
        bankroll: int | None,
        clock: Clock,
        deadline: float,
        vfs: str | None,
    ) -> CapitalAllocator:
        ledger, given = open_ledger(path, config, bankroll, clock, deadline, vfs)
        desk = cls.__new__(cls)
        desk._config, desk._clock, desk._ledger, desk.path = given, clock, ledger, path
        return desk

    async def request_allocation(
        self,
        market_id: str,
        requested_amount: object,
        strategy: str = "sniper",
        *,
        min_amount: object = None,
        all_or_none: bool = False,
        group: str | None = None,
        account: str | None = None,
        priority: str = "normal",
        lease_seconds: object = None,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Verdict:
        """Ask for capital in a market; ``result, amount = await desk.request_allocation(...)``.

        Parameters
        ----------
        requested_amount, min_amount
            Dollars. What is asked is rounded down to 10^-6; a grant under `min_amount` is refused.
        lease_seconds
            Reserve only: the grant must be confirmed within this time.
        request_id
            Asking again with the same id gives the same answer, and takes nothing more.

        Raises
        ------
        InvalidInput
            Naming the argument, what was given and what is allowed.
        DeadlineExceeded, LedgerError
            If the answer could not be made durable in time, or at all.
        """
        request = read.request(
            market_id,
            requested_amount,
            strategy,
            min_amount=min_amount,
            all_or_none=all_or_none,
            group=group,
            account=account,
            priority=priority,
            lease_seconds=lease_seconds,
        )
        return verdict(await self._submit(request, request_id, deadline_seconds))

    async def request_allocations(
        self,
        requests: Iterable[Mapping[str, Any]],
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> list[Verdict]:
        """Decide several requests as one, such as the legs of an arbitrage: all are granted or none.

        Each request is a mapping of `request_allocation`'s arguments; one without
        `min_amount` must be granted in full.
        """
        command = c.RequestAll(read.legs(requests))
        entry = await self._submit(command, request_id, deadline_seconds)
        return verdicts(entry)

    async def increase_allocation(
        self,
        market_id: str,
        amount: object,
        strategy: str | None = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Verdict:
        """Ask for more capital for an allocation that is open; decided like any request."""
        request = read.increase(market_id, amount, strategy)
        return verdict(await self._submit(request, request_id, deadline_seconds))

    async def confirm_allocation(
        self,
        market_id: str,
        filled: object = None,
        strategy: str | None = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Verdict:
        """The order was filled, for `filled` dollars or in full; the rest goes back.

        The verdict's amount is what the market keeps. LEASE_EXPIRED or NOT_ALLOCATED
        where there is nothing to confirm.
        """
        command = c.Confirm(
            market=read.name(market_id, "market_id"),
            strategy=read.optional_name(strategy, "strategy"),
            filled=None if filled is None else read.not_negative(filled, "filled"),
        )
        return confirmation(await self._submit(command, request_id, deadline_seconds))

    async def mark_allocation(
        self,
        market_id: str,
        value: object,
        at: object = None,
        strategy: str | None = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Value an open allocation at `value` dollars, as seen `at`; gives the equity that follows."""
        command = c.Mark(
            market=read.name(market_id, "market_id"),
            value=read.not_negative(value, "value"),
            at=None if at is None else read.instant(at, "at"),
            strategy=read.optional_name(strategy, "strategy"),
        )
        entry = await self._submit(command, request_id, deadline_seconds)
        return equity_after(entry)

    async def mark_allocations(
        self,
        values: Mapping[Any, object],
        at: object = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Value several allocations at one moment, so that equity moves once; gives the equity that follows.

        `values` are dollars by market, or by ``(market, strategy)``. All of them are marked or none.
        """
        entry = await self._submit(read.marks(values, at), request_id, deadline_seconds)
        return equity_after(entry)

    async def release_allocation(
        self,
        market_id: str,
        pnl: object = 0,
        *,
        amount: object = None,
        fees: object = 0,
        strategy: str | None = None,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Give capital back with its profit or loss in dollars; `amount` releases a part.

        Returns
        -------
        Amount
            The principal that came back; 0 for a market that holds nothing, whose P&L is
            then not booked.
        """
        command = c.Release(
            market=read.name(market_id, "market_id"),
            strategy=read.optional_name(strategy, "strategy"),
            pnl=to_micro(pnl, "pnl"),
            fees=read.not_negative(fees, "fees"),
            amount=None if amount is None else read.positive(amount, "amount"),
        )
        return principal(await self._submit(command, request_id, deadline_seconds))

    async def reverse_release(
        self,
        release_id: str,
        *,
        reason: str,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Undo a release whose outcome was disputed, by a new entry.

        Its P&L and fees are taken back and its principal is open again, so that it can be
        released with the right outcome.

        Parameters
        ----------
        release_id
            The request id of the release, or the event id of the recycling.

        Raises
        ------
        UnknownAllocation
            If no release is known by that id (ids are kept for a configured time).
        """
        read.name(reason, "reason")
        for known in (read.name(release_id, "release_id"), recycle_id(release_id)):
            entry = await self._open_ledger.outcome(known)
            released = (
                next((event for event in entry.events if isinstance(event, c.Released)), None)
                if entry
                else None
            )
            if entry is not None and released is not None:
                command = c.ReverseRelease(entry.sequence, released, reason)
                await self._submit(command, request_id, deadline_seconds)
                return Amount.from_micro(released.amount)
        raise UnknownAllocation(
            f"no release is known by the id {release_id!r}: see `capdesk explain MARKET` for ids"
        )

    async def close(self) -> None:
        """Answer what still waits and close the ledger."""
        if self._ledger is not None:
            await asyncio.to_thread(self._ledger.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def recycle_id(event_id: str) -> str:
    """The request id under which a recycling is carried out, by whichever recycler is first."""
    return f"{read.RECYCLING}{event_id}"
