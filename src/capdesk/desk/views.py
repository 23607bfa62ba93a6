"""The desk's verbs that only look: reports, allocations, explanations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from capdesk.decide import flows, reports, settlement, transition
from capdesk.decide.unit_value import PPB, drawdown_ppb
from capdesk.desk import arguments as read
from capdesk.desk.answers import confirmation, markets_of, verdict, verdicts
from capdesk.desk.base import DeskBase
from capdesk.ledger.writer import Writer
from capdesk.model import commands as c
from capdesk.model.journal import Entry
from capdesk.model.money import Amount
from capdesk.model.requests import Allocation, Granted, Refused, Request, Verdict
from capdesk.model.state import Position, State

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig

T = TypeVar("T")


def looking(question: Callable[[State, int], T]) -> Callable[[Writer], T]:
    """Ask a question of the state as it is now: all processes' entries in, due leases ended, nothing kept."""

    def look(writer: Writer) -> T:
        writer.refresh()
        at = writer.now()
        trial = writer.state.fork()
        transition.tick(trial, at)
        for command in transition.due(trial, at):
            for event in transition.decide(trial, command, "", at):
                transition.evolve(trial, event, trial.sequence, at)
        return question(trial, at)

    return look


class ViewVerbs(DeskBase):
    """What the desk holds, has decided, and believes."""

    async def quote(
        self,
        market_id: str,
        requested_amount: object,
        strategy: str = "sniper",
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
        **options: Any,
    ) -> Verdict:
        """What `request_allocation` would answer now; nothing is taken and nothing is journaled.

        It takes the same arguments; a `request_id` is left free for the request itself.
        """
        read.optional_name(request_id, "request_id")
        request = read.request(market_id, requested_amount, strategy, **options)

        def decide(state: State, at: int) -> Verdict:
            (outcome,) = transition.decide(state, request, "", at)
            return Verdict(request, cast("Granted | Refused", outcome), "", state.sequence)

        return await self._open_ledger.ask(looking(decide), read.deadline(deadline_seconds))

    async def get_allocation(self, market_id: str, strategy: str | None = None) -> Allocation | None:
        """The open allocation of a market; None if it holds nothing."""
        market, owner = read.name(market_id, "market_id"), read.optional_name(strategy, "strategy")

        def find(state: State, at: int) -> Position | None:
            return settlement.find(state, market, owner)

        position = await self._open_ledger.ask(looking(find))
        return None if position is None else reports.allocation(position)

    async def get_allocations(self, strategy: str | None = None) -> list[Allocation]:
        """All open allocations, or those of one strategy."""
        positions = await self._open_ledger.ask(looking(reports.positions))
        return [
            reports.allocation(position) for position in positions if strategy in (None, position.strategy)
        ]

    async def get_available(self) -> Amount:
        """Dollars that no allocation holds and that are not in transit."""
        return Amount.from_micro(await self._open_ledger.ask(looking(reports.available)))

    async def get_cash(self, account: str | None = None) -> Amount:
        """Dollars that an account holds and no allocation has: what its wallet should show."""
        name = read.optional_name(account, "account")

        def look(state: State, at: int) -> Amount:
            return Amount.from_micro(flows.free_cash(state, flows.account_of(state, name)))

        return await self._open_ledger.ask(looking(look))

    async def get_outcome(self, request_id: str) -> Verdict | list[Verdict] | Entry | None:
        """What became of a command, by its id; None if it was never decided.

        A `Verdict` for a request or confirmation, a list of them for several requests,
        else the journal's `Entry`.
        """
        entry = await self._open_ledger.outcome(read.name(request_id, "request_id"))
        if entry is None:
            return None
        if isinstance(entry.command, Request):
            return verdict(entry)
        if isinstance(entry.command, c.RequestAll):
            return verdicts(entry)
        return confirmation(entry) if isinstance(entry.command, c.Confirm) else entry

    async def explain(self, market_id: str) -> list[Entry]:
        """The journal's entries about a market, oldest first."""
        market = read.name(market_id, "market_id")
        entries = await self._open_ledger.entries(lambda store: store.about(market))
        return [entry for entry in entries if market in markets_of(entry)]

    async def get_repeats(self, entry: Entry) -> int:
        """How often a refusal was asked for again and refused alike."""
        return await self._open_ledger.read(lambda store: store.repeats(entry.sequence))

    async def get_orphans(self, silent_seconds: object = None) -> list[Allocation]:
        """Allocations whose strategy is silent, and leases that ended unconfirmed."""
        ledger, silent = self._open_ledger, self._state.mandate.owner_silent
        if silent_seconds is not None:
            silent = read.seconds(silent_seconds, "silent_seconds")
        since = ledger.now() - silent + 1
        # A refusal that repeats is counted beside the journal, so the state has not heard of it.
        refused = await ledger.entries(lambda store: store.repeated(since))
        heard = {event.strategy for entry in refused for event in entry.events if isinstance(event, Refused)}

        def find(state: State, at: int) -> list[Allocation]:
            return reports.orphans(state, at, silent, heard)

        return await ledger.ask(looking(find))

    def get_allocation_report(self) -> dict[str, Any]:
        """Seed 001's report, true as of the entry it names; `json.dumps(report, default=str)` writes it."""
        at = self._open_ledger.now()
        with self._reading() as state:
            return reports.allocation_report(state, reports.positions(state), at)

    @property
    def bankroll(self) -> Amount:
        """Dollars at cost: deposits - withdrawals + P&L - fees."""
        return Amount.from_micro(self._state.bankroll)

    @property
    def equity(self) -> Amount:
        """The bankroll with open allocations at their marks, by the desk's clock."""
        with self._reading() as state:
            return Amount.from_micro(reports.equity_at(state, self._open_ledger.now()))

    @property
    def drawdown(self) -> Amount:
        """How far the value of one unit is below its high-water mark, as a fraction."""
        with self._reading() as state:
            equity = reports.equity_at(state, self._open_ledger.now())
            return Amount(drawdown_ppb(state, equity)) / PPB

    @property
    def config(self) -> CapitalConfig:
        """The rules in force, as people write them."""
        if self._config is None or (
            self._ledger is not None and self._config.mandate() != self._ledger.state.mandate
        ):
            from capdesk.config import CapitalConfig

            planning = {} if self._config is None else self._config.planning()
            self._config = CapitalConfig.from_mandate(self._state.mandate).model_copy(update=planning)
        return self._config

    @property
    def mandate_version(self) -> int:
        """The version of the rules in force."""
        return self._state.mandate_version
