"""Why no plan obeys the limits where all money must be placed: the conflict, its arithmetic, the ways out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import highspy
import numpy as np

from capdesk.decide.pools import certificate, exact, highs
from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.conflict import Knob, Statement, change, knobs, minimal
from capdesk.decide.pools.problem import Array
from capdesk.decide.pools.room import Room
from capdesk.model.errors import InfeasibleError
from capdesk.model.pool_parameters import PoolParameters

_CENT = 0.01
_PRICED = 1e-9


def shortage(
    state: Statement, parameters: PoolParameters, pools: int, days_since_moves: Iterable[float]
) -> InfeasibleError:
    """The error for a problem without a plan; only `allow_cash=False` can make one.

    Parameters
    ----------
    state
        States the problem under some parameters.
    pools
        How many there are.
    days_since_moves
        Of what is held.
    """
    in_force = knobs(parameters, state(parameters), pools, days_since_moves)
    kept, desk = minimal(state, parameters, in_force)
    ways = [
        (abs(value - knob.values[0]) / max(knob.values[0], 1e-9), knob, value)
        for knob in kept
        if (value := change(state, parameters, knob)) is not None
    ]
    relaxations = [
        (_named(knob, parameters, value), knob.show(knob.values[0]), knob.show(value))
        for _, knob, value in sorted(ways, key=lambda way: way[0])
    ]
    return InfeasibleError(
        conflict=("allow_cash", *(name for knob in kept for name in knob.names)),
        arithmetic=f"all ${desk.problem.total:,.2f} must be placed, and {arithmetic(desk, kept)}",
        relaxations=(*relaxations, ("allow_cash", "False", "True")),
        what="no allocation of pools obeys all limits",
    )


def _named(knob: Knob, parameters: PoolParameters, value: float) -> str:
    """The parameters of a limit that have to move to reach a value."""
    if len(knob.names) == 1:
        return knob.names[0]
    return " and ".join(name for name in knob.names if getattr(parameters, name) < value)


def arithmetic(desk: Desk, kept: Sequence[Knob]) -> str:
    """What pools can take under the limits in conflict, against what there is."""
    p = desk.problem
    names = {name for knob in kept for name in knob.names}
    if not (p.room > 0).any() and not p.held.any():
        ticket = desk.parameters.minimum_ticket_usd
        return f"no pool may take ${p.total:,.2f} or a part of it (the smallest position is ${ticket:,.2f})"
    most, parts = _most_placed(desk)
    if most < p.total - _CENT:
        return f"{'; '.join(parts)}; together {_share(most, p.total)} < 100 %, and cash is not allowed"
    if "max_pools" in names:
        return f"{_by_number(desk)}, and cash is not allowed"
    if "min_pools" in names and (said := _by_tickets(desk)):
        return said
    return f"{_by_what_stays(desk, names)}, and cash is not allowed"


def _most_placed(desk: Desk) -> tuple[float, list[str]]:
    """The most that can lie in pools by their room and shared limits, and the limits that add up to it.

    A linear program over positions; by its duality the sum is that of the limits, each times its
    multiplier, and of the room of every pool to which they leave something.
    """
    p = desk.problem
    most = np.array([_most(its) for its in desk.rooms])
    solver = highs.silent()
    nothing = np.full(len(p.limit_caps), -np.inf)
    solver.passModel(
        highs.program(np.ones(p.size), (np.zeros(p.size), most), p.limits, (nothing, p.limit_caps))
    )
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    multipliers = np.maximum(np.array(solver.getSolution().row_dual), 0.0)
    parts: list[str] = []
    for name, cap, price in zip(p.limit_names, p.limit_caps, multipliers, strict=True):
        if price > _PRICED:
            times = "" if abs(price - 1) < 1e-6 else f"{price:.4g} x "
            parts.append(f"{name} leaves {times}${cap:,.2f} ({_share(cap, p.total)})")
    own = np.maximum(1 - p.limits.T @ multipliers, 0.0) if len(p.limit_caps) else np.ones(p.size)
    parts += _by_room(desk, most, own)
    return float(multipliers @ p.limit_caps + own @ most), parts


def _most(its: Room) -> float:
    """The most that can be in a pool: what must leave has left, as far as it can."""
    if its.overdue:
        return max(its.held - its.overdue, its.stuck) if its.exit or not its.leave else 0.0
    return its.held + its.room


def _by_room(desk: Desk, most: Array, own: Array) -> list[str]:
    """The pools that are bounded by themselves, by what bounds them."""
    together: dict[str, list[int]] = {}
    for number in np.flatnonzero((own > _PRICED) & (most > 0)).tolist():
        its = desk.rooms[number]
        together.setdefault(its.limit_name if its.room else "what is held", []).append(number)
    parts: list[str] = []
    for name, its in together.items():
        room, count = float((own * most)[its].sum()), len(its)
        pools = f"{count} pool{'s' * (count > 1)}"
        share = f" ({_share(room, desk.problem.total)})"
        if name == "what is held":
            parts.append(f"{pools} may keep ${room:,.2f}{share} and take no more")
        else:
            parts.append(f"{pools} take ${room:,.2f}{share} by {name} {getattr(desk.parameters, name):.6g}")
    return parts


def _by_number(desk: Desk) -> str:
    count, placed = desk.parameters.max_pools, _placing(desk)[0]
    return (
        f"max_pools {count}: {count} pools take at most ${placed:,.2f} ({_share(placed, desk.problem.total)})"
    )


def _by_tickets(desk: Desk) -> str:
    """Where even the smallest positions are more than there is."""
    p = desk.problem
    least = p.min_pools * desk.parameters.minimum_ticket_usd
    if least <= p.total:
        return ""
    ticket = f"minimum_ticket_usd ${desk.parameters.minimum_ticket_usd:,.2f}"
    return f"min_pools {p.min_pools} x {ticket} = ${least:,.2f} > ${p.total:,.2f}"


def _by_what_stays(desk: Desk, names: set[str]) -> str:
    """What is left of each token at best, once gas, conversions and the smallest deposits are counted."""
    stays = _placing(desk)[1]
    left = ", ".join(
        f"${amount:,.2f} of {token}"
        for token, amount in zip(desk.problem.tokens, stays, strict=True)
        if amount > _CENT
    )
    smallest = {"minimum_ticket_usd": "smallest position", "minimum_move_usd": "smallest move"}
    said = "".join(
        f", and the {word} is ${getattr(desk.parameters, name):,.2f}"
        for name, word in smallest.items()
        if name in names
    )
    return f"at best {left or 'some of it'} stays cash after gas and conversions{said}"


def _placing(desk: Desk) -> tuple[float, Array]:
    """The plan that places the most: what lies in pools then, and the cash of each token, (T,)."""
    placing = replace(
        desk.problem,
        piece_slope=np.ones(len(desk.problem.piece_slope)),
        cash_slope=0.0,
        allow_cash=True,
        min_pools=0,
    )
    answer = exact.solve(placing).answer
    placed = placing.held + answer.deposits - answer.withdrawals
    return float(placed.sum()), certificate.cash(placing, answer)


def _share(part: float, total: float) -> str:
    return f"{part / total:.2%}"
