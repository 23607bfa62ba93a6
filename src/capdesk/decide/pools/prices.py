"""What the rows of a plan are worth: multipliers of the linear program in which everything is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.lagrangian import ON, WHOLE
from capdesk.decide.pools.problem import Answer, Array, Index, PoolProblem
from capdesk.decide.pools.relaxation import Relaxation


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Shadow prices, dollars of the objective for a dollar.

    Parameters
    ----------
    limits
        (r,) of each limit.
    room
        (n,) of one more dollar of room in a pool that is full.
    dollar
        (n,) what the last dollar in a pool has to earn over the horizon to be worth its place.
    gas
        (n,) what entering a pool costs at these prices, dollars.
    """

    limits: Array
    room: Array
    dollar: Array
    gas: Array


def at(p: PoolProblem, answer: Answer) -> Prices:
    """The prices at an answer of any solver."""
    a = activities(p, count=False)
    sold = np.concatenate(answer.sold) if answer.sold else np.zeros(0)
    bought = np.concatenate(answer.bought) if answer.bought else np.zeros(0)
    flows = {DEPOSIT: answer.deposits, WITHDRAWAL: answer.withdrawals, SALE: sold, PURCHASE: bought}
    amount = np.zeros(a.size)
    for kind, flow in flows.items():
        amount[a.kind == kind] = flow[a.owner[a.kind == kind]]
    happens, near = np.flatnonzero(amount > p.moved), max(1e-3, p.left)
    modes = {
        int(each): WHOLE if a.whole[each] > 0 and amount[each] >= a.whole[each] * a.unit - near else ON
        for each in happens
    }
    y = Relaxation(a, happens).fix(modes).multipliers
    deposits = np.flatnonzero(a.kind == DEPOSIT)
    owner = a.owner[deposits]
    unit = (a.unit_rows[:, deposits].T @ y) * a.gain
    dollar, gas, room = np.full(p.size, np.inf), np.zeros(p.size), np.zeros(p.size)
    dollar[owner] = unit
    gas[owner] = (a.charge[deposits] + a.charge_rows[:, deposits].T @ y) * a.unit * a.gain
    full = answer.deposits >= p.room - near
    last = _last_slope(p)
    room[owner] = np.where(full[owner], np.maximum(last[owner] - unit, 0.0), 0.0)
    limits = y[a.first_limit : a.first_limit + a.limits] * a.gain
    return Prices(limits, room, dollar, gas)


def _last_slope(p: PoolProblem) -> Array:
    last = np.zeros(p.size)
    where: Index = np.searchsorted(p.piece_pool, np.arange(p.size), side="right") - 1
    last[:] = p.piece_slope[where] if p.size else 0.0
    return last
