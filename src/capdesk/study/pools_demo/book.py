"""What a treasury holds from day to day: dollars by pool and by token, exact to the micro-unit.

Between two days each position earns what its pool really paid, diluted by our own deposit,
and every dollar follows the price of its coin.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.model.money import MICRO, Amount
from capdesk.model.pool_plans import PoolPlan

DAYS_A_YEAR = 365
_UNIT = Decimal(1).scaleb(-6)


class Book(Struct, frozen=True):
    """Dollars in each pool, and cash by token."""

    places: dict[str, Amount]
    cash: dict[str, Amount]

    @property
    def total(self) -> Amount:
        """All of it, in dollars."""
        return sum((*self.places.values(), *self.cash.values()), Amount(0))

    def after(self, plan: PoolPlan) -> Book:
        """The book once a plan has been carried out.

        Raises
        ------
        ArithmeticError
            If the plan's costs do not account for every micro-unit.
        """
        new = Book(dict(plan.allocations), {token: held for token, held in plan.balances.items() if held})
        if new.total + plan.costs.total != self.total:
            raise ArithmeticError(
                f"{self.total} before is not {new.total} after and {plan.costs.total} of costs"
            )
        return new


def overnight(
    book: Book,
    pools: Mapping[str, PoolFacts],
    seen: Mapping[str, PoolDay],
    elapsed: dt.timedelta,
    moves: Mapping[str, Decimal],
) -> tuple[Book, Amount]:
    """The book at the next figures, and what the pools paid in between.

    Parameters
    ----------
    seen
        What the pools paid, by their next figures; a pool without one keeps its last.
    moves
        Token -> its price now over its price before; 1 for tokens that are not named.
    """
    places: dict[str, Amount] = {}
    earned = Amount(0)
    for pool_id, held in book.places.items():
        interest = _round(held * Decimal(repr(_yield(seen[pool_id], held, elapsed))))
        earned += interest
        tokens = pools[pool_id].tokens
        move = sum((moves.get(token.token_id, Decimal(1)) for token in tokens), Decimal(0)) / len(tokens)
        places[pool_id] = _round((held + interest) * move)
    cash = {token: _round(held * moves.get(token, Decimal(1))) for token, held in book.cash.items()}
    return Book(places, cash), earned


def _yield(day: PoolDay, held: Amount, elapsed: dt.timedelta) -> float:
    rate = math.log1p(day.apy / 100) / DAYS_A_YEAR * elapsed.days
    others = day.tvl / MICRO
    return rate * others / (others + float(held))


def _round(value: Decimal) -> Amount:
    return Amount(Decimal(value).quantize(_UNIT, ROUND_HALF_EVEN))
