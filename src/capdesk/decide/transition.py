"""The desk as a pure transition: a state and a command give the events that follow.

The state of a desk is the fold of `evolution.evolve` over its journal. `decide` only
looks at the state. This is the one place that asks `grants` for a decision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from capdesk.decide import flows, review, settlement
from capdesk.decide.bookkeeping import tick
from capdesk.decide.evolution import evolve
from capdesk.decide.grants import decide_request, places
from capdesk.decide.risk.breakers import lift_by_hand, trip_by_hand, unjournaled
from capdesk.model import commands as c
from capdesk.model import journal as j
from capdesk.model.requests import Granted, Refused, Request
from capdesk.model.state import State

__all__ = ["decide", "decide_all", "due", "evolve", "tick"]


def decide(state: State, command: c.Command, request_id: str, at: int) -> tuple[j.Event, ...]:
    """Say what follows from a command; the state is only read.

    Parameters
    ----------
    state
        The desk as of the last entry, with time advanced to `at` by `tick`.
    request_id
        The command's id; a queued recycling is known by it.
    at
        Microseconds since 1970 (UTC), not before the last entry.

    Raises
    ------
    CapdeskError
        For a command that cannot be carried out; nothing follows from it.
    """
    if type(command) is Request:
        return (decide_request(state, command, at),)
    return _DECIDERS[type(command)](state, command, request_id, at)


def decide_all(state: State, command: c.RequestAll, at: int) -> tuple[j.Event, ...]:
    """Decide several requests as one, each after the ones before it: all are granted in some part, or none."""
    for request in command.requests:
        places(state, request)
    trial = state.fork()
    outcomes: list[Granted | Refused] = []
    for request in command.requests:
        outcome = decide_request(trial, request, at)
        outcomes.append(outcome)
        if isinstance(outcome, Refused):
            return _refuse_all(state, command, outcome)
        evolve(trial, outcome, state.sequence + 1, at)
    return tuple(outcomes)


def _refuse_all(state: State, command: c.RequestAll, cause: Refused) -> tuple[j.Event, ...]:
    return tuple(
        cause
        if (request.market, request.strategy) == (cause.market, cause.strategy)
        else Refused(
            market=request.market,
            strategy=request.strategy,
            code=cause.code,
            version=cause.version,
            detail=f"refused with {cause.market}, which was refused as {cause.code}: all or none were asked",
        )
        for request in command.requests
    )


_DECIDERS: dict[type, Callable[[State, Any, str, int], tuple[j.Event, ...]]] = {
    c.Found: lambda s, x, i, at: flows.found(s, x),
    c.RequestAll: lambda s, x, i, at: decide_all(s, x, at),
    c.Confirm: lambda s, x, i, at: settlement.confirm(s, x, at),
    c.Release: lambda s, x, i, at: settlement.release(s, x),
    c.ReverseRelease: lambda s, x, i, at: settlement.reverse(s, x),
    c.Mark: lambda s, x, i, at: settlement.mark(s, x, at),
    c.MarkAll: lambda s, x, i, at: settlement.mark_all(s, x, at),
    c.Deposit: lambda s, x, i, at: flows.deposit(s, x),
    c.Withdraw: lambda s, x, i, at: flows.withdraw(s, x),
    c.SetBankroll: lambda s, x, i, at: flows.set_bankroll(s, x),
    c.SyncWallet: lambda s, x, i, at: flows.sync_wallet(s, x),
    c.Transfer: lambda s, x, i, at: flows.transfer(s, x, s.sequence + 1, at),
    c.QueueRecycle: settlement.queue_recycle,
    c.AskToTell: lambda s, x, i, at: settlement.ask_to_tell(s, x),
    c.Recycle: lambda s, x, i, at: settlement.recycle(s, x, at),
    c.Delivered: lambda s, x, i, at: (j.Told(x.event_id),) if s.untold[x.event_id] is not None else (),
    c.Expire: lambda s, x, i, at: settlement.expire(s, at),
    c.Arrive: lambda s, x, i, at: flows.arrive(s, at),
    c.UpdateMandate: lambda s, x, i, at: flows.update_mandate(s, x),
    c.Observe: lambda s, x, i, at: review.observe(s, x, at),
    c.Review: lambda s, x, i, at: review.review(s, at),
    c.HaltDesk: lambda s, x, i, at: review.halt(s, x),
    c.Trip: lambda s, x, i, at: review.trip(s),
    c.Resume: lambda s, x, i, at: review.resume(s, x),
    c.TripBreaker: lambda s, x, i, at: trip_by_hand(s, x),
    c.LiftBreaker: lambda s, x, i, at: lift_by_hand(s, x),
}


def due(state: State, at: int) -> list[c.Command]:
    """What nobody has to ask for: expired leases, transfers that arrived, a halt that was caused."""
    commands: list[c.Command] = []
    if any(0 < until <= at for _, until in state.leases.entries()):
        commands.append(c.Expire())
    if any(transit is not None and transit.arrives_at <= at for _, transit in state.transits.entries()):
        commands.append(c.Arrive())
    if (state.halt is not None and not state.halt.journaled) or unjournaled(state):
        commands.append(c.Trip())
    return commands
