"""The bots: when they look at a market, what they believe, and how much capital they ask for.

A bot is a view and a size. It sees a `Sight`, which holds nothing later than its moment, and
knows nothing of the desk's limits: how much of its wish it may have is the desk's to say.
Their views are simple, and were set up on this very day so that every limit comes to bind and
dozens of allocations overlap: what they earn is no evidence that they would earn it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capdesk.model.money import Amount
from capdesk.model.requests import Priority
from capdesk.study.demo.markets import Side
from capdesk.study.demo.pricing import (
    CENT_MICRO,
    SHARE_MICRO,
    ask_cents,
    deviations,
    probability,
    share_cost_micro,
)

LEAST_ASK_MICRO = 1_500_000
"""A bot that has found a bet asks for a dollar and a half at least, so that a cut leaves the venue's least order."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a bot sees of one market at one moment.

    Attributes
    ----------
    seconds_left
        Seconds to the close.
    deviations
        Now and earlier in this market, oldest first: the price's distance above the strike in
        standard deviations of the move that was then to come.
    bankroll
        What the desk says it has.
    """

    market: str
    seconds_left: int
    deviations: tuple[float, ...]
    bankroll: Amount

    @property
    def favourite(self) -> Side:
        """The side that is in front."""
        return "up" if self.deviations[-1] >= 0 else "down"

    @property
    def underdog(self) -> Side:
        """The side that is behind."""
        return "down" if self.deviations[-1] >= 0 else "up"

    @property
    def lead(self) -> float:
        """How far the favourite is in front, in standard deviations."""
        return abs(self.deviations[-1])

    def fair(self, side: Side) -> float:
        """What a share of a side is worth by the model, in dollars."""
        return probability(self.lead if side == self.favourite else -self.lead)


def sight(
    market: str,
    seen: tuple[tuple[int, float], ...],
    strike: float,
    volatility: float,
    bankroll: Amount,
) -> Sight:
    """Look at a market: `seen` are its ``(seconds before the close, USD)`` so far, the last one now."""
    distances = tuple(deviations(price, strike, volatility, left) for left, price in seen)
    return Sight(market, seen[-1][0], distances, bankroll)


@dataclass(frozen=True, slots=True)
class Belief:
    """A side and the chance that a bot gives it."""

    side: Side
    chance: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a bot wants: capital for shares of one side at a price.

    Attributes
    ----------
    cents
        The modelled price of one share, without the fee.
    asked
        The capital it asks the desk for.
    """

    side: Side
    cents: int
    asked: Amount


@dataclass(frozen=True, slots=True)
class Bot:
    """One running bot.

    Attributes
    ----------
    name, strategy
        Two copies of a bot have names of their own and one strategy.
    moments
        Seconds before a close at which it looks, the earliest first.
    believes
        Its view of a market, None when it keeps out.
    kelly
        The fraction of the Kelly stake that it asks for.
    all_or_none
        It would rather have nothing than less than it asked for.
    """

    name: str
    strategy: str
    moments: tuple[int, ...]
    believes: Callable[[Sight], Belief | None]
    kelly: float
    priority: Priority
    all_or_none: bool = False

    def wish(self, seen: Sight) -> Wish | None:
        """Ask for a fraction of the Kelly stake, if the bot's belief is above the price with its fee.

        For a share that costs c and pays 1 with chance p the Kelly stake is (p - c) / (1 - c) of
        the bankroll (Kelly 1956, for odds of (1 - c) to c).
        """
        belief = self.believes(seen)
        if belief is None:
            return None
        cents = ask_cents(seen.fair(belief.side))
        cost = share_cost_micro(cents) / SHARE_MICRO
        if belief.chance <= cost:
            return None
        stake = self.kelly * (belief.chance - cost) / (1 - cost) * float(seen.bankroll)
        asked_micro = max(int(stake * SHARE_MICRO) // CENT_MICRO * CENT_MICRO, LEAST_ASK_MICRO)
        return Wish(belief.side, cents, Amount.from_micro(asked_micro))


def believes_in_momentum(seen: Sight) -> Belief:
    """A minute after the open: the move that has begun means more than the model thinks."""
    return Belief(seen.favourite, probability(1.6 * seen.lead))


def believes_in_return(seen: Sight) -> Belief | None:
    """In the middle: a lead, unless it is overwhelming, is worth half of what it looks like."""
    if not 0.25 <= seen.lead <= 2:
        return None
    return Belief(seen.underdog, probability(-0.5 * seen.lead))


def believes_in_the_steady(seen: Sight) -> Belief | None:
    """Later: a favourite that has led at every look is five points better than the model, but never safe."""
    has_led_throughout = min(seen.deviations) > 0 or max(seen.deviations) < 0
    if not has_led_throughout or seen.lead < 0.1:
        return None
    return Belief(seen.favourite, min(seen.fair(seen.favourite) + 0.05, 0.985))


def believes_in_the_last_seconds(seen: Sight) -> Belief | None:
    """At the end: a clear lead is lost once in a thousand for every second that is left."""
    return Belief(seen.favourite, 1 - seen.seconds_left / 1000) if seen.lead >= 0.5 else None


MOMENTUM = Bot("momentum", "momentum", (240,), believes_in_momentum, 0.04, "normal")
CONTRARIAN = Bot("contrarian", "contrarian", (180, 120), believes_in_return, 0.08, "normal")
CAUTIOUS = Bot("cautious", "cautious", (90, 60, 45), believes_in_the_steady, 0.06, "high", all_or_none=True)
SNIPER = Bot("sniper", "sniper", (15, 10, 5), believes_in_the_last_seconds, 0.04, "critical")
SPARE = Bot("sniper spare", "sniper", SNIPER.moments, believes_in_the_last_seconds, 0.04, "critical")

BOTS = (MOMENTUM, CONTRARIAN, CAUTIOUS, SNIPER, SPARE)
"""All that run, the second sniper being a hot spare that does not know what the first one holds."""
STRATEGIES = tuple(dict.fromkeys(bot.strategy for bot in BOTS))
