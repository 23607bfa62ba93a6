"""The rows of cuts, stated once more from the problem's data and the sets that each cut names.

Whatever the sets are, a row of one of these forms is kept by every plan (the forms and their
source: `cuts.py`). So a cut is believed for its sets alone, and what the search made of them is
compared and not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.cuts import BOUGHT, FILLED, SOLD, WEALTH, Cut, wealth
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index
from capdesk.model.errors import CertificateError

_SAME = 1e-9


def with_cuts(a: Activities, cuts: Sequence[Cut]) -> Activities:
    """The same problem with the rows of some cuts at its end, each proven.

    Raises
    ------
    CertificateError
        If a cut is not of a form that holds, or is not what its form gives.
    """
    if not cuts:
        return a
    rows: list[tuple[Matrix, Matrix, float]] = []
    for cut in cuts:
        uses, pays, upper = _proven(a, cut)
        rows.append((sparse.csr_array(uses[None, :]), sparse.csr_array(pays[None, :]), upper))
    unit, charge = (sparse.vstack([row[side] for row in rows]) for side in (0, 1))
    nothing = sparse.csc_array(unit.shape)
    return replace(
        a,
        unit_rows=sparse.csc_array(sparse.vstack([a.unit_rows, unit])),
        charge_rows=sparse.csc_array(sparse.vstack([a.charge_rows, charge])),
        whole_rows=sparse.csc_array(sparse.vstack([a.whole_rows, nothing])),
        plain_rows=np.vstack([a.plain_rows, np.zeros((len(cuts), a.plain_rows.shape[1]))]),
        lower=np.concatenate([a.lower, np.full(len(cuts), -np.inf)]),
        upper=np.concatenate([a.upper, [row[2] for row in rows]]),
    )


def _proven(a: Activities, cut: Cut) -> tuple[Array, Array, float]:
    """What a cut's form gives: unit (K,), charge (K,), upper."""
    unit, charge, room = _row(a, cut.row)
    most = np.maximum(a.most, a.whole)
    _need(_apart(cut.full, cut.taking) and _apart(*(part.pools for part in cut.parts), cut.full))
    if cut.form == FILLED:
        proven = _filled(cut, unit, charge, room, most)
    else:
        _need(0 <= cut.row < a.tokens and cut.form in (BOUGHT, SOLD))
        proven = _covered(a, cut, unit, room, most)
    stated = np.zeros(a.size), np.zeros(a.size)
    for side, (its, values) in zip(stated, (cut.unit, cut.charge), strict=True):
        side[its] = values
    for ours, its in zip(proven, (*stated, cut.upper), strict=True):
        _need(bool((np.abs(ours - its) <= _SAME * np.maximum(1.0, np.abs(ours))).all()))
    return proven


def _row(a: Activities, number: int) -> tuple[Array, Array, float]:
    if number == WEALTH:
        return wealth(a)
    _need(0 <= number < a.tokens or a.first_limit <= number < a.first_limit + a.limits)
    unit, charge = (each[[number], :].toarray().ravel() for each in (a.unit_rows, a.charge_rows))
    return unit, charge, float(a.upper[number])


def _filled(cut: Cut, unit: Array, charge: Array, room: float, most: Array) -> tuple[Array, Array, float]:
    size = unit * most + charge
    _need(bool((unit[cut.full] > 0).all() and (unit[cut.taking] > 0).all()))
    _need(bool((unit[cut.leaving] < 0).all() and (size[cut.leaving] < 0).all()))
    cap = float(size[cut.full].sum())
    rest = room - float(size[cut.leaving].sum()) - cap
    _need(rest > 0)
    uses, pays = np.where(unit < 0, unit, 0.0), np.zeros(len(unit))
    uses[cut.leaving] = 0.0
    for its in (cut.full, cut.taking):
        uses[its], pays[its] = unit[its], charge[its]
    pays[cut.taking] -= rest
    return uses, pays, cap


def _covered(a: Activities, cut: Cut, share: Array, room: float, most: Array) -> tuple[Array, Array, float]:
    out, legs = (a.kind == WITHDRAWAL) & (share < 0), (a.kind >= SALE) & (share != 0)
    _need(bool(out[cut.leaving].all() and (cut.form == BOUGHT or not cut.parts)))
    _need(bool(((a.kind[cut.full] == DEPOSIT) & (share[cut.full] > 0)).all()))
    supply = room - float((share * most)[cut.leaving].sum())
    uses, pays = np.where(out, share, 0.0), np.zeros(a.size)
    uses[cut.leaving] = 0.0
    uses[cut.full] = share[cut.full]
    cap, upper = float((share * most)[cut.full].sum()), supply
    for part in cut.parts:
        weight, _, limit = _row(a, part.row)
        _need(a.first_limit <= part.row and _apart(part.pools, part.full))
        _need(bool((a.kind[part.pools] == DEPOSIT).all() and part.factor > 0))
        _need(bool((share[part.pools] <= part.factor * weight[part.pools] * (1 + 1e-9)).all()))
        _need(bool((weight[part.full] > 0).all() and (weight[part.leaving] < 0).all()))
        staying = weight < 0
        staying[part.leaving] = False
        uses[part.pools] += share[part.pools]
        uses += np.where(staying, part.factor * weight, 0.0)
        uses[part.full] += part.factor * weight[part.full]
        filled = float((weight * most)[part.full].sum())
        cap += part.factor * (limit - float((weight * most)[part.leaving].sum()) - filled)
        upper += part.factor * filled
    more = cap - supply
    if cut.form == SOLD:
        uses[legs], more, upper = share[legs], supply - cap, cap
    _need(more > 0)
    pays[legs & (a.kind == (SALE if cut.form == SOLD else PURCHASE))] = -more
    return uses, pays, upper


def _apart(*sets: Index) -> bool:
    """Whether no activity is named twice."""
    every = np.concatenate(sets)
    return len(np.unique(every)) == len(every)


def _need(holds: bool) -> None:
    if not holds:
        raise CertificateError("a cut of the tree does not follow from the problem")
