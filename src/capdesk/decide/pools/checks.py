"""Bad input gets one clear error, with the row and the field, before anything is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec.structs import replace

from capdesk.decide.pools.tokens import chain_of, token_key
from capdesk.model.errors import InvalidInput
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pools import Holding, Kinked, Piecewise, Pool

LARGEST_APY = 1_000_000.0
"""Percent a year; what is above it is a broken figure."""

_FRACTIONS = (
    "tvl_limit_percentage",
    "max_alloc_percentage",
    "position_max_pct_total_assets",
    "position_max_pct_pool_tvl",
    "group1_max_pct",
    "group2_max_pct",
    "group3_max_pct",
    "conversion_rate",
    "bridge_rate",
    "growth_tolerance",
)
_TABLES = ("token_max_pct", "protocol_max_pct", "chain_max_pct")
_AMOUNTS = (
    "minimum_move_usd",
    "cool_down_days",
    "swap_gas_usd",
    "deposit_gas_usd",
    "withdraw_gas_usd",
    "bridge_gas_usd",
    "bridge_days",
    "reallocation_margin",
    "max_gas_gwei",
    "yesterday_yield_usd",
)
_COUNTS = {"min_pools": 0, "max_pools": 1, "dilution_segments": 1}


def parameters_from(given: PoolParameters | Mapping[str, Any] | None) -> PoolParameters:
    """Read parameters, which are checked.

    Raises
    ------
    InvalidInput
        For an unknown name, a value of the wrong kind, or one out of its range.
    """
    if given is None:
        given = PoolParameters()
    if not isinstance(given, PoolParameters):
        for name in given:
            if name not in PoolParameters.__struct_fields__:
                close = get_close_matches(name, PoolParameters.__struct_fields__, 1)
                hint = f": did you mean {close[0]}?" if close else ""
                raise InvalidInput(f"parameters: there is no {name!r}{hint}")
        try:
            given = msgspec.convert(dict(given), PoolParameters)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"parameters: {error}") from None
    check_parameters(given)
    return given


def check_parameters(parameters: PoolParameters) -> None:
    """Refuse parameters that cannot be obeyed."""
    for name in _FRACTIONS:
        _fraction(f"parameters: {name}", getattr(parameters, name))
    for table in _TABLES:
        for name, value in getattr(parameters, table).items():
            _fraction(f"parameters: {table}[{name!r}]", value)
    for name in _AMOUNTS:
        value = getattr(parameters, name)
        if value is not None:
            _at_least(f"parameters: {name}", value, 0.0)
    for name, least in _COUNTS.items():
        value: Any = getattr(parameters, name)
        if value is not None and (isinstance(value, bool) or value != int(value) or value < least):
            raise InvalidInput(f"parameters: {name} must be a whole number from {least} on, got {value!r}")
    _at_least("parameters: minimum_ticket_usd", parameters.minimum_ticket_usd, 0.01)
    _at_least("parameters: horizon_days", parameters.horizon_days, 1e-3)
    _apy("parameters: cash_apy", parameters.cash_apy)
    _at_least("parameters: cash_apy", parameters.cash_apy, 0.0)
    if parameters.group_room not in ("strict", "cascade"):
        raise InvalidInput(
            f"parameters: group_room must be 'strict' or 'cascade', got {parameters.group_room!r}"
        )
    fewest = 1 if parameters.profit_optimization else parameters.min_pools
    if parameters.max_pools is not None and parameters.max_pools < fewest:
        raise InvalidInput(f"parameters: max_pools {parameters.max_pools} is less than min_pools {fewest}")
    _chains_and_losses(parameters)


def _chains_and_losses(parameters: PoolParameters) -> None:
    for chain, costs in parameters.chains.items():
        for name in costs.__struct_fields__:
            value = getattr(costs, name)
            if value is not None:
                _at_least(f"parameters: chains[{chain!r}].{name}", value, 0.0)
        if costs.conversion_rate is not None:
            _fraction(f"parameters: chains[{chain!r}].conversion_rate", costs.conversion_rate)
    for table in ("protocol_losses", "token_losses"):
        for name, loss in getattr(parameters, table).items():
            _at_least(f"parameters: {table}[{name!r}].hazard_per_year", loss.hazard_per_year, 0.0)
            _fraction(f"parameters: {table}[{name!r}].loss", loss.loss)


def check_pools(pools: Sequence[Pool]) -> None:
    """Refuse pools that cannot be used; the message names the row and the field."""
    if not pools:
        raise InvalidInput("pools: there are none; an allocation needs at least one pool")
    seen: dict[str, int] = {}
    for row, pool in enumerate(pools):
        where = f"pools row {row} ({pool.pool_id})"
        if pool.pool_id in seen:
            raise InvalidInput(f"{where}: pool_id stands in row {seen[pool.pool_id]} too; each pool once")
        seen[pool.pool_id] = row
        check_pool(pool, where)


def check_pool(pool: Pool, where: str) -> None:
    """Refuse one pool."""
    if not pool.pool_id:
        raise InvalidInput(f"{where}: pool_id is empty")
    if not pool.tokens or len(set(pool.tokens)) < len(pool.tokens) or not all(pool.tokens):
        raise InvalidInput(f"{where}: tokens must be names, each once, got {pool.tokens!r}")
    _apy(f"{where}: forecasted_apy", pool.forecasted_apy)
    _at_least(f"{where}: forecasted_tvl", pool.forecasted_tvl, 0.0)
    if pool.group not in (1, 2, 3):
        raise InvalidInput(f"{where}: group must be 1, 2 or 3, got {pool.group!r}")
    if pool.status not in ("open", "reduce", "freeze", "exit"):
        raise InvalidInput(f"{where}: status must be open, reduce, freeze or exit, got {pool.status!r}")
    for name in ("gas_in_usd", "gas_out_usd", "withdrawable_usd"):
        value = getattr(pool, name)
        if value is not None:
            _at_least(f"{where}: {name}", value, 0.0)
    if pool.shares:
        if len(pool.shares) != len(pool.tokens):
            raise InvalidInput(
                f"{where}: shares has {len(pool.shares)} entries for {len(pool.tokens)} tokens"
            )
        for share in pool.shares:
            _fraction(f"{where}: shares", share)
        if abs(sum(pool.shares) - 1) > 1e-9:
            raise InvalidInput(f"{where}: shares must add up to 1, got {sum(pool.shares):g}")
    _rate_model(pool, where)


def _rate_model(pool: Pool, where: str) -> None:
    model = pool.rate_model
    if isinstance(model, Kinked):
        for name in ("utilisation", "kink"):
            _fraction(f"{where}: rate_model.{name}", getattr(model, name))
            if not getattr(model, name):
                raise InvalidInput(f"{where}: rate_model.{name} must be more than 0")
        for name in ("slope_below", "slope_above"):
            _at_least(f"{where}: rate_model.{name}", getattr(model, name), 1e-9)
    if isinstance(model, Piecewise):
        if not model.deposits or len(model.deposits) != len(model.apys):
            raise InvalidInput(f"{where}: rate_model needs as many deposits as apys, and at least one")
        if list(model.deposits) != sorted(set(model.deposits)) or model.deposits[0] <= 0:
            raise InvalidInput(f"{where}: rate_model.deposits must rise from above 0, got {model.deposits}")
        for apy in model.apys:
            _apy(f"{where}: rate_model.apys", apy)
        if list(model.apys) != sorted(model.apys, reverse=True):
            raise InvalidInput(f"{where}: rate_model.apys may not rise, got {model.apys}")


def check_balances(
    pools: Mapping[str, Pool],
    holdings: Mapping[str, Holding],
    cash: Mapping[str, float],
    prices: Mapping[str, float] | None,
) -> None:
    """Refuse holdings of unknown pools, negative sums, and a held pool without a price."""
    for name, holding in holdings.items():
        _at_least(f"current_allocations[{name!r}]", holding.value_usd, 0.0)
        if name not in pools:
            raise InvalidInput(
                f"current_allocations[{name!r}]: no such pool; give it as Holding(value, pool=Pool(...)) "
                "so that its tokens are known and it can be left"
            )
    for token, amount in cash.items():
        _at_least(f"liquidity_portfolio[{token!r}]", amount, 0.0)
    if prices is None:
        return
    for token, price in prices.items():
        _at_least(f"prices[{token!r}]", price, 1e-12)
    for name in holdings:
        for token in pools[name].tokens:
            if token_key(pools[name].chain, token) not in prices:
                raise InvalidInput(
                    f"current_allocations[{name!r}]: the held pool's token {token} has no price"
                )
    for token, amount in cash.items():
        if amount and token not in prices:
            raise InvalidInput(f"liquidity_portfolio[{token!r}]: the token has no price")


def priced(pool: Pool, prices: Mapping[str, float]) -> Pool:
    """A pool with a token that has no price takes no money."""
    lacking = [token for token in pool.tokens if token_key(pool.chain, token) not in prices]
    if not lacking or pool.status != "open":
        return pool
    return replace(pool, status="reduce", reason=f"{', '.join(lacking)} has no price")


def full_name(token: str, chains: Sequence[str], where: str) -> str:
    """The full name of a token that may be given without its chain.

    Raises
    ------
    InvalidInput
        Where it has none and the pools lie on several chains.
    """
    if chain_of(token):
        return token_key("", token)
    if len(chains) > 1:
        raise InvalidInput(
            f"{where}[{token!r}]: the pools lie on {len(chains)} chains, so name the token's: "
            f"'{chains[0]}:{token}'"
        )
    return token_key(chains[0] if chains else "", token)


def _fraction(name: str, value: object) -> None:
    number = _number(name, value)
    if not 0 <= number <= 1:
        hint = f": did you mean {number / 100:g}?" if 1 < number <= 100 else ""
        raise InvalidInput(f"{name} must be a fraction from 0 to 1, got {number:g}{hint}")


def _apy(name: str, value: object) -> None:
    number = _number(name, value)
    if not -100 < number <= LARGEST_APY:
        raise InvalidInput(
            f"{name} must lie between -100 and {LARGEST_APY:,.0f} percent a year, got {number:,.6g}"
        )


def _at_least(name: str, value: object, least: float) -> None:
    number = _number(name, value)
    if number < least:
        raise InvalidInput(f"{name} must be {least:g} or more, got {number:,.6g}")


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(f"{name} must be a finite number, got {value!r}")
    return float(value)
