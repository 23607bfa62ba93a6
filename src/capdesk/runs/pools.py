"""A pool allocation as a run, and computed again from it.

What the run's metrics hold are the pools as they went into the problem: with their forecasts,
groups and status, so that neither the tables nor the lists are asked when it is computed again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import structs

from capdesk.decide.pools.steps import split
from capdesk.decide.pools.tokens import token_key
from capdesk.model.lists import Lists
from capdesk.model.money import Amount, to_micro
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.model.pool_plans import Position as PlannedPosition
from capdesk.model.pools import Holding, Pool
from capdesk.model.runs import Detail, Outcome, Position, Run
from capdesk.pools import optimize_allocations
from capdesk.records.canonical import plain
from capdesk.runs.versions import versions

KIND = "pools"
_NO_LISTS = Lists()
_RESULT = ("allocations", "cash", "balances", "costs", "transactions", "positions", "limits", "notes")


def pools_run(
    day: dt.date,
    pools: Sequence[Pool],
    current_allocations: Mapping[str, float | Holding],
    liquidity_portfolio: Mapping[str, float],
    parameters: PoolParameters | None = None,
    *,
    method: str = "exact",
    prices: Mapping[str, float] | None = None,
    lists: Lists = _NO_LISTS,
) -> tuple[PoolPlan, Run]:
    """Plan pools for a day, and give the plan with the run that can be stored.

    Parameters
    ----------
    pools, current_allocations, liquidity_portfolio, parameters, method, prices
        As `capdesk.pools.optimize_allocations` takes them.
    lists
        The lists that said which pools may be used.

    Raises
    ------
    InvalidInput, InfeasibleError
        As `optimize_allocations` does.
    """
    run = Run(
        KIND,
        day,
        Outcome(None),
        inputs={"current_allocations": plain(_builtins(dict(current_allocations))), "method": method},
        parameters=plain(_builtins(parameters or PoolParameters())),
        lists=lists,
        metrics=plain(_builtins(list(pools))),
        balances=plain(_floats(liquidity_portfolio)),
        prices=None if prices is None else plain(_floats(prices)),
        versions=versions(),
    )
    plan = _plan(run)
    return plan, structs.replace(run, outcome=outcome(plan))


def compute(run: Run) -> Outcome:
    """Plan again from what a run carries."""
    return outcome(_plan(run))


def outcome(plan: PoolPlan) -> Outcome:
    """What a pool allocation comes to.

    Objective, bound and gap are the certificate's: those of the plan that was proved.
    """
    positions, _ = bear_costs(plan.positions, plan.costs.total)
    return Outcome(
        result={name: plain(getattr(plan, name)) for name in _RESULT},
        solver=plan.solver,
        objective=plan.certificate.objective,
        bound=plan.certificate.bound,
        gap=plan.certificate.gap,
        decision=plain(plan.decision),
        positions=tuple(
            Position(each.pool_id, each.weight, to_micro(each.amount)) for each in plan.positions
        ),
        details=tuple(detail for each in positions for detail in _details(each)),
    )


def bear_costs(
    positions: Sequence[PlannedPosition], costs: Amount
) -> tuple[tuple[PlannedPosition, ...], Amount]:
    """Let positions bear all that moving money costs, also conversions that feed no deposit.

    Those sell what came out of pools, so the positions that money leaves bear them, in
    proportion to what leaves.

    Returns
    -------
    tuple
        The positions, and the costs that none of them bears: where nothing leaves any.
    """
    rest = to_micro(costs) - sum(to_micro(each.gas + each.conversion) for each in positions)
    left = np.array([max(to_micro(each.before - each.amount), 0) for each in positions], dtype=float)
    if not rest or not left.any():
        return tuple(positions), Amount.from_micro(rest)
    shares = split(rest, left / left.sum())
    borne = zip(positions, shares, strict=True)
    return tuple(
        structs.replace(each, conversion=each.conversion + Amount.from_micro(share)) for each, share in borne
    ), Amount(0)


def _details(position: PlannedPosition) -> list[Detail]:
    """A row for each token of a position; what the move costs is shared by their amounts."""
    amounts = [to_micro(each) for each in position.token_amounts]
    whole = sum(amounts)
    shares = np.array([amount / whole if whole else 1 / len(amounts) for amount in amounts])
    gas, conversion = (split(to_micro(cost), shares) for cost in (position.gas, position.conversion))
    return [
        Detail(
            position.pool_id,
            token_key(position.chain, token),
            amounts[place],
            float(shares[place]),
            position.apy,
            to_micro(position.tvl),
            gas[place],
            conversion[place],
            position.group,
            position.shadow_price,
        )
        for place, token in enumerate(position.tokens)
    ]


def _plan(run: Run) -> PoolPlan:
    current: dict[str, float | Holding] = {
        name: held if isinstance(held, int | float) else msgspec.convert(held, Holding)
        for name, held in run.inputs["current_allocations"].items()
    }
    return optimize_allocations(
        msgspec.convert(run.metrics, list[Pool]),
        current,
        run.balances,
        msgspec.convert(run.parameters, PoolParameters),
        method=run.inputs["method"],
        prices=run.prices,
    )


def _builtins(value: Any) -> Any:
    """Structs as JSON's own types, their kinds told by a tag."""
    return msgspec.to_builtins(value, enc_hook=float)


def _floats(amounts: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(amount) for name, amount in amounts.items()}
