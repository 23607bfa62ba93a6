"""The door of performance: reads returns and what belongs to them, gives their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import sqrt

import numpy as np

from capdesk.decide.performance.benchmark import against
from capdesk.decide.performance.figures import Figures, growth_figures, sharpe_figures
from capdesk.decide.performance.growth import DIGITS, deepest_drawdown, growth_of
from capdesk.decide.performance.ratios import sortino, usual_lags
from capdesk.decide.performance.tail import tail_of
from capdesk.decide.performance.value import value_of
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, read_decimal
from capdesk.model.portfolio import BenchmarkMetrics, PortfolioMetrics

LARGEST = 1e39


def calculate_efficiency_metrics(
    returns: Iterable[object],
    *,
    risk_free_rate: object = "0.02",
    periods_per_year: object = 365,
    dates: Sequence[date] | None = None,
    benchmark: Iterable[object] | None = None,
    initial_value: object = None,
    total_value: object = None,
    flows: Iterable[object] | None = None,
    allocations: Mapping[str, object] | None = None,
    tail: object = "0.05",
    confidence: object = "0.95",
    sharpe_threshold: object = 0,
    autocorrelation_lags: int | None = None,
) -> PortfolioMetrics:
    """The figures of a series of returns.

    Parameters
    ----------
    returns
        (T,), fractions of the capital in each period: 0.02 is two percent; -1 or more. With
        flows they are what the capital earned between them, so that their product is the
        time-weighted return.
    risk_free_rate
        A year's, as a fraction; a period's is (1 + rate)^(1 / periods_per_year) - 1.
    dates
        The ends of the periods, (T,), or with the beginning before them, (T + 1,).
    benchmark
        Its returns in the same periods, (T,).
    initial_value, total_value
        Dollars at the beginning and at the end. The end is computed where only the
        beginning is known; neither is ever invented.
    flows
        (T,), dollars that came in as each period began, negative where they went out.
    allocations
        Dollars in each protocol now.
    tail, confidence
        The tail of value at risk; the confidence of intervals and of the track record.
    sharpe_threshold
        The annual Sharpe ratio that is to be exceeded.
    autocorrelation_lags
        How many autocorrelations correct the Sharpe ratio; Newey and West's number without it.

    Raises
    ------
    InvalidInput
        Naming the argument, what was given and what is allowed.
    """
    earned = _returns(returns, "returns")
    per_year = float(_within(periods_per_year, "periods_per_year", 0, 10**9))
    rate = float(_within(risk_free_rate, "risk_free_rate", -1, 1))
    worst = _within(tail, "tail", 0, 1)
    sure = float(_within(confidence, "confidence", 0, 1))
    threshold = float(read_decimal(sharpe_threshold, "sharpe_threshold"))
    lags = _lags(autocorrelation_lags, len(earned), per_year)
    path = growth_of(earned)
    if path[-1] > LARGEST:
        raise InvalidInput(
            f"returns make {path[-1]:.3e} of 1: they are fractions (0.02 is two percent), were percentages given?"
        )
    drawdown = deepest_drawdown(path, _dates(dates, len(earned)))
    risk_free = (1 + rate) ** (1 / per_year) - 1
    values = np.array([float(each) for each in earned], dtype=float)

    figures = growth_figures(values, float(path[-1]), float(drawdown.depth), per_year)
    figures |= sharpe_figures(values, risk_free, per_year, threshold, sure, lags)
    ratio = sortino(values, risk_free)
    figures["sortino_ratio"] = None if ratio is None else ratio * sqrt(per_year)
    lost = tail_of(values, worst, sure) if earned else None
    figures["value_at_risk"] = None if lost is None else lost.value_at_risk
    figures["conditional_value_at_risk"] = None if lost is None else lost.conditional
    figures["win_rate"] = sum(each > 0 for each in earned) / len(earned) if earned else None
    money = value_of(earned, initial_value, total_value, flows, allocations, per_year)
    beside, unknown = _beside(earned, benchmark, risk_free, per_year)
    return PortfolioMetrics(
        total_value=money.total or Amount(0),
        total_return=Amount(DIGITS.subtract(path[-1], Decimal(1))),
        max_drawdown=drawdown.depth,
        drawdown=drawdown,
        capital_utilization=money.utilization or Amount(0),
        protocol_allocations=money.allocations,
        conditional_value_at_risk_interval=None
        if lost is None or lost.interval is None
        else (_amount(lost.interval[0]), _amount(lost.interval[1])),
        tail_points=0 if lost is None else lost.points,
        best_return=Amount(max(earned, default=0)),
        worst_return=Amount(min(earned, default=0)),
        money_weighted_return=None if flows is None else _amount(money.weighted),
        benchmark=beside,
        periods=len(earned),
        periods_per_year=Amount(read_decimal(periods_per_year)),
        undefined=(*_undefined(figures), *money.undefined, *unknown),
        **{name: _amount(figure) for name, figure in figures.items()},
    )


def _beside(
    earned: Sequence[Decimal], benchmark: Iterable[object] | None, risk_free: float, per_year: float
) -> tuple[BenchmarkMetrics | None, tuple[str, ...]]:
    if benchmark is None:
        return None, ()
    market = _returns(benchmark, "benchmark")
    if len(market) != len(earned):
        raise InvalidInput(
            f"benchmark must have as many returns as there are, {len(earned)}, got {len(market)}"
        )
    if not market:
        return BenchmarkMetrics(), ()
    ours, theirs = (np.array([float(each) for each in series]) for series in (earned, market))
    figures = against(ours, theirs, risk_free, per_year)
    total = Amount(DIGITS.subtract(growth_of(market)[-1], Decimal(1)))
    known = {name: _amount(figure) for name, figure in figures.items()}
    return BenchmarkMetrics(total_return=total, **known), tuple(
        f"benchmark.{name}" for name in _undefined(figures)
    )


def _returns(given: Iterable[object], name: str) -> list[Decimal]:
    if isinstance(given, str | bytes):
        raise InvalidInput(f"{name} must be a series of numbers, got the text {given!r}")
    if not isinstance(given, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{name} must be a series of numbers, got {type(given).__name__}")
    read = [read_decimal(each, f"{name}[{place}]") for place, each in enumerate(given)]
    ruin = next((place for place, each in enumerate(read) if each < -1), None)
    if ruin is not None:
        raise InvalidInput(
            f"{name} are fractions of the capital, -1 or more (-0.05 is minus five percent), "
            f"got {read[ruin]} at [{ruin}]"
        )
    return read


def _dates(dates: Sequence[date] | None, periods: int) -> Sequence[date]:
    if dates is None:
        return ()
    if len(dates) not in (periods, periods + 1):
        raise InvalidInput(
            f"dates must be the ends of the {periods} periods, with or without the beginning, got {len(dates)}"
        )
    if any(later <= earlier for earlier, later in pairwise(dates)):
        raise InvalidInput("dates must rise from one to the next")
    return dates


def _lags(given: int | None, count: int, per_year: float) -> int:
    if given is None:
        return usual_lags(count, round(per_year))
    if isinstance(given, bool) or not 0 <= given < max(1, min(count, round(per_year))):
        raise InvalidInput(
            f"autocorrelation_lags must lie between 0 and below both the {count} returns and the "
            f"{per_year:g} periods of a year, got {given}"
        )
    return given


def _within(value: object, name: str, above: int, below: int) -> Decimal:
    number = read_decimal(value, name)
    if not above < number < below:
        raise InvalidInput(f"{name} must lie above {above} and below {below}, got {value}")
    return number


def _undefined(figures: Figures) -> tuple[str, ...]:
    return tuple(name for name, figure in figures.items() if figure is None or not abs(figure) < LARGEST)


def _amount(figure: float | None) -> Amount:
    """What a figure shows as; one that is not defined, or beyond what an `Amount` holds, is 0."""
    if figure is None or not 1 / LARGEST < abs(figure) < LARGEST:
        return Amount(0)
    return Amount(float(figure))
