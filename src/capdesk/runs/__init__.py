"""Plans that are stored with all that they were made of, and made again from it.

A run is made here and stored by `capdesk.records.Records.save_run`. What goes into it is
read into JSON's own types first, and the plan is computed from those: so a replay has the
very same numbers to start from.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from capdesk.model.errors import InvalidInput
from capdesk.model.runs import Outcome, Run
from capdesk.records.comparing import Replay, compare

_HOMES = {"pools": "capdesk.runs.pools", "weights": "capdesk.runs.weights"}


def replay(run: Run) -> Replay:
    """Compute a run again, from nothing but what was stored with it, and compare.

    Raises
    ------
    InvalidInput
        If no function makes plans of its kind.
    """
    if run.kind not in _HOMES:
        raise InvalidInput(
            f"a run of kind {run.kind!r} cannot be computed again: the kinds are {', '.join(_HOMES)}"
        )
    compute: Callable[[Run], Outcome] = import_module(_HOMES[run.kind]).compute
    return compare(run.outcome, compute(run))
