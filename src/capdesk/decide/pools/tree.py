"""Branch and bound over the activities whose charge is paid in part, with every leaf kept for the proof.

Cuts are looked for at every node and hold in the whole tree: among pools that are nearly as
good as each other, those that the root breaks leave thousands of nodes.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import DEPOSIT
from capdesk.decide.pools.branching import PART, Losses, undecided, unpaid, ways
from capdesk.decide.pools.cuts import Cut, Point, Separation
from capdesk.decide.pools.lagrangian import OFF, ON, WHOLE, Modes, Priced
from capdesk.decide.pools.problem import Array, Index
from capdesk.decide.pools.relaxation import Relaxation, Relaxed

_TARGET = 0.99
_ROUNDS = 5
_MOST_CUTS = 400
_ROUND_ALWAYS = 60
_ROUND_EVERY = 8
_FIRST_PLAN = 200


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A part of the tree that was left: what is decided there, and the multipliers that bound it."""

    modes: Modes
    multipliers: Array
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best plan, in units of the activities, and the proof that none is better.

    Parameters
    ----------
    a, cuts
        The activities, and the rows that were added to theirs.
    amount
        (K,) of each activity; None where none is possible.
    value, bound
        Of the plan, and of all leaves.
    leaves
        Together they cover every way to decide.
    nodes
        How many relaxations were solved.
    finished
        False where the search was given up.
    """

    a: Activities
    cuts: tuple[Cut, ...]
    amount: Array | None
    value: float
    bound: float
    leaves: tuple[Leaf, ...]
    nodes: int
    finished: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A part of the tree that is still to be visited: what its parent decided last, and its bound."""

    modes: Modes
    parent: Priced | None = None
    activity: int = -1

    @property
    def multipliers(self) -> Array:
        assert self.parent is not None
        return self.parent.multipliers


@dataclass(slots=True)
class _Search:
    a: Activities
    relaxation: Relaxation
    separation: Separation
    losses: Losses
    gap: float
    most_nodes: int
    value: float = -np.inf
    amount: Array | None = None
    leaves: list[Leaf] = field(default_factory=list)
    tried: set[frozenset[tuple[int, int]]] = field(default_factory=set)
    nodes: int = 0

    @property
    def enough(self) -> float:
        """The bound from which on a node cannot improve the plan by more than the gap."""
        if self.amount is None:
            return -np.inf
        return self.value + _TARGET * self.gap * max(abs(self.value), 1e-9)

    def leave(self, relaxed: Relaxed) -> bool:
        """Whether a node needs no further look."""
        return not relaxed.possible or relaxed.priced.bound <= self.enough


def search(a: Activities, *, gap: float, most_nodes: int) -> Found:
    """The best plan to a relative gap.

    Parameters
    ----------
    a
        The problem.
    gap
        (bound - value) / |value| at which the search ends.
    most_nodes
        After so many relaxations it is given up, without any plan after 200.
    """
    s = _Search(a, Relaxation(a, _first(a)), Separation(a), Losses(a.size), gap, most_nodes)
    order = count()
    _relax(s, {})
    queue: list[tuple[float, int, _Open]] = [(-np.inf, next(order), _Open(_settle(s)))]
    while queue and s.nodes < (_FIRST_PLAN if s.amount is None else most_nodes):
        estimate, _, node = heapq.heappop(queue)
        if node.parent is not None and -estimate <= s.enough:
            s.leaves.append(Leaf(node.modes, node.multipliers, -estimate))
            continue
        for bound, child in _visit(s, node):
            if bound > s.enough:
                heapq.heappush(queue, (-bound, next(order), child))
            else:
                s.leaves.append(Leaf(child.modes, child.multipliers, bound))
    open_bounds = [-each[0] for each in queue]
    bound = max([leaf.bound for leaf in s.leaves] + open_bounds, default=s.value)
    cuts = tuple(s.relaxation.cuts)
    return Found(a, cuts, s.amount, s.value, max(bound, s.value), tuple(s.leaves), s.nodes, not queue)


def _relax(s: _Search, modes: Modes) -> Relaxed:
    """A node's relaxation, once the cuts that it breaks are added."""
    relaxation = s.relaxation
    relaxed = relaxation.solve(modes)
    for _ in range(_ROUNDS):
        if s.leave(relaxed) or len(relaxation.cuts) > _MOST_CUTS:
            break
        point = Point(relaxed.members, relaxed.amount, relaxed.share, relaxation.unit, relaxation.charge)
        cuts = s.separation.broken(point)
        if not cuts:
            break
        relaxation.extend(cuts)
        relaxed = relaxation.solve(modes)
    return relaxed


def _settle(s: _Search) -> Modes:
    """What has to happen in every plan that is worth looking for, decided before the tree begins.

    An activity without which the relaxation is no better than the best plan must happen; the
    part of the tree without it is a leaf.
    """
    modes: dict[int, int] = {}
    for activity in np.flatnonzero(s.a.must).tolist():
        only = ways(s.a, modes, activity)
        if len(only) == 1:
            modes[activity] = only[0]
    useless: set[int] = set()
    while s.nodes < s.most_nodes:
        relaxed = s.relaxation.solve(modes)
        s.nodes += 1
        _try_rounding(s, modes, relaxed)
        if s.leave(relaxed):
            return modes
        score = unpaid(s.a, modes, relaxed)
        order = np.argsort(-score)
        settled = False
        for place in order[score[order] > 0].tolist():
            activity = int(relaxed.members[place])
            both = ways(s.a, modes, activity)
            if activity in modes or OFF not in both or len(both) != 2 or activity in useless:
                continue
            without = {**modes, activity: OFF}
            probe = s.relaxation.solve(without)
            s.nodes += 1
            loss = relaxed.priced.bound - probe.priced.bound
            s.losses.learn(activity, OFF, loss)
            if loss < 0:
                useless.add(activity)
            if s.leave(probe):
                s.leaves.append(Leaf(without, probe.priced.multipliers, probe.priced.bound))
                modes[activity] = both[1]
                settled = True
        if not settled:
            return modes
    return modes


def _first(a: Activities) -> Index:
    """Activities to begin with: all that is not a deposit, and the deposits of the best rates."""
    deposits = np.flatnonzero(a.kind == DEPOSIT)
    rest = np.flatnonzero(a.kind != DEPOSIT)
    if len(deposits) <= 80:
        return np.concatenate([deposits, rest])
    rate = a.slope[a.start[deposits]] - a.charge[deposits] / a.most[deposits]
    best = deposits[np.argpartition(-rate, 80)[:80]]
    return np.concatenate([np.sort(best), rest])


def _visit(s: _Search, node: _Open) -> list[tuple[float, _Open]]:
    """Solve a node: leave it, or return its children with what bounds them."""
    s.nodes += 1
    modes = node.modes
    relaxed = _relax(s, modes)
    priced = relaxed.priced
    if node.parent is not None and relaxed.possible:
        s.losses.learn(node.activity, modes[node.activity], node.parent.bound - priced.bound)
    if s.leave(relaxed):
        s.leaves.append(Leaf(modes, priced.multipliers, priced.bound))
        return []
    activity = undecided(s.a, s.losses, modes, relaxed)
    # A rounding costs two programs and the relaxation's basis, and late in the tree it seldom finds a plan.
    if activity is None or s.nodes < _ROUND_ALWAYS or s.nodes % _ROUND_EVERY == 0:
        _try_rounding(s, modes, relaxed)
    if activity is None or priced.bound <= s.enough:
        s.leaves.append(Leaf(modes, priced.multipliers, priced.bound))
        return []
    children: list[tuple[float, _Open]] = []
    for mode in ways(s.a, modes, activity):
        child = {**modes, activity: mode}
        bound = priced.bound - float(priced.free[activity]) + priced.decided(activity, mode)
        rival = int(s.a.rival[activity])
        if mode != OFF and rival >= 0 and rival not in modes:
            child[rival] = OFF
            bound -= float(priced.free[rival])
        children.append((bound, _Open(child, priced, activity)))
    return children


def _try_rounding(s: _Search, modes: Modes, relaxed: Relaxed) -> None:
    """Plans near a relaxation: what happens at all, or mostly, happens; the rest does not."""
    for share in (0.0, 0.5):
        decided = _rounded(s.a, modes, relaxed, share)
        pattern = frozenset((each, mode) for each, mode in decided.items() if mode != OFF)
        if pattern in s.tried:
            continue
        s.tried.add(pattern)
        fixed = s.relaxation.fix(decided)
        value = fixed.value + s.a.constant
        if fixed.possible and value > s.value:
            amount = np.zeros(s.a.size)
            amount[fixed.members] = fixed.amount
            s.value, s.amount = value, amount


def _rounded(a: Activities, modes: Modes, relaxed: Relaxed, share: float) -> dict[int, int]:
    decided = dict(modes)
    its = relaxed.members
    felt = relaxed.amount if a.fewest < 0 else np.maximum(relaxed.amount, relaxed.share)
    happens = np.flatnonzero((felt > PART) & (relaxed.share > share) | a.must[its])
    for place in happens.tolist():
        activity = int(its[place])
        if activity in decided:
            continue
        rival = int(a.rival[activity])
        if rival >= 0 and (decided.get(rival, OFF) != OFF or a.must[rival]):
            continue
        amount, most, whole = relaxed.amount[place], a.most[activity], a.whole[activity]
        leaves = whole > 0 and (most <= 0 or amount > most * (1 + PART))
        decided[activity] = WHOLE if leaves else ON
    return decided
