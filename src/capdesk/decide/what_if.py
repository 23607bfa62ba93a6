"""What if other rules had held: the whole journal decided again under another mandate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from capdesk.decide.bookkeeping import tick
from capdesk.decide.evolution import evolve
from capdesk.decide.flows import account_of, free_cash
from capdesk.decide.proportion import Held, follow, in_proportion
from capdesk.decide.transition import decide, due
from capdesk.model import commands as c
from capdesk.model.errors import CapdeskError, InvalidInput
from capdesk.model.journal import Entry, Event, Reconciled
from capdesk.model.mandate import Mandate
from capdesk.model.requests import AllocationResult, Granted, Refused, Request, explain_outcome
from capdesk.model.state import State

_BY_THE_WRITER = (c.Expire, c.Arrive, c.Trip, c.UpdateMandate)
"""Entries nobody asked for: time commands them anew. The other mandate replaces every change of mandate."""


class Flip(Struct, frozen=True):
    """One verdict that the other mandate turns, or changes in amount; amounts in micro-units."""

    sequence: int
    at: int
    market: str
    strategy: str
    asked: int
    was: AllocationResult
    was_amount: int
    becomes: AllocationResult
    amount: int
    why: str


class Impossible(Struct, frozen=True):
    """A command of the journal that cannot be carried out under the other mandate."""

    sequence: int
    at: int
    why: str


def what_if(
    entries: Iterable[Entry], mandate: Mandate, undone: Collection[int] | None = None
) -> Iterator[Flip | Impossible]:
    """Decide a journal again; request times are as they were.

    Parameters
    ----------
    entries
        A whole journal, oldest first.
    mandate
        The rules that hold from its first entry on.
    undone
        Numbers of the releases that the journal undoes later, so that only those are
        remembered; None: not known beforehand, every one that turns out otherwise is.
    """
    state = State()
    otherwise: dict[int, c.Released | None] = {}
    held: Held = {}
    for entry in entries:
        at = entry.at
        if isinstance(entry.command, _BY_THE_WRITER) or _is_moot(entry.command, mandate, state):
            follow(held, entry.events)
            state.sequence, state.at = entry.sequence, at
            continue
        tick(state, at)
        _let_time_pass(state, entry.sequence, at)
        try:
            command = in_proportion(_under(mandate, state, entry, otherwise), entry.events, held, state)
            events = decide(state, command, entry.request_id, at)
        except CapdeskError as error:
            yield Impossible(entry.sequence, at, str(error))
            command, events = entry.command, ()
        for event in events:
            evolve(state, event, entry.sequence, at)
        follow(held, entry.events)
        state.sequence, state.at = entry.sequence, at
        if events != entry.events:
            may_be_undone = undone is None or entry.sequence in undone
            if may_be_undone and any(isinstance(event, c.Released) for event in entry.events):
                otherwise[entry.sequence] = next((it for it in events if isinstance(it, c.Released)), None)
            yield from _flips(entry, command, events)


def _under(
    mandate: Mandate, state: State, entry: Entry, otherwise: dict[int, c.Released | None]
) -> c.Command:
    """A command as it would have been given: what it says of the desk's own books is said of these.

    Raises
    ------
    InvalidInput
        If it undoes a release that does not happen here.
    """
    command = entry.command
    if isinstance(command, c.Found):
        return c.Found(mandate, command.bankroll)
    if isinstance(command, c.SyncWallet):
        # A wallet showed what other grants had left in it; what nobody explained is the same.
        unexplained = sum(event.amount for event in entry.events if isinstance(event, Reconciled))
        account = account_of(state, command.account)
        return c.SyncWallet(free_cash(state, account) + unexplained, command.account)
    if isinstance(command, c.ReverseRelease) and command.release in otherwise:
        released = otherwise[command.release]
        if released is None:
            raise InvalidInput(f"the release in entry {command.release} does not happen under these rules")
        return c.ReverseRelease(command.release, released, command.reason)
    return command


def _is_moot(command: c.Command, mandate: Mandate, state: State) -> bool:
    """Whether a command speaks of what these rules do not have: a market that acts on nothing, a halt that was not."""
    if isinstance(command, c.Observe):
        return mandate.risk is None
    return isinstance(command, c.Resume) and state.halt is None


def _let_time_pass(state: State, sequence: int, at: int) -> None:
    if state.leases or state.transits or state.halt is not None or state.breakers:
        for command in due(state, at):
            for event in decide(state, command, "", at):
                evolve(state, event, sequence, at)


def _flips(entry: Entry, command: c.Command, events: tuple[Event, ...]) -> Iterator[Flip]:
    requests = (command,) if isinstance(command, Request) else getattr(command, "requests", ())
    for request, was, becomes in zip(requests, entry.events, events, strict=False):
        if not isinstance(was, Granted | Refused) or not isinstance(becomes, Granted | Refused):
            continue
        old, new = _verdict(was), _verdict(becomes)
        if old != new:
            yield Flip(
                entry.sequence,
                entry.at,
                request.market,
                request.strategy,
                request.asked,
                *old,
                *new,
                explain_outcome(request, becomes),
            )


def _verdict(outcome: Granted | Refused) -> tuple[AllocationResult, int]:
    if isinstance(outcome, Granted):
        return AllocationResult.SUCCESS, outcome.amount
    return outcome.code, 0
