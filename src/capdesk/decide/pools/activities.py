"""The problem as activities with a fixed charge, each of which happens or does not.

A deposit, a withdrawal, a token's selling leg and its buying leg are activities: an amount y
that is 0, or between `least` and `most` (or, for a withdrawal, `whole`), worth a concave
f(y) less a charge. Both the amount and the charge use rows: token balances, markets, limits.

For the linear relaxation an activity that is free to happen or not is the concave hull of its
domain: the chord from 0 to the amount where value less charge is largest per dollar, and the
pieces beyond. Money that the chord saves of the charge is spent by no one, so rows of
tokens and markets may lose it (`waste`) in a relaxation, and nowhere else.

Everything is in units of a thousandth of all assets, and the gain in units of `gain` of these,
so that a solver's absolute tolerances mean the same at every size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, Mask, PoolProblem

DEPOSIT, WITHDRAWAL, SALE, PURCHASE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Activities:
    """K activities, their s pieces, and m rows; all rows are ``lower <= A y <= upper``.

    Parameters
    ----------
    kind, owner
        (K,) DEPOSIT, WITHDRAWAL (owner: the pool), SALE or PURCHASE (owner: the member, counted
        through all markets).
    least, most, whole
        (K,) the amounts between which it happens; `whole` is 0 where there is no third way.
    must
        (K,) whether it has to happen.
    charge
        (K,) its fixed charge.
    start
        (K + 1,) the pieces of activity k are start[k] ... start[k + 1] - 1.
    length, slope
        (s,) of pieces, slopes not rising within an activity.
    unit_rows, charge_rows, whole_rows
        (m, K) sparse: what a unit of the amount, the charge, and happening wholly use of the rows.
    rival
        (K,) the activity that may not happen beside it, or -1.
    plain_rows, plain_cost, plain_upper
        Columns without a charge: cash of each token, trades of each market, waste.
    waste
        Which of the plain columns are waste.
    lower, upper
        (m,) bounds of rows.
    unit, gain
        Dollars of one unit, and units of one unit of the objective.
    constant
        What the positions earn that are held now.
    fewest
        The row that asks for `min_pools` pools in use, or -1.
    """

    kind: Index
    owner: Index
    least: Array
    most: Array
    whole: Array
    must: Mask
    charge: Array
    start: Index
    length: Array
    slope: Array
    unit_rows: Matrix
    charge_rows: Matrix
    whole_rows: Matrix
    rival: Index
    plain_rows: Array
    plain_cost: Array
    plain_upper: Array
    waste: Mask
    lower: Array
    upper: Array
    unit: float
    gain: float
    constant: float
    fewest: int
    tokens: int
    markets: int
    first_limit: int
    limits: int

    @property
    def size(self) -> int:
        """The number of activities."""
        return len(self.kind)


@dataclass(slots=True)
class _Part:
    """Activities of one kind in the making."""

    kind: int
    owner: Index
    least: Array
    most: Array
    whole: Array
    must: Mask
    charge: Array
    piece_of: Index
    length: Array
    slope: Array
    unit_rows: Matrix
    charge_rows: Matrix
    whole_rows: Matrix


def activities(p: PoolProblem, *, count: bool) -> Activities:
    """The activities of a problem.

    Parameters
    ----------
    count
        Whether to add the row that asks for `min_pools` pools in use.
    """
    rows = _Layout.of(p, count)
    unit = rows.unit
    parts = [_deposits(p, rows), _withdrawals(p, rows), *_legs(p, rows)]
    size = sum(len(part.owner) for part in parts)
    kind = np.concatenate([np.full(len(part.owner), part.kind) for part in parts])
    owner = np.concatenate([part.owner for part in parts])
    offsets = np.cumsum([0] + [len(part.owner) for part in parts])
    piece_of = np.concatenate([part.piece_of + at for part, at in zip(parts, offsets, strict=False)])
    least = np.concatenate([part.least for part in parts])
    length = np.concatenate([part.length for part in parts])
    slope = np.concatenate([part.slope for part in parts])
    piece_of, length, slope = _split(least, piece_of, length, slope)
    gain = float(np.abs(slope).max(initial=0.0)) or 1.0
    plain_rows, plain_cost, plain_upper, waste = _plain(p, rows)
    lower, upper = rows.bounds(p)

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    return Activities(
        kind=kind,
        owner=owner,
        least=least / unit,
        most=joined("most") / unit,
        whole=joined("whole") / unit,
        must=joined("must").astype(bool),
        charge=joined("charge") / unit / gain,
        start=np.searchsorted(piece_of, np.arange(size + 1)),
        length=length / unit,
        slope=slope / gain,
        unit_rows=sparse.csc_array(sparse.hstack([part.unit_rows for part in parts])),
        charge_rows=sparse.csc_array(sparse.hstack([part.charge_rows for part in parts])),
        whole_rows=sparse.csc_array(sparse.hstack([part.whole_rows for part in parts])),
        rival=_rivals(kind, owner, p.size),
        plain_rows=plain_rows,
        plain_cost=plain_cost / gain,
        plain_upper=plain_upper,
        waste=waste,
        lower=lower,
        upper=upper,
        unit=unit,
        gain=gain,
        constant=float(p.income(p.held).sum()) / unit / gain,
        fewest=rows.fewest_row if count else -1,
        tokens=rows.tokens,
        markets=rows.markets,
        first_limit=rows.limit,
        limits=rows.limits,
    )


def _split(least: Array, piece_of: Index, length: Array, slope: Array) -> tuple[Index, Array, Array]:
    """Cut the piece in which `least` lies, so that a chord may end there."""
    ends = np.cumsum(length)
    first = np.searchsorted(piece_of, np.arange(len(least)))
    before = ends - length - np.concatenate(([0.0], ends))[first][piece_of]
    part = least[piece_of] - before
    cut = np.flatnonzero((before > 1e-9) & (part > 1e-9 * least[piece_of]) & (part < length * (1 - 1e-9)))
    rest = length[cut] - part[cut]
    length = length.copy()
    length[cut] = part[cut]
    return (
        np.insert(piece_of, cut + 1, piece_of[cut]),
        np.insert(length, cut + 1, rest),
        np.insert(slope, cut + 1, slope[cut]),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which row is which."""

    tokens: int
    markets: int
    limits: int
    most: bool
    fewest: bool
    unit: float

    @staticmethod
    def of(p: PoolProblem, count: bool) -> _Layout:
        unit = p.total / 1000 or 1.0
        most = p.max_pools is not None
        return _Layout(len(p.tokens), len(p.markets), len(p.limit_caps), most, count, unit)

    @property
    def market(self) -> int:
        return self.tokens

    @property
    def rebate(self) -> int:
        return self.tokens + self.markets

    @property
    def limit(self) -> int:
        return self.tokens + 3 * self.markets

    @property
    def most_row(self) -> int:
        return self.limit + self.limits

    @property
    def fewest_row(self) -> int:
        return self.most_row + self.most

    @property
    def count(self) -> int:
        return self.fewest_row + self.fewest

    def bounds(self, p: PoolProblem) -> tuple[Array, Array]:
        lower, upper = np.full(self.count, -np.inf), np.zeros(self.count)
        lower[: self.tokens] = upper[: self.tokens] = p.cash / self.unit
        lower[self.market : self.rebate] = 0.0
        used = p.limits @ p.held
        upper[self.limit : self.most_row] = (p.limit_caps - used) / self.unit
        held = p.held > 0
        if self.most:
            assert p.max_pools is not None
            upper[self.most_row] = p.max_pools - held.sum()
        if self.fewest:
            lower[self.fewest_row] = p.min_pools - (held & p.counts).sum()
            upper[self.fewest_row] = np.inf
        return lower, upper

    def stack(self, blocks: dict[int, Matrix], columns: int) -> Matrix:
        """A matrix of all rows from blocks, each beginning at a row."""
        parts: list[Matrix] = []
        at = 0
        for row, block in sorted(blocks.items(), key=lambda item: item[0]):
            matrix = sparse.csr_array(block if sparse.issparse(block) else np.atleast_2d(block))
            if row > at:
                parts.append(sparse.csr_array((row - at, columns)))
            parts.append(matrix)
            at = row + matrix.shape[0]
        if at < self.count:
            parts.append(sparse.csr_array((self.count - at, columns)))
        return sparse.csc_array(sparse.vstack(parts)) if parts else sparse.csc_array((0, columns))


def _deposits(p: PoolProblem, rows: _Layout) -> _Part:
    owner = np.flatnonzero(p.room > 0)
    place = np.full(p.size, -1)
    place[owner] = np.arange(len(owner))
    starts, ends = p.piece_bounds()
    wanted = (place[p.piece_pool] >= 0) & (starts + ends > 2 * p.held[p.piece_pool])
    shares, limits = p.shares[:, owner], p.limits[:, owner]
    new = (p.held[owner] == 0).astype(float)
    charged = {0: sparse.csc_array(shares * (p.gas_in[owner] / rows.unit))}
    if rows.most:
        charged[rows.most_row] = new
    if rows.fewest:
        charged[rows.fewest_row] = new * p.counts[owner]
    nothing = np.zeros(len(owner))
    return _Part(
        kind=DEPOSIT,
        owner=owner,
        least=p.least_deposit[owner],
        most=p.room[owner],
        whole=nothing,
        must=np.zeros(len(owner), dtype=bool),
        charge=p.gas_in[owner],
        piece_of=place[p.piece_pool[wanted]],
        length=p.piece_length[wanted],
        slope=p.piece_slope[wanted],
        unit_rows=rows.stack({0: shares, rows.limit: limits}, len(owner)),
        charge_rows=rows.stack(charged, len(owner)),
        whole_rows=sparse.csc_array((rows.count, len(owner))),
    )


def _withdrawals(p: PoolProblem, rows: _Layout) -> _Part:
    owner = np.flatnonzero((p.held > 0) & (p.leave | (p.exit > 0)))
    place = np.full(p.size, -1)
    place[owner] = np.arange(len(owner))
    starts, ends = p.piece_bounds()
    below = np.flatnonzero((place[p.piece_pool] >= 0) & (starts + ends < 2 * p.held[p.piece_pool]))
    below = below[np.lexsort((-below, place[p.piece_pool[below]]))]
    whole = np.where(p.leave[owner], p.held[owner], 0.0)
    limit = np.maximum(whole, p.exit[owner])[place[p.piece_pool[below]]]
    above = p.held[p.piece_pool[below]] - ends[below]
    length = np.clip(limit - above, 0.0, p.piece_length[below])
    below, length = below[length > 0], length[length > 0]
    shares, limits = p.shares[:, owner], p.limits[:, owner]
    left: dict[int, Matrix] = {}
    if rows.most:
        left[rows.most_row] = -(whole > 0).astype(float)
    if rows.fewest:
        left[rows.fewest_row] = -((whole > 0) & p.counts[owner]).astype(float)
    return _Part(
        kind=WITHDRAWAL,
        owner=owner,
        least=p.least_exit[owner],
        most=p.exit[owner],
        whole=whole,
        must=p.must[owner],
        charge=p.gas_out[owner],
        piece_of=place[p.piece_pool[below]],
        length=length,
        slope=-p.piece_slope[below],
        unit_rows=rows.stack({0: -shares, rows.limit: -limits}, len(owner)),
        charge_rows=rows.stack({0: sparse.csc_array(shares * (p.gas_out[owner] / rows.unit))}, len(owner)),
        whole_rows=rows.stack(left, len(owner)),
    )


def _legs(p: PoolProblem, rows: _Layout) -> list[_Part]:
    """The selling and the buying leg of each token in each market."""
    members = np.concatenate([market.members for market in p.markets]) if p.markets else np.zeros(0, int)
    market = np.repeat(np.arange(len(p.markets)), [len(each.members) for each in p.markets])
    rate = np.array([each.rate for each in p.markets])[market] if p.markets else np.zeros(0)
    delay = np.array([each.delay for each in p.markets])[market] if p.markets else np.zeros(0)
    gas = np.array([each.gas for each in p.markets])[market] if p.markets else np.zeros(0)
    found: list[_Part] = []
    for kind, most, value, flow in (
        (SALE, p.supply(), 1 - rate, 1.0),
        (PURCHASE, p.demand(), np.full(len(members), -1.0), -1.0),
    ):
        usable = np.flatnonzero(most[members] > 0)
        count = len(usable)
        each = np.arange(count)
        where = members[usable]
        its = market[usable]
        unit_rows = sparse.csc_array(
            (
                np.concatenate([np.full(count, flow), value[usable]]),
                (np.concatenate([where, rows.market + its]), np.concatenate([each, each])),
            ),
            shape=(rows.count, count),
        )
        rebate = rows.rebate + 2 * its + (kind == PURCHASE)
        charge_rows = sparse.csc_array(
            (
                np.concatenate([-gas[usable] / rows.unit, np.full(count, -1.0)]),
                (np.concatenate([rows.market + its, rebate]), np.concatenate([each, each])),
            ),
            shape=(rows.count, count),
        )
        found.append(
            _Part(
                kind=kind,
                owner=usable,
                least=np.zeros(count),
                most=most[where],
                whole=np.zeros(count),
                must=np.zeros(count, dtype=bool),
                charge=gas[usable],
                piece_of=each,
                length=most[where],
                slope=-(rate + delay)[usable] if kind == SALE else np.zeros(count),
                unit_rows=unit_rows,
                charge_rows=charge_rows,
                whole_rows=sparse.csc_array((rows.count, count)),
            )
        )
    return found


def _plain(p: PoolProblem, rows: _Layout) -> tuple[Array, Array, Array, Mask]:
    """Cash of each token, trades of each market, and what tokens and markets may lose in a relaxation."""
    tokens, markets = rows.tokens, rows.markets
    matrix = np.zeros((rows.count, 2 * (tokens + markets)))
    cost, upper = np.zeros(matrix.shape[1]), np.full(matrix.shape[1], 1000.0)
    token, market = np.arange(tokens), np.arange(markets)
    gas = np.array([each.gas for each in p.markets]) / rows.unit
    matrix[token, token] = 1.0
    cost[token] = p.cash_slope
    if not p.allow_cash:
        upper[token] = 0.0
    trades = tokens + market
    matrix[rows.market + market, trades] = gas
    matrix[rows.rebate + 2 * market, trades] = 1.0
    matrix[rows.rebate + 2 * market + 1, trades] = 1.0
    cost[trades] = gas
    upper[trades] = 1.0
    lost = tokens + markets + np.arange(tokens + markets)
    matrix[np.arange(tokens), lost[:tokens]] = 1.0
    matrix[rows.market + market, lost[tokens:]] = -1.0
    waste = np.zeros(matrix.shape[1], dtype=bool)
    waste[lost] = True
    return matrix, cost, upper, waste


def _rivals(kind: Index, owner: Index, pools: int) -> Index:
    place = np.full((2, pools), -1)
    for each in (DEPOSIT, WITHDRAWAL):
        chosen = np.flatnonzero(kind == each)
        place[each, owner[chosen]] = chosen
    rival = np.full(len(kind), -1)
    for each in (DEPOSIT, WITHDRAWAL):
        chosen = np.flatnonzero(kind == each)
        rival[chosen] = place[1 - each, owner[chosen]]
    return rival
