"""What an answer is worth and what no answer can exceed, computed again from the problem's data.

The objective is computed from the flows, and the bound from each leaf of each tree: for the
leaf's multipliers every activity does what is best for it over its exact domain, so the sum
bounds every plan that decides as the leaf does. The leaves must cover every way to decide.
Each row that a cut added is stated again from the sets that the cut names (`cut_proof.py`), and
no number of the solver's is used but multipliers, which may be anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capdesk.decide.pools.activities import Activities, activities
from capdesk.decide.pools.cut_proof import with_cuts
from capdesk.decide.pools.exact import Branch, Solved
from capdesk.decide.pools.lagrangian import OFF, ON, WHOLE, Modes
from capdesk.decide.pools.problem import Answer, Array, PoolProblem, summed
from capdesk.model.errors import CertificateError
from capdesk.model.pool_plans import PoolCertificate


def certify(problem: PoolProblem, solved: Solved) -> PoolCertificate:
    """Compute objective, bound and worst violation again.

    Raises
    ------
    CertificateError
        If the leaves of a tree do not cover every way to decide, or the data are not the
        problem's.
    """
    answer = solved.answer
    objective = value(problem, answer)
    bound, leaves = answer.bound, 1
    if solved.branches:
        bound = max(branch_bound(branch) for branch in solved.branches)
        leaves = sum(len(branch.found.leaves) for branch in solved.branches)
    return PoolCertificate(
        objective=objective,
        bound=max(bound, objective),
        gap=max(bound - objective, 0.0) / max(1.0, abs(objective)),
        worst_violation=violation(problem, answer),
        leaves=leaves,
        nodes=answer.nodes,
        proof="tree" if solved.branches else "solver",
    )


def value(p: PoolProblem, answer: Answer) -> float:
    """What flows are worth over the horizon, dollars: income and cash less gas and conversions."""
    x = p.held + answer.deposits - answer.withdrawals
    gas = p.gas_in[answer.deposits > p.moved].sum() + p.gas_out[answer.withdrawals > p.moved].sum()
    costs = float(gas)
    for market, sold, bought in zip(p.markets, answer.sold, answer.bought, strict=True):
        legs = int((sold > p.moved).sum() + (bought > p.moved).sum())
        costs += (market.rate + market.delay) * float(sold.sum()) + market.gas * max(legs - 1, 0)
    return float(p.income(x).sum()) + p.cash_slope * float(cash(p, answer).sum()) - costs


def cash(p: PoolProblem, answer: Answer) -> Array:
    """Dollars of each token after the flows and the gas they pay, (T,)."""
    out = np.where(answer.withdrawals > p.moved, answer.withdrawals - p.gas_out, 0.0)
    into = np.where(answer.deposits > p.moved, answer.deposits + p.gas_in, 0.0)
    left = p.cash + p.shares @ (out - into)
    for market, sold, bought in zip(p.markets, answer.sold, answer.bought, strict=True):
        left[market.members] += bought - sold
    return left


def violation(p: PoolProblem, answer: Answer) -> float:
    """The largest breach of any constraint, dollars (pools for a breach of their number)."""
    x = p.held + answer.deposits - answer.withdrawals
    deposited, withdrawn = answer.deposits > p.moved, answer.withdrawals > p.moved
    whole = p.leave & (np.abs(answer.withdrawals - p.held) <= p.left)
    breaches = [
        -cash(p, answer),
        np.where(deposited, p.least_deposit - answer.deposits, 0.0),
        answer.deposits - p.room,
        np.where(withdrawn & ~whole, p.least_exit - answer.withdrawals, 0.0),
        np.where(withdrawn & ~whole, answer.withdrawals - p.exit, 0.0),
        np.where(p.must & ~withdrawn, p.held, 0.0),
        p.limits @ x - p.limit_caps,
    ]
    if not p.allow_cash:
        breaches.append(cash(p, answer))
    for market, sold, bought in zip(p.markets, answer.sold, answer.bought, strict=True):
        breaches.append(np.array([market.imbalance(sold, bought, p.moved)]))
    used = x > p.left
    if p.max_pools is not None:
        breaches.append(np.array([float(used.sum() - p.max_pools)]))
    left = np.where(p.leave, 0.0, p.held - p.exit)
    if p.min_pools > 1 and (x > left + p.left).any():
        breaches.append(np.array([float(p.min_pools - p.counted(x))]))
    return max(float(each.max(initial=0.0)) for each in breaches)


def branch_bound(branch: Branch) -> float:
    """What no plan of a tree's problem can exceed, dollars."""
    stated = activities(branch.problem, count=branch.counted)
    found = branch.found.a
    same = abs(found.unit_rows - stated.unit_rows).max() if stated.size else 0.0
    if same > 0 or not all(
        np.array_equal(getattr(found, name), getattr(stated, name)) for name in ("slope", "charge", "upper")
    ):
        raise CertificateError("the tree is not about this problem")
    if not covered(stated, [list(leaf.modes.items()) for leaf in branch.found.leaves]):
        raise CertificateError("the leaves of the tree leave out a way to decide")
    a = with_cuts(stated, branch.found.cuts)
    bounds = [leaf_bound(a, leaf.modes, leaf.multipliers) for leaf in branch.found.leaves]
    return max(bounds) * a.unit * a.gain


def covered(a: Activities, leaves: Sequence[list[tuple[int, int]]]) -> bool:
    """Whether leaves, each a list of decisions from the root on, cover every way to decide."""
    nothing: dict[int, int] = {}
    left = [([(leaf, 0) for leaf in leaves], nothing)]
    while left:
        reaching, known = left.pop()
        rest = [(leaf, _after(leaf, place, known, a)) for leaf, place in reaching]
        if any(place == len(leaf) for leaf, place in rest):
            continue
        if not rest:
            return False
        activity = rest[0][0][rest[0][1]][0]
        if any(leaf[place][0] != activity for leaf, place in rest):
            return False
        rival = int(a.rival[activity])
        blocked = rival >= 0 and (bool(a.must[rival]) or known.get(rival, OFF) != OFF)
        ways = [OFF] if not a.must[activity] else []
        ways += [ON] if a.most[activity] > 0 and not blocked else []
        ways += [WHOLE] if a.whole[activity] > 0 and not blocked else []
        for way in ways:
            its = [(leaf, place) for leaf, place in rest if leaf[place][1] == way]
            left.append((its, {**known, activity: way}))
    return True


def _after(leaf: list[tuple[int, int]], place: int, known: Modes, a: Activities) -> int:
    """Where a leaf decides beyond what is known; that a rival of what happens does not is known too."""
    while place < len(leaf):
        activity, mode = leaf[place]
        rival = int(a.rival[activity])
        implied = mode == OFF and rival >= 0 and known.get(rival, OFF) != OFF
        if known.get(activity) != mode and not implied:
            break
        place += 1
    return place


def leaf_bound(a: Activities, modes: Modes, multipliers: Array) -> float:
    """The Lagrangian bound of a leaf at any multipliers, over exact domains, in units of the gain."""
    y = np.zeros(len(a.lower))
    y[: len(multipliers)] = multipliers
    y = np.where(np.isfinite(a.upper), y, np.minimum(y, 0.0))
    y = np.where(np.isfinite(a.lower), y, np.maximum(y, 0.0))
    unit, charge, whole = a.unit_rows.T @ y, a.charge_rows.T @ y, a.whole_rows.T @ y
    owner = np.repeat(np.arange(a.size), np.diff(a.start))
    ends = np.cumsum(a.length)
    before = ends - a.length - np.concatenate(([0.0], ends))[a.start[:-1]][owner]
    gain = a.slope - unit[owner]
    low = np.clip(a.least[owner] - before, 0.0, a.length)
    high = np.maximum(np.clip(a.most[owner] - before, 0.0, a.length), low)
    some = summed(owner, gain * low + np.maximum(gain, 0.0) * (high - low), a.size)
    every = summed(owner, gain * a.length, a.size)
    happening = np.where(a.most > 0, some - a.charge - charge, -np.inf)
    wholly = np.where(a.whole > 0, every - a.charge - charge - whole, -np.inf)
    best = np.maximum(np.where(a.must, -np.inf, 0.0), np.maximum(happening, wholly))
    for activity, mode in modes.items():
        best[activity] = {OFF: 0.0, ON: happening[activity], WHOLE: wholly[activity]}[mode]
    fixed = np.where(y > 0, a.upper, a.lower)
    rows = float(np.where(y != 0, y * np.where(y != 0, fixed, 0.0), 0.0).sum())
    cost, upper = a.plain_cost - y @ a.plain_rows, np.where(a.waste, 0.0, a.plain_upper)
    return a.constant + rows + float((np.maximum(cost, 0.0) * upper).sum()) + float(best.sum())
