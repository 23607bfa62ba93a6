"""The public door of pool allocation: pools, holdings, cash and parameters in, a proven plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from capdesk.model.pool_parameters import ChainCosts, ExpectedLoss, PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.model.pools import Emission, Holding, Kinked, Piecewise, Pool

__all__ = [
    "ChainCosts",
    "Emission",
    "ExpectedLoss",
    "Holding",
    "Kinked",
    "Piecewise",
    "Pool",
    "PoolParameters",
    "PoolPlan",
    "optimize_allocations",
]


def optimize_allocations(
    pools: Sequence[Pool] | Any,
    current_allocations: Mapping[str, float | Holding],
    liquidity_portfolio: Mapping[str, float],
    parameters: PoolParameters | Mapping[str, Any] | None = None,
    *,
    method: Literal["exact", "milp", "cvxpy", "highs"] = "exact",
    prices: Mapping[str, float] | None = None,
) -> PoolPlan:
    """The best plan after costs and limits, the transactions that carry it out, and the proof.

    Parameters
    ----------
    pools
        `Pool` objects, or a frame (pandas, polars, pyarrow) with their fields as columns;
        `tokens` may be lists or "USDC,DAI". APY in percent a year.
    current_allocations
        Pool -> dollars, or a `Holding`.
    liquidity_portfolio
        Token -> dollars of cash. A token is ``USDC`` where all pools lie on one chain, and
        ``ethereum:USDC`` else.
    parameters
        `PoolParameters`, or a mapping of its fields.
    method
        ``exact`` (branch and bound of capdesk), ``highs`` (the whole MILP in HiGHS), ``milp``
        (CP-SAT, extra `solvers`) or ``cvxpy`` (extra `solvers`).
    prices
        Token -> dollars a unit, by the names of `liquidity_portfolio`; None: each is 1.

    Raises
    ------
    InvalidInput
        For input that cannot be used, with the row and the field.
    InfeasibleError
        Where no plan obeys the limits, with the arithmetic.
    """
    raise NotImplementedError
