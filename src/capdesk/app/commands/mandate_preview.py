"""What another mandate would do to what is open, before it does.

The new rules are tried on a working copy of the desk's state, and the desk's own decision is
asked for the room under every limit there: no limit is computed here a second time.
"""

from dataclasses import dataclass

from capdesk.decide.reports import allocation_report
from capdesk.decide.transition import decide, evolve
from capdesk.model.commands import UpdateMandate
from capdesk.model.mandate import Mandate
from capdesk.model.money import Amount
from capdesk.model.requests import Granted, Refused, Request, RoomLeft
from capdesk.model.state import Position, State

ASKING = "mandate-diff"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on what is open, under the rules in force and under the proposed ones."""

    name: str
    market: str | None
    used: Amount
    before: Amount | None
    after: Amount | None

    @property
    def above(self) -> Amount:
        """How much more is in use than the proposed rules allow."""
        return Amount(0) if self.after is None else max(Amount(0), self.used - self.after)


@dataclass(frozen=True, slots=True)
class Preview:
    """A proposed mandate, weighed.

    Attributes
    ----------
    changes
        ``(field, in force, proposed)`` for every setting that differs.
    limits
        Every limit that something open is under.
    headroom_before, headroom_after
        What could still be granted under the total limit.
    """

    mandate_version: int
    changes: list[tuple[str, object, object]]
    limits: list[Limit]
    headroom_before: Amount
    headroom_after: Amount

    @property
    def above(self) -> list[Limit]:
        """The limits that would be exceeded by what is open."""
        return [limit for limit in self.limits if limit.above]


def preview(state: State, proposed: Mandate, changes: list[tuple[str, object, object]], at: int) -> Preview:
    """Weigh a mandate on a state.

    Raises
    ------
    ConfigError
        Where `update_mandate` would refuse it.
    """
    after = state.fork()
    for event in decide(state, UpdateMandate(proposed, ASKING), ASKING, at):
        evolve(after, event, state.sequence + 1, at)
    now, then = limits_of(granting(state), at), limits_of(granting(after), at)
    return Preview(
        mandate_version=state.mandate_version,
        changes=changes,
        limits=[
            Limit(
                name=name,
                market=market,
                used=Amount.from_micro((then.get(key) or now[key]).used),
                before=None if key not in now else Amount.from_micro(now[key].limit),
                after=None if key not in then else Amount.from_micro(then[key].limit),
            )
            for key in dict.fromkeys((*then, *now))
            for name, market in (key,)
        ],
        headroom_before=allocation_report(state, [], at)["headroom"],
        headroom_after=allocation_report(after, [], at)["headroom"],
    )


def granting(state: State) -> State:
    """A working copy that is not halted: a halt has no rooms, and the limits behind it are what is weighed."""
    copy = state.fork()
    copy.halt = None
    return copy


def limits_of(state: State, at: int) -> dict[tuple[str, str | None], RoomLeft]:
    """Find the limits that open allocations are under, by name and, for a market's own, by market."""
    found: dict[tuple[str, str | None], RoomLeft] = {}
    for _, position in state.positions.entries():
        if position is None:
            continue
        for room in rooms_of(state, position, at):
            if room.name != "available" and not room.name.startswith("priority:"):
                own = position.market if room.name.startswith("market") else None
                found[room.name, own] = room
    return found


def rooms_of(state: State, position: Position, at: int) -> tuple[RoomLeft, ...]:
    """Ask the desk's decision for the room that an open allocation would have to grow; nothing is taken."""
    known = position.group is not None and state.mandate.group(position.group) is not None
    asked = Request(
        market=position.market,
        asked=state.mandate.min_order,
        strategy=position.strategy,
        group=position.group if known else None,
        account=position.account,
        increase=True,
    )
    (outcome,) = decide(state, asked, ASKING, at)
    assert isinstance(outcome, (Granted, Refused))
    if outcome.rooms:
        return outcome.rooms
    # A strategy without a sleeve, or with a disabled one, may have nothing at all.
    return (RoomLeft(f"strategy:{position.strategy}", 0, state.by_strategy[position.strategy]),)
