"""A run: a plan with all that it was computed from, so that anyone can compute it again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec import Struct

from capdesk.model.lists import Lists


class Detail(Struct, frozen=True):
    """What a plan puts into one token of one pool.

    Attributes
    ----------
    amount
        Dollars, in micro-units.
    weight
        Its share of the pool's position.
    apy, tvl
        What the plan was computed with: percent a year, and dollars in micro-units.
    gas, conversion_cost
        What the move costs, dollars in micro-units.
    group
        The pool's stability group.
    shadow_price
        What one more dollar of the pool's limit would be worth.
    """

    pool_id: str
    token_id: str
    amount: int
    weight: float
    apy: float
    tvl: int
    gas: int = 0
    conversion_cost: int = 0
    group: int | None = None
    shadow_price: float | None = None


class Position(Struct, frozen=True):
    """What a plan puts into a pool, or gives an asset.

    Attributes
    ----------
    weight
        Its share of all.
    amount
        Dollars, in micro-units; None where a plan is of shares alone.
    """

    name: str
    weight: float
    amount: int | None = None


class Outcome(Struct, frozen=True):
    """What computing a run gives.

    Attributes
    ----------
    result
        The plan as JSON's own types.
    solver
        Which solver, and its version; of a rule, that it is one.
    objective, bound, gap
        What was reached, what cannot be passed, and the distance; None for a rule.
    decision
        What is done about it ("reallocate"), and why.
    positions, details
        The plan as rows, for the tables of allocations.
    """

    result: Any
    solver: str = ""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    decision: Any = None
    positions: tuple[Position, ...] = ()
    details: tuple[Detail, ...] = ()


class Run(Struct, frozen=True):
    """All that a plan was computed from, and what came of it.

    Attributes
    ----------
    kind
        ``pools`` or ``weights``: which function computes it again.
    day
        The day that it plans for.
    inputs
        What else the computation takes, beside the snapshots.
    parameters
        The parameters, by their names.
    lists
        The four lists, as they stood.
    metrics, balances, prices
        What of the tables was used.
    versions
        The programs that took part: capdesk, its solvers, Python.
    """

    kind: str
    day: dt.date
    outcome: Outcome
    inputs: Any = None
    parameters: Any = None
    lists: Lists = Lists()
    metrics: Any = None
    balances: Any = None
    prices: Any = None
    versions: Any = None


class StoredRun(Struct, frozen=True):
    """A run in the records.

    Attributes
    ----------
    number
        What it is called by.
    latest
        Whether it is the last of its kind that was computed for its day.
    hash
        SHA-256 of the run as canonical JSON: the same for the same run, whenever it was made.
    """

    number: int
    created_at: dt.datetime
    latest: bool
    hash: str
    run: Run
