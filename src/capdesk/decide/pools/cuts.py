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

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, Mask
from capdesk.decide.pools.relaxation import Relaxed

_BROKEN = 1e-4
_NEAR = 400


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A row ``unit . amounts + charge . happening <= upper``, each side by activity."""

    unit: tuple[Index, Array]
    charge: tuple[Index, Array]
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A row ``unit . amounts + charge . happening <= room`` at a relaxation, by its activities.

    Every plan keeps it; what else stands in the row is 0 or more.
    """

    its: Index
    unit: Array
    charge: Array
    room: float


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Where a relaxation stands: of every activity the amount, the most, and the share of its charge.

    `pay` is what the share costs where nothing else of an activity is wanted.
    """

    a: Activities
    amount: Array
    most: Array
    share: Array
    worth: Array
    pay: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What full pools leave of a limit: the weight of every activity in it, which are full or stay."""

    weight: Array
    full: Mask
    staying: Mask
    rest: float


def broken(a: Activities, relaxed: Relaxed, rest_charge: Array) -> list[Cut]:
    """The cuts that a relaxation breaks; `rest_charge` as in `Hull`."""
    amount, share = np.zeros(a.size), np.zeros(a.size)
    amount[relaxed.members], share[relaxed.members] = relaxed.amount, relaxed.share
    most = np.maximum(a.most, a.whole)
    worth = a.slope[a.start[:-1]] - relaxed.priced.unit - (a.charge + relaxed.priced.charge) / most
    point = _Point(a, amount, most, share, np.where(amount > 0, np.inf, worth), rest_charge)
    units, charges = a.unit_rows.tocsr(), a.charge_rows.tocsr()
    tokens = [_row(units, charges, number, float(a.upper[number])) for number in range(a.tokens)]
    numbers = range(a.first_limit, a.first_limit + a.limits)
    limits = [_row(units, charges, number, float(a.upper[number])) for number in numbers]
    left = sorted((_left(point, row) for row in limits), key=lambda each: each.rest)
    found: list[Cut] = []
    for row in tokens:
        found += _bought(point, row) + _sold(point, row) + _filled(point, row)
        found += _bought_within(point, row, [each for each in left if each.rest > 1e-6])
    for row in limits:
        found += _filled(point, row)
    return found + _filled(point, _wealth(a, units, charges))


def _row(units: Matrix, charges: Matrix, number: int, room: float) -> _Row:
    its = units.indices[units.indptr[number] : units.indptr[number + 1]]
    values = units.data[units.indptr[number] : units.indptr[number + 1]]
    charge = np.zeros(units.shape[1])
    where = slice(charges.indptr[number], charges.indptr[number + 1])
    charge[charges.indices[where]] = charges.data[where]
    return _Row(its, values, charge[its], room)


def _wealth(a: Activities, units: Matrix, charges: Matrix) -> _Row:
    """All tokens and markets together: what is put into pools and what everything costs."""
    sign = np.concatenate([np.ones(a.tokens), -np.ones(a.markets)])
    rows = slice(0, a.tokens + a.markets)
    unit, charge = sign @ units[rows], sign @ charges[rows]
    rebates = float((sign @ a.plain_rows[rows])[a.tokens : a.tokens + a.markets].sum())
    its = np.flatnonzero((np.abs(unit) > 1e-12) | (np.abs(charge) > 1e-12))
    return _Row(its, unit[its], charge[its], float(a.upper[: a.tokens].sum()) - rebates)


def _filled(p: _Point, row: _Row) -> list[Cut]:
    """What full activities leave of a row is taken by another only if it happens."""
    its = row.its
    amount, most, share = p.amount[its], p.most[its], p.share[its]
    gives = row.unit < 0
    leaving, staying = gives & (amount > 0.5 * most), gives & (amount <= 0.5 * most)
    size = row.unit * most + row.charge
    full = ~gives & (amount > 0.999 * most) & (share > 0.999)
    cap = float(size[full].sum())
    rest = row.room - float(size[leaving].sum()) - cap
    if rest <= 1e-6:
        return []
    others = np.flatnonzero(~gives & ~full & (size > rest))
    if len(others) > _NEAR:
        others = others[np.argpartition(-p.worth[its[others]], _NEAR)[:_NEAR]]
    # A cheap charge would pay for the amounts of dear ones, so a cut holds no cheaper one than it needs.
    pay = p.pay[its[others]]
    excess = (row.unit * amount + (row.charge - rest) * share)[others]
    order = np.argsort(-pay, kind="stable")
    over = np.cumsum(excess[order])
    slack = cap - float((row.unit * amount + row.charge * share)[full].sum())
    slack -= float((row.unit * amount)[staying].sum())
    last = np.flatnonzero(np.diff(pay[order], append=-1.0) != 0)
    if not len(last):
        return []
    most = int(last[over[last].argmax()])
    if over[most] - slack <= _BROKEN:
        return []
    chosen = others[order[: most + 1]]
    counted = np.concatenate([np.flatnonzero(full), chosen])
    unit = np.concatenate([counted, np.flatnonzero(staying)])
    charge = row.charge.copy()
    charge[chosen] -= rest
    return [Cut((its[unit], row.unit[unit]), (its[counted], charge[counted]), cap)]


def _covers(p: _Point, row: _Row) -> list[tuple[np.ndarray, np.ndarray, float, float]]:
    """Pools to cover, withdrawals that stay, supply, and the most that the pools take."""
    kind, amount, most = p.a.kind[row.its], p.amount[row.its], p.most[row.its]
    out = kind == WITHDRAWAL
    leaving = out & (amount > 0.5 * most)
    supply = row.room - float((row.unit * most)[leaving].sum())
    into = kind == DEPOSIT
    covers = (into & (amount > 1e-9), into & (amount > 0.999 * most))
    return [(covered, out & ~leaving, supply, float((row.unit * most)[covered].sum())) for covered in covers]


def _bought(p: _Point, row: _Row) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought."""
    buys = np.flatnonzero(p.a.kind[row.its] == PURCHASE)
    part = float(p.share[row.its[buys]].sum())
    if not len(buys) or part >= 1 - 1e-6:
        return []
    for covered, staying, supply, cap in _covers(p, row):
        terms = np.flatnonzero(covered | staying)
        flow = float((row.unit[terms] * p.amount[row.its[terms]]).sum())
        if cap > supply and flow - supply - (cap - supply) * part > _BROKEN:
            charge = (row.its[buys], np.full(len(buys), supply - cap))
            return [Cut((row.its[terms], row.unit[terms]), charge, supply)]
    return []


def _left(p: _Point, row: _Row) -> _Left:
    """What full pools leave of a limit."""
    weight, most = np.zeros(len(p.amount)), p.most
    weight[row.its] = row.unit
    leaving = (weight < 0) & (p.amount > 0.5 * most)
    full = (weight > 0) & (p.amount > 0.999 * most) & (p.share > 0.999)
    rest = row.room - float((weight * most)[leaving].sum() + (weight * most)[full].sum())
    return _Left(weight, full, (weight < 0) & ~leaving, rest)


def _bought_within(p: _Point, row: _Row, limits: list[_Left]) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought, however many share a limit's rest."""
    buys = np.flatnonzero(p.a.kind[row.its] == PURCHASE)
    part = float(p.share[row.its[buys]].sum())
    if not len(buys) or part >= 1 - 1e-6:
        return []
    share, into = np.zeros(len(p.amount)), p.a.kind == DEPOSIT
    share[row.its] = row.unit
    out, taken = (p.a.kind == WITHDRAWAL) & (share < 0), into & (share > 0)
    leaving = out & (p.amount > 0.5 * p.most)
    supply = row.room - float((share * p.most)[leaving].sum())
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
    return [Cut((its, unit[its]), (row.its[buys], np.full(len(buys), supply - cap)), upper)]


def _sold(p: _Point, row: _Row) -> list[Cut]:
    """What pools leave of the supply of a token must be sold, or stays cash."""
    sales, buys = (p.a.kind[row.its] == kind for kind in (SALE, PURCHASE))
    each = np.flatnonzero(sales)
    part = float(p.share[row.its[each]].sum())
    if not len(each) or part >= 1 - 1e-6:
        return []
    for covered, staying, supply, cap in _covers(p, row):
        terms = np.flatnonzero(covered | staying | sales | buys)
        flow = float((row.unit[terms] * p.amount[row.its[terms]]).sum())
        if supply > cap and flow - cap - (supply - cap) * part > _BROKEN:
            charge = (row.its[each], np.full(len(each), cap - supply))
            return [Cut((row.its[terms], row.unit[terms]), charge, cap)]
    return []


def with_cuts(a: Activities, cuts: list[Cut]) -> Activities:
    """The same problem with the rows of some cuts at its end."""
    count = len(cuts)

    def rows(parts: list[tuple[Index, Array]]) -> Matrix:
        starts = np.cumsum([0] + [len(part[0]) for part in parts])
        columns = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts])
        return sparse.csr_array((values, columns, starts), shape=(count, a.size))

    return replace(
        a,
        unit_rows=sparse.csc_array(sparse.vstack([a.unit_rows, rows([cut.unit for cut in cuts])])),
        charge_rows=sparse.csc_array(sparse.vstack([a.charge_rows, rows([cut.charge for cut in cuts])])),
        whole_rows=sparse.csc_array(sparse.vstack([a.whole_rows, sparse.csr_array((count, a.size))])),
        plain_rows=np.vstack([a.plain_rows, np.zeros((count, a.plain_rows.shape[1]))]),
        lower=np.concatenate([a.lower, np.full(count, -np.inf)]),
        upper=np.concatenate([a.upper, [cut.upper for cut in cuts]]),
    )
