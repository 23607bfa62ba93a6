"""What follows a plan: orders that lead to it, and the figures of how it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import overload

from capdesk.model.money import Amount

NONE = Amount(0)
DAYS = Amount(365)


class RebalanceAction(StrEnum):
    """Which way an order moves a protocol's capital."""

    DECREASE = "decrease"
    INCREASE = "increase"


@dataclass(frozen=True, slots=True)
class RebalanceOrder:
    """One order towards the target.

    Attributes
    ----------
    protocol, action
        Whose capital is decreased or increased.
    amount
        Dollars, to the cent, above 0.
    priority
        1 is first: decreases come before the increases that they pay for.
    part, parts
        Which part of how many, where a large trade is split.
    """

    protocol: str
    action: RebalanceAction
    amount: Amount
    priority: int
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class TradingCost:
    """What a trade of one protocol costs.

    Attributes
    ----------
    fixed
        Dollars for a trade of any size, however many transactions it is split into.
    proportional
        A fraction of its size: 0.001 is ten basis points.
    """

    fixed: Amount = NONE
    proportional: Amount = NONE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A protocol that is away from its target and is not traded all the way.

    Attributes
    ----------
    deviation
        Target less current weight, as a fraction of the total; what is left of it.
    reason
        Why, with the figures.
    """

    protocol: str
    deviation: Amount
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Rebalancing(Sequence[RebalanceOrder]):
    """The orders, in the order of their priority, and what they leave as it is.

    Attributes
    ----------
    cash_change
        Dollars that the orders add to cash, before costs; negative: they take from it.
    costs
        Dollars that the orders cost.
    left_out
        What is away from its target and why it is not traded all the way.
    """

    orders: tuple[RebalanceOrder, ...]
    cash_change: Amount = NONE
    costs: Amount = NONE
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.orders)

    @overload
    def __getitem__(self, place: int) -> RebalanceOrder: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[RebalanceOrder, ...]: ...
    def __getitem__(self, place: int | slice) -> RebalanceOrder | tuple[RebalanceOrder, ...]:
        return self.orders[place]

    def __iter__(self) -> Iterator[RebalanceOrder]:
        return iter(self.orders)

    def __eq__(self, other: object) -> bool:
        """A rebalancing equals another of the same content, and a list or tuple of the same orders."""
        if isinstance(other, Rebalancing):
            return (self.orders, self.cash_change, self.costs, self.left_out) == (
                other.orders,
                other.cash_change,
                other.costs,
                other.left_out,
            )
        return isinstance(other, list | tuple) and self.orders == tuple(other)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

    def __hash__(self) -> int:
        return hash(self.orders)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a high of the capital.

    Attributes
    ----------
    depth
        A positive fraction of the high.
    peak, trough, recovered
        After how many periods: 0 is the initial capital; `recovered` is None while it is not.
    peak_at, trough_at, recovered_at
        The dates of these, where dates were given.
    """

    depth: Amount = NONE
    peak: int = 0
    trough: int = 0
    recovered: int | None = None
    peak_at: date | None = None
    trough_at: date | None = None
    recovered_at: date | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkMetrics:
    """How returns compare with a benchmark's.

    Attributes
    ----------
    alpha, tracking_error, information_ratio
        Of a year.
    beta, correlation
        Of the excess returns.
    up_capture, down_capture
        The mean growth in the periods in which the benchmark rose (fell), as a fraction of its own.
    total_return
        The benchmark's.
    """

    alpha: Amount = NONE
    beta: Amount = NONE
    correlation: Amount = NONE
    tracking_error: Amount = NONE
    information_ratio: Amount = NONE
    up_capture: Amount = NONE
    down_capture: Amount = NONE
    total_return: Amount = NONE


@dataclass(frozen=True, slots=True)
class PortfolioMetrics:
    """The figures of a series of returns.

    Value, total and time-weighted return, drawdown, utilisation and allocations are decimal
    arithmetic (34 digits); the others are statistics in double precision, shown as `Amount`s
    so that they mix with decimals. What the data does not define is 0 and named in `undefined`.

    Attributes
    ----------
    total_value
        Dollars at the end, from what was passed in.
    total_return, max_drawdown, value_at_risk, conditional_value_at_risk
        Fractions of the capital; the last three are positive losses.
    annual_return, volatility, sharpe_ratio, autocorrelation_adjusted_sharpe, sortino_ratio
        Of a year.
    sharpe_standard_error
        Of the annual Sharpe ratio, with skewness and kurtosis.
    probabilistic_sharpe, minimum_track_record
        The probability that the true Sharpe ratio exceeds the threshold, and the number of
        periods from which that could be said with the confidence.
    conditional_value_at_risk_interval
        Low and high, at the confidence; None where the tail has fewer than two points.
    tail_points
        How many of the returns the tail holds.
    skewness, kurtosis
        Of the population; a normal distribution has 0 and 3.
    money_weighted_return
        Of a year; None where no flows were given.
    capital_utilization
        Allocated dollars as a fraction of the total value.
    undefined
        Names of the figures above that are 0 because the data does not define them.
    """

    total_value: Amount = NONE
    total_return: Amount = NONE
    sharpe_ratio: Amount = NONE
    max_drawdown: Amount = NONE
    capital_utilization: Amount = NONE
    protocol_allocations: dict[str, Amount] = field(default_factory=dict[str, Amount])
    annual_return: Amount = NONE
    volatility: Amount = NONE
    sharpe_standard_error: Amount = NONE
    autocorrelation_adjusted_sharpe: Amount = NONE
    probabilistic_sharpe: Amount = NONE
    minimum_track_record: Amount = NONE
    sortino_ratio: Amount = NONE
    calmar_ratio: Amount = NONE
    drawdown: Drawdown = Drawdown()
    value_at_risk: Amount = NONE
    conditional_value_at_risk: Amount = NONE
    conditional_value_at_risk_interval: tuple[Amount, Amount] | None = None
    tail_points: int = 0
    skewness: Amount = NONE
    kurtosis: Amount = NONE
    best_return: Amount = NONE
    worst_return: Amount = NONE
    win_rate: Amount = NONE
    money_weighted_return: Amount | None = None
    benchmark: BenchmarkMetrics | None = None
    periods: int = 0
    periods_per_year: Amount = DAYS
    undefined: tuple[str, ...] = ()
