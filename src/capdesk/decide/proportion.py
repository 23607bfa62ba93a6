"""What an allocation of another size would have come to: a journal's results in proportion to its capital.

Decided under other rules, a market holds more or less than it did. Its marks, its profit or
loss and its fees are then those of its own size, and an order fills as far as it goes: else
a smaller allocation would keep the profit of the larger one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from capdesk.model import commands as c
from capdesk.model.journal import Confirmed, Event, LeaseEnded, Restored
from capdesk.model.requests import Granted
from capdesk.model.state import Key, State

Sized = c.Confirm | c.Release | c.QueueRecycle | c.Mark
"""Commands about an allocation of some size; what follows from them names its market and strategy."""

Held = dict[Key, int]
"""What each market and strategy held as it was, in micro-units."""


def follow(held: Held, events: tuple[Event, ...]) -> None:
    """Carry what happened into what was held."""
    for event in events:
        change = _CHANGES.get(type(event))
        if change is not None:
            change(held, event)


def _granted(held: Held, event: Granted) -> None:
    key = (event.market, event.strategy)
    held[key] = held.get(key, 0) + event.amount


def _released(held: Held, event: c.Released) -> None:
    _put(held, event.market, event.strategy, event.rest)


def _confirmed(held: Held, event: Confirmed) -> None:
    _put(held, event.market, event.strategy, event.amount)


def _lease_ended(held: Held, event: LeaseEnded) -> None:
    if event.freed:
        _put(held, event.market, event.strategy, 0)


def _restored(held: Held, event: Restored) -> None:
    key = (event.released.market, event.released.strategy)
    held[key] = held.get(key, 0) + event.released.amount


def _put(held: Held, market: str, strategy: str, amount: int) -> None:
    if amount:
        held[market, strategy] = amount
    else:
        held.pop((market, strategy), None)


_CHANGES: dict[type, Callable[[Held, Any], None]] = {
    Granted: _granted,
    c.Released: _released,
    Confirmed: _confirmed,
    LeaseEnded: _lease_ended,
    Restored: _restored,
}


def in_proportion(command: Sized, events: tuple[Event, ...], held: Held, state: State) -> c.Command:
    """A command about an allocation, as it would have been given about one of another size.

    Parameters
    ----------
    events
        What followed from the command as it was; they name the strategy.
    held
        What was held before it.
    """
    if not events:
        return command
    first: Any = events[0]
    key = (first.market, first.strategy)
    was, position = held.get(key), state.positions[key]
    if was is None or position is None or position.amount == was:
        return command
    return _scaled(command, was, position.amount)


def _scaled(command: Sized, was: int, now: int) -> c.Command:
    if isinstance(command, c.Confirm):
        return command if command.filled is None else replace(command, filled=min(command.filled, now))
    if isinstance(command, c.Mark):
        return replace(command, value=command.value * now // was)
    pnl, fees = command.pnl * now // was, command.fees * now // was
    if isinstance(command, c.QueueRecycle):
        return replace(command, pnl=pnl, fees=fees)
    amount = None if command.amount is None else max(1, command.amount * now // was)
    return c.Release(command.market, command.strategy, pnl, fees, amount)
