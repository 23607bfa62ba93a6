"""Why a pool is in a plan, or is not: its yield against what a dollar is worth elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

from capdesk.decide.pools.building import Desk, expected_loss
from capdesk.decide.pools.prices import Prices
from capdesk.decide.pools.rates import DAYS_A_YEAR
from capdesk.model.errors import InvalidInput
from capdesk.model.money import usd
from capdesk.model.pool_plans import PoolLeftOut, PoolPlan
from capdesk.model.pools import Pool


def left_out(pools: Sequence[Pool], desk: Desk, prices: Prices, used: set[str]) -> tuple[PoolLeftOut, ...]:
    """Every pool that is not used, with the APY that would have brought it in."""
    place = {pool.pool_id: number for number, pool in enumerate(desk.pools)}
    found: list[PoolLeftOut] = []
    for pool in pools:
        if pool.pool_id in used:
            continue
        number = place.get(pool.pool_id)
        if number is None or not desk.problem.room[number]:
            reason = pool.reason or (
                f"the pool is {pool.status}"
                if pool.status != "open"
                else "its limits leave less than the smallest deposit"
            )
            found.append(PoolLeftOut(pool.pool_id, pool.forecasted_apy, None, reason))
        else:
            found.append(
                PoolLeftOut(pool.pool_id, pool.forecasted_apy, _entry(pool, number, desk, prices), "")
            )
    return tuple(found)


def _entry(pool: Pool, number: int, desk: Desk, prices: Prices) -> float | None:
    """The APY at which the whole room of a pool pays for a dollar's price and for the gas."""
    room = desk.problem.room[number]
    wanted = prices.dollar[number] + prices.gas[number] / room
    years = desk.parameters.horizon_days / DAYS_A_YEAR
    yearly = wanted / years + expected_loss(pool, desk.parameters)
    entry = math.expm1(yearly) * 100 if yearly < 50 else math.inf
    return max(entry, pool.forecasted_apy) if math.isfinite(entry) else None


def explain(plan: PoolPlan, pool_id: str) -> str:
    """Say in one sentence why a pool is in a plan, or why it is not.

    Raises
    ------
    InvalidInput
        If the plan knows no such pool.
    """
    for position in plan.positions:
        if position.pool_id == pool_id:
            moved = position.amount - position.before
            how = f"{usd(abs(moved.micro))} {'in' if moved > 0 else 'out'}" if moved else "as it was"
            text = f"{pool_id} holds {usd(position.amount.micro)} ({how}) at {position.apy:.4g} % a year"
            if position.shadow_price > 0:
                text += f"; it is full: one more dollar of room would add ${position.shadow_price:.6f}"
            return text + (f"; {position.reason}" if position.reason else "")
    for out in plan.left_out:
        if out.pool_id == pool_id:
            if out.reason:
                return f"{pool_id} is not used: {out.reason}"
            if out.entry_apy is None:
                return f"{pool_id} is not used: no APY would pay for it"
            if out.entry_apy <= out.apy:
                return f"{pool_id} is not used: at {out.apy:.4g} % a year it adds no more than what is used"
            now, entry = told_apart(out.apy, out.entry_apy)
            return (
                f"{pool_id} is not used: at {now} % a year it does not pay; from {entry} % on it would have"
            )
    raise InvalidInput(f"the plan knows no pool {pool_id!r}")


def told_apart(low: float, high: float) -> tuple[str, str]:
    """Two rates in as few digits, from four on, as show that they differ."""
    for digits in range(4, 17):
        texts = f"{low:.{digits}g}", f"{high:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(low), repr(high)
