"""Rows that make charges felt which a relaxation pays only in part.

Flow cover inequalities (Padberg, Van Roy and Wolsey 1985; lifted as by Gu, Nemhauser and
Savelsbergh 1999). Each holds for every plan, whatever the sets in it are. With d_j the
deposits, U_j the most of each, w_j a pool's weight in a row, u, b, a = 1 where a pool is
entered, a token is bought or sold, and E some of the withdrawals q, at most Q each:

- a row ``sum w d - sum w q <= room`` (a limit, a token, all wealth; gas may stand in it):
  let full pools F fill it up to a rest r = room + sum_E w Q - sum_F w U > 0. Any other pool k
  with w_k U_k > r takes the rest only by being entered:
  sum_F w d + sum_K (w_k d_k - r u_k) - sum_(not E) w q <= sum_F w U
- a token with cash c and s = c + sum_E w Q: what pools C take beyond s must be bought:
  sum_C w d - sum_(not E) w q - s <= (sum_C w U - s) b
- and what they leave of s must be sold, or stay cash:
  sold - bought + sum_C w d - sum_(not E) w q - sum_C w U <= (s - sum_C w U) a
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.problem import Array, Index, Mask

_BROKEN = 1e-4
FILLED, BOUGHT, SOLD = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A row ``unit . amounts + charge . happening <= upper``, each side by activity."""

    unit: tuple[Index, Array]
    charge: tuple[Index, Array]
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where a relaxation stands: c admitted activities, and what they use of the m rows.

    Parameters
    ----------
    members, amount, share
        (c,) which, how much happens, how much of the charge is paid.
    unit, charge
        (c, m) what a unit and the charge use.
    """

    members: Index
    amount: Array
    share: Array
    unit: Array
    charge: Array


def broken(a: Activities, point: Point) -> list[Cut]:
    """The cuts that a relaxation breaks."""
    its = point.members
    kind, most = a.kind[its], np.maximum(a.most, a.whole)[its]
    limits = slice(a.first_limit, a.first_limit + a.limits)
    flows = slice(0, a.tokens + a.markets)
    sign = np.concatenate([np.ones(a.tokens), -np.ones(a.markets)])
    unit, charge = point.unit, point.charge
    wealth = unit[:, flows] @ sign, charge[:, flows] @ sign
    rebates = float((sign @ a.plain_rows[flows])[a.tokens : a.tokens + a.markets].sum())
    uses = np.hstack([unit[:, : a.tokens], unit[:, limits], wealth[0][:, None]])
    uses[np.abs(uses) < 1e-12] = 0.0
    gas = np.hstack([charge[:, : a.tokens], charge[:, limits], wealth[1][:, None]])
    room = np.concatenate([a.upper[: a.tokens], a.upper[limits], [a.upper[: a.tokens].sum() - rebates]])
    p = _Uses(a, its, kind, point.amount, most, point.share, uses, gas, room)
    return _filled(p) + _bought(p) + _sold(p) + _bought_within(p)


@dataclass(frozen=True, slots=True, eq=False)
class _Uses:
    """A point, and what its activities use of the rows that cuts are made of: tokens, limits, all wealth."""

    a: Activities
    its: Index
    kind: Index
    amount: Array
    most: Array
    share: Array
    unit: Array
    charge: Array
    room: Array


def _filled(p: _Uses) -> list[Cut]:
    """What full activities leave of a row is taken by another only if it happens."""
    amount, most, share = p.amount[:, None], p.most[:, None], p.share[:, None]
    gives = p.unit < 0
    size = p.unit * most + p.charge
    leaving = gives & (amount > 0.5 * most) & (size < 0)
    staying = gives & ~leaving
    full = (p.unit > 0) & (amount > 0.999 * most) & (share > 0.999)
    cap = np.where(full, size, 0.0).sum(axis=0)
    rest = p.room - np.where(leaving, size, 0.0).sum(axis=0) - cap
    others = (p.unit > 0) & ~full & (size > rest)
    # A cheap charge would pay for the amounts of dear ones, so a cut holds no cheaper one than it needs.
    pay = p.a.charge[p.its]
    order = np.argsort(-pay, kind="stable")
    excess = np.where(others, p.unit * amount + (p.charge - rest) * share, 0.0)
    over = np.cumsum(excess[order], axis=0)
    slack = cap - np.where(full, p.unit * amount + p.charge * share, 0.0).sum(axis=0)
    slack -= np.where(staying, p.unit * amount, 0.0).sum(axis=0)
    last = np.flatnonzero(np.diff(pay[order], append=-1.0) != 0)
    if not len(last):
        return []
    ends = last[over[last].argmax(axis=0)]
    beyond = over[ends, np.arange(len(rest))] - slack
    found: list[Cut] = []
    for row in np.flatnonzero((rest > 1e-6) & (beyond > _BROKEN)).tolist():
        held = order[: ends[row] + 1]
        chosen = held[others[held, row]]
        counted = np.concatenate([np.flatnonzero(full[:, row]), chosen])
        terms = np.concatenate([counted, np.flatnonzero(staying[:, row])])
        charge = p.charge[:, row].copy()
        charge[chosen] -= rest[row]
        found.append(
            Cut((p.its[terms], p.unit[terms, row]), (p.its[counted], charge[counted]), float(cap[row]))
        )
    return found


def _bought(p: _Uses) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought."""
    return _covered(p, PURCHASE)


def _sold(p: _Uses) -> list[Cut]:
    """What pools leave of the supply of a token must be sold, or stays cash."""
    return _covered(p, SALE)


def _covered(p: _Uses, leg: int) -> list[Cut]:
    tokens = slice(0, p.a.tokens)
    unit, amount, most = p.unit[:, tokens], p.amount[:, None], p.most[:, None]
    trades = (p.kind == leg)[:, None] & (unit != 0)
    part = np.where(trades, p.share[:, None], 0.0).sum(axis=0)
    out = (p.kind == WITHDRAWAL)[:, None] & (unit < 0)
    leaving = out & (amount > 0.5 * most)
    supply = p.room[tokens] - np.where(leaving, unit * most, 0.0).sum(axis=0)
    into = (p.kind == DEPOSIT)[:, None] & (unit > 0)
    found: list[Cut] = []
    done = ~trades.any(axis=0) | (part >= 1 - 1e-6)
    for covered in (into & (amount > 1e-9), into & (amount > 0.999 * most)):
        cap = np.where(covered, unit * most, 0.0).sum(axis=0)
        terms = covered | (out & ~leaving)
        if leg == SALE:
            terms |= (p.kind >= SALE)[:, None] & (unit != 0)
        flow = np.where(terms, unit * amount, 0.0).sum(axis=0)
        more = (cap - supply) if leg == PURCHASE else (supply - cap)
        beyond = flow - (supply if leg == PURCHASE else cap) - more * part
        for token in np.flatnonzero(~done & (more > 0) & (beyond > _BROKEN)).tolist():
            done[token] = True
            its, legs = np.flatnonzero(terms[:, token]), np.flatnonzero(trades[:, token])
            found.append(
                Cut(
                    (p.its[its], unit[its, token]),
                    (p.its[legs], np.full(len(legs), -more[token])),
                    float((supply if leg == PURCHASE else cap)[token]),
                )
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What full pools leave of a limit: the weight of every activity in it, which are full or stay."""

    weight: Array
    full: Mask
    staying: Mask
    rest: float


def _left(p: _Uses, row: int) -> _Left:
    weight = p.unit[:, row]
    leaving = (weight < 0) & (p.amount > 0.5 * p.most)
    full = (weight > 0) & (p.amount > 0.999 * p.most) & (p.share > 0.999)
    rest = p.room[row] - float((weight * p.most)[leaving].sum() + (weight * p.most)[full].sum())
    return _Left(weight, full, (weight < 0) & ~leaving, rest)


def _bought_within(p: _Uses) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought, however many share a limit's rest."""
    numbers = range(p.a.tokens, p.a.tokens + p.a.limits)
    limits = sorted((_left(p, row) for row in numbers), key=lambda each: each.rest)
    limits = [each for each in limits if each.rest > 1e-6]
    found: list[Cut] = []
    buying = (p.kind == PURCHASE) & (p.amount > 1e-6) & (p.share < 1 - 1e-6)
    for token in np.flatnonzero((buying[:, None] & (p.unit[:, : p.a.tokens] < 0)).any(axis=0)).tolist():
        found += _bought_of(p, token, limits)
    return found


def _bought_of(p: _Uses, token: int, limits: list[_Left]) -> list[Cut]:
    share = p.unit[:, token]
    buys = np.flatnonzero((p.kind == PURCHASE) & (share < 0))
    part = float(p.share[buys].sum())
    if part >= 1 - 1e-6:
        return []
    out, taken = (p.kind == WITHDRAWAL) & (share < 0), (p.kind == DEPOSIT) & (share > 0)
    leaving = out & (p.amount > 0.5 * p.most)
    supply = p.room[token] - float((share * p.most)[leaving].sum())
    unit = np.where(out & ~leaving, share, 0.0)
    open_pools = taken & ((p.amount < 0.999 * p.most) | (p.share < 0.999))
    cap, upper = 0.0, supply
    for limit in limits:
        its = np.flatnonzero(open_pools & (limit.weight > 0))
        used = its[p.amount[its] > 1e-9]
        if not len(used):
            continue
        most = float((share[used] / limit.weight[used]).max())
        its = its[share[its] <= most * limit.weight[its] * (1 + 1e-12)]
        unit[its] += share[its]
        unit += most * np.where(limit.full | limit.staying, limit.weight, 0.0)
        cap += most * limit.rest
        upper += most * float((limit.weight * p.most)[limit.full].sum())
        open_pools[its] = False
    others = taken & (p.amount > 1e-9) & (open_pools | (p.amount >= 0.999 * p.most) & (p.share >= 0.999))
    unit[others] += share[others]
    cap += float((share * p.most)[others].sum())
    if cap <= supply or float(unit @ p.amount) - upper - (cap - supply) * part <= _BROKEN:
        return []
    its = np.flatnonzero(unit)
    return [Cut((p.its[its], unit[its]), (p.its[buys], np.full(len(buys), supply - cap)), upper)]
