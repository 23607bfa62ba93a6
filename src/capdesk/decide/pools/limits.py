"""The limits that several pools share: stability groups, tokens, protocols, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array
from capdesk.decide.pools.room import Room, grown
from capdesk.decide.pools.tokens import groups_of, shares_of, token_key
from capdesk.model.pool_parameters import EVERY, PoolParameters
from capdesk.model.pools import Pool

Row = tuple[str, float, dict[int, float]]
"""A limit's name, its fraction of all assets, and the weight of each pool in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The limits that pools share.

    Parameters
    ----------
    rows
        (r, n) sparse: the weight of each pool in each limit.
    stated, caps
        (r,) dollars: as the parameters have it, and as the problem does. A limit that stuck
        money breaks is raised to it; one that growth alone has broken within the tolerance,
        to what is held.
    names
        r names.
    """

    rows: Matrix
    stated: Array
    caps: Array
    names: tuple[str, ...]


def exposure_limits(pools: list[Pool], rooms: list[Room], total: float, parameters: PoolParameters) -> Limits:
    """The limits that some pools share, in dollars."""
    rows = [*_groups(pools, parameters), *_exposures(pools, parameters)]
    rows = [row for row in rows if row[2]]
    caps = np.array([_cap(row, rooms, total, parameters.growth_tolerance) for row in rows])
    row_of = [number for number, row in enumerate(rows) for _ in row[2]]
    column_of = [pool for row in rows for pool in row[2]]
    weights = [weight for row in rows for weight in row[2].values()]
    matrix = sparse.csc_array((weights, (row_of, column_of)), shape=(len(rows), len(pools)), dtype=float)
    stated = np.array([row[1] * total for row in rows])
    return Limits(matrix, stated, caps, tuple(row[0] for row in rows))


def _cap(row: Row, rooms: list[Room], total: float, tolerance: float) -> float:
    _, fraction, weights = row
    cap = fraction * total
    held = sum(weight * rooms[pool].held for pool, weight in weights.items() if rooms[pool].held)
    if grown(cap, held, tolerance):
        cap = held
    least = sum(weight * _floor(rooms[pool]) for pool, weight in weights.items() if rooms[pool].held)
    return max(cap, least)


def _floor(its: Room) -> float:
    return 0.0 if its.leave else its.held - its.exit


def _groups(pools: list[Pool], parameters: PoolParameters) -> Iterable[Row]:
    fractions = {
        1: parameters.group1_max_pct,
        2: parameters.group2_max_pct,
        3: parameters.group3_max_pct,
    }
    riskier = 0.0
    for group in (3, 2, 1):
        fraction = fractions[group]
        if parameters.group_room == "cascade":
            fraction = riskier = riskier + fraction
            members = {number: 1.0 for number, pool in enumerate(pools) if pool.group >= group}
            name = f"group{group}_max_pct" if group == 3 else f"group{group}_max_pct and riskier"
        else:
            members = {number: 1.0 for number, pool in enumerate(pools) if pool.group == group}
            name = f"group{group}_max_pct"
        if fraction < 1:
            yield name, fraction, members


def _exposures(pools: list[Pool], parameters: PoolParameters) -> Iterable[Row]:
    yield from _by_name("token", parameters.token_max_pct, pools, lambda pool: _tokens(pool, parameters))
    yield from _by_name(
        "protocol", parameters.protocol_max_pct, pools, lambda pool: {pool.protocol.casefold(): 1.0}
    )
    yield from _by_name("chain", parameters.chain_max_pct, pools, lambda pool: {pool.chain.casefold(): 1.0})


def _tokens(pool: Pool, parameters: PoolParameters) -> dict[str, float]:
    """The share of each token, and of each group with a limit; the group's limit stands for a token without its own."""
    named = {name.casefold() for name in parameters.token_max_pct}
    found: dict[str, float] = {}
    for token, share in zip(pool.tokens, shares_of(pool), strict=True):
        name = token_key(pool.chain, token).casefold()
        groups = [each for each in groups_of(name, parameters.token_groups) if each in named]
        for each in groups if groups and name not in named else [name, *groups]:
            found[each] = found.get(each, 0.0) + share
    return found


def _by_name(
    kind: str,
    fractions: Mapping[str, float],
    pools: list[Pool],
    exposures: Callable[[Pool], dict[str, float]],
) -> Iterable[Row]:
    if not fractions:
        return
    known = {name.casefold(): fraction for name, fraction in fractions.items()}
    members: dict[str, dict[int, float]] = {}
    for number, pool in enumerate(pools):
        for name, weight in exposures(pool).items():
            named = name if name in known else name.partition(":")[2]
            if named in known or EVERY in known:
                weights = members.setdefault(named if named in known else name, {})
                weights[number] = weights.get(number, 0.0) + weight
    for name, weights in members.items():
        fraction = known.get(name, known.get(EVERY, 1.0))
        if fraction < 1:
            yield f"{kind}_max_pct {name}", fraction, weights
