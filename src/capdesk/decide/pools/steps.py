"""The steps that carry flows out, in whole micro-units: withdraw, convert, deposit.

Nothing is made or lost by rounding: a fee and a gas are rounded once, to the nearest
micro-unit, and what is left goes on. The order can be executed: what a step takes is there
when it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capdesk.decide.pools.problem import Answer, Array, Market, PoolProblem
from capdesk.model.money import MICRO
from capdesk.model.pool_plans import Verb

_DUST = 1_000
"""Micro-units: a tenth of a cent. Less is a solver's rounding, and nothing is moved for it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it takes and gives in each token (by number), its gas and its fee, in micro-units."""

    verb: Verb
    pool: int
    amount: int
    takes: dict[int, int]
    gives: dict[int, int]
    gas: int
    fee: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What comes of carrying flows out: the steps, the positions and the balances, in micro-units."""

    steps: tuple[Step, ...]
    positions: tuple[int, ...]
    balances: tuple[int, ...]


def carry_out(p: PoolProblem, answer: Answer) -> Carried:
    """The steps of an answer, and where they lead.

    Raises
    ------
    AssertionError
        If a micro-unit were made or lost.
    """
    positions = [micro(each) for each in p.held]
    balances = [micro(each) for each in p.cash]
    before = sum(positions) + sum(balances)
    steps = [
        *_withdraw(p, answer, positions, balances),
        *_convert(p, answer, balances),
        *_deposit(p, answer, positions, balances),
    ]
    spent = sum(step.gas + step.fee for step in steps)
    assert before == sum(positions) + sum(balances) + spent, "a micro-unit was made or lost"
    assert min(balances, default=0) >= 0, "a step takes what is not there"
    return Carried(tuple(steps), tuple(positions), tuple(balances))


def split(total: int, shares: Array) -> list[int]:
    """Parts of a sum in proportion that add up to it; the largest remainders take what is over."""
    raw = [total * Fraction(float(share)) for share in shares]
    parts = [int(each) for each in raw]
    order = sorted(range(len(raw)), key=lambda each: parts[each] - raw[each])
    for each in order[: total - sum(parts)]:
        parts[each] += 1
    parts[0] += total - sum(parts)
    return parts


def micro(dollars: float) -> int:
    """Dollars in micro-units, a float being read through its repr; its own product would be off by some."""
    return round(Fraction(repr(float(dollars))) * MICRO)


def _tokens(p: PoolProblem, pool: int) -> tuple[list[int], Array]:
    where = slice(p.shares.indptr[pool], p.shares.indptr[pool + 1])
    return p.shares.indices[where].tolist(), p.shares.data[where]


def _withdraw(p: PoolProblem, answer: Answer, positions: list[int], balances: list[int]) -> list[Step]:
    steps: list[Step] = []
    dust = _dust(p)
    for pool in np.flatnonzero(answer.withdrawals * MICRO > dust).tolist():
        amount = min(micro(answer.withdrawals[pool]), positions[pool])
        if p.leave[pool] and positions[pool] - amount <= dust:
            amount = positions[pool]
        gas = micro(p.gas_out[pool])
        tokens, shares = _tokens(p, pool)
        positions[pool] -= amount
        gives = dict(zip(tokens, split(amount - gas, shares), strict=True))
        for token, part in gives.items():
            balances[token] += part
        steps.append(Step("withdraw", pool, amount, {}, gives, gas, 0))
    return steps


def _convert(p: PoolProblem, answer: Answer, balances: list[int]) -> list[Step]:
    """All conversions, each when what it sells is there: a token may arrive by one and leave by another."""
    waiting = [
        trade
        for market, sold, bought in zip(p.markets, answer.sold, answer.bought, strict=True)
        for trade in _trades(market, sold, bought, _dust(p))
    ]
    done: list[Step] = []
    while waiting:
        short = [trade.amount - balances[next(iter(trade.takes))] for trade in waiting]
        trade = waiting.pop(
            min(
                range(len(waiting)),
                key=lambda each: (short[each] > 0, short[each] if short[each] > 0 else each),
            )
        )
        (seller,), (buyer,) = trade.takes, trade.gives
        given = min(trade.amount, balances[seller])
        got = trade.gives[buyer] - (trade.amount - given)
        balances[seller] -= given
        balances[buyer] += got
        done.append(replace(trade, amount=given, takes={seller: given}, gives={buyer: got}))
    return done


def _dust(p: PoolProblem) -> int:
    """Micro-units up to which a flow is a solver's rounding."""
    return max(_DUST, micro(p.left))


def _trades(market: Market, sold: Array, bought: Array, dust: int) -> list[Step]:
    """Pair what is sold with what is bought; k sellers and l buyers need k + l - 1 conversions."""
    gas = micro(market.gas)
    verb: Verb = "bridge" if market.name == "bridge" else "convert"
    sellers, buyers = (
        [
            [int(token), micro(amount)]
            for token, amount in zip(market.members, side, strict=True)
            if amount * MICRO > dust
        ]
        for side in (sold, bought)
    )
    steps: list[Step] = []
    while sellers and buyers:
        (seller, left), (buyer, wanted) = sellers[0], buyers[0]
        needed = _gross(wanted, gas, market.rate)
        last = len(sellers) == 1 and len(buyers) == 1
        # A rest that its own conversion's gas would eat goes along with this one.
        given = left if last or needed + _gross(dust, gas, market.rate) >= left else needed
        fee = round(given * Fraction(market.rate))
        got = given - fee - gas
        steps.append(Step(verb, -1, given, {seller: given}, {buyer: got}, gas, fee))
        sellers[0][1] -= given
        buyers[0][1] -= got
        if sellers[0][1] <= dust:
            sellers.pop(0)
        if buyers[0][1] <= dust:
            buyers.pop(0)
    return steps


def _gross(wanted: int, gas: int, rate: float) -> int:
    """What has to be sold so that `wanted` arrives after the fee and the gas."""
    return round((wanted + gas) / (1 - Fraction(rate))) if rate < 1 else wanted + gas


def _deposit(p: PoolProblem, answer: Answer, positions: list[int], balances: list[int]) -> list[Step]:
    """Small deposits first: what rounding leaves short is taken from the largest."""
    wanted = answer.deposits
    chosen = np.flatnonzero(wanted * MICRO > _dust(p))
    steps: list[Step] = []
    for pool in chosen[np.argsort(wanted[chosen], kind="stable")].tolist():
        tokens, shares = _tokens(p, pool)
        gas = micro(float(p.gas_in[pool]))
        room = micro(float(p.room[pool]))
        amount = min(micro(float(wanted[pool])), room)
        there = min(
            int(balances[token] / Fraction(float(share))) for token, share in zip(tokens, shares, strict=True)
        )
        amount = min(amount, there - gas - (len(tokens) if len(tokens) > 1 else 0))
        if amount <= 0:
            continue
        takes = dict(zip(tokens, split(amount + gas, shares), strict=True))
        for token, part in takes.items():
            balances[token] -= part
        positions[pool] += amount
        steps.append(Step("deposit", pool, amount, takes, {}, gas, 0))
    return steps
