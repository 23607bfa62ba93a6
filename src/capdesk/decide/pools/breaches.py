"""Which limits what is held breaks, by how much, and which positions became smaller for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.problem import Array
from capdesk.decide.pools.room import Room
from capdesk.decide.pools.steps import micro
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Breach, Trim

_CENT = 0.01


def breaches(desk: Desk) -> tuple[Breach, ...]:
    """Every limit that is broken by more than growth may explain: pools' own, shared ones, their number."""
    own = [
        _own(pool.pool_id, its)
        for pool, its in zip(desk.pools, desk.rooms, strict=True)
        if its.overdue and pool.status != "exit"
    ]
    return (*own, *_shared(desk), *_number(desk))


def trimmed(
    desk: Desk, found: Sequence[Breach], withdrawals: Array, *, only_as_asked: bool
) -> tuple[Trim, ...]:
    """The positions that became smaller under broken limits, each with the limits that it counts in.

    Parameters
    ----------
    withdrawals
        (n,) dollars taken out.
    only_as_asked
        Whether nothing else was a reason to take something out; then what is more than the
        limits ask is explained.
    """
    trims: list[Trim] = []
    for number in np.flatnonzero(withdrawals > _CENT).tolist():
        if desk.pools[number].status == "exit":
            continue
        name, amount = desk.pools[number].pool_id, float(withdrawals[number])
        wholly = desk.rooms[number].held - amount < _CENT
        asked = {breach: _asked(desk, breach, number, wholly=wholly) for breach in found}
        its = [breach for breach, sum_asked in asked.items() if sum_asked]
        if not its:
            continue
        reason = "; ".join(breach.reason for breach in its)
        if only_as_asked:
            reason += _more_than_asked(desk, number, amount, max(asked.values()))
        trims.append(
            Trim(name, Amount.from_micro(micro(amount)), tuple(breach.limit for breach in its), reason)
        )
    return tuple(trims)


def _own(pool_id: str, its: Room) -> Breach:
    text = _sentence(its.limit_name, its.limit, its.held)
    if its.stuck:
        text += f", of which ${its.stuck:,.2f} cannot leave: {its.reason}"
    return Breach(its.limit_name, pool_id, its.limit, its.held, its.overdue, its.stuck, text)


def _shared(desk: Desk) -> list[Breach]:
    p, rows = desk.problem, desk.limits.rows.tocsr()
    used: Array = desk.limits.rows @ p.held
    most = desk.limits.stated * (1 + desk.parameters.growth_tolerance) + _CENT
    found: list[Breach] = []
    for row in np.flatnonzero(used > most).tolist():
        name, stated, held = desk.limits.names[row], float(desk.limits.stated[row]), float(used[row])
        text, stuck = _sentence(name, stated, held), max(float(desk.limits.caps[row]) - stated, 0.0)
        if stuck:
            members: list[int] = rows.indices[rows.indptr[row] : rows.indptr[row + 1]].tolist()
            keeps = [
                f"{desk.pools[each].pool_id}: {desk.rooms[each].reason}"
                for each in members
                if desk.rooms[each].held and desk.rooms[each].reason
            ]
            text += f", of which ${stuck:,.2f} cannot leave: {'; '.join(keeps)}"
        found.append(Breach(name, "", stated, held, held - stated, stuck, text))
    return found


def _number(desk: Desk) -> list[Breach]:
    most, held = desk.parameters.max_pools, int((desk.problem.held > 0).sum())
    if most is None or held <= most:
        return []
    assert desk.problem.max_pools is not None
    stuck = desk.problem.max_pools - most
    text = f"max_pools allows {most} pools, {held} are held: {held - most} too many"
    if stuck:
        text += f", of which {stuck} cannot be left"
    return [Breach("max_pools", "", most, held, held - most, stuck, text)]


def _asked(desk: Desk, breach: Breach, number: int, *, wholly: bool) -> float:
    """What a breach at most asks of a position, dollars; 0 where the position does not count in it."""
    its = desk.rooms[number]
    if breach.pool_id:
        return breach.excess - breach.stuck if breach.pool_id == desk.pools[number].pool_id else 0.0
    if breach.limit == "max_pools":
        return its.held if wholly else 0.0
    row = desk.limits.names.index(breach.limit)
    weight = float(desk.limits.rows[row, number])
    return min((breach.excess - breach.stuck) / weight, its.held) if weight else 0.0


def _more_than_asked(desk: Desk, number: int, amount: float, asked: float) -> str:
    its, parameters = desk.rooms[number], desk.parameters
    if amount <= asked + _CENT:
        return ""
    if its.held - amount < _CENT:
        return f"; what would remain is under the smallest position of ${parameters.minimum_ticket_usd:,.2f}"
    if amount <= parameters.minimum_move_usd + _CENT:
        return f"; the smallest move is ${parameters.minimum_move_usd:,.2f}"
    return ""


def _sentence(name: str, allowed: float, held: float) -> str:
    return f"{name} allows ${allowed:,.2f}, ${held:,.2f} is held: ${held - allowed:,.2f} too much"
