"""How far each position may move: caps, tickets, what cannot leave, and what must.

A position that may not stay is to be left; what cannot be withdrawn of it is stuck, and a
limit that stuck money breaks is raised to it, so that leaving everything that can be left is
always allowed. So is what growth alone has done, within a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

from capdesk.model.pool_parameters import ChainCosts, PoolParameters
from capdesk.model.pools import Kinked, Piecewise, Pool

_CENT = 0.01
"""Dollars: a limit that is broken by less is broken by rounding, and less is not moved."""


@dataclass(frozen=True, slots=True)
class Room:
    """How far one position may move, in dollars, and what of it is stuck.

    `reason` says what keeps what cannot be withdrawn, whether it should leave or not. `limit` is
    the most that may lie in it, by the parameter `limit_name`, and `overdue` what lies above that
    by more than growth may explain.
    """

    held: float
    cap: float
    ticket: float
    least_deposit: float
    room: float
    least_exit: float
    exit: float
    leave: bool
    must: bool
    counts: bool
    gas_in: float
    gas_out: float
    stuck: float
    reason: str
    limit: float
    limit_name: str
    overdue: float


def gas(pool: Pool, parameters: PoolParameters) -> tuple[float, float]:
    """Dollars for a deposit and for a withdrawal."""
    costs = chain_costs(pool.chain, parameters)
    into = parameters.deposit_gas_usd if costs is None else costs.gas_usd(costs.deposit_units)
    out = parameters.withdraw_gas_usd if costs is None else costs.gas_usd(costs.withdraw_units)
    return (
        into if pool.gas_in_usd is None else pool.gas_in_usd,
        out if pool.gas_out_usd is None else pool.gas_out_usd,
    )


def chain_costs(chain: str, parameters: PoolParameters) -> ChainCosts | None:
    """The costs of a chain, which is known without case; None where none are given."""
    return next(
        (costs for name, costs in parameters.chains.items() if name.casefold() == chain.casefold()), None
    )


def too_dear(chain: str, parameters: PoolParameters) -> bool:
    """Whether gas on the chain is above the ceiling."""
    costs = chain_costs(chain, parameters)
    ceiling = parameters.max_gas_gwei
    return ceiling is not None and costs is not None and costs.gas_gwei > ceiling


def largest(pool: Pool, held: float, total: float, parameters: PoolParameters) -> tuple[float, str]:
    """The most dollars in a pool, by the share of all assets and of the others' TVL, and which limit that is."""
    share, by_assets = parameters.position_max_pct_total_assets, "position_max_pct_total_assets"
    if not parameters.profit_optimization and parameters.max_alloc_percentage < share:
        share, by_assets = parameters.max_alloc_percentage, "max_alloc_percentage"
    part, by_tvl = parameters.tvl_limit_percentage, "tvl_limit_percentage"
    if parameters.position_max_pct_pool_tvl < part:
        part, by_tvl = parameters.position_max_pct_pool_tvl, "position_max_pct_pool_tvl"
    of_assets, of_tvl = share * total, part * max(pool.forecasted_tvl - held, 0.0)
    return (of_tvl, by_tvl) if of_tvl < of_assets else (of_assets, by_assets)


def grown(limit: float, held: float, tolerance: float) -> bool:
    """Whether what is held lies above a limit by no more than growth may explain, or than a cent."""
    return limit < held <= max(limit * (1 + tolerance), limit + _CENT)


def room(
    pool: Pool, held: float, days_since_move: float | None, total: float, parameters: PoolParameters
) -> Room:
    """How far a position may move.

    Parameters
    ----------
    held
        Dollars in it.
    days_since_move
        Days since it was moved; None: long ago.
    total
        All assets, dollars.
    """
    into, out = gas(pool, parameters)
    withdrawable, obstacle = _withdrawable(pool, held, days_since_move, out, parameters)
    limit, name = (0.0, "") if pool.status == "exit" else largest(pool, held, total, parameters)
    allowed = limit
    if pool.status != "exit" and grown(limit, held, parameters.growth_tolerance):
        allowed = held
    overdue = max(held - allowed, 0.0)
    least = min(max(parameters.minimum_move_usd, overdue, _CENT), withdrawable)
    leave = held > 0 and withdrawable >= held
    ticket = parameters.minimum_ticket_usd
    if held:
        ticket = min(ticket, held if leave else held - withdrawable)
    most = max(held - ticket, 0.0) if leave else withdrawable
    cap = max(allowed, held - withdrawable)
    moves = pool.status == "open" and not too_dear(pool.chain, parameters)
    full = min(cap, pool.rate_model.deposits[-1]) if isinstance(pool.rate_model, Piecewise) else cap
    addable = max(full - held, 0.0) if moves and not _cooling(days_since_move, parameters) else 0.0
    smallest = max(parameters.minimum_move_usd, parameters.minimum_ticket_usd - held, _CENT)
    stuck = max(overdue - withdrawable, 0.0)
    return Room(
        held=held,
        cap=cap,
        ticket=ticket,
        least_deposit=smallest,
        room=addable if addable >= smallest else 0.0,
        least_exit=least,
        exit=most if most >= least else 0.0,
        leave=leave,
        must=min(overdue, withdrawable) > 0,
        counts=held > 0 and ticket >= parameters.minimum_ticket_usd,
        gas_in=into,
        gas_out=out,
        stuck=stuck,
        reason=obstacle,
        limit=limit,
        limit_name=name,
        overdue=overdue,
    )


def _cooling(days_since_move: float | None, parameters: PoolParameters) -> bool:
    return days_since_move is not None and days_since_move < parameters.cool_down_days


def _withdrawable(
    pool: Pool, held: float, days_since_move: float | None, gas_out: float, parameters: PoolParameters
) -> tuple[float, str]:
    if not held:
        return 0.0, ""
    if pool.status == "freeze":
        return 0.0, pool.reason or "the pool is frozen"
    if pool.status != "exit" and _cooling(days_since_move, parameters):
        return 0.0, f"moved {days_since_move:g} days ago, the cool-down is {parameters.cool_down_days:g} days"
    if pool.status != "exit" and too_dear(pool.chain, parameters):
        return 0.0, f"gas on {pool.chain} is above {parameters.max_gas_gwei:g} gwei"
    available, obstacle = held, ""
    liquid = pool.withdrawable_usd
    if liquid is None and isinstance(pool.rate_model, Kinked):
        liquid = max(pool.forecasted_tvl, held) * (1 - pool.rate_model.utilisation)
    if liquid is not None and liquid < held:
        available, obstacle = liquid, f"only ${liquid:,.2f} of ${held:,.2f} can be withdrawn"
    if available <= gas_out:
        return 0.0, obstacle or f"leaving costs ${gas_out:,.2f} of gas and frees ${available:,.2f}"
    return available, obstacle
