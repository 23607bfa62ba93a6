"""Whether a new plan replaces what is held: it must win over staying, or a position may not stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.problem import PoolProblem
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Decision, ForcedExit


@dataclass(frozen=True, slots=True)
class Staying:
    """What staying is: the problem in which only yesterday's yield is placed, and what the rest earns."""

    problem: PoolProblem
    idle: dict[int, float]

    def idle_income(self) -> float:
        """Dollars that the cash earns which is not placed."""
        return sum(self.idle.values()) * self.problem.cash_slope


def staying(desk: Desk) -> Staying:
    """The problem of staying: positions are kept as they are and only yesterday's yield is placed.

    A position that is above a limit stays so; nothing is added where a limit has no room.
    """
    p, parameters = desk.problem, desk.parameters
    cash = float(p.cash.sum())
    fresh = cash if parameters.yesterday_yield_usd is None else min(parameters.yesterday_yield_usd, cash)
    share = fresh / cash if cash else 0.0
    nothing, never = np.zeros(p.size), np.zeros(p.size, dtype=bool)
    held = int((p.held > 0).sum())
    problem = replace(
        p,
        least_exit=nothing,
        exit=nothing,
        leave=never,
        must=never,
        room=np.where(p.room > 0, np.minimum(p.room, fresh), 0.0)
        * (np.minimum(p.room, fresh) >= p.least_deposit),
        cash=p.cash * share,
        allow_cash=True,
        limit_caps=np.maximum(p.limit_caps, p.limits @ p.held),
        max_pools=None if p.max_pools is None else max(p.max_pools, held),
        min_pools=0,
    )
    rest = p.cash * (1 - share)
    return Staying(problem, {token: float(amount) for token, amount in enumerate(rest) if amount > 0})


def forced_exits(desk: Desk) -> tuple[ForcedExit, ...]:
    """The positions that may not stay as they are, each with its reason."""
    found: list[ForcedExit] = []
    for pool, room in zip(desk.pools, desk.rooms, strict=True):
        if not room.held or not (room.must or room.stuck):
            continue
        if pool.status == "exit":
            reason = pool.reason or "the pool may not be held any more"
        else:
            reason = f"${room.held:,.2f} is above its limit by more than growth may explain"
        if room.stuck:
            reason = f"{reason}; {room.reason}"
        found.append(ForcedExit(pool.pool_id, reason, Amount.from_micro(round(room.stuck * 1e6))))
    return tuple(found)


def decide(desk: Desk, net_new: float, net_stay: float) -> Decision:
    """Compare the new plan's net yield with that of staying, both in dollars over the horizon."""
    forced = forced_exits(desk)
    margin = desk.parameters.reallocation_margin * abs(net_stay)
    days = desk.parameters.horizon_days
    figures = f"${net_new:,.2f} over {days:g} days against ${net_stay:,.2f} for staying"
    if forced:
        names = "; ".join(f"{each.pool_id}: {each.reason}" for each in forced)
        return Decision("forced", f"positions may not stay: {names}", net_new, net_stay, margin, forced)
    breach = desk.problem.limits @ desk.problem.held > desk.problem.limit_caps * (1 + 1e-9)
    if breach.any():
        names = ", ".join(
            name for name, broken in zip(desk.problem.limit_names, breach, strict=True) if broken
        )
        return Decision("forced", f"what is held breaks {names}", net_new, net_stay, margin, forced)
    if not desk.problem.held.any():
        reason = f"nothing is held, and the new plan nets ${net_new:,.2f} over {days:g} days"
        return Decision("reallocate", reason, net_new, net_stay, margin, forced)
    if net_new > net_stay + margin:
        return Decision(
            "reallocate",
            f"the new plan nets {figures}, a margin of ${margin:,.2f} asked",
            net_new,
            net_stay,
            margin,
            forced,
        )
    return Decision(
        "place_yield",
        f"the new plan nets {figures} and does not win by ${margin:,.2f}: only yesterday's yield is placed",
        net_new,
        net_stay,
        margin,
        forced,
    )
