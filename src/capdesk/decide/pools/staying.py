"""Staying: what is held is brought back within its limits, and only yesterday's yield is placed.

It is stated in two problems, and the same solver takes both. The first looks for the cheapest
withdrawals that end every breach; no limit is broken, nothing is withdrawn. The second makes
just these withdrawals and places yesterday's yield. What cannot leave has raised the limits
before, so both can always be solved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Mask, PoolProblem

_BREACH = 1e-9
_NEVER_PAYS = 1e-3
"""Dollars that taking out a dollar is made to cost at least, so that no breach excuses taking out more."""


@dataclass(frozen=True, slots=True, eq=False)
class Staying:
    """The problem in which only yesterday's yield is placed, and the cash that stays idle, by token."""

    problem: PoolProblem
    idle: dict[int, float]

    def idle_income(self) -> float:
        """Dollars that the cash earns which is not placed."""
        return sum(self.idle.values()) * self.problem.cash_slope


def broken(problem: PoolProblem) -> Mask:
    """Which of the limits that pools share what is held breaks, (r,)."""
    used: Array = problem.limits @ problem.held
    return used > problem.limit_caps * (1 + _BREACH)


def curing(desk: Desk) -> PoolProblem | None:
    """The problem of the cheapest withdrawals that end every breach; None where there is none.

    Only positions that count in a broken limit may become smaller. What is taken out is worth
    less than where it was, even where it earned nothing, so the least that will do is taken.
    """
    p = desk.problem
    held = p.held > 0
    own = p.must | (np.asarray(p.limits[broken(p), :].sum(axis=0)).ravel() > 0)
    crowded = p.max_pools is not None and int(held.sum()) > p.max_pools
    if not crowded and not (held & own).any():
        return None
    lowest = float(p.piece_slope[held[p.piece_pool]].min())
    return replace(
        p,
        room=np.zeros(p.size),
        exit=np.where(own, p.exit, 0.0),
        leave=p.leave & (own | crowded),
        piece_slope=p.piece_slope + max(p.cash_slope + _NEVER_PAYS - lowest, 0.0),
        cash=p.cash * _fresh_share(desk),
        allow_cash=True,
        markets=(),
        min_pools=0,
    )


def staying(desk: Desk, withdrawals: Array) -> Staying:
    """The problem in which nothing is left to decide but where yesterday's yield goes.

    Parameters
    ----------
    withdrawals
        (n,) what the limits ask to be taken out. It may be placed anew where all cash counts as
        yesterday's yield; where that is a sum, no more than the sum is placed.
    """
    p = desk.problem
    out = withdrawals > p.moved
    whole = out & p.leave & (p.held - withdrawals <= p.left)
    amount = np.where(whole, p.held, np.where(out, withdrawals, 0.0))
    part = np.where(out & ~whole, amount, 0.0)
    share = _fresh_share(desk)
    given = desk.parameters.yesterday_yield_usd is not None
    fresh = float(p.cash.sum()) * share
    room = np.where(out, 0.0, np.minimum(p.room, fresh if given else fresh + float(amount.sum())))
    limits, caps = p.limits, np.maximum(p.limit_caps, p.limits @ (p.held - amount))
    names = p.limit_names
    if given and out.any():
        limits, caps = _with_row(limits, caps, ~out, float(p.held[~out].sum()) + fresh)
        names = (*names, "yesterday_yield_usd")
    problem = replace(
        p,
        least_exit=part,
        exit=part,
        leave=whole,
        must=out,
        room=room * (room >= p.least_deposit),
        cash=p.cash * share,
        allow_cash=True,
        limits=limits,
        limit_caps=caps,
        limit_names=names,
        min_pools=0,
    )
    rest = p.cash * (1 - share)
    return Staying(problem, {token: float(cash) for token, cash in enumerate(rest) if cash > 0})


def strictest(desk: Desk, stay: Staying) -> tuple[Staying, ...]:
    """Staying under fewer and fewer of the limits on what is placed; the last can always be solved.

    Where all cash counts as yesterday's yield, what is placed obeys `min_pools` and
    `allow_cash` like any plan. What is held may lie in too few pools already, and the cash of
    a treasury that stays may find no place; a given sum of yield may always wait.
    """
    if desk.parameters.yesterday_yield_usd is not None:
        return (stay,)
    p, loose = desk.problem, stay.problem
    stated = ((p.allow_cash, p.min_pools), (p.allow_cash, 0), (True, 0))
    return tuple(
        replace(stay, problem=replace(loose, allow_cash=cash, min_pools=fewest))
        for cash, fewest in dict.fromkeys(stated)
    )


def _fresh_share(desk: Desk) -> float:
    """The fraction of the cash that is yesterday's yield."""
    cash, sum_of_yield = float(desk.problem.cash.sum()), desk.parameters.yesterday_yield_usd
    if not cash:
        return 0.0
    return 1.0 if sum_of_yield is None else min(sum_of_yield, cash) / cash


def _with_row(limits: Matrix, caps: Array, members: Mask, most: float) -> tuple[Matrix, Array]:
    """The limits with one more, over the sum of some pools."""
    row = sparse.csc_array(members.astype(float)[None, :])
    return sparse.csc_array(sparse.vstack([limits, row])), np.append(caps, most)
