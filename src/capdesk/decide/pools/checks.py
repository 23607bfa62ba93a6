"""Bad input gets one clear error, with the row and the field, before anything is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, cast

import msgspec
from msgspec.structs import asdict, replace

from capdesk.decide.pools.tokens import chain_of, token_key
from capdesk.model.errors import InvalidInput
from capdesk.model.money import MAX_MICRO, MICRO
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pools import Emission, Holding, Kinked, Piecewise, Pool
from capdesk.model.wording import worded

LARGEST_APY = 1_000_000.0
"""Percent a year; what is above it is a broken figure."""

LARGEST_USD = MAX_MICRO / MICRO
"""Dollars; what is above it cannot be written down to the micro-unit."""

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
    "swap_gas_usd",
    "deposit_gas_usd",
    "withdraw_gas_usd",
    "bridge_gas_usd",
    "yesterday_yield_usd",
)
_FIGURES = ("cool_down_days", "bridge_days", "reallocation_margin", "max_gas_gwei")
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
    if isinstance(given, PoolParameters):
        given = asdict(given)
    for name in mapping(given, "parameters"):
        if name not in PoolParameters.__struct_fields__:
            close = get_close_matches(str(name), PoolParameters.__struct_fields__, 1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise InvalidInput(f"parameters: there is no {name!r}{hint}")
    values = {name: _plain(value) for name, value in given.items()}
    try:
        parameters = msgspec.convert(values, PoolParameters)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"parameters: {worded(error, PoolParameters)}") from None
    check_parameters(parameters)
    return parameters


def mapping(given: object, where: str) -> Mapping[Any, Any]:
    """What was given, if it is a mapping.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where} must be a mapping, got {type(given).__name__}")
    return cast("Mapping[Any, Any]", given)


def _plain(value: object) -> object:
    """NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value  # pyright: ignore


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
            dollars(f"parameters: {name}", value)
    for name in _FIGURES:
        value = getattr(parameters, name)
        if value is not None:
            _at_least(f"parameters: {name}", value, 0.0)
    for name, least in _COUNTS.items():
        value: Any = getattr(parameters, name)
        if value is not None and value < least:
            raise InvalidInput(f"parameters: {name} must be a whole number from {least} on, got {value!r}")
    dollars("parameters: minimum_ticket_usd", parameters.minimum_ticket_usd)
    _at_least("parameters: minimum_ticket_usd", parameters.minimum_ticket_usd, 0.01)
    _at_least("parameters: horizon_days", parameters.horizon_days, 1e-3)
    _apy("parameters: cash_apy", parameters.cash_apy)
    _at_least("parameters: cash_apy", parameters.cash_apy, 0.0)
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
    for name in ("pool_id", "protocol", "chain", "reason"):
        if not isinstance(getattr(pool, name), str):
            raise InvalidInput(f"{where}: {name} must be a text, got {getattr(pool, name)!r}")
    if not pool.pool_id:
        raise InvalidInput(f"{where}: pool_id is empty")
    _tokens(pool, where)
    _apy(f"{where}: forecasted_apy", pool.forecasted_apy)
    dollars(f"{where}: forecasted_tvl", pool.forecasted_tvl)
    if pool.group not in (1, 2, 3):
        raise InvalidInput(f"{where}: group must be 1, 2 or 3, got {pool.group!r}")
    if pool.status not in ("open", "reduce", "freeze", "exit"):
        raise InvalidInput(f"{where}: status must be open, reduce, freeze or exit, got {pool.status!r}")
    for name in ("gas_in_usd", "gas_out_usd", "withdrawable_usd"):
        value = getattr(pool, name)
        if value is not None:
            dollars(f"{where}: {name}", value)
    _shares(pool, where)
    _rate_model(pool, where)


def _tokens(pool: Pool, where: str) -> None:
    given = cast("object", pool.tokens)
    names = cast("tuple[object, ...]", given if isinstance(given, tuple) else ())
    if not names or not all(isinstance(each, str) for each in names):
        raise InvalidInput(f"{where}: tokens must be a tuple of names, got {given!r}")
    keys: list[str] = []
    for token in pool.tokens:
        try:
            keys.append(token_key(pool.chain, token))
        except InvalidInput as error:
            raise InvalidInput(f"{where}: tokens: {error}") from None
        if not keys[-1]:
            raise InvalidInput(f"{where}: tokens must be names, got {pool.tokens!r}")
        if pool.chain and chain_of(keys[-1]) != pool.chain.strip().casefold():
            raise InvalidInput(f"{where}: the token {token} does not lie on the pool's chain {pool.chain}")
    if len(set(keys)) < len(keys):
        raise InvalidInput(f"{where}: tokens must be names, each once, got {pool.tokens!r}")


def _shares(pool: Pool, where: str) -> None:
    if not pool.shares:
        return
    if len(pool.shares) != len(pool.tokens):
        raise InvalidInput(f"{where}: shares has {len(pool.shares)} entries for {len(pool.tokens)} tokens")
    for share in pool.shares:
        _fraction(f"{where}: shares", share)
        if not share:
            raise InvalidInput(f"{where}: shares must be more than 0: leave out a token that has none")
    if abs(sum(pool.shares) - 1) > 1e-9:
        raise InvalidInput(f"{where}: shares must add up to 1, got {sum(pool.shares):g}")


def _rate_model(pool: Pool, where: str) -> None:
    model = pool.rate_model
    if model is not None and not isinstance(cast("object", model), Emission | Kinked | Piecewise):
        raise InvalidInput(f"{where}: rate_model must be Emission, Kinked or Piecewise, got {model!r}")
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
        for deposit in model.deposits:
            dollars(f"{where}: rate_model.deposits", deposit)
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
    if not holdings and not cash:
        raise InvalidInput("liquidity_portfolio and current_allocations: nothing is held in either")
    for name, holding in holdings.items():
        if holding.days_since_move is not None:
            _at_least(f"current_allocations[{name!r}].days_since_move", holding.days_since_move, 0.0)
        if name not in pools:
            raise InvalidInput(
                f"current_allocations[{name!r}]: no such pool; give it as Holding(value, pool=Pool(...)) "
                "so that its tokens are known and it can be left"
            )
    total = sum(cash.values()) + sum(holding.value_usd for holding in holdings.values())
    dollars("all of liquidity_portfolio and current_allocations", total)
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


def holding(name: str, given: object) -> Holding:
    """What is held in a pool, given as dollars or as a `Holding`.

    Raises
    ------
    InvalidInput
        If it is neither, or its value is no sum of dollars.
    """
    where = f"current_allocations[{name!r}]"
    if not isinstance(given, Holding):
        return Holding(dollars(where, given))
    if given.pool is not None and not isinstance(cast("object", given.pool), Pool):
        raise InvalidInput(f"{where}.pool must be a Pool, got {type(given.pool).__name__}")
    return replace(given, value_usd=dollars(where, given.value_usd))


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


def dollars(name: str, value: object) -> float:
    """A sum of dollars, exact or not, as a float.

    Raises
    ------
    InvalidInput
        If it is negative, no finite number, or too large to be written down.
    """
    number = float(value) if isinstance(value, Decimal) else _number(name, value)
    if not 0 <= number <= LARGEST_USD:
        allowed = f"must be 0 or more, and at most {LARGEST_USD:,.0f} dollars"
        raise InvalidInput(f"{name} {allowed}, got {number:,.6g}")
    return number


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
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(f"{name} must be a finite number, got {value!r}")
    return float(value)
