"""Bad input gets one clear error, with the row and the field, before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

import msgspec
from msgspec.structs import asdict, replace

from capdesk.decide.pools.tokens import chain_of, token_key
from capdesk.model.errors import InvalidInput
from capdesk.model.figures import apy, at_least, dollars, fraction, number, plain
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pools import Emission, Holding, Kinked, Piecewise, Pool
from capdesk.model.wording import worded


def parameters_from(given: PoolParameters | Mapping[str, Any] | None) -> PoolParameters:
    """Read parameters, which are checked.

    Raises
    ------
    InvalidInput
        For an unknown name, a value of the wrong kind, or one out of its range.
    """
    if given is None:
        return PoolParameters()
    if isinstance(given, PoolParameters):
        given = asdict(given)
    for name in mapping(given, "parameters"):
        if name not in PoolParameters.__struct_fields__:
            close = get_close_matches(str(name), PoolParameters.__struct_fields__, 1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise InvalidInput(f"parameters: there is no {name!r}{hint}")
    values = {name: plain(value) for name, value in given.items()}
    try:
        return msgspec.convert(values, PoolParameters)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, InvalidInput):
            raise error.__cause__ from None
        raise InvalidInput(f"parameters: {worded(error, PoolParameters)}") from None


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
    apy(f"{where}: forecasted_apy", pool.forecasted_apy)
    _dollars(f"{where}: forecasted_tvl", pool.forecasted_tvl)
    if pool.group not in (1, 2, 3):
        raise InvalidInput(f"{where}: group must be 1, 2 or 3, got {pool.group!r}")
    if pool.status not in ("open", "reduce", "freeze", "exit"):
        raise InvalidInput(f"{where}: status must be open, reduce, freeze or exit, got {pool.status!r}")
    for name in ("gas_in_usd", "gas_out_usd", "withdrawable_usd"):
        value = getattr(pool, name)
        if value is not None:
            _dollars(f"{where}: {name}", value)
    _shares(pool, where)
    _rate_model(pool, where)


def _dollars(name: str, value: object) -> None:
    """A figure that is computed with as it is given, so it has to be a float's kind of number."""
    dollars(name, number(name, value))


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
        fraction(f"{where}: shares", share)
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
            fraction(f"{where}: rate_model.{name}", getattr(model, name))
            if not getattr(model, name):
                raise InvalidInput(f"{where}: rate_model.{name} must be more than 0")
        for name in ("slope_below", "slope_above"):
            at_least(f"{where}: rate_model.{name}", getattr(model, name), 1e-9)
    if isinstance(model, Piecewise):
        if not model.deposits or len(model.deposits) != len(model.apys):
            raise InvalidInput(f"{where}: rate_model needs as many deposits as apys, and at least one")
        for deposit in model.deposits:
            _dollars(f"{where}: rate_model.deposits", deposit)
        if list(model.deposits) != sorted(set(model.deposits)) or model.deposits[0] <= 0:
            raise InvalidInput(f"{where}: rate_model.deposits must rise from above 0, got {model.deposits}")
        for each in model.apys:
            apy(f"{where}: rate_model.apys", each)
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
            at_least(f"current_allocations[{name!r}].days_since_move", holding.days_since_move, 0.0)
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
        at_least(f"prices[{token!r}]", price, 1e-12)
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
        Where it is no name, or has no chain and the pools lie on several.
    """
    if not isinstance(cast("object", token), str):
        raise InvalidInput(f"{where}: a token must be a name, got {token!r}")
    if chain_of(token):
        return token_key("", token)
    if len(chains) > 1:
        raise InvalidInput(
            f"{where}[{token!r}]: the pools lie on {len(chains)} chains, so name the token's: "
            f"'{chains[0]}:{token}'"
        )
    return token_key(chains[0] if chains else "", token)
