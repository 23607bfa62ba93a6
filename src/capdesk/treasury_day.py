"""What a treasury decides on a day: the records become the arguments of an allocation, and its run.

Everything that a day's plan goes by is put together here, for the command and for the demo
alike: pools with their forecasts and standing, what is held and since when, cash, prices and
gas.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from msgspec import Struct
from msgspec.structs import replace

from capdesk.decide.pools.eligibility import OnIce
from capdesk.decide.pools.tokens import token_key
from capdesk.model import letters
from capdesk.model.errors import InvalidInput
from capdesk.model.lists import Lists
from capdesk.model.money import to_micro, usd
from capdesk.model.pool_parameters import ChainCosts, PoolParameters
from capdesk.model.pool_plans import PoolPlan
from capdesk.model.pools import Holding, Pool
from capdesk.model.runs import Run
from capdesk.model.tokens import NATIVE
from capdesk.runs.pools import KIND, pools_run
from capdesk.treasury import USUAL, Surveyed, SurveyRules, pools_for, survey
from capdesk.treasury_names import with_names
from capdesk.treasury_prices import end_of, last_prices, taken_at_peg

if TYPE_CHECKING:
    from capdesk.records import Records

GAS_DAYS = 7
TVL_DRIFT = 0.01
"""By so much may a TVL be behind our own balance, as a fraction: they are not read in one moment."""

ON_ICE: tuple[OnIce, ...] = get_args(OnIce)


class Situation(Struct, frozen=True):
    """What a decision is made from.

    Attributes
    ----------
    surveyed
        Every pool that was told of, in or out.
    pools, held, cash, prices, parameters
        As `capdesk.pools.optimize_allocations` takes them.
    lists
        The lists that stood at the end of the day.
    """

    day: dt.date
    surveyed: tuple[Surveyed, ...]
    pools: tuple[Pool, ...]
    held: dict[str, Holding]
    cash: dict[str, float]
    prices: dict[str, float]
    lists: Lists
    parameters: PoolParameters

    @property
    def iced(self) -> frozenset[str]:
        """Held pools whose only fault is a coin on ice."""
        return frozenset(
            each.facts.pool_id
            for each in self.surveyed
            if each.eligibility.iced and each.facts.pool_id in self.held
        )

    def plan(self, method: str = "exact") -> tuple[PoolPlan, Run]:
        """The plan for the day, and the run that can be stored.

        Raises
        ------
        InvalidInput, InfeasibleError
            As `optimize_allocations` does.
        """
        return pools_run(
            self.day,
            self.pools,
            self.held,
            self.cash,
            self.parameters,
            method=method,
            prices=self.prices,
            lists=self.lists,
        )

    def choosing(self, on_ice: OnIce) -> Situation:
        """The same, with another answer to what becomes of positions in an iced coin."""
        iced = self.iced
        pools = [replace(pool, status=on_ice) if pool.pool_id in iced else pool for pool in self.pools]
        return replace(self, pools=tuple(pools))


def situation(
    records: Records,
    day: dt.date,
    held: Mapping[str, float],
    cash: Mapping[str, float],
    parameters: PoolParameters,
    rules: SurveyRules = USUAL,
    *,
    at_peg: bool = False,
    tvl_holds_ours: bool = True,
) -> Situation:
    """Put together what a day's decision is made from, by what was known then.

    Parameters
    ----------
    held
        Pool -> dollars of ours in it.
    cash
        Token -> dollars in wallets.
    at_peg
        Take a token that is pegged to the dollar, has no price and was ever approved for one dollar,
        where its coin is nowhere on ice.
    tvl_holds_ours
        Whether the recorded TVL holds what is ours; not so for positions on paper.

    Raises
    ------
    InvalidInput
        For a held pool that the records do not know or that is larger than its TVL, where no
        pool is in and none is held, for a limit or loss by a name that they do not know, and
        for gas without the price of the coin that it is paid in.
    """
    surveyed = survey(
        records,
        day,
        rules,
        own={name: to_micro(value) for name, value in held.items()} if tvl_holds_ours else None,
    )
    unknown = sorted(set(held) - {each.facts.pool_id for each in surveyed})
    if unknown:
        raise InvalidInput(f"what is held lies in pools that the records do not know: {', '.join(unknown)}")
    if tvl_holds_ours:
        _check_sizes(surveyed, held, day)
    pools = pools_for(surveyed, held, rules)
    if not pools:
        raise InvalidInput(
            f"none of the {len(surveyed)} pools in the records is in on {day}: 'capdesk pools eligible --day {day}' "
            "says why of each"
        )
    if not tvl_holds_ours:
        pools = [
            replace(pool, forecasted_tvl=pool.forecasted_tvl + float(held.get(pool.pool_id, 0)))
            for pool in pools
        ]
    chains = {letters.lower(pool.chain) for pool in pools} | {name.partition(":")[0] for name in cash}
    since = _days_since_moves(records, day, parameters.cool_down_days)
    return Situation(
        day=day,
        surveyed=tuple(surveyed),
        pools=tuple(pools),
        held={name: Holding(float(value), since.get(name)) for name, value in held.items()},
        cash={name: float(value) for name, value in cash.items()},
        prices=_prices(records, day, pools, cash, at_peg=at_peg),
        lists=records.lists(end_of(day)),
        parameters=with_gas(with_names(parameters, records, day), records, day, chains),
    )


def _check_sizes(surveyed: Iterable[Surveyed], held: Mapping[str, float], day: dt.date) -> None:
    """See to it that no position is larger than its pool: then a balance, a price or the TVL is wrong."""
    for each in surveyed:
        ours = to_micro(held.get(each.facts.pool_id, 0))
        if each.day is not None and ours > each.day.tvl * (1 + TVL_DRIFT):
            raise InvalidInput(
                f"{usd(ours)} are held in {each.facts.symbol} {each.facts.project} {each.facts.chain} "
                f"({each.facts.pool_id}), and the whole pool holds {usd(each.day.tvl)} on {day}: its balance, "
                "its token's price or its TVL is wrong; import the right one"
            )


def on_ice_plans(standing: Situation, method: str = "exact") -> dict[OnIce, PoolPlan]:
    """What each answer to an iced coin would do today."""
    return {choice: standing.choosing(choice).plan(method)[0] for choice in ON_ICE}


def with_gas(
    parameters: PoolParameters, records: Records, day: dt.date, chains: Iterable[str]
) -> PoolParameters:
    """Parameters with the gas that was recorded: its mean over the last week, at the last price of its coin.

    What is not recorded stays as it was given.

    Raises
    ------
    InvalidInput
        For gas whose coin has no price, recorded or given.
    """
    wanted = set(chains)
    week: defaultdict[str, list[float]] = defaultdict(list)
    for each in records.gas(day, day - dt.timedelta(days=GAS_DAYS - 1)):
        if letters.lower(each.chain) in wanted:
            week[letters.lower(each.chain)].append(float(each.gwei))
    coins = {
        token_id.partition(":")[0]: price
        for token_id, price in last_prices(records, day).items()
        if token_id.endswith(f":{NATIVE}")
    }
    costs = {letters.lower(name): each for name, each in parameters.chains.items()}
    for chain, gwei in sorted(week.items()):
        given = costs.get(chain, ChainCosts())
        price = coins.get(chain, given.native_price_usd)
        if not price:
            raise InvalidInput(
                f"gas on {chain} is recorded, and what its coin is worth is not: import the price of "
                f"{chain}:{NATIVE}, or set chains.{chain}.native_price_usd in the parameters"
            )
        costs[chain] = replace(given, gas_gwei=sum(gwei) / len(gwei), native_price_usd=price)
    return replace(parameters, chains=costs)


def _prices(
    records: Records, day: dt.date, pools: Sequence[Pool], cash: Mapping[str, float], *, at_peg: bool
) -> dict[str, float]:
    known = last_prices(records, day)
    needed = {token_key(pool.chain, token) for pool in pools for token in pool.tokens} | set(cash)
    if at_peg:
        known = dict.fromkeys(needed & taken_at_peg(records, day), 1.0) | known
    return {name: known[name] for name in sorted(needed) if name in known}


def _days_since_moves(records: Records, day: dt.date, within: float) -> dict[str, float]:
    """Pool -> days since the latest plans of the days before moved something in it."""
    since: dict[str, float] = {}
    for each in records.runs(KIND) if within else ():
        days = (day - each.day).days
        if not each.latest or not 0 < days <= within:
            continue
        for step in records.run(each.number).run.outcome.result["transactions"]:
            if step["pool_id"]:
                since[step["pool_id"]] = min(days, since.get(step["pool_id"], days))
    return since
