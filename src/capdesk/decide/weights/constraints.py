"""What weights must obey, as people write it. All of it goes into the optimisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from capdesk.decide.weights.problem import Array
from capdesk.model.money import Number

PerName = Number | Mapping[str, Number]
"""One number for all names, or a number for each (names left out have no limit)."""


class Group(Struct, frozen=True):
    """The sum of the weights of some names lies between two limits."""

    members: Sequence[str]
    min: Number | None = None
    max: Number | None = None


class Exposure(Struct, frozen=True):
    """A weighted sum of the weights lies between two limits (asset concentration, a factor's beta).

    Attributes
    ----------
    loadings
        What one unit of each name adds: by name (0 for those left out) or an array (n,).
    min, max
        In the loadings' unit; one may be None.
    """

    loadings: Mapping[str, Number] | Sequence[float] | Array
    min: Number | None = None
    max: Number | None = None


class Constraints(Struct, frozen=True, kw_only=True):
    """The limits of a plan; weights, budget and turnover are fractions of the capital.

    Attributes
    ----------
    max_weight, min_weight
        For every name, or by name. Without them 0 to the budget; no bound where shorts are allowed.
    long_only
        No weight below 0.
    budget
        What the weights add up to; less only where the limits forbid it.
    fully_invested
        Whether all of the budget is invested as far as the limits allow; False lets the optimum
        keep any of it in cash. Kelly stakes are always of that kind.
    allow_cash
        Whether weights may add up to less than the budget where the limits forbid all of it;
        False makes that an `InfeasibleError`.
    groups, exposures
        By their own names.
    gross
        The most that the sizes of the weights may add up to: 1.6 for 130/30.
    turnover
        The most that the sizes of all trades from `current` may add up to (buys and sells).
    max_trade
        The largest trade of a name, for all or by name.
    max_names
        How many names may have a weight, long or short.
    min_weight_if_held
        A name has nothing, or at least this, long or short.
    proportional_costs
        What a trade costs as a fraction of its size (0.001 is ten basis points), for all or by name.
    fixed_costs
        What any trade in a name costs as a fraction of the capital, for all or by name.
    """

    max_weight: PerName | None = None
    min_weight: PerName | None = None
    long_only: bool = True
    budget: Number = 1
    fully_invested: bool = True
    allow_cash: bool = True
    groups: Mapping[str, Group] = {}
    exposures: Mapping[str, Exposure] = {}
    gross: Number | None = None
    turnover: Number | None = None
    max_trade: PerName | None = None
    max_names: int | None = None
    min_weight_if_held: PerName | None = None
    proportional_costs: PerName | None = None
    fixed_costs: PerName | None = None
