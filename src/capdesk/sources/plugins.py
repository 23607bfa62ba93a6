"""Sources by name: capdesk's own, and those that other packages bring.

A package adds a source under the entry point group ``capdesk.sources``: its name, and a
function of a location and text options that makes a `Source`.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from capdesk.model.errors import InvalidInput
from capdesk.model.tokens import Token, read_token_id
from capdesk.sources import chain as chains
from capdesk.sources import defillama, exchange, tables
from capdesk.sources.documents import read_json
from capdesk.sources.source import Source

GROUP = "capdesk.sources"

Factory = Callable[..., Source]


def _pools(location: str, *, day: dt.date) -> Source:
    return defillama.Pools(location, day=day)


def _chart(location: str, *, pool: str) -> Source:
    return defillama.Chart(location, pool=pool)


def _prices(
    location: str, *, day: dt.date, tokens: str, known: Mapping[str, Token] = MappingProxyType({})
) -> Source:
    found = [read_token_id(name) for name in _words(tokens)]
    asked = [known.get(name) or _unknown(name) for name in found]
    return defillama.Prices(location, tokens=asked, day=day)


def _unknown(name: str) -> Token:
    where, _, address = name.partition(":")
    return Token(where, "", address)


def _ccxt_balances(location: str, *, day: dt.date, account: str = "", config: str = "") -> Source:
    return exchange.ExchangeBalances(location, day=day, account=account or None, config=_config(config))


def _ccxt_prices(
    location: str, *, day: dt.date, symbols: str, quote: str = "USD", config: str = ""
) -> Source:
    return exchange.ExchangePrices(
        location, day=day, symbols=_words(symbols), quote=quote, config=_config(config)
    )


def _erc20(location: str, *, day: dt.date, tokens: str, owners: str, chain: str = "ethereum") -> Source:
    return chains.Erc20Balances(location, tokens=_words(tokens), owners=_words(owners), chain=chain, day=day)


def _chain_gas(location: str, *, day: dt.date, chain: str = "ethereum", blocks: str = "") -> Source:
    if blocks and not blocks.isdecimal():
        raise InvalidInput(f"blocks must be a whole number, got {blocks!r}")
    return chains.ChainGas(location, chain=chain, day=day, blocks=int(blocks) if blocks else None)


def _gas_table(location: str, *, chain: str = "ethereum") -> Source:
    return tables.GasTable(location, chain=chain)


BUILT_IN: dict[str, Factory] = {
    "defillama": _pools,
    "defillama-chart": _chart,
    "defillama-prices": _prices,
    "pools": tables.PoolTable,
    "balances": tables.BalanceTable,
    "prices": tables.PriceTable,
    "gas": _gas_table,
    "ccxt-balances": _ccxt_balances,
    "ccxt-prices": _ccxt_prices,
    "erc20-balances": _erc20,
    "chain-gas": _chain_gas,
}


def names() -> list[str]:
    """What sources there are."""
    return sorted({*BUILT_IN, *(each.name for each in entry_points(group=GROUP))})


def guess(location: str) -> str:
    """The source of pools that a location looks like.

    Raises
    ------
    InvalidInput
        If it looks like none.
    """
    if location.startswith(("http://", "https://")) or location.endswith(".json"):
        return "defillama"
    if location.endswith((".csv", ".csv.gz", ".parquet")):
        return "pools"
    raise InvalidInput(
        f"{location} ends in neither .json, .csv, .csv.gz nor .parquet: say with --source what it is"
    )


def open_source(
    name: str,
    location: str,
    options: Mapping[str, str],
    day: dt.date,
    *,
    known: Mapping[str, Token] | None = None,
) -> Source:
    """Make the source of a name.

    Parameters
    ----------
    options
        What it takes besides, as text.
    day
        For a source that does not tell the day of its figures.
    known
        The tokens of the records, by id, for a source whose rows may call one by its symbol.

    Raises
    ------
    InvalidInput
        If there is none of that name, or it does not take an option, or lacks one.
    """
    factory = BUILT_IN.get(name) or _plugged_in(name)
    takes = dict(list(inspect.signature(factory).parameters.items())[1:])
    wanted = [each for each in takes if each not in ("day", "known")]
    for option in options:
        if option not in wanted:
            allowed = f"it takes {', '.join(wanted)}" if wanted else "it takes none"
            raise InvalidInput(f"the source {name!r} has no option {option!r}: {allowed}")
    for option in wanted:
        if option not in options and takes[option].default is inspect.Parameter.empty:
            raise InvalidInput(f"the source {name!r} needs the option {option!r}: --set {option}=...")
    given: dict[str, Any] = dict(options)
    if "day" in takes:
        given["day"] = day
    if "known" in takes and known is not None:
        given["known"] = known
    return factory(location, **given)


def _plugged_in(name: str) -> Factory:
    for each in entry_points(group=GROUP, name=name):
        return each.load()
    raise InvalidInput(f"there is no source {name!r}: choose one of {', '.join(names())}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _config(path: str) -> dict[str, Any] | None:
    if not path:
        return None
    try:
        found = read_json(Path(path).read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"{path} must hold an object with what ccxt takes")
    return found
