"""The demo's result as plain values, for `capdesk demo --json`: amounts stay exact, ratios have nine digits."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from capdesk.model.money import Amount
from capdesk.study.demo.bots import BOTS
from capdesk.study.demo.day import Day
from capdesk.study.demo.figures import StrategyFigures, desk_figures, strategy_figures, telling_market
from capdesk.study.demo.mandate import rules
from capdesk.study.demo.run import DemoResult
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
        "desk": _desk(day),
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
    """What to type next: the story of the market that shows most, the desk, the ledger's check."""
    where = f"--ledger {quote(str(result.ledger))}"
    market = telling_market(result.day)
    story = [] if market is None else [f"capdesk explain {market} {where}"]
    return [*story, f"capdesk report {where}", f"capdesk ledger check {where}"]
