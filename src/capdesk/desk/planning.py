"""The desk's verbs for plans: the planner's, which need no ledger, and `adopt`, which makes a plan the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capdesk.desk import arguments as read
from capdesk.desk.views import ViewVerbs
from capdesk.model import commands as c
from capdesk.model.journal import MandateChanged
from capdesk.model.money import Amount

if TYPE_CHECKING:
    from capdesk.model.plans import Plan
    from capdesk.model.portfolio import PortfolioMetrics, Rebalancing
    from capdesk.planner import Planner


class PlanningVerbs(ViewVerbs):
    """Plans, what follows from them, and their adoption."""

    @property
    def planner(self) -> Planner:
        """The planner by this desk's configuration; it needs no ledger."""
        from capdesk.planner import Planner

        return Planner(self.config)

    def optimize_portfolio(
        self,
        protocols: Sequence[str],
        risk_constraints: Mapping[str, object],
        expected_returns: Mapping[str, object] | None = None,
        risk_scores: Mapping[str, object] | None = None,
        **inputs: Any,
    ) -> dict[str, Amount]:
        """The target weight of each protocol; see `Planner`. No ledger is needed."""
        return self.planner.optimize_portfolio(
            protocols, risk_constraints, expected_returns, risk_scores, **inputs
        )

    def plan_portfolio(
        self,
        protocols: Sequence[str],
        risk_constraints: Mapping[str, object],
        expected_returns: Mapping[str, object] | None = None,
        risk_scores: Mapping[str, object] | None = None,
        **inputs: Any,
    ) -> Plan:
        """The same as a whole plan, which `adopt` takes; see `Planner`. No ledger is needed."""
        return self.planner.plan_portfolio(
            protocols, risk_constraints, expected_returns, risk_scores, **inputs
        )

    def allocate_risk_adjusted_capital(
        self, total_capital: object, allocation: Mapping[str, object], risk_metrics: Mapping[str, Any]
    ) -> dict[str, Amount]:
        """Dollars for each protocol, by this desk's risk table; see `planner`. No ledger is needed."""
        return self.planner.allocate_risk_adjusted_capital(total_capital, allocation, risk_metrics)

    def rebalance_portfolio(
        self,
        current: Mapping[str, object],
        target: Mapping[str, object],
        total_value: object,
        *,
        risk_constraints: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Rebalancing:
        """The orders that lead from the current weights to the target; see `Planner`. No ledger is needed."""
        return self.planner.rebalance_portfolio(
            current, target, total_value, risk_constraints=risk_constraints, **options
        )

    def calculate_efficiency_metrics(self, returns: Iterable[object], **options: Any) -> PortfolioMetrics:
        """The figures of a series of returns; see `Planner`. No ledger is needed."""
        return self.planner.calculate_efficiency_metrics(returns, **options)

    async def adopt(
        self,
        plan: Plan,
        *,
        reason: str | None = None,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> int:
        """Make a plan's weights the shares of the sleeves; gives the version of the mandate.

        A sleeve keeps its cap, its minimum and what else it has. A name without a sleeve gets
        one, and a sleeve that the plan does not name is left with 0 %. The journal has the
        plan's hash in the reason. Where the shares are those in force already, nothing is written.

        Parameters
        ----------
        reason
            Why; it stands in the journal after the plan's hash and strategy.

        Raises
        ------
        InvalidInput
            For weights below 0, for weights that with the reserve are more than the whole, and
            for names that no sleeve can have.
        """
        from capdesk.desk.adoption import adopted, reason_of

        said = None if reason is None else read.name(reason, "reason")
        rules = adopted(self._state.mandate, plan)
        if request_id is None and rules == self._state.mandate:
            return self.mandate_version
        command = c.UpdateMandate(rules, reason_of(plan, said))
        entry = await self._submit(command, request_id, deadline_seconds)
        return next(event.version for event in entry.events if isinstance(event, MandateChanged))
