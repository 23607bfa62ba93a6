"""The exact solver: a tree over the relaxation; the whole program where the tree is given up."""

from __future__ import annotations

import numpy as np

from capdesk.decide.pools import whole
from capdesk.decide.pools.activities import DEPOSIT, PURCHASE, SALE, WITHDRAWAL, Activities, activities
from capdesk.decide.pools.problem import Answer, Array, PoolProblem
from capdesk.decide.pools.tree import Found, search

GAP = 1e-6
MOST_NODES = 3000
DEBUG = False


def solve(problem: PoolProblem, gap: float = GAP) -> Answer:
    a = activities(problem, count=False)
    found = search(a, gap=gap, most_nodes=MOST_NODES)
    return answer(problem, a, found)


def answer(p: PoolProblem, a: Activities, found: Found) -> Answer:
    assert found.amount is not None
    flows = {kind: _scatter(a, found.amount, kind, p) for kind in (DEPOSIT, WITHDRAWAL, SALE, PURCHASE)}
    sizes = np.cumsum([len(market.members) for market in p.markets])[:-1]
    scale = a.unit * a.gain
    return Answer(
        deposits=flows[DEPOSIT],
        withdrawals=flows[WITHDRAWAL],
        sold=tuple(np.split(flows[SALE], sizes)) if p.markets else (),
        bought=tuple(np.split(flows[PURCHASE], sizes)) if p.markets else (),
        objective=found.value * scale,
        bound=found.bound * scale,
        solver="capdesk",
        nodes=found.nodes,
    )


def _scatter(a: Activities, amount: Array, kind: int, p: PoolProblem) -> Array:
    size = p.size if kind in (DEPOSIT, WITHDRAWAL) else sum(len(market.members) for market in p.markets)
    flow = np.zeros(size)
    chosen = a.kind == kind
    flow[a.owner[chosen]] = amount[chosen] * a.unit
    return flow
