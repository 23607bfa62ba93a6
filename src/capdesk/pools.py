"""The public door of pool allocation: pools, holdings, cash and parameters in, a proven plan out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from capdesk.decide.pools import checks, exact, planning, whole
from capdesk.decide.pools.exact import Solved
from capdesk.decide.pools.explain import explain
from capdesk.decide.pools.frames import pools_from
from capdesk.decide.pools.problem import Answer, PoolProblem
from capdesk.model.errors import InvalidInput
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
    "explain",
    "optimize_allocations",
    "optimize_allocations_milp",
]

Method = Literal["exact", "highs", "milp", "cvxpy"]


def optimize_allocations(
    pools: Sequence[Pool] | Any,
    current_allocations: Mapping[str, Decimal | float | Holding],
    liquidity_portfolio: Mapping[str, Decimal | float],
    parameters: PoolParameters | Mapping[str, Any] | None = None,
    *,
    method: Method = "exact",
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
        ``exact`` (capdesk's tree), ``highs`` (the whole program in HiGHS), ``milp`` (CP-SAT,
        extra `solvers`) or ``cvxpy`` (extra `solvers`).
    prices
        Token -> dollars a unit, named as in `liquidity_portfolio`; None: each is 1.

    Returns
    -------
    PoolPlan
        Its objective is within 1e-6 of the bound.

    Raises
    ------
    InvalidInput
        For input that cannot be used, with the row and the field.
    InfeasibleError
        Where no plan obeys the limits, with the arithmetic.
    CertificateError
        Where a solver ends without an answer, or the answer's proof does not hold.
    """
    wanted = checks.parameters_from(parameters)
    universe = pools_from(pools)
    holdings = {
        name: checks.holding(name, held)
        for name, held in checks.mapping(current_allocations, "current_allocations").items()
    }
    known = {pool.pool_id for pool in universe}
    gone = [held.pool for name, held in holdings.items() if name not in known and held.pool is not None]
    checks.check_pools(universe)
    for pool in gone:
        checks.check_pool(pool, f"current_allocations[{pool.pool_id!r}]")
    everything = [*universe, *(_to_leave(pool) for pool in gone)]
    by_name = {pool.pool_id: pool for pool in everything}
    chains = list(dict.fromkeys(pool.chain.casefold() for pool in everything))
    cash = _named(liquidity_portfolio, chains, "liquidity_portfolio")
    priced = None if prices is None else _named(prices, chains, "prices")
    checks.check_balances(by_name, holdings, cash, priced)
    if priced is not None:
        everything = [checks.priced(pool, priced) for pool in everything]
    held = {name: each for name, each in holdings.items() if each.value_usd > 0}
    return planning.plan(everything, held, cash, wanted, priced, _solver(method))


def optimize_allocations_milp(
    pools: Sequence[Pool] | Any,
    current_allocations: Mapping[str, Decimal | float | Holding],
    liquidity_portfolio: Mapping[str, Decimal | float],
    parameters: PoolParameters | Mapping[str, Any] | None = None,
    *,
    prices: Mapping[str, float] | None = None,
) -> PoolPlan:
    """`optimize_allocations` with CP-SAT (extra `solvers`): the same problem and the same answer."""
    return optimize_allocations(
        pools, current_allocations, liquidity_portfolio, parameters, method="milp", prices=prices
    )


def _to_leave(pool: Pool) -> Pool:
    from msgspec.structs import replace

    return replace(pool, status="exit", reason=pool.reason or "the pool is not offered any more")


def _named(given: Mapping[str, Decimal | float], chains: list[str], where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for token, value in checks.mapping(given, where).items():
        name = checks.full_name(token, chains, where)
        if name in found:
            raise InvalidInput(f"{where}[{token!r}]: the token stands there twice, as {name}")
        found[name] = checks.dollars(f"{where}[{token!r}]", value)
    return found


def _solver(method: str) -> Callable[[PoolProblem], Solved]:
    if method == "exact":
        return exact.solve
    if method not in ("highs", "milp", "cvxpy"):
        raise InvalidInput(f"method must be exact, highs, milp or cvxpy, got {method!r}")

    def solve(problem: PoolProblem) -> Solved:
        return Solved(_rival(method)(problem), ())

    return solve


def _rival(method: str) -> Callable[[PoolProblem], Answer]:
    if method == "highs":
        return whole.solve
    try:
        from capdesk.decide.pools import cpsat, readable
    except ImportError as error:
        raise InvalidInput(f"method {method!r} needs the extra 'solvers': {error}") from None
    return cpsat.solve if method == "milp" else readable.solve
