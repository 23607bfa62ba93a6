"""The demo's result as plain values, for `capdesk demo --json`: amounts stay exact, ratios have nine digits."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from capdesk.model.money import Amount
from capdesk.study.demo.bots import BOTS
from capdesk.study.demo.crash import CRASH_NOTE
from capdesk.study.demo.day import Day
from capdesk.study.demo.figures import StrategyFigures, desk_figures, strategy_figures, telling_market
from capdesk.study.demo.mandate import risk_note, rules
from capdesk.study.demo.run import DemoResult
from capdesk.study.demo.supervised import Recalled
from capdesk.study.demo.supervised_figures import risk_figures, since_stop
from capdesk.study.demo.venue import PAYOUT_DELAY_SECONDS

PRICE_NOTE = (
    "Bitcoin's prices and the outcomes are real; what a share costs is a model: its fair value from the distance to "
    "the strike, the time left and the day's volatility so far, plus half a cent, rounded up to a cent, plus the "
    "venue's fee of 0.07 p (1 - p)."
)
SLIPPAGE_NOTE = "The whole day run again, each share bought one cent off its quote."
GAP_RULE = "A market is left out if its strike, its outcome or one of its twelve prices is missing."

RATIO_DIGITS = 9


def record(result: DemoResult) -> dict[str, Any]:
    """Everything that the report shows, in plain values."""
    day = result.day
    return {
        "seed": day.seed,
        "ledger": {"path": str(result.ledger), "entries": result.entries, "problems": []},
        "starts_at": datetime.fromtimestamp(day.starts_at, UTC),
        "ends_at": datetime.fromtimestamp(day.ends_at, UTC),
        "bankroll": {"initial": day.initial_bankroll, "final": day.bankroll, "pnl": day.pnl},
        "price": {
            "note": PRICE_NOTE,
            "sensitivity": SLIPPAGE_NOTE,
            "pnl_one_tick_better": result.tick_better.pnl,
            "pnl_as_quoted": day.pnl,
            "pnl_one_tick_worse": result.tick_worse.pnl,
        },
        "markets": {
            "in_the_table": result.markets,
            "traded": result.traded,
            "rule": GAP_RULE,
            "left_out": [{"market": market.name, "gap": market.gap} for market in result.left_out],
        },
        "bots": bots_note(),
        "limits": rules(),
        "risk_rules": risk_note(),
        "crash": None if day.failure is None else CRASH_NOTE,
        "desk": _desk(day),
        "risk": _risk(day),
        "pauses": day.supervised.pauses,
        "recalls": [recall_record(each) for each in day.supervised.recalls],
        "kill_switch": _kill_switch(day),
        "strategies": [_strategy(figures) for figures in strategy_figures(day)],
        "next": next_commands(result),
    }


def _desk(day: Day) -> dict[str, Any]:
    figures = desk_figures(day)
    return {
        "peak_utilisation": round(figures.peak_utilisation, RATIO_DIGITS),
        "mean_utilisation": round(figures.mean_utilisation, RATIO_DIGITS),
        "max_drawdown": round(figures.max_drawdown, RATIO_DIGITS),
        "peak_open_allocations": figures.peak_open,
    }


def _risk(day: Day) -> dict[str, Any]:
    figures = risk_figures(day)
    return {
        "lowest_volatility": figures.lowest,
        "highest_volatility": figures.highest,
        "seconds_at_multiplier": {str(factor): seconds for factor, seconds in figures.seconds_at.items()},
        "seconds_unseen": figures.seconds_unseen,
    }


def recall_record(recall: Recalled) -> dict[str, Any]:
    """Give a recall in plain values."""
    return {field.name: getattr(recall, field.name) for field in fields(recall)} | {"overdue": recall.overdue}


def _kill_switch(day: Day) -> dict[str, Any] | None:
    since = since_stop(day)
    if since is None:
        return None
    return {
        "fired_at": datetime.fromtimestamp(since.stop.at, UTC),
        "drawdown": round(since.stop.drawdown, RATIO_DIGITS),
        "reason": since.stop.reason,
        "refused_since": since.refused,
        "asked_since": since.asked,
        "returned_since": since.returned,
        "principal_since": since.principal,
        "net_since": since.net,
        "last_returned_at": None if since.last_at is None else datetime.fromtimestamp(since.last_at, UTC),
    }


def _strategy(figures: StrategyFigures) -> dict[str, Any]:
    plain = {field.name: getattr(figures, field.name) for field in fields(figures)}
    rate = figures.pnl_per_dollar_hour
    return plain | {
        "answers": dict(figures.answers),
        "cut_by": dict(figures.cut_by),
        "refused_by": dict(figures.refused_by),
        "dollar_hours": round(figures.dollar_hours, RATIO_DIGITS),
        "pnl_per_dollar_hour": None if rate is None else round(rate, RATIO_DIGITS),
    }


def title_of(day: Day) -> str:
    """What the report is headed with."""
    title = "A real day of bitcoin markets on one bankroll"
    return title if day.failure is None else f"{title}, and a venue that fails"


def date_of(day: Day) -> str:
    """The date that most of the replay lies in."""
    return f"{datetime.fromtimestamp((day.starts_at + day.ends_at) // 2, UTC):%d %B %Y}"


def bots_note() -> str:
    """Who asks, when, and when the money comes back."""
    first, last = (seconds // 60 for seconds in PAYOUT_DELAY_SECONDS)
    who = ", ".join(
        f"{bot.name} {'/'.join(map(str, bot.moments))} s" for bot in BOTS if bot.name == bot.strategy
    )
    return (
        f"{who} before the close. The sniper has a hot spare that asks in the same instant: "
        f"the desk lets one of them through. The venue pays {first} to {last} minutes after the close. "
        "The bots are set up so that the limits bind: what they earn is no evidence."
    )


def limits_note() -> str:
    """The desk's rules in one sentence."""
    return "; ".join(f"{name}: {rule}" for name, rule in rules().items())


def sign_is_undecided(result: DemoResult) -> bool:
    """Whether one tick in the price paid turns a profit into a loss."""
    results = (result.tick_better.pnl, result.day.pnl, result.tick_worse.pnl)
    return min(results) < Amount(0) < max(results)


def next_commands(result: DemoResult) -> list[str]:
    """What to type next: the stories of the market that shows most and of the desk, and how it stands."""
    where = f"--ledger {quote(str(result.ledger))}"
    market = telling_market(result.day)
    story = [] if market is None else [f"capdesk explain {market} {where}"]
    if result.day.supervised.stop is not None:
        resume = f"capdesk resume --reason 'I have looked' {where}"
        return [*story, f"capdesk explain {where}", f"capdesk status {where}", resume]
    return [*story, f"capdesk explain {where}", f"capdesk report {where}", f"capdesk ledger check {where}"]
