"""A treasury's day: what the records hold becomes pools to choose from, each with its forecast and its standing.

The survey judges every pool that was ever told of: whether money may go in, how steady it
is, what it is expected to pay. `pools_for` turns it into the pools of one allocation.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from capdesk.decide.pools.eligibility import Eligibility, EligibilityRules, Names, eligibility
from capdesk.decide.pools.forecast import ALPHA, WEIGHTED, Forecast, forecast
from capdesk.decide.pools.icebox import IceRules, PegDay, iced_on, is_settled
from capdesk.decide.pools.stability import Stability, stability
from capdesk.model.lists import ICEBOX_TOKENS, Lists
from capdesk.model.market_rows import PoolDay, PoolFacts, Price
from capdesk.model.money import MICRO
from capdesk.model.pool_parameters import EVERY
from capdesk.model.pools import Emission, Pool, RateModel, Status
from capdesk.model.tokens import Token, read_token_id
from capdesk.treasury_prices import end_of, fallen_with

if TYPE_CHECKING:
    from capdesk.records import Records

HISTORY_DAYS = 60
_ICE_DAYS = 120


class SurveyRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How pools are judged and forecast.

    Attributes
    ----------
    alpha
        The weight of the newest day in a forecast.
    model
        How APYs are forecast: ``weighted``, or ``ets``, ``theta``, ``arima`` of statsforecast.
    haircuts
        Reward token, by id (``ethereum:0xd533...``) -> the fraction of the reward that is not
        counted; ``"*"`` is every other one.
    rate_models
        Pool -> what our own deposit does to its rate; ``"*"`` is every pool without its own.
        Unless it is told otherwise, a deposit dilutes what a pool pays.
    """

    eligibility: EligibilityRules = EligibilityRules()
    ice: IceRules = IceRules()
    alpha: float = ALPHA
    model: str = WEIGHTED
    haircuts: dict[str, float] = {}
    rate_models: dict[str, RateModel] = field(default_factory=lambda: {EVERY: Emission()})


USUAL = SurveyRules()


class Surveyed(Struct, frozen=True):
    """A pool on the day of a decision; `day`, `stability` and `forecast` are None where it has no figures."""

    facts: PoolFacts
    eligibility: Eligibility
    day: PoolDay | None
    stability: Stability | None
    forecast: Forecast | None


def survey(
    records: Records,
    day: dt.date,
    rules: SurveyRules = USUAL,
    *,
    lists: Lists | None = None,
    own: Mapping[str, int] | None = None,
) -> list[Surveyed]:
    """Judge every pool as of a day, by what was known then.

    Parameters
    ----------
    lists
        The lists to obey; those that stood at the end of the day when left out.
    own
        Pool -> our own deposit, dollars in micro-units, which its TVL holds.
    """
    lists = lists if lists is not None else records.lists(end_of(day))
    names = Names(lists, fallen_with(records, day, lists))
    histories: defaultdict[str, list[PoolDay]] = defaultdict(list)
    for each in records.history(day, day - dt.timedelta(days=HISTORY_DAYS)):
        histories[each.pool_id].append(each)
    told = [history for history in histories.values() if history[-1].day == day]
    pools = records.pools()
    made = forecast(
        told,
        alpha=rules.alpha,
        reward_tokens={pool_id: facts.reward_tokens for pool_id, facts in pools.items()},
        haircuts={
            name if name == EVERY else read_token_id(name): cut for name, cut in rules.haircuts.items()
        },
        model=rules.model,
    )
    forecasts = {each.pool_id: each for each in made}
    surveyed: list[Surveyed] = []
    for pool_id, facts in pools.items():
        known = forecasts.get(pool_id)
        today = histories[pool_id][-1] if known else None
        steady = stability(histories[pool_id]) if known else None
        judged = eligibility(facts, today, names, rules.eligibility, (own or {}).get(pool_id, 0))
        surveyed.append(Surveyed(facts, judged, today, steady, known))
    return surveyed


def pools_for(
    surveyed: Iterable[Surveyed], held: Mapping[str, object], rules: SurveyRules = USUAL
) -> list[Pool]:
    """The pools of an allocation: those that are in, and those that are held, with what may be done.

    Parameters
    ----------
    held
        Pools that hold something of ours; what is out is left out unless it is held.
    """
    on_ice = rules.eligibility.on_ice
    usual = rules.rate_models.get(EVERY)
    pools: list[Pool] = []
    for each in surveyed:
        is_in = each.eligibility.eligible
        if not is_in and each.facts.pool_id not in held:
            continue
        status: Status = "open" if is_in else on_ice if each.eligibility.iced else "exit"
        facts, known, day = each.facts, each.forecast, each.day
        pools.append(
            Pool(
                pool_id=facts.pool_id,
                tokens=tuple(token.address or token.symbol for token in facts.tokens),
                protocol=facts.project,
                chain=facts.chain,
                forecasted_apy=known.apy if known else 0.0,
                forecasted_tvl=known.tvl / MICRO if known else 0.0,
                group=each.stability.group if each.stability else 3,
                status=status,
                reason="; ".join(each.eligibility.reasons),
                rate_model=rules.rate_models.get(facts.pool_id, usual),
                withdrawable_usd=None if day is None or day.liquidity is None else day.liquidity / MICRO,
            )
        )
    return pools


def pool_names(pools: Mapping[str, PoolFacts]) -> dict[str, str]:
    """What people call each pool: its coin, protocol and chain; where two are alike, with the head of its id."""
    plain = {pool_id: f"{each.symbol} {each.project} {each.chain}" for pool_id, each in pools.items()}
    alike = Counter(plain.values())
    return {pool_id: name if alike[name] == 1 else f"{name} {pool_id[:4]}" for pool_id, name in plain.items()}


def all_names(records: Records) -> dict[str, str]:
    """What people call every pool and every token, by id."""
    tokens = {name: f"{each.symbol} {each.chain}".strip() for name, each in records.tokens().items()}
    return pool_names(records.pools()) | tokens


def spoken(text: str, names: Mapping[str, str]) -> str:
    """A sentence with every pool's and token's id as people call it."""
    known = sorted((name for name in names if name in text), key=len, reverse=True)
    if not known:
        return text
    return re.sub("|".join(map(re.escape, known)), lambda found: names[found[0]], text)


def write_forecasts(records: Records, day: dt.date, surveyed: Iterable[Surveyed]) -> None:
    """Keep the forecasts of a survey, and how far they were off so far, beside the figures they were made from."""
    made = [each.forecast for each in surveyed if each.forecast]
    records.write_forecasts(
        day,
        {each.pool_id: (each.apy, each.tvl) for each in made},
        {each.pool_id: (each.error, each.naive_error) for each in made},
    )


def fill_icebox(records: Records, day: dt.date, rules: IceRules) -> tuple[list[str], list[str]]:
    """Put coins that have left their peg on ice, and take back those that are at it again.

    Prices are in dollars: a coin with another peg is measured in that currency where the
    records hold a price of it, and left alone where they do not. A price of "USDC" on no
    chain counts for every token of that symbol on the days that have no price of its own. What
    was iced by hand is taken back by hand.

    Returns
    -------
    tuple
        The token ids that were iced, and those that came back.
    """
    prices = records.prices(day, day - dt.timedelta(days=_ICE_DAYS))
    lists = records.lists(end_of(day))
    there = {each.name: each.reason for each in lists.icebox_tokens}
    iced, back = [], []
    for token_id, days in _in_pegs(prices, records.tokens()).items():
        stay = iced_on(days, day, rules)
        if stay is not None and token_id not in there:
            iced += records.add(ICEBOX_TOKENS, [token_id], stay.reason, end_of(day))
        elif token_id not in there or stay is not None or not is_settled(days, day, rules):
            continue
        elif there[token_id].startswith(_BY_PRICE):
            reason = f"{rules.return_days} days at its peg to {day}"
            back += records.remove(ICEBOX_TOKENS, [token_id], reason, end_of(day))
    return iced, back


_BY_PRICE = ("closed at ", "traded down to ")


def _in_pegs(prices: Iterable[Price], tokens: Mapping[str, Token]) -> dict[str, list[PegDay]]:
    by_token: defaultdict[str, list[Price]] = defaultdict(list)
    currencies: dict[tuple[str, dt.date], float] = {}
    for price in prices:
        by_token[price.token.token_id].append(price)
        if not price.token.chain:
            currencies[price.token.symbol, price.day] = float(price.usd)
    found: dict[str, list[PegDay]] = {}
    for token_id, token in tokens.items():
        own, peg = by_token.get(token_id, []), token.peg
        told = {price.day for price in own}
        days = own + [price for price in by_token.get(token.symbol, []) if price.day not in told]
        if peg is None or not days or not token.chain:
            continue
        units = {price.day: 1.0 if peg == "USD" else currencies.get((peg, price.day)) for price in days}
        found[token_id] = [
            PegDay(price.day, float(price.usd) / unit)
            for price in days
            if (unit := units[price.day]) is not None
        ]
    return found
