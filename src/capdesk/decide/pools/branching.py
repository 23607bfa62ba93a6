"""Which activity a node decides next, by what deciding one has cost so far."""

from __future__ import annotations

import numpy as np

from capdesk.decide.pools.activities import Activities
from capdesk.decide.pools.activity_kinds import SALE, WITHDRAWAL
from capdesk.decide.pools.lagrangian import OFF, ON, WHOLE, Modes
from capdesk.decide.pools.problem import Array
from capdesk.decide.pools.relaxation import Relaxed

PART = 1e-7
_LEGS_FIRST = 5.0
_LEAST = 1e-3


class Losses:
    """What bounds have lost on average where an activity was decided, not to happen and to happen.

    Pseudocosts (Benichou et al. 1971; Achterberg, Koch and Martin 2005), of an activity as a
    whole and not for a unit of its share: its share says little, since the cuts move it.
    """

    def __init__(self, size: int) -> None:
        self._mean = np.zeros((2, size))
        self._count = np.zeros((2, size), dtype=int)

    def learn(self, activity: int, mode: int, loss: float) -> None:
        """Take one more loss into the mean."""
        side = int(mode != OFF)
        self._count[side, activity] += 1
        mean, count = self._mean[side, activity], self._count[side, activity]
        self._mean[side, activity] = mean + (max(loss, 0.0) - mean) / count

    def score(self, a: Activities, modes: Modes, relaxed: Relaxed) -> Array:
        """(c,) how much there is to decide in each admitted activity: the product of both losses.

        Where one is not known it is taken to be the charge that the relaxation does not pay.
        """
        its = relaxed.members
        still = unpaid(a, modes, relaxed)
        known = [np.where(self._count[side, its] > 0, self._mean[side, its], still) for side in (0, 1)]
        both = np.maximum(known[0], _LEAST * still) * np.maximum(known[1], _LEAST * still)
        # A conversion moves the bound on both sides; one pool of many like it only where it happens.
        return np.where(still > 0, both, 0.0) * np.where(a.kind[its] >= SALE, _LEGS_FIRST, 1.0)


def undecided(a: Activities, losses: Losses, modes: Modes, relaxed: Relaxed) -> int | None:
    """The activity to decide next; None where a relaxation is a plan."""
    its = relaxed.members
    if not len(its):
        return None
    score = losses.score(a, modes, relaxed)
    best = int(score.argmax())
    if score[best] > 0:
        return int(its[best])
    happens = relaxed.amount > PART
    happens[[int(each) in modes for each in its]] = False
    rest = its[happens & (a.kind[its] == WITHDRAWAL) & (a.whole[its] > 0)]
    return int(rest[0]) if len(rest) else None


def ways(a: Activities, modes: Modes, activity: int) -> list[int]:
    """How an activity may be decided; a rival that must happen or does keeps it from happening."""
    rival = int(a.rival[activity])
    if rival >= 0 and (a.must[rival] or modes.get(rival, OFF) != OFF):
        return [OFF]
    found = [] if a.must[activity] else [OFF]
    if a.most[activity] > 0:
        found.append(ON)
    if a.whole[activity] > 0:
        found.append(WHOLE)
    return found


def unpaid(a: Activities, modes: Modes, relaxed: Relaxed) -> Array:
    """How far each admitted activity is from being decided: the charge it does not pay, or a breach."""
    score = np.zeros(len(relaxed.members))
    free = np.ones(a.size, dtype=bool)
    free[list(modes)] = False
    felt = relaxed.amount if a.fewest < 0 else np.maximum(relaxed.amount, relaxed.share)
    lacking = a.must[relaxed.members] & (relaxed.amount < a.least[relaxed.members] * (1 - PART))
    place = np.flatnonzero(free[relaxed.members] & ((felt > PART) | lacking))
    its, amount, share = relaxed.members[place], relaxed.amount[place], relaxed.share[place]
    happens = felt[place] > PART
    lost = np.where(happens, np.maximum(relaxed.worth[place] - a.worth(its, amount), 0.0), 0.0)
    lost[lost < PART * a.charge[its]] = 0.0
    allowed = (amount >= a.least[its] * (1 - PART)) & (amount <= a.most[its] * (1 + PART))
    allowed |= (a.whole[its] > 0) & (amount >= a.whole[its] * (1 - PART))
    wrong = happens & (~allowed | ((share > 1 + 1e-6) & (a.fewest >= 0)))
    wrong |= lacking[place]
    amounts = np.zeros(a.size)
    amounts[relaxed.members] = relaxed.amount
    wrong |= happens & (a.rival[its] >= 0) & (amounts[a.rival[its]] > PART)
    counted = happens & (share < 1 - PART)
    score[place] = lost + np.where(wrong, 1e-6 + a.charge[its], 0.0) + np.where(counted, 1e-12, 0.0)
    return score
