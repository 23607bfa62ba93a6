"""What is said of the pools demo, in words and as JSON: where it wins, where it does not, what is a model."""

from __future__ import annotations

import datetime as dt
import shlex
from decimal import Decimal

from capdesk.model.money import Amount, usd
from capdesk.records.canonical import plain
from capdesk.study.pools_demo.result import Day, PoolsDemo, Rival
from capdesk.study.pools_demo.setting import COST_NOTE, TREASURY_USD
from capdesk.treasury import spoken

TITLE = "A stablecoin treasury, eleven real days"
OURS = "capdesk, a plan a day"
PROMISE_NOTE = (
    "A day's promise is its plan's yield over the horizon, a day's share of it; what was paid is what the pools' "
    "next figures say, diluted by our own deposit."
)
DECISION_NOTE = (
    "Forced means that a position may not stay as it is, mostly because its pool shrank under it; "
    "reallocate, that a new plan is better than staying; place yield, that nothing but the yield is moved."
)
VALUE_NOTE = "Values are after costs; what leaving every pool would cost at the end is in none of them."
DEPEG_NOTE = (
    "USDC's real daily closes from 7 March 2023 on are laid over these days, for USDC on every chain; rates, sizes "
    "and all other coins are as they were in 2026. A treasury is worth what its coins would sell for that day."
)


def span(demo: PoolsDemo) -> str:
    """From when to when."""
    return f"{demo.days[0].day} to {demo.days[-1].day}"


def setting_note(demo: PoolsDemo) -> str:
    """How many pools, how much money, and how many days."""
    day = demo.days[0]
    return (
        f"{len(demo.names)} real lending pools, {len(demo.days)} days of figures; on the first {day.universe} have "
        f"some and {day.eligible} are in; "
        f"${TREASURY_USD / 1e6:g}M, all of it USDC on Ethereum at first; the default limits, with "
        f"group_room {demo.parameters.group_room}"
    )


def gain(values: tuple[Amount, ...]) -> Amount:
    """What became of the treasury."""
    return values[-1] - TREASURY_USD


def yearly(demo: PoolsDemo, values: tuple[Amount, ...]) -> Decimal:
    """The gain as a fraction a year, without compounding."""
    days = (demo.days[-1].day - demo.days[0].day).days
    return Decimal(gain(values) / TREASURY_USD * 365 / days)


def contest(demo: PoolsDemo) -> tuple[Rival, ...]:
    """Ours first, then the rivals."""
    return (Rival(OURS, demo.values, demo.costs, ()), *demo.rivals)


def paid_of_promised(demo: PoolsDemo) -> tuple[Amount, float]:
    """What the pools paid between the first and the last day, and what had been promised for it."""
    promised = sum(
        before.promised * (day.day - before.day).days
        for before, day in zip(demo.days, demo.days[1:], strict=False)
    )
    return demo.earned, promised


def verdicts(demo: PoolsDemo) -> list[str]:
    """Where ours wins and where it does not, each rival in a sentence or two."""
    return [_verdict(demo, each) for each in demo.rivals]


def _verdict(demo: PoolsDemo, rival: Rival) -> str:
    ahead = demo.values[-1] - rival.values[-1]
    if ahead > 0:
        return f"It beats {rival.name} by {usd(ahead.micro)}."
    text = f"It does NOT beat {rival.name}: that ends {usd(-ahead.micro)} higher"
    if demo.on_ice is None:
        paid, spent = demo.earned - gain(rival.values) - rival.costs, demo.costs - rival.costs
        text += f". capdesk was paid {_more(paid)} and spent {_more(spent)} on moves"
    if rival.unlawful:
        count = len(rival.unlawful) - 1
        others = f", and {count} more such reason{'s' * (count > 1)}" if count else ""
        first = spoken(rival.unlawful[0], demo.names)
        text += f". That treasury may not be held as it is on the last day: {first}{others}"
    return f"{text}."


def _more(difference: Amount) -> str:
    return f"{usd(abs(difference.micro))} {'more' if difference >= 0 else 'less'}"


def margin_note(demo: PoolsDemo) -> str:
    """When the treasury moves at all."""
    return (
        f"A new plan replaces what is held when it nets {demo.parameters.reallocation_margin * 100:g} % more in "
        f"{demo.parameters.horizon_days:g} days than staying does, or when a position may not stay. Otherwise "
        "only yesterday's yield is placed, after what the limits ask to be taken out of pools that shrank."
    )


def shortness_note(demo: PoolsDemo) -> str:
    """That the period is short, and what that means."""
    first = demo.days[0]
    setting_up = float(first.plan.costs.total)
    return (
        f"{(demo.days[-1].day - first.day).days} days are short: setting up costs {usd(round(setting_up * 1e6))}, "
        f"{setting_up / first.promised:.1f} days of yield, and one episode of rates proves nothing about the next."
    )


def choice_note(demo: PoolsDemo) -> str:
    """Which answer to the iced coin came out best, in hindsight."""
    ends = {str(demo.on_ice): demo.values[-1]} | {each.name: each.values[-1] for each in demo.choices}
    best = max(ends, key=lambda name: ends[name])
    worst = min(ends, key=lambda name: ends[name])
    return (
        f"In hindsight {best} ends {usd((ends[best] - ends[worst]).micro)} above {worst}, because USDC came back; "
        "nobody knew that on the day, and with a coin that stays down it is the other way round."
    )


def next_commands(demo: PoolsDemo) -> list[str]:
    """What to type next."""
    where = f"--records {shlex.quote(str(demo.records))}"
    first, last = demo.days[0].run, demo.days[-1].run
    return [
        f"capdesk pools show latest {where}",
        f"capdesk pools diff {first} {last} {where}",
        f"capdesk pools replay latest {where}",
        f"capdesk pools eligible {where}",
    ]


def iced_names(demo: PoolsDemo, ids: tuple[str, ...]) -> str:
    """Coins by symbol, with the number of chains that they lie on."""
    symbols: dict[str, int] = {}
    for each in ids:
        symbol = demo.coins.get(each, each)
        symbols[symbol] = symbols.get(symbol, 0) + 1
    return ", ".join(f"{name} on {count} chain{'s' * (count > 1)}" for name, count in symbols.items())


def record(demo: PoolsDemo) -> dict[str, object]:
    """The demo as JSON: amounts as exact strings."""
    paid, promised = paid_of_promised(demo)
    return {
        "records": demo.records,
        "treasury": Amount(TREASURY_USD),
        "pools": len(demo.names),
        "days": [_day(each, demo) for each in demo.days],
        "value": demo.values[-1],
        "gain": gain(demo.values),
        "costs": demo.costs,
        "paid": paid,
        "promised": promised,
        "rivals": [_rival(each) for each in demo.rivals],
        "on_ice": demo.on_ice,
        "choices": [_rival(each) for each in demo.choices],
        "verdicts": verdicts(demo),
        "parameters": plain(demo.parameters),
        "notes": [COST_NOTE, margin_note(demo), PROMISE_NOTE, VALUE_NOTE, shortness_note(demo)],
    }


def _day(day: Day, demo: PoolsDemo) -> dict[str, object]:
    return {
        "day": day.day,
        "pools": day.universe,
        "eligible": day.eligible,
        "groups": day.groups,
        "decision": day.plan.decision.kind,
        "reason": day.plan.decision.reason,
        "trimmed": {each.pool_id: each.amount for each in day.plan.decision.trimmed},
        "transactions": len(day.plan.transactions),
        "gas": day.plan.costs.gas,
        "conversion": day.plan.costs.conversion,
        "positions": {
            pool: {"name": demo.names[pool], "amount": amount}
            for pool, amount in day.plan.allocations.items()
        },
        "cash": day.plan.cash,
        "before": day.before.total,
        "after": day.after.total,
        "paid": day.earned,
        "promised_a_day": day.promised,
        "objective": day.plan.objective,
        "gap": day.plan.gap,
        "run": day.run,
        "iced": day.iced,
        "returned": day.returned,
    }


def _rival(rival: Rival) -> dict[str, object]:
    return {
        "name": rival.name,
        "values": rival.values,
        "costs": rival.costs,
        "against_the_rules": rival.unlawful,
    }


def elapsed(demo: PoolsDemo, number: int) -> dt.timedelta:
    """The time between a day and the one before it."""
    return demo.days[number].day - demo.days[number - 1].day
