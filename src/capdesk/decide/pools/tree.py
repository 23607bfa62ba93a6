"""Branch and bound over the activities whose charge is paid in part, with every leaf kept for the proof."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import SALE, WITHDRAWAL
from capdesk.decide.pools.cuts import Cut, Point, broken
from capdesk.decide.pools.lagrangian import OFF, ON, WHOLE, Modes, Priced
from capdesk.decide.pools.problem import Array, Index
from capdesk.decide.pools.relaxation import Relaxation, Relaxed

_PART = 1e-7
_TARGET = 0.99
_ROUNDS = 5
_LEGS_FIRST = 5.0
_ROUND_ALWAYS = 60
_ROUND_EVERY = 8


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
    a
        The activities, with the rows of all cuts.
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


@dataclass(slots=True)
class _Search:
    a: Activities
    relaxation: Relaxation
    gap: float
    most_nodes: int
    value: float = -np.inf
    amount: Array | None = None
    leaves: list[Leaf] = field(default_factory=list)
    without: dict[int, float] = field(default_factory=dict)
    tried: set[frozenset[tuple[int, int]]] = field(default_factory=set)
    nodes: int = 0

    @property
    def enough(self) -> float:
        """The bound from which on a node cannot improve the plan by more than the gap."""
        if self.amount is None:
            return -np.inf
        return self.value + _TARGET * self.gap * max(abs(self.value), 1e-9)


def search(a: Activities, *, gap: float, most_nodes: int) -> Found:
    """The best plan to a relative gap.

    Parameters
    ----------
    a
        The problem.
    gap
        (bound - value) / |value| at which the search ends.
    most_nodes
        After so many relaxations it is given up.
    """
    s = _Search(a, Relaxation(a, _first(a)), gap, most_nodes)
    order = count()
    _tighten(s, {}, _ROUNDS)
    start = _settle(s)
    _tighten(s, start, _ROUNDS)
    queue: list[tuple[float, int, Modes, Priced | None]] = [(-np.inf, next(order), start, None)]
    while queue and s.nodes < most_nodes:
        estimate, _, modes, parent = heapq.heappop(queue)
        if parent is not None and -estimate <= s.enough:
            s.leaves.append(Leaf(modes, parent.multipliers, -estimate))
            continue
        for bound, child, priced in _visit(s, modes):
            if bound > s.enough:
                heapq.heappush(queue, (-bound, next(order), child, priced))
            else:
                s.leaves.append(Leaf(child, priced.multipliers, bound))
    open_bounds = [-each[0] for each in queue]
    bound = max([leaf.bound for leaf in s.leaves] + open_bounds, default=s.value)
    return Found(s.a, tuple(s.relaxation.cuts), s.amount, s.value, max(bound, s.value), tuple(s.leaves), s.nodes, not queue)


def _tighten(s: _Search, modes: Modes, rounds: int) -> None:
    """Add the cuts that a node's relaxation breaks, for the whole tree."""
    for _ in range(rounds):
        relaxed = s.relaxation.solve(modes)
        r = s.relaxation
        cuts = broken(s.a, Point(r.members, relaxed.amount, relaxed.share, r.unit, r.charge))
        if not cuts:
            return
        r.extend(cuts)


def _settle(s: _Search) -> Modes:
    """What has to happen in every plan that is worth looking for, decided before the tree begins.

    An activity without which the relaxation is no better than the best plan must happen; the
    part of the tree without it is a leaf.
    """
    modes: dict[int, int] = {}
    for activity in np.flatnonzero(s.a.must).tolist():
        ways = _ways(s.a, modes, activity)
        if len(ways) == 1:
            modes[activity] = ways[0]
    probed: set[int] = set()
    while s.nodes < s.most_nodes:
        relaxed = s.relaxation.solve(modes)
        s.nodes += 1
        _try_rounding(s, modes, relaxed)
        if relaxed.priced.bound <= s.enough or not relaxed.possible:
            return modes
        score = _unpaid(s.a, modes, relaxed)
        order = np.argsort(-score)
        settled = False
        for place in order[score[order] > 0].tolist():
            activity = int(relaxed.members[place])
            ways = _ways(s.a, modes, activity)
            if activity in modes or OFF not in ways or len(ways) != 2 or activity in probed:
                continue
            probed.add(activity)
            without = {**modes, activity: OFF}
            probe = s.relaxation.solve(without)
            s.nodes += 1
            s.without[activity] = relaxed.priced.bound - probe.priced.bound
            if probe.priced.bound <= s.enough or not probe.possible:
                s.leaves.append(Leaf(without, probe.priced.multipliers, probe.priced.bound))
                modes[activity] = ways[1]
                settled = True
        if not settled:
            return modes
        probed = {each for each in probed if s.without.get(each, 0.0) < 0}
    return modes


def _first(a: Activities) -> Index:
    """Activities to begin with: all that is not a deposit, and the deposits of the best rates."""
    deposits = np.flatnonzero(a.kind == 0)
    rest = np.flatnonzero(a.kind != 0)
    if len(deposits) <= 80:
        return np.concatenate([deposits, rest])
    rate = a.slope[a.start[deposits]] - a.charge[deposits] / a.most[deposits]
    best = deposits[np.argpartition(-rate, 80)[:80]]
    return np.concatenate([np.sort(best), rest])


def _visit(s: _Search, modes: Modes) -> list[tuple[float, Modes, Priced]]:
    """Solve a node: leave it, or return its children with what bounds them."""
    s.nodes += 1
    relaxed = s.relaxation.solve(modes)
    priced = relaxed.priced
    if not relaxed.possible or priced.bound <= s.enough:
        s.leaves.append(Leaf(modes, priced.multipliers, priced.bound))
        return []
    activity = _undecided(s, modes, relaxed)
    # A rounding costs two programs and the relaxation's basis, and late in the tree it seldom finds a plan.
    if activity is None or s.nodes < _ROUND_ALWAYS or s.nodes % _ROUND_EVERY == 0:
        _try_rounding(s, modes, relaxed)
    if activity is None or priced.bound <= s.enough:
        s.leaves.append(Leaf(modes, priced.multipliers, priced.bound))
        return []
    free = priced.free[activity]
    children: list[tuple[float, Modes, Priced]] = []
    for mode in _ways(s.a, modes, activity):
        child = {**modes, activity: mode}
        bound = priced.bound - free + priced.decided(activity, mode)
        rival = int(s.a.rival[activity])
        if mode != OFF and rival >= 0 and rival not in modes:
            child[rival] = OFF
            bound -= priced.free[rival]
        children.append((float(bound), child, priced))
    return children


def _ways(a: Activities, modes: Modes, activity: int) -> list[int]:
    """How an activity may be decided; a rival that must happen or does keeps it from happening."""
    rival = int(a.rival[activity])
    if rival >= 0 and (a.must[rival] or modes.get(rival, OFF) != OFF):
        return [OFF]
    ways = [] if a.must[activity] else [OFF]
    if a.most[activity] > 0:
        ways.append(ON)
    if a.whole[activity] > 0:
        ways.append(WHOLE)
    return ways


def _undecided(s: _Search, modes: Modes, relaxed: Relaxed) -> int | None:
    """The activity to decide next: what it costs either way, or that happens to an amount it may not."""
    a, its = s.a, relaxed.members
    if not len(its):
        return None
    score = _unpaid(a, modes, relaxed)
    known = np.array([s.without.get(int(each), 0.0) for each in its])
    score = np.where(score > 0, score * np.maximum(np.where(known > 0, known, score), 1e-3 * score), 0.0)
    # A conversion decided moves the bound on both sides; one pool of many like it only where it happens.
    score = np.where(a.kind[its] >= SALE, _LEGS_FIRST, 1.0) * score
    best = int(score.argmax())
    if score[best] > 0:
        return int(its[best])
    happens = relaxed.amount > _PART
    happens[[int(each) in modes for each in its]] = False
    rest = its[happens & (a.kind[its] == WITHDRAWAL) & (a.whole[its] > 0)]
    return int(rest[0]) if len(rest) else None


def _unpaid(a: Activities, modes: Modes, relaxed: Relaxed) -> Array:
    """How far each admitted activity is from being decided: the charge it does not pay, or a breach."""
    its = relaxed.members
    free = np.ones(a.size, dtype=bool)
    free[list(modes)] = False
    amounts = np.zeros(a.size)
    amounts[its] = relaxed.amount
    felt = relaxed.amount if a.fewest < 0 else np.maximum(relaxed.amount, relaxed.share)
    happens = free[its] & (felt > _PART)
    unpaid = np.where(happens, np.maximum(relaxed.worth - a.worth(its, relaxed.amount), 0.0), 0.0)
    unpaid[unpaid < _PART * a.charge[its]] = 0.0
    allowed = (relaxed.amount >= a.least[its] * (1 - _PART)) & (relaxed.amount <= a.most[its] * (1 + _PART))
    allowed |= (a.whole[its] > 0) & (relaxed.amount >= a.whole[its] * (1 - _PART))
    wrong = happens & (~allowed | ((relaxed.share > 1 + 1e-6) & (a.fewest >= 0)))
    wrong |= free[its] & a.must[its] & (relaxed.amount < a.least[its] * (1 - _PART))
    both = happens & (a.rival[its] >= 0)
    both &= amounts[a.rival[its]] > _PART
    counted = happens & (relaxed.share < 1 - _PART)
    return unpaid + np.where(wrong | both, 1e-6 + a.charge[its], 0.0) + np.where(counted, 1e-12, 0.0)


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
    happens = np.flatnonzero((felt > _PART) & (relaxed.share > share) | a.must[its])
    for place in happens.tolist():
        activity = int(its[place])
        if activity in decided:
            continue
        rival = int(a.rival[activity])
        if rival >= 0 and (decided.get(rival, OFF) != OFF or a.must[rival]):
            continue
        amount, most, whole = relaxed.amount[place], a.most[activity], a.whole[activity]
        leaves = whole > 0 and (most <= 0 or amount > most * (1 + _PART))
        decided[activity] = WHOLE if leaves else ON
    return decided
