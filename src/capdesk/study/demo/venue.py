"""The venue: what a grant buys, when a market pays, and what a position comes to."""

from __future__ import annotations

from random import Random

from capdesk.model.money import Amount
from capdesk.model.requests import Verdict
from capdesk.study.demo.bots import Bot, Wish
from capdesk.study.demo.day import Payout, Position
from capdesk.study.demo.pricing import (
    CENT_MICRO,
    SHARE_MICRO,
    on_the_book,
    share_cost_micro,
    taker_fee_micro,
)

PAYOUT_DELAY_SECONDS = (20 * 60, 40 * 60)


def fill(at: int, bot: Bot, wish: Wish, verdict: Verdict, slippage_ticks: int = 0) -> Position:
    """Buy as many whole shares as the granted capital pays for, fee included.

    Parameters
    ----------
    at
        Unix seconds, UTC.
    slippage_ticks
        Ticks that a share costs more than the bot was quoted.
    """
    cents = on_the_book(wish.cents + slippage_ticks)
    cost_micro = share_cost_micro(cents)
    shares = verdict.amount.micro // cost_micro
    principal = Amount.from_micro(shares * cost_micro)
    return Position(verdict.market_id, bot.strategy, at, wish.side, shares, cents, principal)


def payout_delay(seed: int, market: str) -> int:
    """Seconds from a market's close to its payout: 20 to 40 minutes, drawn for each market."""
    return Random(f"{seed} payout {market}").randint(*PAYOUT_DELAY_SECONDS)


def settle(position: Position, won: bool, at: int) -> Payout:
    """What a position pays: a dollar a share or nothing, against what the shares cost.

    Parameters
    ----------
    at
        Unix seconds, UTC.
    """
    value = position.shares * SHARE_MICRO if won else 0
    pnl = value - position.shares * position.cents * CENT_MICRO
    fees = position.shares * taker_fee_micro(position.cents)
    return Payout(position, at, won, Amount.from_micro(pnl), Amount.from_micro(fees))
