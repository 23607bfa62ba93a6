"""The exact solver: trees over the relaxation, and the whole program where a tree is given up.

`min_pools` means so many pools or none. The problem is solved without it first; where that
answer breaks it, once with a row that asks for the number and once with nothing placed, and
the better of the two is best.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capdesk.decide.pools import highs, whole
from capdesk.decide.pools.activities import Activities, activities
from capdesk.decide.pools.activity_kinds import DEPOSIT, PURCHASE, SALE, WITHDRAWAL
from capdesk.decide.pools.problem import LEAST_LEG, Answer, Array, NotSolved, PoolProblem
from capdesk.decide.pools.tree import Found, search

GAP = 1e-6
_FEWEST_NODES = 1600


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One tree: the problem it belongs to, its activities with all cuts, and what was found."""

    problem: PoolProblem
    counted: bool
    found: Found


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The best answer, and the trees that together prove it; no trees where the whole program was solved."""

    answer: Answer
    branches: tuple[Branch, ...]


def solve(problem: PoolProblem, gap: float = GAP) -> Solved:
    """The best plan to a relative gap, with its proof.

    Raises
    ------
    Infeasible
        Where no flows obey the limits.
    """
    # The whole program takes longer in proportion to the pools, so the tree may too.
    most_nodes = _FEWEST_NODES + problem.size // 3
    try:
        branches = _branches(problem, gap, most_nodes)
    except NotSolved as error:
        return _by_whole_program(problem, gap, str(error))
    possible = [branch for branch in branches if branch.found.amount is not None]
    finished = all(branch.found.finished for branch in branches)
    if not possible or not finished:
        return _by_whole_program(
            problem, gap, "no plan was found" if finished else f"{most_nodes} nodes were not enough"
        )
    answer = max((_answer(branch) for branch in possible), key=lambda each: each.objective)
    bound = max(branch.found.bound * branch.found.a.unit * branch.found.a.gain for branch in branches)
    nodes = sum(branch.found.nodes for branch in branches)
    if _burns(problem, answer):
        return _by_whole_program(problem, gap, "the tree paid gas to be rid of money")
    if bound - answer.objective > gap * max(1.0, abs(answer.objective)):
        return _by_whole_program(problem, gap, "the tree left a gap")
    return Solved(replace(answer, bound=max(bound, answer.objective), nodes=nodes), branches)


def _burns(problem: PoolProblem, answer: Answer) -> bool:
    """Whether gas is paid for conversions that move nothing, or a token is sold for itself.

    Only where nothing may stay cash is that ever a plan, and then it is none that can be carried out.
    """
    if problem.allow_cash:
        return False
    legs = zip(problem.markets, answer.sold, answer.bought, strict=True)
    return any(
        market.imbalance(sold, bought, problem.moved) > max(LEAST_LEG, problem.left)
        or bool(((sold > problem.moved) & (bought > problem.moved)).any() and market.rate + market.gas > 0)
        for market, sold, bought in legs
    )


def _branches(problem: PoolProblem, gap: float, most_nodes: int) -> tuple[Branch, ...]:
    first = _branch(problem, gap, most_nodes, counted=False)
    if problem.min_pools < 2 or first.found.amount is None or _enough(problem, first):
        return (first,)
    nothing = _branch(_nothing_placed(problem), gap, most_nodes, counted=False)
    return _branch(problem, gap, most_nodes, counted=True), nothing


def _branch(problem: PoolProblem, gap: float, most_nodes: int, *, counted: bool) -> Branch:
    return Branch(
        problem, counted, search(activities(problem, count=counted), gap=gap, most_nodes=most_nodes)
    )


def _enough(problem: PoolProblem, branch: Branch) -> bool:
    """Whether a plan uses `min_pools` pools, or none."""
    answer = _answer(branch)
    x = problem.held + answer.deposits - answer.withdrawals
    if problem.counted(x) >= problem.min_pools:
        return True
    left = np.where(problem.leave, 0.0, problem.held - problem.exit)
    return bool((x <= left + problem.left).all())


def _nothing_placed(problem: PoolProblem) -> PoolProblem:
    """The problem in which all that can leave pools leaves."""
    part = ~problem.leave & (problem.exit > 0)
    return replace(
        problem,
        room=np.zeros(problem.size),
        least_exit=np.where(part, problem.exit, problem.held),
        exit=np.where(part, problem.exit, 0.0),
        must=problem.leave | part,
        min_pools=0,
    )


def _by_whole_program(problem: PoolProblem, gap: float, why: str) -> Solved:
    answer = whole.solve(problem, gap)
    return Solved(replace(answer, solver=f"{answer.solver}, the whole program: {why}"), ())


def _answer(branch: Branch) -> Answer:
    p, found, a = branch.problem, branch.found, branch.found.a
    assert found.amount is not None
    deposits, withdrawals = (_flow(a, found.amount, kind, p.size) for kind in (DEPOSIT, WITHDRAWAL))
    both = np.minimum(deposits, withdrawals)
    members = [len(market.members) for market in p.markets]
    sold, bought = (_flow(a, found.amount, kind, sum(members)) for kind in (SALE, PURCHASE))
    cuts = np.cumsum(members)[:-1]
    return Answer(
        deposits=deposits - both,
        withdrawals=withdrawals - both,
        sold=tuple(np.split(sold, cuts)) if members else (),
        bought=tuple(np.split(bought, cuts)) if members else (),
        objective=found.value * a.unit * a.gain,
        bound=found.bound * a.unit * a.gain,
        solver=f"capdesk tree on {highs.version()}",
        nodes=found.nodes,
    )


def _flow(a: Activities, amount: Array, kind: int, size: int) -> Array:
    flow = np.zeros(size)
    chosen = a.kind == kind
    flow[a.owner[chosen]] = amount[chosen] * a.unit
    return flow
