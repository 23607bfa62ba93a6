"""Runs computed again: which function makes a plan of which kind, and what it takes."""

from __future__ import annotations

from collections.abc import Callable

from capdesk.model.errors import InvalidInput
from capdesk.model.runs import Outcome, Run
from capdesk.records.comparing import Replay, compare

Recompute = Callable[[Run], Outcome]

RECOMPUTE: dict[str, Recompute] = {}


def replay(run: Run) -> Replay:
    """Compute a run again, from nothing but what was stored with it, and compare.

    Raises
    ------
    InvalidInput
        If no function makes plans of its kind.
    """
    recompute = RECOMPUTE.get(run.kind)
    if recompute is None:
        raise InvalidInput(
            f"a run of kind {run.kind!r} cannot be computed again: the kinds are {', '.join(RECOMPUTE)}"
        )
    return compare(run.outcome, recompute(run))
