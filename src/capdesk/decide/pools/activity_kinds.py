"""What there is to decide, by kind: deposits, withdrawals, and the legs of conversions, with the rows they use.

Rows stand in this order: the balance of each token, the balance of each market, two rows
for each market that give back one conversion's gas (k + l - 1 of them), the limits, and where
they are asked for the largest and the smallest number of pools in use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, Mask, PoolProblem

DEPOSIT, WITHDRAWAL, SALE, PURCHASE = range(4)


@dataclass(slots=True)
class Part:
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


@dataclass(frozen=True, slots=True)
class Layout:
    """Which row is which."""

    tokens: int
    markets: int
    limits: int
    most: bool
    fewest: bool
    unit: float

    @staticmethod
    def of(p: PoolProblem, count: bool) -> Layout:
        unit = p.total / 1000 or 1.0
        most = p.max_pools is not None
        return Layout(len(p.tokens), len(p.markets), len(p.limit_caps), most, count, unit)

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


def deposits(p: PoolProblem, rows: Layout) -> Part:
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
        charged[rows.fewest_row] = (~p.counts[owner]).astype(float)
    nothing = np.zeros(len(owner))
    return Part(
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


def withdrawals(p: PoolProblem, rows: Layout) -> Part:
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
    return Part(
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


def legs(p: PoolProblem, rows: Layout) -> list[Part]:
    """The selling and the buying leg of each token in each market."""
    members = np.concatenate([market.members for market in p.markets]) if p.markets else np.zeros(0, int)
    market = np.repeat(np.arange(len(p.markets)), [len(each.members) for each in p.markets])
    rate = np.array([each.rate for each in p.markets])[market] if p.markets else np.zeros(0)
    delay = np.array([each.delay for each in p.markets])[market] if p.markets else np.zeros(0)
    gas = np.array([each.gas for each in p.markets])[market] if p.markets else np.zeros(0)
    found: list[Part] = []
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
            Part(
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


def plain(p: PoolProblem, rows: Layout) -> tuple[Array, Array, Array, Mask]:
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
