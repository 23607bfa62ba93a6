"""What if other rules had held: the whole journal decided again under another mandate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from capdesk.decide.bookkeeping import tick
from capdesk.decide.evolution import evolve
from capdesk.decide.flows import account_of, free_cash
from capdesk.decide.proportion import Held, follow, in_proportion
from capdesk.decide.transition import decide, due
from capdesk.model import commands as c
from capdesk.model.errors import CapdeskError, InvalidInput
from capdesk.model.journal import Entry, Event, Marked, Reconciled
from capdesk.model.mandate import Mandate
from capdesk.model.requests import AllocationResult, Granted, Refused, Request, explain_outcome
from capdesk.model.state import State

_BY_THE_WRITER = frozenset((c.Expire, c.Arrive, c.Trip, c.UpdateMandate))
"""Entries nobody asked for: time commands them anew. The other mandate replaces every change of mandate."""

_OF_THE_RULES = frozenset((c.Observe, c.Resume))
"""Commands that these rules may have no use for."""


class Flip(Struct, frozen=True):
    """One verdict that the other mandate turns, or changes in amount; amounts in micro-units."""

    sequence: int
    at: int
    request: Request
    was: AllocationResult
    was_amount: int
    becomes: AllocationResult
    amount: int
    outcome: Granted | Refused

    @property
    def market(self) -> str:
        """The market it was asked for."""
        return self.request.market

    @property
    def strategy(self) -> str:
        """The strategy that asked."""
        return self.request.strategy

    @property
    def asked(self) -> int:
        """What was asked."""
        return self.request.asked

    @property
    def why(self) -> str:
        """The other mandate's sentence."""
        return explain_outcome(self.request, self.outcome)


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
    again = _Again(mandate, undone)
    for entry in entries:
        yield from again.carry_out(entry)


class _Again:
    """The desk under the other mandate, as far as the journal was decided again."""

    def __init__(self, mandate: Mandate, undone: Collection[int] | None) -> None:
        self._mandate = mandate
        self._undone = undone
        self._state = State()
        self._held: Held = {}
        self._otherwise: dict[int, c.Released | None] = {}

    def carry_out(self, entry: Entry) -> Sequence[Flip | Impossible]:
        """Decide one entry again; what of it flips or cannot be done."""
        state, at, kind = self._state, entry.at, type(entry.command)
        found: Sequence[Flip | Impossible] = ()
        if kind not in _BY_THE_WRITER:
            tick(state, at)
            if state.leases or state.transits or state.halt is not None or state.breakers:
                self._let_time_pass(entry.sequence, at)
            # Time that passes may have halted the desk: whether a command is moot shows only now.
            if not (kind in _OF_THE_RULES and self._is_moot(entry.command)):
                found = self._decide(entry)
        follow(self._held, entry.events)
        state.sequence, state.at = entry.sequence, at
        return found

    def _decide(self, entry: Entry) -> Sequence[Flip | Impossible]:
        command, state, at, sequence = entry.command, self._state, entry.at, entry.sequence
        events: tuple[Event, ...] = ()
        found: Sequence[Flip | Impossible] = ()
        try:
            if type(command) is not Request:
                command = self._as_given_here(entry)
            events = decide(state, command, entry.request_id, at)
        except CapdeskError as error:
            found = (Impossible(sequence, at, str(error)),)
        for event in events:
            evolve(state, event, sequence, at)
        return self._compare(entry, events) or found

    def _as_given_here(self, entry: Entry) -> c.Command:
        """A command as it would have been given: what it says of the desk's own books is said of these.

        Raises
        ------
        InvalidInput
            If it undoes a release that does not happen here.
        """
        command, state = entry.command, self._state
        if isinstance(command, (c.Confirm, c.Release, c.QueueRecycle, c.Mark)):
            return in_proportion(command, entry.events, self._held, state)
        if isinstance(command, c.MarkAll):
            return c.MarkAll(tuple(self._marks_here(command, entry.events)))
        if isinstance(command, c.Found):
            return c.Found(self._mandate, command.bankroll)
        if isinstance(command, c.SyncWallet):
            # A wallet showed what other grants had left in it; what nobody explained is the same.
            unexplained = sum(event.amount for event in entry.events if isinstance(event, Reconciled))
            account = account_of(state, command.account)
            return c.SyncWallet(free_cash(state, account) + unexplained, command.account)
        if isinstance(command, c.ReverseRelease) and command.release in self._otherwise:
            released = self._otherwise[command.release]
            if released is None:
                raise InvalidInput(
                    f"the release in entry {command.release} does not happen under these rules"
                )
            return c.ReverseRelease(command.release, released, command.reason)
        return command

    def _marks_here(self, command: c.MarkAll, events: tuple[Event, ...]) -> Iterator[c.Mark]:
        """The marks of what is open here too, in proportion."""
        for mark, event in zip(command.marks, events, strict=True):
            if isinstance(event, Marked) and self._state.positions[event.market, event.strategy] is not None:
                scaled = in_proportion(mark, (event,), self._held, self._state)
                assert isinstance(scaled, c.Mark)
                yield scaled

    def _is_moot(self, command: c.Command) -> bool:
        """Whether a command is about what these rules do not have: a market that acts on nothing, no halt."""
        if isinstance(command, c.Observe):
            return self._mandate.risk is None
        return self._state.halt is None

    def _let_time_pass(self, sequence: int, at: int) -> None:
        for command in due(self._state, at):
            for event in decide(self._state, command, "", at):
                evolve(self._state, event, sequence, at)

    def _compare(self, entry: Entry, events: tuple[Event, ...]) -> Sequence[Flip]:
        """The verdicts that turned; a release that turned is remembered where it is undone later."""
        command = entry.command
        if isinstance(command, Request):
            return _flips(entry, (command,), events)
        if isinstance(command, c.RequestAll):
            return _flips(entry, command.requests, events)
        if self._undone is None or entry.sequence in self._undone:
            before, after = _released(entry.events), _released(events)
            if before != after:
                self._otherwise[entry.sequence] = after
        return ()


def _flips(entry: Entry, requests: tuple[Request, ...], events: tuple[Event, ...]) -> Sequence[Flip]:
    flips: list[Flip] = []
    for request, was, becomes in zip(requests, entry.events, events, strict=False):
        assert isinstance(was, (Granted, Refused))
        assert isinstance(becomes, (Granted, Refused))
        old, new = _verdict(was), _verdict(becomes)
        if old != new:
            flips.append(Flip(entry.sequence, entry.at, request, *old, *new, becomes))
    return flips


def _released(events: tuple[Event, ...]) -> c.Released | None:
    return next((event for event in events if isinstance(event, c.Released)), None)


def _verdict(outcome: Granted | Refused) -> tuple[AllocationResult, int]:
    if isinstance(outcome, Granted):
        return AllocationResult.SUCCESS, outcome.amount
    return outcome.code, 0
