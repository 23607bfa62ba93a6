"""What supervision came to in a replayed day: volatility, pauses, recalls, and what the kill switch stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult
from capdesk.study.demo.day import Day
from capdesk.study.demo.markets import RETURN_SECONDS
from capdesk.study.demo.supervised import Pause, Sighting, Stop


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """The market's risk over the day.

    Attributes
    ----------
    lowest, highest
        Annual volatility, as a fraction; None if it was never seen.
    seconds_at
        How long each multiplier was in force, the largest first.
    seconds_unseen
        How long the market could not be seen.
    """

    lowest: float | None
    highest: float | None
    seconds_at: Mapping[Amount, int]
    seconds_unseen: int


@dataclass(frozen=True, slots=True)
class RecallFigures:
    """What was to be given back, and how soon it was.

    Attributes
    ----------
    worst
        The most that a sleeve held above its budget, in dollars.
    longest_seconds
        The longest time to compliance; None if nothing was given back.
    overdue
        How many took longer than the mandate allows.
    """

    count: int
    worst: Amount
    longest_seconds: int | None
    overdue: int


@dataclass(frozen=True, slots=True)
class SinceStop:
    """What became of the day after the kill switch had fired.

    Attributes
    ----------
    refused, asked
        Asks that it refused, and the dollars they asked for.
    returned, principal, net
        Positions whose capital came back since, that capital, and their result after fees.
    last_at
        Unix seconds at which the last of it came back.
    """

    stop: Stop
    refused: int
    asked: Amount
    returned: int
    principal: Amount
    net: Amount
    last_at: int | None


def risk_figures(day: Day) -> RiskFigures:
    """The figures of the market's risk."""
    sightings = day.supervised.sightings
    seen = [each.volatility for each in sightings if each.volatility is not None]
    seconds: Counter[Amount] = Counter()
    unseen = 0
    for sighting, ends_at in _spans(day):
        seconds[sighting.multiplier] += ends_at - sighting.at
        unseen += 0 if sighting.volatility is not None else ends_at - sighting.at
    return RiskFigures(
        lowest=min(seen, default=None),
        highest=max(seen, default=None),
        seconds_at={factor: seconds[factor] for factor in sorted(seconds, reverse=True)},
        seconds_unseen=unseen,
    )


def _spans(day: Day) -> list[tuple[Sighting, int]]:
    """Every sighting and when the next one replaced it."""
    sightings = day.supervised.sightings
    if not sightings:
        return []
    ends = [later.at for _, later in pairwise(sightings)]
    return list(zip(sightings, [*ends, sightings[-1].at + RETURN_SECONDS], strict=True))


def recall_figures(day: Day) -> RecallFigures:
    """The figures of all recalls."""
    recalls = day.supervised.recalls
    times = [recall.met_at - recall.at for recall in recalls if recall.met_at is not None]
    return RecallFigures(
        count=len(recalls),
        worst=max((recall.worst for recall in recalls), default=Amount(0)),
        longest_seconds=max(times, default=None),
        overdue=sum(recall.overdue for recall in recalls),
    )


def paused_seconds(day: Day) -> dict[str, int]:
    """How long each strategy that was paused was so, up to the last close."""
    seconds: Counter[str] = Counter()
    for pause in day.supervised.pauses:
        seconds[pause.strategy] += _end(pause, day) - pause.at
    return dict(seconds)


def _end(pause: Pause, day: Day) -> int:
    return max(pause.at, day.ends_at) if pause.ended_at is None else pause.ended_at


def since_stop(day: Day) -> SinceStop | None:
    """What became of the day after the kill switch had fired; None if it has not."""
    stop = day.supervised.stop
    if stop is None:
        return None
    refused = [ask for ask in day.asks if ask.result is AllocationResult.HALTED]
    returned = [payout for payout in day.payouts if payout.at > stop.at]
    return SinceStop(
        stop=stop,
        refused=len(refused),
        asked=sum((ask.asked for ask in refused), Amount(0)),
        returned=len(returned),
        principal=sum((payout.position.principal for payout in returned), Amount(0)),
        net=sum((payout.net for payout in returned), Amount(0)),
        last_at=max((payout.at for payout in returned), default=None),
    )


def sampled_volatility(day: Day, count: int) -> list[Amount]:
    """The volatility at `count` moments, equally far apart; one that was not seen is the one before."""
    known: list[Amount] = []
    for sighting in day.supervised.sightings:
        known.append(
            Amount(sighting.volatility) if sighting.volatility is not None else (known or [Amount(0)])[-1]
        )
    if not known:
        return [Amount(0)] * count
    return [known[round(number * (len(known) - 1) / max(count - 1, 1))] for number in range(count)]
