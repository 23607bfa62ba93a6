"""Whether a new plan replaces what is held: it must win over staying, or a position may not stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capdesk.decide.pools.breaches import breaches, trimmed
from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.problem import Array
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Breach, Decision, ForcedExit, Kind, Trim

_MICRO_UNIT = 1e-6
"""Dollars: a plan that wins by less wins by a solver's rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Prospect:
    """What a plan nets over the horizon, dollars, and what it withdraws, (n,)."""

    net: float
    withdrawals: Array


def forced_exits(desk: Desk) -> tuple[ForcedExit, ...]:
    """The positions that may not stay, each with its reason."""
    found: list[ForcedExit] = []
    for pool, room in zip(desk.pools, desk.rooms, strict=True):
        if not room.held or pool.status != "exit":
            continue
        reason = pool.reason or "the pool may not be held any more"
        if room.stuck:
            reason = f"{reason}; {room.reason}"
        found.append(ForcedExit(pool.pool_id, reason, Amount.from_micro(round(room.stuck * 1e6))))
    return tuple(found)


def decide(desk: Desk, new: Prospect, stay: Prospect, *, stay_places_all: bool) -> Decision:
    """Compare the new plan with staying.

    Parameters
    ----------
    stay_places_all
        Whether staying leaves no cash that `allow_cash` forbids; else it is no alternative.
    """
    forced, found = forced_exits(desk), breaches(desk)
    margin = desk.parameters.reallocation_margin * abs(stay.net)
    kind: Kind = "place_yield"
    if forced:
        kind = "forced"
    elif not desk.problem.held.any() or not stay_places_all or new.net > stay.net + max(margin, _MICRO_UNIT):
        kind = "reallocate"
    chosen = stay if kind == "place_yield" else new
    trims = trimmed(desk, found, chosen.withdrawals, only_as_asked=kind == "place_yield")
    if kind == "reallocate" and desk.problem.held.any() and not stay_places_all:
        reason = f"staying leaves cash, which allow_cash forbids; the new plan nets ${new.net:,.2f}"
    else:
        reason = _reason(desk, kind, forced, new.net, stay.net, margin)
    reason += _limits_kept(kind, found, trims)
    return Decision(kind, reason, new.net, stay.net, margin, forced, found, trims)


def _reason(
    desk: Desk,
    kind: Kind,
    forced: Sequence[ForcedExit],
    net_new: float,
    net_stay: float,
    margin: float,
) -> str:
    days = desk.parameters.horizon_days
    figures = f"${net_new:,.2f} over {days:g} days against ${net_stay:,.2f} for staying"
    if kind == "forced":
        return f"positions may not stay: {'; '.join(f'{each.pool_id}: {each.reason}' for each in forced)}"
    if not desk.problem.held.any():
        return f"nothing is held, and the new plan nets ${net_new:,.2f} over {days:g} days"
    if kind == "reallocate":
        return f"the new plan nets {figures}, a margin of ${margin:,.2f} asked"
    by = f" by ${margin:,.2f}" if margin else ""
    return f"the new plan nets {figures} and does not win{by}: only yesterday's yield is placed"


def _limits_kept(kind: Kind, found: Sequence[Breach], trims: Sequence[Trim]) -> str:
    """What is said of broken limits, which either plan brings to an end as far as money can leave."""
    if not found:
        return ""
    if kind == "place_yield":
        out = ", ".join(f"${each.amount:,.2f} leave {each.pool_id}" for each in trims) or "nothing can leave"
        return f"; for limits that were broken {out}"
    return f"; it ends {len(found)} broken limit{'s' * (len(found) > 1)}"
