"""What a replayed day came to: by strategy, by limit, and for the desk as a whole."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from capdesk.model.money import MICRO, Amount
from capdesk.study.demo.bots import STRATEGIES
from capdesk.study.demo.day import Answer, Ask, Day, Level, Payout

ALL = "all"
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class StrategyFigures:
    """One strategy's day; the last of a table is that of all of them.

    Attributes
    ----------
    answers
        How many asks were granted in full, cut, refused.
    cut_by, refused_by
        How many, by what stood in the way.
    turned_over
        The capital that was put to work, fees included.
    dollar_hours
        Capital times the time it was bound, from the grant to the recycling.
    pnl
        After fees.
    """

    strategy: str
    asks: int
    asked: Amount
    answers: Mapping[Answer, int]
    cut_by: Mapping[str, int]
    refused_by: Mapping[str, int]
    positions: int
    won: int
    turned_over: Amount
    dollar_hours: Amount
    fees: Amount
    pnl: Amount

    @property
    def pnl_per_dollar_hour(self) -> Amount | None:
        """Dollars earned for each dollar bound for an hour; None if none was."""
        return self.pnl / self.dollar_hours if self.dollar_hours else None


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """The desk's day.

    Attributes
    ----------
    peak_utilisation, mean_utilisation
        Fractions of the bankroll; the mean is over the time from the first open to the last close.
    max_drawdown
        Fraction of the highest bankroll so far.
    peak_open
        The most allocations that were open at once.
    """

    peak_utilisation: Amount
    mean_utilisation: Amount
    max_drawdown: Amount
    peak_open: int


def strategy_figures(day: Day) -> tuple[StrategyFigures, ...]:
    """The figures of each strategy, and last of all of them together."""
    each = [
        _figures(
            name,
            [ask for ask in day.asks if ask.strategy == name],
            [payout for payout in day.payouts if payout.position.strategy == name],
        )
        for name in STRATEGIES
    ]
    return (*each, _figures(ALL, day.asks, day.payouts))


def desk_figures(day: Day) -> DeskFigures:
    """The figures of the desk as a whole."""
    return DeskFigures(
        peak_utilisation=max((level.utilisation for level in day.levels), default=Amount(0)),
        mean_utilisation=_mean_utilisation(day),
        max_drawdown=max((level.drawdown for level in day.levels), default=Amount(0)),
        peak_open=max((level.open_allocations for level in day.levels), default=0),
    )


def telling_market(day: Day) -> str | None:
    """The market whose story shows most: the most kinds of answers and of obstacles, then the most asks.

    None if no bot asked for anything, as with a bankroll too small for the venue's least order.
    """
    asks: dict[str, list[Ask]] = {}
    for ask in day.asks:
        asks.setdefault(ask.market, []).append(ask)
    return max(
        asks,
        key=lambda name: (len({(ask.answer, ask.obstacle) for ask in asks[name]}), len(asks[name])),
        default=None,
    )


def sampled(day: Day, count: int, value: Callable[[Level], Amount]) -> list[Amount]:
    """A figure of the desk at `count` moments, equally far apart, from the first change to the last."""
    times = [level.at for level in day.levels]
    if not times:
        return [Amount(0)] * count
    step = (times[-1] - times[0]) / max(count - 1, 1)
    return [value(day.levels[bisect_right(times, times[0] + number * step) - 1]) for number in range(count)]


def _figures(name: str, asks: Iterable[Ask], payouts: Iterable[Payout]) -> StrategyFigures:
    asks, payouts = list(asks), list(payouts)
    return StrategyFigures(
        strategy=name,
        asks=len(asks),
        asked=_total(ask.asked for ask in asks),
        answers=Counter(ask.answer for ask in asks),
        cut_by=Counter(str(ask.obstacle) for ask in asks if ask.answer == "cut"),
        refused_by=Counter(str(ask.obstacle) for ask in asks if ask.answer == "refused"),
        positions=len(payouts),
        won=sum(payout.won for payout in payouts),
        turned_over=_total(payout.position.principal for payout in payouts),
        dollar_hours=_dollar_hours(payouts),
        fees=_total(payout.fees for payout in payouts),
        pnl=_total(payout.net for payout in payouts),
    )


def _total(amounts: Iterable[Amount]) -> Amount:
    return sum(amounts, Amount(0))


def _dollar_hours(payouts: Iterable[Payout]) -> Amount:
    micro_seconds = sum(
        payout.position.principal.micro * (payout.at - payout.position.opened_at) for payout in payouts
    )
    return Amount(micro_seconds) / (MICRO * SECONDS_PER_HOUR)


def _mean_utilisation(day: Day) -> Amount:
    """The mean over time: each level counts for as long as it lasted before the last close."""
    ends = [*(level.at for level in day.levels[1:]), day.ends_at]
    area = _total(
        level.utilisation * max(min(end, day.ends_at) - level.at, 0)
        for level, end in zip(day.levels, ends, strict=False)
    )
    return area / (day.ends_at - day.starts_at)
