"""What the desk's heartbeat saw and did in a replayed day: market states, pauses, recalls, the kill switch."""

from __future__ import annotations

from dataclasses import dataclass

from capdesk.model.money import Amount


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one heartbeat made of the market.

    Attributes
    ----------
    at
        Unix seconds, UTC.
    volatility
        Annual, as a fraction; None where the market could not be seen.
    multiplier
        What scales every budget since then, as a fraction.
    """

    at: int
    volatility: float | None
    multiplier: Amount


@dataclass(frozen=True, slots=True)
class Pause:
    """A strategy whose sleeve was under its minimum; `ended_at` is None if it still is."""

    strategy: str
    at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """A sleeve that held more than its budget, until it had given it back.

    Attributes
    ----------
    worst
        The most that it held above its budget, in dollars.
    met_at
        Unix seconds; None if it has not.
    """

    strategy: str
    at: int
    deadline: int
    worst: Amount
    met_at: int | None = None

    @property
    def overdue(self) -> bool:
        """Whether it took longer than the mandate allows."""
        return self.met_at is None or self.met_at > self.deadline


@dataclass(frozen=True, slots=True)
class Stop:
    """The kill switch has fired: when, at which drawdown (a fraction), and in the desk's words."""

    at: int
    drawdown: Amount
    reason: str


@dataclass(frozen=True, slots=True)
class Supervised:
    """A day's supervision."""

    sightings: tuple[Sighting, ...] = ()
    pauses: tuple[Pause, ...] = ()
    recalls: tuple[Recalled, ...] = ()
    stop: Stop | None = None
