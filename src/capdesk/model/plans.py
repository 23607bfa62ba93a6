"""A plan: which share each name should have, what binds it, and the certificate that it is right.

A plan is made by `capdesk.weights.plan_weights`. Weights are exact to a billionth and add
up exactly; the evidence (the problem and its multipliers) goes along with them, so that
anyone can check the answer without believing who gave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from capdesk.model import explanation
from capdesk.model.evidence import Evidence
from capdesk.model.explanation import Binding
from capdesk.model.money import Amount
from capdesk.model.strategies import AllocationStrategy

__all__ = ["AllocationStrategy", "AllocationTarget", "Certificate", "Plan"]


class AllocationTarget(Struct, frozen=True):
    """What one protocol should have (seed 000).

    Attributes
    ----------
    protocol
        Its name.
    target_percentage
        Its weight, a fraction of the capital.
    risk_score, expected_return
        What it was decided on, where that was given.
    """

    protocol: str
    target_percentage: Amount
    risk_score: Amount | None = None
    expected_return: Amount | None = None


class Certificate(Struct, frozen=True):
    """Why an answer is right, computed apart from whoever found it.

    Attributes
    ----------
    kind
        ``optimum`` (an objective and a bound that nothing feasible can be better than),
        ``sharpe`` (the same of the squared Sharpe ratio), ``contributions`` (risk parity: the
        shares of risk against the budgets), ``search`` (an optimum over choices of names,
        whose bound is the search's) or ``rule`` (no objective: nothing to be optimal in).
    objective, bound
        Of the weights as they are, to a billionth, and what no feasible weights can be
        better than; None for a rule.
    gap
        ``(objective - bound) / scale``, 0 or more but for rounding; for contributions the
        largest error of a share; 0 for a rule.
    rounding
        How much of the gap comes from weights being whole billionths.
    violation
        By how much the worst limit is exceeded.
    total
        The exact sum of the weights.
    tolerance
        The largest gap that is accepted: 1e-6, and what whole billionths cost at the limits.
    says
        The same in words.
    """

    kind: str
    objective: float | None
    bound: float | None
    gap: float
    rounding: float
    violation: float
    total: Amount
    tolerance: float
    says: str


class Plan(Struct, frozen=True, dict=True, eq=False):
    """Target weights with their reasons.

    Attributes
    ----------
    strategy
        Which strategy made it; for a plugged-in one the name of its class.
    weights
        Fraction of the capital by name, in the order given, exact to a billionth.
    cash
        What stays uninvested: budget less the sum of weights.
    budget
        What the weights and cash add up to.
    certificate
        The proof in figures.
    evidence
        The problem, the point and the multipliers that the certificate was computed from.
    solver, version
        What found the answer, and the release of capdesk that asked it.
    notes
        What was decided where the inputs left a choice, a sentence each.
    targets
        The weights as seed 000 has them.
    """

    strategy: str
    weights: Mapping[str, Amount]
    cash: Amount
    budget: Amount
    certificate: Certificate
    evidence: Evidence
    solver: str
    version: str
    notes: tuple[str, ...] = ()

    @cached_property
    def binding(self) -> tuple[Binding, ...]:
        """The limits that hold the weights, dearest first, with what one more unit of each is worth."""
        return explanation.bindings(self.evidence)

    def explain(self) -> dict[str, str]:
        """Why each name has what it has, one sentence for each."""
        return explanation.reasons(self.evidence)

    def to_json(self) -> str:
        """The plan with its whole problem, exact; `capdesk verify` checks it, `from_json` reads it."""
        from capdesk.model import plan_json

        return plan_json.write(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """A plan from its JSON.

        Raises
        ------
        InvalidInput
            For a text that is no plan.
        """
        from capdesk.model import plan_json

        return plan_json.read(text)

    def __repr__(self) -> str:
        weights = ", ".join(f"{name}: {weight}" for name, weight in self.weights.items())
        return f"Plan({self.strategy}, {{{weights}}}, cash={self.cash}, gap={self.certificate.gap:.1e})"

    @property
    def targets(self) -> tuple[AllocationTarget, ...]:
        """The weights as values of seed 000."""
        return tuple(AllocationTarget(name, weight) for name, weight in self.weights.items())
