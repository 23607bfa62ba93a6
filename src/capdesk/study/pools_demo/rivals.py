"""What simpler treasuries would hold, set up at the same costs.

They are plans of the same problem under rules that leave nothing to choose, so that what
setting them up costs is counted just as the real plan's costs are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.model.pools import Pool
from capdesk.pools import optimize_allocations

_WORTH_ANY_COST = 1_000.0


def equal_weight(pools: Sequence[Pool], cash: Mapping[str, float], parameters: PoolParameters) -> PoolPlan:
    """The same share in every pool, or what its size allows; the rest stays cash."""
    share = 1 / len(pools)
    alike = [replace(pool, forecasted_apy=_WORTH_ANY_COST, rate_model=None, group=1) for pool in pools]
    rules = replace(
        parameters,
        profit_optimization=True,
        group1_max_pct=1.0,
        position_max_pct_total_assets=share,
    )
    return optimize_allocations(alike, {}, cash, rules)


def largest_pool(pools: Sequence[Pool], cash: Mapping[str, float], parameters: PoolParameters) -> PoolPlan:
    """Everything in the largest pool of the coin that is held."""
    (home,) = cash
    chain, token = home.split(":")
    own = [pool for pool in pools if pool.chain.casefold() == chain and pool.tokens == (token,)]
    largest = max(own, key=lambda pool: pool.forecasted_tvl)
    rules = replace(
        parameters,
        profit_optimization=True,
        group1_max_pct=1.0,
        group2_max_pct=1.0,
        group3_max_pct=1.0,
        position_max_pct_total_assets=1.0,
    )
    return optimize_allocations([largest], {}, cash, rules)
