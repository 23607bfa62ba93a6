"""What an allocation of another size would have come to: a journal's results in proportion to its capital.

Decided under other rules, a market holds more or less than it did. Its marks, its profit or
loss and its fees are then those of its own size, and an order fills as far as it goes: else
a smaller allocation would keep the profit of the larger one.
"""

from __future__ import annotations

from msgspec.structs import replace

from capdesk.model import commands as c
from capdesk.model.journal import Confirmed, Event, LeaseEnded, Restored
from capdesk.model.requests import Granted
from capdesk.model.state import Key, State

Held = dict[Key, int]
"""What each market and strategy held as it was, in micro-units."""


def follow(held: Held, events: tuple[Event, ...]) -> None:
    """Carry what happened into what was held."""
    for event in events:
        if isinstance(event, Granted):
            key = (event.market, event.strategy)
            held[key] = held.get(key, 0) + event.amount
        elif isinstance(event, c.Released):
            _put(held, event.market, event.strategy, event.rest)
        elif isinstance(event, Confirmed):
            _put(held, event.market, event.strategy, event.amount)
        elif isinstance(event, LeaseEnded) and event.freed:
            _put(held, event.market, event.strategy, 0)
        elif isinstance(event, Restored):
            key = (event.released.market, event.released.strategy)
            held[key] = held.get(key, 0) + event.released.amount


def _put(held: Held, market: str, strategy: str, amount: int) -> None:
    if amount:
        held[market, strategy] = amount
    else:
        held.pop((market, strategy), None)


def in_proportion(command: c.Command, events: tuple[Event, ...], held: Held, state: State) -> c.Command:
    """A command about an allocation, as it would have been given about one of another size.

    Parameters
    ----------
    events
        What followed from the command as it was; they name the strategy.
    held
        What was held before it.
    """
    if not events or type(command) not in _SCALED:
        return command
    key = (getattr(events[0], "market", ""), getattr(events[0], "strategy", ""))
    was, position = held.get(key), state.positions[key]
    if was is None or position is None or position.amount == was:
        return command
    return _scaled(command, was, position.amount)


_SCALED = frozenset((c.Confirm, c.Release, c.QueueRecycle, c.Mark))


def _scaled(command: c.Command, was: int, now: int) -> c.Command:
    if isinstance(command, c.Confirm):
        return command if command.filled is None else replace(command, filled=min(command.filled, now))
    if isinstance(command, c.Mark):
        return replace(command, value=command.value * now // was)
    if isinstance(command, c.Release | c.QueueRecycle):
        command = replace(command, pnl=command.pnl * now // was, fees=command.fees * now // was)
    if isinstance(command, c.Release) and command.amount is not None:
        return replace(command, amount=max(1, command.amount * now // was))
    return command
