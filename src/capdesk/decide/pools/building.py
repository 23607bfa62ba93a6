"""From pools, holdings, cash and parameters to the one problem that every solver takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capdesk.decide.pools import rates
from capdesk.decide.pools.limits import Limits, exposure_limits
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Market, PoolProblem
from capdesk.decide.pools.room import Room, chain_costs, room, too_dear
from capdesk.decide.pools.tokens import chain_of, groups_of, shares_of, token_key
from capdesk.model.pool_parameters import EVERY, PoolParameters
from capdesk.model.pools import Holding, Pool


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """What a problem was stated from: the pools it holds, in its order, their rooms, and shared limits."""

    problem: PoolProblem
    pools: tuple[Pool, ...]
    rooms: tuple[Room, ...]
    limits: Limits
    parameters: PoolParameters
    notes: tuple[str, ...]


def state(
    pools: Sequence[Pool],
    holdings: Mapping[str, Holding],
    cash: Mapping[str, float],
    parameters: PoolParameters,
) -> Desk:
    """State the problem. The input has been checked.

    Parameters
    ----------
    pools
        Distinct; those that are held are among them.
    holdings
        Pool -> what is held.
    cash
        Token, by its full name -> dollars.

    Returns
    -------
    Desk
        Pools that can neither be entered nor left are not part of the problem.
    """
    total = sum(cash.values()) + sum(each.value_usd for each in holdings.values())
    chosen: list[Pool] = []
    rooms: list[Room] = []
    nothing = Holding(0.0)
    for pool in pools:
        holding = holdings.get(pool.pool_id, nothing)
        its = room(pool, holding.value_usd, holding.days_since_move, total, parameters)
        if its.room or its.held:
            chosen.append(pool)
            rooms.append(its)
    tokens = sorted({*cash, *(token_key(pool.chain, token) for pool in chosen for token in pool.tokens)})
    limits = exposure_limits(chosen, rooms, total, parameters)
    piece_pool, piece_length, piece_slope = _pieces(chosen, rooms, parameters)
    fewest, notes = _fewest(rooms, parameters)
    notes += unused(pools, parameters)
    inevitable = sum(1 for its in rooms if its.held and not its.leave)

    def column(name: str) -> np.ndarray:
        return np.array([getattr(its, name) for its in rooms], dtype=float)

    def mask(name: str) -> np.ndarray:
        return np.array([getattr(its, name) for its in rooms], dtype=bool)

    problem = PoolProblem(
        pool_ids=tuple(pool.pool_id for pool in chosen),
        tokens=tuple(tokens),
        shares=_shares(chosen, tokens),
        held=column("held"),
        ticket=column("ticket"),
        least_deposit=column("least_deposit"),
        room=column("room"),
        least_exit=column("least_exit"),
        exit=column("exit"),
        leave=mask("leave"),
        must=mask("must"),
        counts=mask("counts"),
        gas_in=column("gas_in"),
        gas_out=column("gas_out"),
        piece_pool=piece_pool,
        piece_length=piece_length,
        piece_slope=piece_slope,
        cash=np.array([cash.get(token, 0.0) for token in tokens]),
        cash_slope=rates.yearly(parameters.cash_apy) * parameters.horizon_days / rates.DAYS_A_YEAR,
        allow_cash=parameters.allow_cash,
        markets=_markets(chosen, tokens, parameters),
        limits=limits.rows,
        limit_caps=limits.caps,
        limit_names=limits.names,
        max_pools=None if parameters.max_pools is None else max(parameters.max_pools, inevitable),
        min_pools=fewest,
    )
    return Desk(problem, tuple(chosen), tuple(rooms), limits, parameters, tuple(notes))


def expected_loss(pool: Pool, parameters: PoolParameters) -> float:
    """What a dollar in the pool is expected to lose in a year: its protocol's, and its tokens' by share."""
    by_protocol = {name.casefold(): loss.yearly for name, loss in parameters.protocol_losses.items()}
    loss = by_protocol.get(pool.protocol.casefold(), 0.0)
    by_token = {name.casefold(): loss.yearly for name, loss in parameters.token_losses.items()}
    for token, share in zip(pool.tokens, shares_of(pool), strict=True):
        name = token_key(pool.chain, token).casefold()
        called = (name, *groups_of(name, parameters.token_groups), name.partition(":")[2])
        loss += share * next((by_token[each] for each in called if each in by_token), 0.0)
    return loss


def _pieces(pools: list[Pool], rooms: list[Room], parameters: PoolParameters) -> tuple[np.ndarray, ...]:
    where: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    slopes: list[np.ndarray] = []
    losses = bool(parameters.protocol_losses or parameters.token_losses)
    for number, (pool, its) in enumerate(zip(pools, rooms, strict=True)):
        length, slope = rates.pieces(
            pool,
            its.held,
            its.held + its.room,
            its.least_deposit,
            parameters.dilution_segments,
            parameters.horizon_days,
            expected_loss(pool, parameters) if losses else 0.0,
        )
        where.append(np.full(len(length), number))
        lengths.append(length)
        slopes.append(slope)
    if not where:
        return np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0)
    return np.concatenate(where), np.concatenate(lengths), np.concatenate(slopes)


def _shares(pools: list[Pool], tokens: list[str]) -> Matrix:
    number = {token: row for row, token in enumerate(tokens)}
    rows: list[int] = []
    values: list[float] = []
    starts = [0]
    for pool in pools:
        rows += [number[token_key(pool.chain, token)] for token in pool.tokens]
        values += shares_of(pool)
        starts.append(len(rows))
    return sparse.csc_array((values, rows, starts), shape=(len(tokens), len(pools)), dtype=float)


def _markets(pools: list[Pool], tokens: list[str], parameters: PoolParameters) -> tuple[Market, ...]:
    chains = [chain_of(token) for token in tokens]
    usable = [chain for chain in dict.fromkeys(chains) if not too_dear(chain, parameters)]
    rates_by_chain: dict[str, float] = {}
    gas_by_chain: dict[str, float] = {}
    for chain in usable:
        costs = chain_costs(chain, parameters)
        own = None if costs is None else costs.conversion_rate
        rates_by_chain[chain] = parameters.conversion_rate if own is None else own
        gas_by_chain[chain] = parameters.swap_gas_usd if costs is None else costs.gas_usd(costs.swap_units)
    found: list[Market] = []
    for chain in usable:
        members = np.array([row for row, its in enumerate(chains) if its == chain], dtype=np.intp)
        if len(members) > 1:
            found.append(Market(chain, members, rates_by_chain[chain], 0.0, gas_by_chain[chain]))
    if len(usable) > 1:
        members = np.array([row for row, its in enumerate(chains) if its in usable], dtype=np.intp)
        rate = parameters.bridge_rate + max(rates_by_chain.values())
        delay = _mean_rate(pools) * parameters.bridge_days / rates.DAYS_A_YEAR
        gas = parameters.bridge_gas_usd + max(gas_by_chain.values())
        found.append(Market("bridge", members, rate, delay, gas))
    return tuple(found)


def _mean_rate(pools: list[Pool]) -> float:
    """What a dollar earns in a year, on the mean of all dollars in the open pools."""
    open_pools = [pool for pool in pools if pool.status == "open" and pool.forecasted_tvl > 0]
    everything = sum(pool.forecasted_tvl for pool in open_pools)
    if not everything:
        return 0.0
    return sum(rates.yearly(pool.forecasted_apy) * pool.forecasted_tvl for pool in open_pools) / everything


_BY_NAME = ("token_max_pct", "protocol_max_pct", "chain_max_pct", "protocol_losses", "token_losses")


def unused(pools: Sequence[Pool], parameters: PoolParameters) -> list[str]:
    """A note on each limit and loss whose name no pool bears: it may be misspelt, and limits nothing."""
    if not any(getattr(parameters, table) for table in _BY_NAME):
        return []
    tokens = {token_key(pool.chain, token).casefold() for pool in pools for token in pool.tokens}
    groups = {group for name in tokens for group in groups_of(name, parameters.token_groups)}
    tokens |= groups | {name.partition(":")[2] for name in tokens}
    protocols = {pool.protocol.casefold() for pool in pools}
    chains = {pool.chain.casefold() for pool in pools}
    known = (tokens, protocols, chains, protocols, tokens)
    return [
        f"{table}[{name!r}] is of no pool"
        for table, names in zip(_BY_NAME, known, strict=True)
        for name in getattr(parameters, table)
        if name.casefold() not in names and name != EVERY
    ]


def _fewest(rooms: list[Room], parameters: PoolParameters) -> tuple[int, list[str]]:
    asked = 1 if parameters.profit_optimization else parameters.min_pools
    able = sum(
        1
        for its in rooms
        if (its.counts and (not its.must or its.exit or its.stuck)) or (not its.counts and its.room)
    )
    if able < asked:
        return able, [f"min_pools fell from {asked} to {able}: so many pools can be used"]
    return asked, []
