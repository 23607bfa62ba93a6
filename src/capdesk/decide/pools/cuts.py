"""Rows that make a buying leg's charge felt: what pools take of a token beyond what there is must be bought.

Let pools C take token t, d_j w_j dollars each and at most U_j w_j. With b = 1 where t is bought
in some market and 0 else,

    sum_C w_j d_j - what leaves pools in t <= cash_t + (sum_C w_j U_j - cash_t) b

holds for every C: without a purchase the left side cannot exceed the cash, and with one the
cap of C always holds. It is the flow cover inequality of Padberg, Van Roy and Wolsey (1985)
for a token's balance. A relaxation that buys a little for a large position breaks it, as it
pays a little of the charge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from capdesk.decide.pools.activities import DEPOSIT, PURCHASE, SALE, WITHDRAWAL, Activities
from capdesk.decide.pools.problem import Array, Index
from capdesk.decide.pools.relaxation import Relaxed

_BROKEN = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A row, by what it is made of: the token, and the deposits that it covers."""

    token: int
    covered: Index


def broken(a: Activities, tokens: int, relaxed: Relaxed) -> list[Cut]:
    """The cuts of the pools in use that a relaxation breaks, one for each token that is bought in part."""
    its = relaxed.members
    amount = relaxed.amount
    shares = a.unit_rows[:tokens, its]
    use = shares.tocsr()
    buying = np.flatnonzero((a.kind[its] == PURCHASE) & (amount > 0) & (relaxed.share < 1 - 1e-6))
    found: list[Cut] = []
    for token in sorted({int(row) for row in (shares[:, buying] != 0).tocoo().coords[0]}):
        where = slice(use.indptr[token], use.indptr[token + 1])
        places, share = use.indices[where], use.data[where]
        kinds = a.kind[its[places]]
        into = (kinds == DEPOSIT) & (amount[places] > 1e-9)
        out = kinds == WITHDRAWAL
        bought = kinds == PURCHASE
        cap = float((share[into] * a.most[its[places[into]]]).sum()) - a.upper[token]
        left = float((share[into] * amount[places[into]]).sum() + (share[out] * amount[places[out]]).sum())
        paid = float(relaxed.share[places[bought]].sum())
        if cap > 0 and left - a.upper[token] - cap * paid > _BROKEN:
            found.append(Cut(token, its[places[into]]))
    return found


def with_cuts(a: Activities, tokens: int, cuts: list[Cut]) -> Activities:
    """The same problem with the rows of some cuts at its end."""
    unit = a.unit_rows.tocsr()
    rows, columns, values = [], [], []
    charge_columns, charge_values, charge_at = [], [], []
    upper: list[float] = []
    for number, cut in enumerate(cuts):
        where = slice(unit.indptr[cut.token], unit.indptr[cut.token + 1])
        its, share = unit.indices[where], unit.data[where]
        kinds = a.kind[its]
        taken = (kinds == WITHDRAWAL) | ((kinds == DEPOSIT) & np.isin(its, cut.covered))
        rows.append(np.full(int(taken.sum()), number))
        columns.append(its[taken])
        values.append(share[taken])
        into = (kinds == DEPOSIT) & np.isin(its, cut.covered)
        cash = float(a.upper[cut.token])
        cap = float((share[into] * a.most[its[into]]).sum()) - cash
        buys = its[kinds == PURCHASE]
        charge_columns.append(buys)
        charge_values.append(np.full(len(buys), -cap))
        charge_at.append(np.full(len(buys), number))
        upper.append(cash)
    shape = (len(cuts), a.size)
    more = sparse.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    charged = sparse.csr_array(
        (np.concatenate(charge_values), (np.concatenate(charge_at), np.concatenate(charge_columns))), shape=shape
    )
    nothing = sparse.csr_array(shape)
    count = len(cuts)
    return replace(
        a,
        unit_rows=sparse.csc_array(sparse.vstack([a.unit_rows, more])),
        charge_rows=sparse.csc_array(sparse.vstack([a.charge_rows, charged])),
        whole_rows=sparse.csc_array(sparse.vstack([a.whole_rows, nothing])),
        plain_rows=np.vstack([a.plain_rows, np.zeros((count, a.plain_rows.shape[1]))]),
        lower=np.concatenate([a.lower, np.full(count, -np.inf)]),
        upper=np.concatenate([a.upper, upper]),
    )
