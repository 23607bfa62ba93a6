"""Random treasuries over pools, in which every limit has its turn to bind."""

from __future__ import annotations

import random

from capdesk.model.pool_parameters import ChainCosts, ExpectedLoss, PoolParameters
from capdesk.model.pools import Emission, Holding, Kinked, Piecewise, Pool

Instance = tuple[list[Pool], dict[str, Holding], dict[str, float], PoolParameters]

TOKENS = ("USDC", "USDT", "DAI", "FRAX", "LUSD", "GUSD", "PYUSD", "USDE")


def small(seed: int) -> Instance:
    """A few pools with every feature at random, small enough for the whole program."""
    draw = random.Random(seed)
    chains = ("ethereum",) if draw.random() < 0.7 else ("ethereum", "base")
    tokens = TOKENS[: draw.randint(2, 6)]
    number = draw.randint(3, 14)
    total = 10 ** draw.uniform(3.2, 7)
    pools = [_pool(draw, f"p{each}", chains, tokens, total) for each in range(number)]
    holdings = {
        pool.pool_id: Holding(total * draw.uniform(0.001, 0.3), draw.choice((None, None, None, 0.5, 3.0)))
        for pool in pools
        if draw.random() < 0.35
    }
    cash = {
        f"{draw.choice(chains)}:{token}": total * draw.uniform(0.0, 0.6) ** 2
        for token in tokens
        if draw.random() < 0.6
    }
    return pools, holdings, cash or {f"{chains[0]}:USDC": total}, _parameters(draw, chains, number, total)


def _pool(
    draw: random.Random, name: str, chains: tuple[str, ...], tokens: tuple[str, ...], total: float
) -> Pool:
    several = draw.random() < 0.3
    its = tuple(draw.sample(tokens, min(len(tokens), draw.choice((2, 3)) if several else 1)))
    shares = ()
    if several and draw.random() < 0.5:
        raw = [draw.uniform(0.2, 1.0) for _ in its]
        shares = tuple(each / sum(raw) for each in raw)
    model = draw.choice(
        (
            None,
            None,
            Emission(),
            Kinked(draw.uniform(0.5, 0.97)),
            Piecewise((total * 0.05, total * 0.2), (draw.uniform(4, 9), draw.uniform(0, 4))),
        )
    )
    status = "open" if draw.random() < 0.85 else draw.choice(("reduce", "freeze", "exit"))
    return Pool(
        pool_id=name,
        tokens=its,
        protocol=draw.choice(("aave", "morpho", "fluid")),
        chain=draw.choice(chains),
        forecasted_apy=draw.uniform(0.5, 12),
        forecasted_tvl=total * 10 ** draw.uniform(-0.5, 2.5),
        group=draw.choice((1, 1, 2, 3)),
        gas_in_usd=draw.choice((None, 0.0, draw.uniform(1, 60))),
        gas_out_usd=draw.choice((None, 0.0, draw.uniform(1, 60))),
        shares=shares,
        status=status,
        rate_model=model,
        withdrawable_usd=total * draw.uniform(0, 0.2) if draw.random() < 0.15 else None,
    )


def _parameters(draw: random.Random, chains: tuple[str, ...], number: int, total: float) -> PoolParameters:
    def sometimes(share: float, value: object, otherwise: object) -> object:
        return value if draw.random() < share else otherwise

    fewest = draw.choice((1, 2, 4, 4, 6))
    return PoolParameters(
        profit_optimization=draw.random() < 0.2,
        min_pools=fewest,
        max_pools=sometimes(0.3, max(fewest, draw.randint(1, number)), None),
        max_alloc_percentage=draw.choice((0.15, 0.25, 0.4)),
        position_max_pct_total_assets=draw.choice((0.25, 0.3, 1.0)),
        position_max_pct_pool_tvl=draw.choice((0.05, 0.2)),
        tvl_limit_percentage=draw.choice((0.05, 0.2)),
        group_room=draw.choice(("strict", "cascade")),
        conversion_rate=draw.choice((0.0, 0.0004, 0.002)),
        horizon_days=draw.choice((1.0, 30.0, 90.0)),
        cash_apy=draw.choice((0.0, 0.0, 2.0)),
        minimum_ticket_usd=draw.choice((1.0, 100.0, 100.0, 0.04 * total + 1.0)),
        minimum_move_usd=draw.choice((0.0, 0.0, 50.0, 0.06 * total)),
        cool_down_days=draw.choice((0.0, 0.0, 2.0)),
        token_max_pct=sometimes(0.5, {"*": draw.uniform(0.15, 0.6)}, {}),
        protocol_max_pct=sometimes(0.3, {"*": draw.uniform(0.2, 0.6)}, {}),
        chain_max_pct=sometimes(0.5, {"*": draw.uniform(0.1, 0.6)}, {}),
        swap_gas_usd=draw.choice((0.0, 3.0, 40.0)),
        deposit_gas_usd=draw.choice((0.0, 5.0)),
        withdraw_gas_usd=draw.choice((0.0, 5.0)),
        chains=sometimes(
            0.3,
            {chain: ChainCosts(gas_gwei=draw.choice((1.0, 40.0)), native_price_usd=3000) for chain in chains},
            {},
        ),
        max_gas_gwei=sometimes(0.1, 30.0, None),
        bridge_gas_usd=draw.choice((0.0, 20.0)),
        bridge_days=draw.choice((0.0, 1.0)),
        protocol_losses=sometimes(0.2, {"aave": ExpectedLoss(0.01, 0.5)}, {}),
        token_losses=sometimes(0.2, {"USDT": ExpectedLoss(0.02, 0.5)}, {}),
        dilution_segments=draw.choice((3, 4, 5)),
        yesterday_yield_usd=None,
    )


def treasury(seed: int, pools: int, tokens: int, *, emission: float = 0.3) -> Instance:
    """A treasury of $10M on one chain, a tenth of it cash, a few positions, all costs at work."""
    draw = random.Random(seed)
    names = [f"T{each}" for each in range(tokens)]
    universe = [
        Pool(
            pool_id=f"p{each}",
            tokens=tuple(draw.sample(names, draw.choices((1, 2, 3), (0.7, 0.25, 0.05))[0])),
            protocol=f"protocol{draw.randrange(12)}",
            forecasted_apy=max(0.1, draw.gauss(5, 2)),
            forecasted_tvl=10 ** draw.uniform(5.7, 8.7),
            group=draw.choices((1, 2, 3), (0.6, 0.25, 0.15))[0],
            gas_in_usd=draw.uniform(3, 40),
            gas_out_usd=draw.uniform(3, 40),
            rate_model=Emission() if draw.random() < emission else None,
        )
        for each in range(pools)
    ]
    held = draw.sample(universe, min(8, pools // 4))
    holdings = {
        pool.pool_id: Holding(min(draw.uniform(2e5, 1.5e6), 0.04 * pool.forecasted_tvl)) for pool in held
    }
    left = 1e7 - sum(each.value_usd for each in holdings.values())
    weights = [draw.uniform(0, 1) ** 2 for _ in names]
    cash = {name: left * weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
    return universe, holdings, cash, PoolParameters(swap_gas_usd=12.0)
