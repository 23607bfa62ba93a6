"""Parameters of a pool allocation that cannot be obeyed are refused where they are made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from capdesk.model.errors import InvalidInput
from capdesk.model.figures import apy, at_least, count, dollars, fraction, plain

if TYPE_CHECKING:
    from capdesk.model.pool_parameters import PoolParameters

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
_CHOICES: dict[str, tuple[object, ...]] = {
    "group_room": ("strict", "cascade"),
    "profit_optimization": (True, False),
    "allow_cash": (True, False),
}


def check_parameters(parameters: PoolParameters) -> None:
    """Refuse parameters that cannot be obeyed.

    Raises
    ------
    InvalidInput
        With the name, the value and what is allowed.
    """
    for name in _FRACTIONS:
        fraction(f"parameters: {name}", getattr(parameters, name))
    for table in _TABLES:
        for name, value in _table(parameters, table).items():
            fraction(f"parameters: {table}[{name!r}]", value)
    for name in _AMOUNTS:
        value = getattr(parameters, name)
        if value is not None:
            dollars(f"parameters: {name}", value)
    for name in _FIGURES:
        value = getattr(parameters, name)
        if value is not None:
            at_least(f"parameters: {name}", value, 0.0)
    for name, least in _COUNTS.items():
        value: Any = getattr(parameters, name)
        if value is not None or name != "max_pools":
            count(f"parameters: {name}", value, least)
    for name, allowed in _CHOICES.items():
        value = plain(getattr(parameters, name))
        if value not in allowed:
            words = " or ".join(str(each).lower() for each in allowed)
            raise InvalidInput(f"parameters: {name} must be {words}, got {value!r}")
    _others(parameters)
    _chains_and_losses(parameters)


def _others(parameters: PoolParameters) -> None:
    for name, members in _table(parameters, "token_groups").items():
        if isinstance(members, str) or not isinstance(members, Collection):
            raise InvalidInput(
                f"parameters: token_groups[{name!r}] must be a list of tokens, got {members!r}"
            )
    dollars("parameters: minimum_ticket_usd", parameters.minimum_ticket_usd)
    at_least("parameters: minimum_ticket_usd", parameters.minimum_ticket_usd, 0.01)
    at_least("parameters: horizon_days", parameters.horizon_days, 1e-3)
    apy("parameters: cash_apy", parameters.cash_apy)
    at_least("parameters: cash_apy", parameters.cash_apy, 0.0)
    fewest = 1 if parameters.profit_optimization else parameters.min_pools
    if parameters.max_pools is not None and parameters.max_pools < fewest:
        raise InvalidInput(f"parameters: max_pools {parameters.max_pools} is less than min_pools {fewest}")


def _table(parameters: PoolParameters, name: str) -> Mapping[str, Any]:
    given = getattr(parameters, name)
    if not isinstance(given, Mapping):
        raise InvalidInput(f"parameters: {name} must be a table of names, got {given!r}")
    table = cast("Mapping[str, Any]", given)
    seen: dict[str, str] = {}
    for each in table:
        if not isinstance(cast("object", each), str):
            raise InvalidInput(f"parameters: {name} must be a table of names, got {each!r} as one")
        if (other := seen.setdefault(each.casefold(), each)) != each:
            raise InvalidInput(f"parameters: {name} has {other!r} and {each!r}, which are one name: keep one")
    return table


def _chains_and_losses(parameters: PoolParameters) -> None:
    """Figures of each chain, and of each loss."""
    for chain, costs in _entries(parameters, "chains"):
        for name in costs.__struct_fields__:
            value = getattr(costs, name)
            if value is not None:
                at_least(f"parameters: chains[{chain!r}].{name}", value, 0.0)
        if costs.conversion_rate is not None:
            fraction(f"parameters: chains[{chain!r}].conversion_rate", costs.conversion_rate)
    for table in ("protocol_losses", "token_losses"):
        for name, loss in _entries(parameters, table):
            at_least(f"parameters: {table}[{name!r}].hazard_per_year", loss.hazard_per_year, 0.0)
            fraction(f"parameters: {table}[{name!r}].loss", loss.loss)


def _entries(parameters: PoolParameters, table: str) -> Iterator[tuple[str, Any]]:
    """The values of a table; a mapping stands for a value, and is checked when it is made one."""
    for name, value in _table(parameters, table).items():
        if isinstance(value, Struct):
            yield name, value
        elif not isinstance(value, Mapping):
            raise InvalidInput(f"parameters: {table}[{name!r}] must be a table of figures, got {value!r}")
