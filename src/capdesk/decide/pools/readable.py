"""The same problem through cvxpy, to be read (extra `solvers`).

Every line is a line of the problem's statement; HiGHS solves it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from capdesk.decide.pools.matrices import sparse
from capdesk.decide.pools.problem import LEAST_LEG, Answer, Infeasible, NotSolved, PoolProblem
from capdesk.decide.pools.whole import GAP


def solve(problem: PoolProblem, gap: float = GAP) -> Answer:
    """Solve the problem as cvxpy states it, to a relative gap.

    Raises
    ------
    Infeasible
        Where no flows obey the limits.
    NotSolved
        Where HiGHS ends without an answer.
    """
    # cvxpy finds the shape of a sum by adding up memory that holds anything.
    with np.errstate(invalid="ignore", over="ignore"):
        return _solve(problem, gap)


def _solve(problem: PoolProblem, gap: float) -> Answer:
    import cvxpy

    cp: Any = cvxpy

    p: Any = problem
    n, tokens, unit = p.size, len(p.tokens), p.total / 1000 or 1.0
    held, room, gas_in, gas_out = (each / unit for each in (p.held, p.room, p.gas_in, p.gas_out))

    piece = cp.Variable(len(p.piece_pool), nonneg=True)
    deposit, withdrawal = cp.Variable(n, nonneg=True), cp.Variable(n, nonneg=True)
    enter, reduce, leave = (cp.Variable(n, boolean=True) for _ in range(3))
    cash, some = cp.Variable(tokens, nonneg=True), cp.Variable(boolean=True)

    of_pool = sparse.csr_array(
        (np.ones(len(p.piece_pool)), (p.piece_pool, np.arange(len(p.piece_pool)))),
        shape=(n, len(p.piece_pool)),
    )
    x = of_pool @ piece
    rules = [
        piece <= p.piece_length / unit,
        x == held + deposit - withdrawal,
        deposit <= cp.multiply(room, enter),
        deposit >= cp.multiply(p.least_deposit / unit, enter),
        withdrawal <= cp.multiply(p.exit / unit, reduce) + cp.multiply(held, leave),
        withdrawal >= cp.multiply(p.least_exit / unit, reduce) + cp.multiply(held, leave),
        enter + reduce + leave <= 1,
        enter <= (p.room > 0).astype(float),
        reduce <= (p.exit > 0).astype(float),
        leave <= p.leave.astype(float),
        reduce + leave >= p.must.astype(float),
        p.limits @ x <= p.limit_caps / unit,
    ]
    if not p.allow_cash:
        rules.append(cash == 0)
    gain = p.piece_slope @ piece + p.cash_slope * cp.sum(cash) - gas_in @ enter - gas_out @ (reduce + leave)
    into_pools = p.shares @ (deposit + cp.multiply(gas_in, enter))
    out_of_pools = p.shares @ (withdrawal - cp.multiply(gas_out, reduce + leave))
    balance = p.cash / unit + out_of_pools - into_pools
    trades: list[tuple[Any, Any]] = []
    supply, demand = p.supply() / unit, p.demand() / unit
    for market in p.markets:
        size, gas = len(market.members), market.gas / unit
        sold, bought = cp.Variable(size, nonneg=True), cp.Variable(size, nonneg=True)
        sells, buys = cp.Variable(size, boolean=True), cp.Variable(size, boolean=True)
        any_trade = cp.Variable(boolean=True)
        conversions = cp.sum(sells) + cp.sum(buys) - any_trade
        where = sparse.csr_array((np.ones(size), (market.members, np.arange(size))), shape=(tokens, size))
        rules += [
            sold <= cp.multiply(supply[market.members], sells),
            bought <= cp.multiply(demand[market.members], buys),
            sold >= LEAST_LEG / unit * sells,
            bought >= LEAST_LEG / unit * buys,
            sells + buys <= 1,
            sells <= any_trade,
            buys <= any_trade,
            any_trade <= cp.sum(sells),
            any_trade <= cp.sum(buys),
            cp.sum(bought) == (1 - market.rate) * cp.sum(sold) - gas * conversions,
        ]
        gain -= (market.rate + market.delay) * cp.sum(sold) + gas * conversions
        balance += where @ (bought - sold)
        trades.append((sold, bought))
    rules.append(cash == balance)
    if p.max_pools is not None:
        new = (p.held == 0).astype(float)
        rules.append(new @ enter + (1 - new) @ (1 - leave) <= p.max_pools)
    if p.min_pools > 1:
        new, old = (~p.counts).astype(float), p.counts.astype(float)
        part = np.where(~p.leave, p.exit, 0.0) / unit
        rules += [
            new @ enter + old @ (1 - leave) >= p.min_pools * some,
            enter <= some,
            leave >= cp.multiply(p.leave.astype(float), 1 - some),
            withdrawal >= cp.multiply(part, 1 - some),
        ]
    statement: Any = cp.Problem(cp.Maximize(gain), rules)
    statement.solve(
        solver=cp.HIGHS,
        highs_options={
            "mip_rel_gap": gap,
            "mip_abs_gap": 1e-12,
            "mip_feasibility_tolerance": 1e-9,
            "threads": 1,
        },
    )
    if statement.status in (cp.INFEASIBLE, "infeasible_or_unbounded"):
        raise Infeasible
    if statement.status != cp.OPTIMAL:
        raise NotSolved(f"cvxpy ended with {statement.status}")
    change = np.array(x.value) * unit - p.held
    objective = float(statement.value) * unit
    return Answer(
        deposits=np.maximum(change, 0.0),
        withdrawals=np.maximum(-change, 0.0),
        sold=tuple(np.array(sold.value) * unit for sold, _ in trades),
        bought=tuple(np.array(bought.value) * unit for _, bought in trades),
        objective=objective,
        bound=objective + gap * max(1.0, abs(objective)),
        solver=f"cvxpy {cp.__version__} with HiGHS",
        nodes=0,
    )
