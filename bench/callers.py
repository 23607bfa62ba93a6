"""Bots that ask side by side, each awaiting one answer after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from random import Random
from time import perf_counter
from typing import Any, NamedTuple, Protocol

_FIRST_MILLISECOND = 1_785_000_000_000
_IDS_A_MILLISECOND = 50


class Wish(NamedTuple):
    """What one request asks for: a market that nobody else asks for, and dollars and cents."""

    market: str
    amount: float
    request_id: str


class Desk(Protocol):
    """What every contestant can do."""

    async def request_allocation(
        self, market_id: str, requested_amount: float, strategy: str, *, request_id: str
    ) -> Any:
        """Ask for capital."""
        ...


class Wishes:
    """New markets with new request ids; the same seed gives the same wishes.

    Parameters
    ----------
    ordered
        The ids grow with time, as UUIDs of version 7, ULIDs and counters do; otherwise
        they are random, as UUIDs of version 4 are.
    """

    def __init__(self, seed: int, *, ordered: bool = True) -> None:
        self._random = Random(seed)
        self._ordered = ordered
        self._numbers = count()
        self.total = Decimal(0)
        self.made = 0

    def take(self, number: int) -> list[Wish]:
        """The next wishes: 10.00 to 19.99 dollars each."""
        wishes = [self._wish(next(self._numbers)) for _ in range(number)]
        self.total += sum((Decimal(repr(wish.amount)) for wish in wishes), Decimal(0))
        self.made += number
        return wishes

    def _wish(self, number: int) -> Wish:
        time = f"{_FIRST_MILLISECOND + number // _IDS_A_MILLISECOND:012x}" if self._ordered else ""
        request_id = time + f"{self._random.getrandbits(128):032x}"[len(time) :]
        return Wish(f"btc-updown-5m-{number:09d}", (1_000 + number * 7 % 1_000) / 100, request_id)


async def ask_all(desk: Desk, wishes: Sequence[Wish], callers: int) -> float:
    """Let `callers` share the wishes out and ask; seconds from the first question to the last answer."""

    async def caller(mine: Sequence[Wish]) -> None:
        request = desk.request_allocation
        for market, amount, request_id in mine:
            await request(market, amount, "sniper", request_id=request_id)

    began = perf_counter()
    await asyncio.gather(*(caller(wishes[number::callers]) for number in range(callers)))
    return perf_counter() - began


async def release_all(desk: Any, wishes: Sequence[Wish]) -> None:
    """Give everything back, untimed, so that as much is open as before."""
    await asyncio.gather(*(desk.release_allocation(wish.market) for wish in wishes))


def expect(found: object, due: object, what: str) -> None:
    """A wrong answer fails the bench."""
    if found != due:
        raise AssertionError(f"{what}: {found} instead of {due}")
