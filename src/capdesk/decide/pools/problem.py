"""The pool allocation problem, stated once for every solver.

    maximise    sum f_j(x_j) + cash sum c_t - gas - conversion costs
    x_j = held_j + d_j - q_j;   d_j q_j = 0
    d_j = 0, or in [least_deposit_j, room_j]
    q_j = 0 unless it must leave, or in [least_exit_j, exit_j], or held_j where it may leave
    c_t = cash_t + out of pools - into pools + bought - sold                for each token t
    sum bought = (1 - rate) sum sold - gas (legs sold + legs bought - 1)    for each market,
    where both sides have legs, and none sells what another buys
    limits . x <= caps;   pools in use <= max_pools;   >= min_pools, or nothing placed

f_j is concave and piecewise linear. Gas of a deposit or withdrawal leaves the tokens that it
moves, a market's gas leaves what is converted there: so final wealth is what was there plus
the objective. All sums are dollars over one horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.pools.matrices import Matrix

LEAST_LEG = 0.01
"""Dollars: a conversion that sells or buys less of a token is none, so that no gas is paid for nothing."""

MOVED, MOVED_SHARE = 1e-6, 1e-11
"""Dollars, and a fraction of all assets: less is a solver's rounding, and is not moved."""

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


def summed(owner: Index, values: Array, count: int) -> Array:
    """The sum of the values of each owner, (count,)."""
    return np.bincount(owner, values, minlength=count).astype(np.float64, copy=False)


class Infeasible(Exception):
    """No flows obey the limits; whoever asks says why, with the arithmetic."""


class NotSolved(Exception):
    """A solver ended without an answer, with what was tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Where tokens are converted into each other: the exchanges of a chain, or the bridges.

    Parameters
    ----------
    name
        The chain, or ``bridge``.
    members
        The tokens that are traded there.
    rate
        Fraction of what is sold that the conversion costs.
    delay
        Yield that a sold dollar misses while it is on its way, a fraction.
    gas
        Dollars for each conversion.
    """

    name: str
    members: Index
    rate: float
    delay: float
    gas: float

    def imbalance(self, sold: Array, bought: Array, moved: float) -> float:
        """What is missing or over when the legs that move something, (members,) each, have paid their costs."""
        legs = int((sold > moved).sum() + (bought > moved).sum())
        return abs((1 - self.rate) * sold.sum() - bought.sum() - self.gas * max(legs - 1, 0))


@dataclass(frozen=True, slots=True, eq=False)
class PoolProblem:
    """The data of a pool allocation; n pools, T tokens, r limits, dollars throughout.

    Parameters
    ----------
    pool_ids, tokens
        Names.
    shares
        (T, n) sparse: the share of a pool's dollars in each token; columns add up to 1.
    held
        (n,) dollars now.
    ticket
        (n,) the least where the pool is used; the flows' bounds keep it.
    least_deposit, room
        (n,) the least and the most that can be deposited; room 0 where nothing may go in.
    least_exit, exit
        (n,) the least and the most that can be withdrawn while the pool stays in use; exit 0
        where it can only be left or kept.
    leave
        (n,) whether the pool can be left wholly.
    must
        (n,) whether something has to be withdrawn.
    counts
        (n,) whether what is held counts as a pool in use for `min_pools` while it stays. In
        every other pool a deposit makes it count, for it reaches the smallest position.
    gas_in, gas_out
        (n,) dollars.
    income
        Pieces of f_j in the order of pools and within a pool from the first dollar on:
        `piece_pool` (s,), `piece_length` (s,) dollars, `piece_slope` (s,) dollars a dollar,
        not rising within a pool. A held pool has a piece that ends at `held`.
    cash, cash_slope
        (T,) dollars of each token now, and what a dollar of cash earns.
    allow_cash
        Whether money may stay cash.
    markets
        Where tokens are converted.
    limits, limit_caps, limit_names
        (r, n) sparse, (r,), r names: limits . x <= caps.
    max_pools, min_pools
        None for no limit; 0 for no least number.
    """

    pool_ids: tuple[str, ...]
    tokens: tuple[str, ...]
    shares: Matrix
    held: Array
    ticket: Array
    least_deposit: Array
    room: Array
    least_exit: Array
    exit: Array
    leave: Mask
    must: Mask
    counts: Mask
    gas_in: Array
    gas_out: Array
    piece_pool: Index
    piece_length: Array
    piece_slope: Array
    cash: Array
    cash_slope: float
    allow_cash: bool
    markets: tuple[Market, ...]
    limits: Matrix
    limit_caps: Array
    limit_names: tuple[str, ...]
    max_pools: int | None
    min_pools: int

    @property
    def size(self) -> int:
        """The number of pools."""
        return len(self.pool_ids)

    @property
    def total(self) -> float:
        """All assets: cash and what is held."""
        return float(self.cash.sum() + self.held.sum())

    @property
    def moved(self) -> float:
        """Dollars up to which a flow is a solver's rounding: its tolerance is a part of all assets."""
        return max(MOVED, MOVED_SHARE * self.total)

    @property
    def left(self) -> float:
        """Dollars up to which what remains of a position that was left is rounding."""
        return max(1e-4, 2 * self.moved)

    def counted(self, x: Array) -> int:
        """How many pools count as in use at some positions, (n,)."""
        return int(((x > self.moved) & (self.counts | (x > self.held + self.moved))).sum())

    def supply(self) -> Array:
        """The most of each token that can be sold: cash and what can leave pools, (T,)."""
        return self.cash + self.shares @ np.where(self.leave, self.held, self.exit)

    def demand(self) -> Array:
        """The most of each token that pools can take, with the gas, (T,)."""
        return np.minimum(self.shares @ np.where(self.room > 0, self.room + self.gas_in, 0.0), self.total)

    def piece_bounds(self) -> tuple[Array, Array]:
        """Where each piece begins and ends, in dollars of its pool: (s,), (s,)."""
        ends = np.cumsum(self.piece_length)
        first = np.searchsorted(self.piece_pool, np.arange(self.size))
        before = np.concatenate(([0.0], ends))[first]
        ends = ends - before[self.piece_pool]
        return ends - self.piece_length, ends

    def income(self, x: Array) -> Array:
        """What each position earns over the horizon: f_j(x_j), (n,)."""
        starts, ends = self.piece_bounds()
        filled = np.clip(x[self.piece_pool], starts, ends) - starts
        return summed(self.piece_pool, filled * self.piece_slope, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a solver answers: flows, a bound, and how it was found.

    Parameters
    ----------
    deposits, withdrawals
        (n,) dollars.
    sold, bought
        For each market, (members,) dollars.
    objective, bound
        Dollars over the horizon: of the flows, and what no flows can exceed.
    solver
        Which, its version, and what it fell back to.
    nodes
        Of its search tree.
    """

    deposits: Array
    withdrawals: Array
    sold: tuple[Array, ...]
    bought: tuple[Array, ...]
    objective: float
    bound: float
    solver: str
    nodes: int
