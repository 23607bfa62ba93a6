"""A plan's weights for whoever counts in larger units, as a mandate does in parts per million."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from capdesk.model.evidence import Array, Evidence

_ROUNDING = 1e-12


def coarser(evidence: Evidence, per_one: int) -> list[int]:
    """The weights in units of which `per_one` make 1.

    Each is rounded down. The spare units go to the largest remainders, one each, but never
    beyond a maximum or a row that the plan keeps: such a unit stays in cash.
    """
    units, rests = np.divmod(evidence.weights * per_one, evidence.per_one)
    spare = int(rests.sum()) // evidence.per_one
    most = np.maximum(_excess(evidence, units, per_one), 0.0) + _ROUNDING
    for place in np.argsort(-rests, kind="stable"):
        if not spare:
            break
        more = units.copy()
        more[place] += 1
        if (
            more[place] / per_one <= evidence.upper[place]
            and (_excess(evidence, more, per_one) <= most).all()
        ):
            units, spare = more, spare - 1
    return units.tolist()


def _excess(evidence: Evidence, units: Array, per_one: int) -> Array:
    """By how much weights exceed each row, in units of its largest coefficient."""
    rows, limits = evidence.inequalities
    size = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 1e-300)
    return (rows @ replace(evidence, weights=units, per_one=per_one).full_point() - limits) / size
