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
- the same where limits l bound what pools C_l take: f_l is the most of the token for a dollar
  of the limit, F_l fill the limit up to a rest r_l, and then no more than R = sum_l f_l r_l
  comes into C_l, however many they are:
  sum_(C, C_l) w d + sum_l f_l (sum_F_l v d - sum_(not E_l) v q) - sum_(not E) w q - s
  <= sum_l f_l sum_F_l v U + (R + sum_C w U - s) b
- and what pools C leave of s must be sold, or stay cash:
  sold - bought + sum_C w d - sum_(not E) w q - sum_C w U <= (s - sum_C w U) a

`cut_proof.py` states each of them again from the sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.problem import Array, Index, Mask

_BROKEN = 1e-3
_NOTHING = 1e-12
_BOUGHT = 1e-6
FILLED, BOUGHT, SOLD = range(3)
WEALTH = -1
"""Of all rows of tokens and markets the sum: what is put into pools and what everything costs."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a limit leaves of what pools can take of a token.

    Parameters
    ----------
    row
        The limit.
    factor
        The most of the token for a dollar of the limit, among `pools`.
    pools, full, leaving
        The pools that share what is left, F and E of the limit.
    """

    row: int
    factor: float
    pools: Index
    full: Index
    leaving: Index


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A row ``unit . amounts + charge . happening <= upper``, each side by activity, and why it holds.

    Parameters
    ----------
    form, row
        FILLED, BOUGHT or SOLD, of a token, a limit or WEALTH.
    full, taking, leaving
        F (of FILLED) or C, K and E.
    parts
        Limits that bound what is bought.
    """

    unit: tuple[Index, Array]
    charge: tuple[Index, Array]
    upper: float
    form: int
    row: int
    full: Index
    taking: Index
    leaving: Index
    parts: tuple[Part, ...] = ()


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


class Separation:
    """Finds the cuts that relaxations of one problem break."""

    def __init__(self, a: Activities) -> None:
        self._a = a
        limits = range(a.first_limit, a.first_limit + a.limits)
        self._rows = np.array([*range(a.tokens), *limits, WEALTH])
        self._sign = np.zeros(len(a.lower))
        self._sign[: a.tokens], self._sign[a.tokens : a.tokens + a.markets] = 1.0, -1.0
        self._room = np.concatenate([a.upper[self._rows[:-1]], [_wealth_room(a)]])

    def broken(self, p: Point) -> list[Cut]:
        """The cuts that a relaxation breaks."""
        a, own = self._a, self._rows[:-1]
        uses: list[Array] = []
        for side in (p.unit, p.charge):
            total = side[:, : len(self._sign)] @ self._sign
            total[np.abs(total) < _NOTHING] = 0.0
            uses.append(np.hstack([side[:, own], total[:, None]]))
        most = np.maximum(a.most, a.whole)[p.members]
        u = _Uses(
            a, self._rows, p.members, a.kind[p.members], p.amount, most, p.share, uses[0], uses[1], self._room
        )
        return _filled(u) + _covered(u, BOUGHT) + _covered(u, SOLD) + _bought_within(u)


def wealth(a: Activities) -> tuple[Array, Array, float]:
    """The row of all wealth: unit (K,), charge (K,), room."""
    sign = np.concatenate([np.ones(a.tokens), -np.ones(a.markets)])
    unit, charge = (sign @ each[: a.tokens + a.markets] for each in (a.unit_rows, a.charge_rows))
    for side in (unit, charge):
        side[np.abs(side) < _NOTHING] = 0.0
    return unit, charge, _wealth_room(a)


def _wealth_room(a: Activities) -> float:
    """What there is of all tokens, and what a conversion gives back in each market."""
    trades = a.plain_rows[a.tokens : a.tokens + a.markets, a.tokens : a.tokens + a.markets]
    return float(a.upper[: a.tokens].sum() + trades.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Uses:
    """A point, and what its activities use of the rows that cuts are made of: tokens, limits, all wealth."""

    a: Activities
    rows: Index
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
            Cut(
                (p.its[terms], p.unit[terms, row]),
                (p.its[counted], charge[counted]),
                float(cap[row]),
                FILLED,
                int(p.rows[row]),
                p.its[full[:, row]],
                p.its[chosen],
                p.its[leaving[:, row]],
            )
        )
    return found


def _covered(p: _Uses, form: int) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought, what they leave sold or kept as cash."""
    bought = form == BOUGHT
    leg = PURCHASE if bought else SALE
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
        if not bought:
            terms |= (p.kind >= SALE)[:, None] & (unit != 0)
        flow = np.where(terms, unit * amount, 0.0).sum(axis=0)
        more = (cap - supply) if bought else (supply - cap)
        beyond = flow - (supply if bought else cap) - more * part
        for token in np.flatnonzero(~done & (more > 0) & (beyond > _BROKEN)).tolist():
            done[token] = True
            its, legs = np.flatnonzero(terms[:, token]), np.flatnonzero(trades[:, token])
            found.append(
                Cut(
                    (p.its[its], unit[its, token]),
                    (p.its[legs], np.full(len(legs), -more[token])),
                    float((supply if bought else cap)[token]),
                    form,
                    token,
                    p.its[covered[:, token]],
                    p.its[:0],
                    p.its[leaving[:, token]],
                )
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What full pools leave of a limit: the weight of every activity in it, and which are full, leave or stay."""

    row: int
    weight: Array
    full: Mask
    leaving: Mask
    staying: Mask
    rest: float


def _left(p: _Uses, row: int) -> _Left:
    weight = p.unit[:, row]
    leaving = (weight < 0) & (p.amount > 0.5 * p.most)
    full = (weight > 0) & (p.amount > 0.999 * p.most) & (p.share > 0.999)
    rest = p.room[row] - float((weight * p.most)[leaving].sum() + (weight * p.most)[full].sum())
    return _Left(int(p.rows[row]), weight, full, leaving, (weight < 0) & ~leaving, rest)


def _bought_within(p: _Uses) -> list[Cut]:
    """What pools take beyond the supply of a token must be bought, however many share a limit's rest."""
    buying = (p.kind == PURCHASE) & (p.amount > _BOUGHT) & (p.share < 1 - 1e-6)
    tokens = np.flatnonzero((buying[:, None] & (p.unit[:, : p.a.tokens] < 0)).any(axis=0)).tolist()
    if not tokens:
        return []
    numbers = range(p.a.tokens, p.a.tokens + p.a.limits)
    limits = sorted((_left(p, row) for row in numbers), key=lambda each: each.rest)
    limits = [each for each in limits if each.rest > 1e-6]
    return [cut for token in tokens for cut in _bought_of(p, token, limits)]


def _bought_of(p: _Uses, token: int, limits: list[_Left]) -> list[Cut]:
    share, most = p.unit[:, token], p.most
    buys = np.flatnonzero((p.kind == PURCHASE) & (share < 0))
    part = float(p.share[buys].sum())
    out, taken = (p.kind == WITHDRAWAL) & (share < 0), (p.kind == DEPOSIT) & (share > 0)
    leaving = out & (p.amount > 0.5 * most)
    supply = p.room[token] - float((share * most)[leaving].sum())
    unit = np.where(out & ~leaving, share, 0.0)
    filled = (p.amount >= 0.999 * most) & (p.share >= 0.999)
    open_pools = taken & ~filled
    cap, upper = 0.0, supply
    parts: list[Part] = []
    for limit in limits:
        its = np.flatnonzero(open_pools & (limit.weight > 0))
        used = its[p.amount[its] > 1e-9]
        if not len(used):
            continue
        factor = float((share[used] / limit.weight[used]).max())
        its = its[share[its] <= factor * limit.weight[its] * (1 + 1e-12)]
        unit[its] += share[its]
        unit += factor * np.where(limit.full | limit.staying, limit.weight, 0.0)
        cap += factor * limit.rest
        upper += factor * float((limit.weight * most)[limit.full].sum())
        open_pools[its] = False
        parts.append(Part(limit.row, factor, p.its[its], p.its[limit.full], p.its[limit.leaving]))
    others = taken & (p.amount > 1e-9) & (open_pools | filled)
    unit[others] += share[others]
    cap += float((share * most)[others].sum())
    if cap <= supply or float(unit @ p.amount) - upper - (cap - supply) * part <= _BROKEN:
        return []
    its = np.flatnonzero(unit)
    return [
        Cut(
            (p.its[its], unit[its]),
            (p.its[buys], np.full(len(buys), supply - cap)),
            upper,
            BOUGHT,
            token,
            p.its[others],
            p.its[:0],
            p.its[leaving],
            tuple(parts),
        )
    ]
