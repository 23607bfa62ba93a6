"""The desk's verbs for supervision: market states, budgets, halts, sizes and the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capdesk.decide import standing, transition, waterfall
from capdesk.decide.sizing import position_size
from capdesk.desk import arguments as read
from capdesk.desk.views import ViewVerbs, looking
from capdesk.model import commands as c
from capdesk.model.errors import InvalidInput
from capdesk.model.journal import Event
from capdesk.model.money import Amount
from capdesk.model.requests import Verdict
from capdesk.model.rules import VOLATILITY_STATES, MarketState
from capdesk.model.standing import HaltInForce, SeenMarket, SleeveBudget, SleeveRecall, TrippedBreaker

if TYPE_CHECKING:
    from capdesk.sizing import Signal


class SupervisionVerbs(ViewVerbs):
    """What a supervisor does and sees."""

    async def observe_market(
        self,
        volatility_state: str | None = None,
        *,
        volatility: object = None,
        gas_price_gwei: object = None,
        correlation: object = None,
        circuit_breaker_triggered: bool = False,
        at: object = None,
        request_id: str | None = None,
    ) -> tuple[Event, ...]:
        """Tell the desk what the market looks like; its multiplier follows from the mandate's risk table.

        Parameters
        ----------
        volatility_state
            ``low``, ``medium``, ``high`` or ``extreme``.
        volatility
            Annual volatility as a fraction, where the state is not known, and for mode ``target``.
        correlation
            Mean correlation of the markets, for the table's correlation steps.

        Raises
        ------
        InvalidInput
            If the mandate has no risk table, or a state does not exist.
        """
        if volatility_state is not None and volatility_state not in VOLATILITY_STATES:
            raise InvalidInput(
                f"volatility_state must be one of {', '.join(VOLATILITY_STATES)}, got {volatility_state!r}"
            )
        market = MarketState(
            volatility_state=volatility_state,
            volatility_ppm=None if volatility is None else read.not_negative(volatility, "volatility"),
            gas_price=None if gas_price_gwei is None else read.not_negative(gas_price_gwei, "gas_price_gwei"),
            breaker=read.flag(circuit_breaker_triggered, "circuit_breaker_triggered"),
            correlation_ppm=None if correlation is None else read.correlation(correlation),
            at=None if at is None else read.instant(at, "at"),
        )
        return (await self._submit(c.Observe(market), request_id, None)).events

    async def review(self, *, request_id: str | None = None) -> tuple[Event, ...]:
        """Look at every sleeve: publish budgets that changed, recall, pause, resume. Gives what changed."""
        return (await self._submit(c.Review(), request_id, None)).events

    async def halt(self, reason: str, *, request_id: str | None = None) -> None:
        """Refuse every grant from here on; releases and recycling go on."""
        await self._submit(c.HaltDesk(read.name(reason, "reason")), request_id, None)

    async def resume(self, reason: str, *, request_id: str | None = None) -> None:
        """End a halt; the high-water mark begins anew.

        Raises
        ------
        InvalidInput
            If the desk is not halted.
        """
        await self._submit(c.Resume(read.name(reason, "reason")), request_id, None)

    async def trip_breaker(self, reason: str, *, request_id: str | None = None) -> None:
        """Stop grants by the manual breaker until `lift_breaker`."""
        await self._submit(c.TripBreaker(read.name(reason, "reason")), request_id, None)

    async def lift_breaker(self, reason: str, *, request_id: str | None = None) -> None:
        """Lift the manual breaker; the others lift by their own rules.

        Raises
        ------
        InvalidInput
            If it has not tripped.
        """
        await self._submit(c.LiftBreaker(read.name(reason, "reason")), request_id, None)

    async def get_breakers(self) -> tuple[TrippedBreaker, ...]:
        """The breakers that have tripped."""
        return await self._open_ledger.ask(looking(standing.breakers))

    @property
    def halted(self) -> HaltInForce | None:
        """Why and since when no grant is made, by the desk's clock; None while grants are made."""
        with self._reading() as state:
            now = state.fork()
            transition.tick(now, self._open_ledger.now())
            return standing.halt(now)

    async def get_budgets(self) -> tuple[SleeveBudget, ...]:
        """The budget of every sleeve at this moment."""
        return await self._open_ledger.ask(looking(standing.budgets))

    async def get_recalls(self) -> tuple[SleeveRecall, ...]:
        """Sleeves that hold more than their budget, with their deadlines."""
        return await self._open_ledger.ask(looking(standing.recalls))

    async def get_market_history(self, limit: int = 200) -> list[SeenMarket]:
        """The market states that were observed last, newest first."""
        most = read.count(limit, "limit")
        entries = await self._open_ledger.entries(lambda store: store.history("observe", most, 0))
        return [
            standing.market(entry, entry.command.seen)
            for entry in entries
            if isinstance(entry.command, c.Observe)
        ]

    async def audit(self) -> waterfall.Audit:
        """The waterfall from bankroll to positions, each reduction with its one cause."""
        return await self._open_ledger.ask(looking(waterfall.audit))

    async def size_position(self, strategy: str, signal: Signal) -> Verdict:
        """Size a signal inside its strategy's sleeve: a quote of the one decision.

        Raises
        ------
        InvalidInput
            If no sleeve takes the strategy.
        """
        from capdesk.sizing import fraction_ppm

        size = fraction_ppm(signal.position_size_percent, "position_size_percent")
        mandate = self._state.mandate
        sleeve = mandate.sleeve_of(read.name(strategy, "strategy"))
        if sleeve is None:
            known = ", ".join(sleeve.name for sleeve in mandate.sleeves) or "none are configured"
            raise InvalidInput(f"strategy must have a sleeve ({known}), got {strategy!r}")
        budget = next(budget for budget in await self.get_budgets() if budget.sleeve == sleeve.name)
        asked = position_size(
            mandate.sizing, budget.amount.micro, size, sleeve.max_position_ppm, sleeve.risk_multiplier_ppm
        )
        market = signal.market_id if signal.market_id is not None else f"signal:{strategy}"
        return await self.quote(market, Amount.from_micro(asked), strategy)
