"""A row about a pool, from a table or from DefiLlama: what the pool is, and how its day was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from capdesk.model import letters
from capdesk.model.market_rows import BadField, PoolDay, PoolFacts, Rejected
from capdesk.model.tokens import Token, tokens_of
from capdesk.sources import fields
from capdesk.sources.fields import Record


def pool_facts(record: Record) -> PoolFacts:
    """What a pool is.

    Raises
    ------
    BadField
        Naming the field that cannot be accepted.
    """
    chain, symbol = fields.chain(record), letters.upper(fields.word(record, "symbol"))
    stablecoin = fields.flag(record, "stablecoin", default=True)
    listed = fields.addresses(record, "underlying_tokens", "underlyingTokens")
    exposure = fields.find(record, "exposure")[1] or "single"
    if exposure not in ("single", "multi"):
        raise BadField("exposure", exposure, "must be single or multi")
    tokens = tokens_of(chain, symbol, listed, stablecoins=stablecoin)
    if not tokens:
        raise BadField("symbol", symbol, "must name a token")
    return PoolFacts(
        pool_id=fields.word(record, "pool", "pool_id"),
        chain=chain,
        project=fields.word(record, "project", "protocol"),
        symbol=symbol,
        tokens=tokens,
        il_risk=fields.flag(record, "il_risk", "ilRisk", default=False),
        stablecoin=stablecoin,
        exposure=exposure,
        reward_tokens=_reward_tokens(record, chain),
    )


def _reward_tokens(record: Record, chain: str) -> tuple[str, ...]:
    """The ids of the tokens of a reward; one that its source does not know is no fault of the pool."""
    name, value = fields.find(record, "reward_tokens", "rewardTokens")
    if isinstance(value, list | tuple):
        value = [each for each in value if each]
    return tuple(Token(chain, "", each).token_id for each in fields.addresses({name: value}, name))


def pool_day(record: Record, pool_id: str, day: dt.date) -> PoolDay:
    """How a pool's day was.

    Raises
    ------
    BadField
        Naming the field that cannot be accepted.
    """
    sigma = fields.maybe_number(record, "sigma")
    if sigma is not None and sigma < 0:
        raise BadField("sigma", sigma, "must not be negative")
    return PoolDay(
        pool_id=pool_id,
        day=day,
        tvl=fields.dollars(record, "tvl_usd", "tvlUsd"),
        apy=fields.apy(record, "apy"),
        apy_base=fields.maybe_apy(record, "apy_base", "apyBase"),
        apy_reward=fields.maybe_apy(record, "apy_reward", "apyReward"),
        apy_30d_avg=fields.maybe_apy(record, "apy_30d_avg", "apyMean30d"),
        mu=fields.maybe_number(record, "mu"),
        sigma=sigma,
        observations=fields.maybe_count(record, "observations", "count"),
        outlier=fields.flag(record, "outlier", default=False),
        liquidity=fields.maybe_dollars(record, "liquidity_usd"),
    )


def pool_rows(
    records: Iterable[tuple[int, Record]], day: dt.date | None
) -> Iterator[PoolFacts | PoolDay | Rejected]:
    """Both of each record; a record that repeats a pool's day is refused.

    Parameters
    ----------
    records
        Numbered from 1.
    day
        The day of all of them; None where each tells its own (``date``).
    """
    seen: dict[tuple[str, dt.date], int] = {}
    for row, record in records:
        try:
            fields.check_shape(record)
            of_day = fields.day(record, "date", "day") if day is None else day
            pool = pool_facts(record)
            metrics = pool_day(record, pool.pool_id, of_day)
            first = seen.setdefault((pool.pool_id, of_day), row)
            if first != row:
                raise BadField("pool", pool.pool_id, f"has its {of_day} in row {first} already")
        except BadField as error:
            yield error.at(row)
            continue
        yield pool
        yield metrics
