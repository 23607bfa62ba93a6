"""How a desk stands, as people see it: budgets, recalls, breakers, a halt and the market, in dollars and UTC times."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from capdesk.model.money import Amount


class SleeveBudget(Struct, frozen=True):
    """One sleeve's capital.

    Attributes
    ----------
    share
        Its percentage of the base, in dollars.
    before
        What its cap and its minimum leave of that, and what idle sleeves left to it.
    amount
        Its budget: `before` times `multiplier`.
    """

    sleeve: str
    share: Amount
    before: Amount
    amount: Amount
    enabled: bool
    capped: bool
    multiplier: Amount


class SleeveRecall(Struct, frozen=True):
    """A sleeve holds `amount` more than its budget, to be given back by `deadline`; `worst` was the most it was."""

    sleeve: str
    amount: Amount
    worst: Amount
    since: datetime
    deadline: datetime
    overdue: bool


class TrippedBreaker(Struct, frozen=True):
    """A breaker that stops grants, since when and what triggered it."""

    name: str
    since: datetime
    reason: str


class HaltInForce(Struct, frozen=True):
    """Since when no grant is made, and why."""

    since: datetime
    reason: str


class SeenMarket(Struct, frozen=True):
    """A market state as it was observed; volatility and correlation are fractions, None is not known."""

    at: datetime
    volatility_state: str | None
    volatility: Amount | None
    gas_price_gwei: Amount | None
    correlation: Amount | None
    circuit_breaker_triggered: bool
