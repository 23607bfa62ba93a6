"""Positions, transactions and limits in force, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.building import Desk
from capdesk.decide.pools.prices import Prices
from capdesk.decide.pools.problem import Array
from capdesk.decide.pools.steps import Carried, Step, micro, split
from capdesk.model.money import MICRO, Amount
from capdesk.model.pool_plans import Decision, Flow, LimitInForce, Position, Transaction


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written down."""

    desk: Desk
    total: float
    carried: Carried
    prices: Prices
    prices_usd: Mapping[str, float]
    decision: Decision


def positions(w: Written) -> tuple[Position, ...]:
    """Every pool that is held before or after, with what it costs to move."""
    p = w.desk.problem
    after = np.array(w.carried.positions, dtype=float) / MICRO
    income = p.income(after)
    gas, conversion = _costs_by_pool(w)
    reasons, stuck = _reasons(w.decision), _stuck(w.decision)
    found: list[Position] = []
    for number in np.flatnonzero((p.held > 0) | (after > 0)).tolist():
        pool, amount = w.desk.pools[number], w.carried.positions[number]
        where = slice(p.shares.indptr[number], p.shares.indptr[number + 1])
        shares: Array = p.shares.data[where]
        members: list[int] = p.shares.indices[where].tolist()
        found.append(
            Position(
                pool_id=pool.pool_id,
                protocol=pool.protocol,
                chain=pool.chain,
                tokens=tuple(p.tokens[token] for token in members),
                token_amounts=tuple(Amount.from_micro(part) for part in split(amount, shares)),
                before=Amount.from_micro(micro(p.held[number])),
                amount=Amount.from_micro(amount),
                weight=amount / MICRO / w.total if w.total else 0.0,
                apy=pool.forecasted_apy,
                tvl=pool.forecasted_tvl,
                group=pool.group,
                yield_usd=float(income[number]),
                gas=Amount.from_micro(gas.get(number, 0)),
                conversion=Amount.from_micro(conversion.get(number, 0)),
                shadow_price=float(w.prices.room[number]),
                stuck=stuck.get(pool.pool_id, Amount(0)),
                reason=reasons.get(pool.pool_id, pool.reason),
            )
        )
    return tuple(found)


def transactions(w: Written) -> tuple[Transaction, ...]:
    """The steps with names, units at their prices, and the days until a deposit has paid for itself."""
    p, desk = w.desk.problem, w.desk
    _, conversion = _costs_by_pool(w)
    reasons = _reasons(w.decision)
    daily = p.income(np.array(w.carried.positions, dtype=float) / MICRO) / desk.parameters.horizon_days
    found: list[Transaction] = []
    for step in w.carried.steps:
        pool = p.pool_ids[step.pool] if step.pool >= 0 else ""
        days = None
        if step.verb == "deposit":
            share = step.amount / w.carried.positions[step.pool]
            earned = float(daily[step.pool]) * share * MICRO
            days = (step.gas + conversion.get(step.pool, 0)) / earned if earned > 0 else None
        found.append(
            Transaction(
                verb=step.verb,
                pool_id=pool,
                amount=Amount.from_micro(step.amount),
                gives=_flows(w, step.takes),
                takes=_flows(w, step.gives),
                gas=Amount.from_micro(step.gas),
                fee=Amount.from_micro(step.fee),
                days_to_break_even=days,
                reason=reasons.get(pool, w.decision.kind),
            )
        )
    return tuple(found)


def limits(w: Written) -> tuple[LimitInForce, ...]:
    """The limits that have no room left, and what a dollar more of each would be worth."""
    p, names = w.desk.problem, w.desk.limits.names
    used = p.limits @ (np.array(w.carried.positions, dtype=float) / MICRO)
    return tuple(
        LimitInForce(name, float(cap), float(its), float(max(price, 0.0)))
        for name, cap, its, price in zip(names, p.limit_caps, used, w.prices.limits, strict=False)
        if its >= cap - max(0.01, 1e-6 * cap)
    )


def _reasons(decision: Decision) -> dict[str, str]:
    """Why a position may not stay as it is, by pool."""
    own = {each.pool_id: each.reason for each in decision.breaches if each.pool_id and each.stuck}
    return own | {each.pool_id: each.reason for each in (*decision.trimmed, *decision.forced)}


def _stuck(decision: Decision) -> dict[str, Amount]:
    """What should leave and cannot, by pool."""
    own = {each.pool_id: Amount.from_micro(micro(each.stuck)) for each in decision.breaches if each.pool_id}
    return own | {each.pool_id: each.stuck for each in decision.forced}


def _flows(w: Written, flows: Mapping[int, int]) -> tuple[Flow, ...]:
    tokens = w.desk.problem.tokens
    return tuple(
        Flow(tokens[token], Amount.from_micro(amount), amount / MICRO / w.prices_usd.get(tokens[token], 1.0))
        for token, amount in flows.items()
    )


def _costs_by_pool(w: Written) -> tuple[dict[int, int], dict[int, int]]:
    """Gas of each pool's own steps, and its part of what the tokens cost that it takes, in micro-units."""
    gas: dict[int, int] = {}
    into: dict[int, int] = {}
    for step in w.carried.steps:
        if step.pool >= 0:
            gas[step.pool] = gas.get(step.pool, 0) + step.gas
        else:
            for token in step.gives:
                into[token] = into.get(token, 0) + step.gas + step.fee
    conversion: dict[int, int] = {}
    for token, cost in into.items():
        takers: list[Step] = [
            step for step in w.carried.steps if step.verb == "deposit" and token in step.takes
        ]
        total = sum(step.takes[token] for step in takers)
        if total:
            parts = split(cost, np.array([step.takes[token] / total for step in takers]))
            for step, part in zip(takers, parts, strict=True):
                conversion[step.pool] = conversion.get(step.pool, 0) + part
    return gas, conversion
