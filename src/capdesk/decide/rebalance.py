"""From the weights that are to the weights that should be: which orders, in which order, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import cast

from capdesk.decide.shares import apportion
from capdesk.decide.trading_costs import Horizon, affordable
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, read_decimal, to_micro, usd
from capdesk.model.portfolio import LeftOut, RebalanceAction, RebalanceOrder, Rebalancing, TradingCost

CENT = Decimal("0.01")
LARGEST_WEIGHT = 10
TRADES = ("triggered", "all")


def rebalance_portfolio(
    current: Mapping[str, object],
    target: Mapping[str, object],
    total_value: object,
    *,
    threshold: object = "0.10",
    trade: str = "triggered",
    minimum_trade: object = 0,
    max_transaction_size: object = None,
    costs: Mapping[str, object] | None = None,
    expected_returns: Mapping[str, object] | None = None,
    covariance: Sequence[Sequence[float]] | None = None,
    risk_aversion: float | None = None,
    horizon_days: object = 365,
    cash_return: object = 0,
) -> Rebalancing:
    """The orders that lead from the current weights to the target (seed 000).

    Without `expected_returns` and `covariance` the threshold decides: a name is traded all
    the way where its absolute deviation is at or above it. With one of them the costs
    decide instead: every trade goes as far as it earns its cost over the horizon, and
    never beyond the target.

    Parameters
    ----------
    current, target
        Weights by protocol, fractions of the total; a name that one leaves out has 0 there,
        and what the weights leave of 1 is cash.
    total_value
        Dollars, above 0.
    threshold
        A fraction of the total.
    trade
        ``"triggered"`` (the names that pass the threshold) or ``"all"`` (every name, once one passes).
    minimum_trade
        Dollars; a smaller trade is left out.
    max_transaction_size
        Dollars; a larger trade is split into equal orders.
    costs
        By protocol: a `TradingCost`, or a mapping with ``fixed`` (dollars) and ``proportional``
        (a fraction of the trade). Names left out trade for nothing.
    expected_returns
        By protocol, a fraction a year. Without them, and with a covariance, they are those
        for which the target is optimal: risk_aversion x covariance x target.
    covariance
        (n, n), of a year, in the order of `current`'s names and then those of `target` alone.
    risk_aversion
        gamma in ``returns - gamma / 2 x variance``; with a covariance only.
    horizon_days
        How long the trades have to earn their costs.
    cash_return
        What cash earns, a fraction a year.

    Raises
    ------
    InvalidInput
        Naming the argument, what was given and what is allowed.
    """
    value = read_decimal(total_value, "total_value")
    if value <= 0:
        raise InvalidInput(f"Total value must be positive, got {total_value}")
    if trade not in TRADES:
        raise InvalidInput(f"trade must be one of {', '.join(TRADES)}, got {trade!r}")
    least = _not_negative(minimum_trade, "minimum_trade")
    largest = (
        None if max_transaction_size is None else _not_negative(max_transaction_size, "max_transaction_size")
    )
    if largest is not None and largest < CENT:
        raise InvalidInput(f"max_transaction_size must be at least 0.01, got {max_transaction_size}")
    names = list(dict.fromkeys([*current, *target]))
    gaps = _gaps(names, current, target)
    prices = {name: _cost(name, cost) for name, cost in (costs or {}).items()}
    if expected_returns is None and covariance is None:
        chosen = _triggered(gaps, value, _not_negative(threshold, "threshold"), trade, least)
        rounding = dict.fromkeys(RebalanceAction, ROUND_HALF_EVEN)
    else:
        horizon = Horizon.read(
            names, target, expected_returns, covariance, risk_aversion, horizon_days, cash_return
        )
        now = [_weight(current, name, "current") for name in names]
        chosen = _Chosen(*affordable(names, now, gaps, value, prices, horizon, least))
        # What is sold pays for what is bought and for all costs, also after rounding.
        rounding = {RebalanceAction.DECREASE: ROUND_CEILING, RebalanceAction.INCREASE: ROUND_FLOOR}
    return _ordered(chosen, value, prices, largest, rounding)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """How far each name is traded (a signed fraction of the total), and what is left out."""

    moves: dict[str, Decimal]
    left_out: tuple[LeftOut, ...]


def _triggered(
    gaps: Mapping[str, Decimal], value: Decimal, threshold: Decimal, trade: str, least: Decimal
) -> _Chosen:
    passed = {name for name, gap in gaps.items() if abs(gap) >= threshold}
    if trade == "all" and passed:
        passed = set(gaps)
    moves: dict[str, Decimal] = {}
    left: list[LeftOut] = []
    for name, gap in gaps.items():
        size = abs(gap) * value
        if name not in passed:
            left.append(LeftOut(name, Amount(gap), f"{abs(gap):f} is under the threshold of {threshold:f}"))
        elif size < least or size < CENT / 2:
            under = f"the minimum trade of {_usd(least)}" if least else "a cent"
            left.append(LeftOut(name, Amount(gap), f"{_usd(size)} is under {under}"))
        else:
            moves[name] = gap
    return _Chosen(moves, tuple(left))


def _ordered(
    chosen: _Chosen,
    value: Decimal,
    prices: Mapping[str, TradingCost],
    largest: Decimal | None,
    rounding: Mapping[RebalanceAction, str],
) -> Rebalancing:
    orders: list[RebalanceOrder] = []
    paid = change = Amount(0)
    priority = 0
    for action in RebalanceAction:
        sign = -1 if action is RebalanceAction.DECREASE else 1
        side = {name: move for name, move in chosen.moves.items() if sign * move > 0}
        cents = apportion([abs(move) * value for move in side.values()], CENT, rounding[action])
        sized = sorted(zip(side.items(), cents, strict=True), key=lambda each: -abs(each[0][1]))
        for (name, _), count in sized:
            if not count:
                continue
            priority += 1
            cost = prices.get(name, TradingCost())
            paid += cost.fixed + cost.proportional * count * CENT
            change -= sign * count * CENT
            parts = _split(count, largest)
            orders += [
                RebalanceOrder(name, action, _dollars(part), priority, place, len(parts))
                for place, part in enumerate(parts, 1)
            ]
    return Rebalancing(tuple(orders), change, Amount.from_micro(paid.micro), chosen.left_out)


def _split(cents: int, largest: Decimal | None) -> list[int]:
    if largest is None or cents * CENT <= largest:
        return [cents]
    count = -(-cents // int(largest / CENT))
    each = -(-cents // count)
    parts = [each] * (cents // each)
    return [*parts, rest] if (rest := cents - sum(parts)) else parts


def _dollars(cents: int) -> Amount:
    """An amount that shows its cents."""
    return Amount(Decimal(cents).scaleb(-2))


def _gaps(
    names: Sequence[str], current: Mapping[str, object], target: Mapping[str, object]
) -> dict[str, Decimal]:
    gaps = {name: _weight(target, name, "target") - _weight(current, name, "current") for name in names}
    return {name: gap for name, gap in gaps.items() if gap}


def _weight(weights: Mapping[str, object], name: str, which: str) -> Decimal:
    weight = read_decimal(weights.get(name, 0), f"{which}[{name!r}]")
    if abs(weight) > LARGEST_WEIGHT:
        raise InvalidInput(
            f"{which}[{name!r}] must be a fraction of the total, got {weight:f}: did you mean {weight / 100:f}?"
        )
    return weight


def _not_negative(value: object, name: str) -> Decimal:
    number = read_decimal(value, name)
    if number < 0:
        raise InvalidInput(f"{name} must be 0 or more, got {value}")
    return number


def _cost(name: str, given: object) -> TradingCost:
    if isinstance(given, TradingCost):
        fixed, proportional = given.fixed, given.proportional
    elif isinstance(given, Mapping) and set(cast("Mapping[str, object]", given)) <= {"fixed", "proportional"}:
        parts = cast("Mapping[str, object]", given)
        fixed, proportional = parts.get("fixed", 0), parts.get("proportional", 0)
    else:
        raise InvalidInput(
            f"costs[{name!r}] must be a TradingCost or a mapping of fixed and proportional, got {given!r}"
        )
    share = _not_negative(proportional, f"costs[{name!r}].proportional")
    if share >= 1:
        raise InvalidInput(f"costs[{name!r}].proportional is a fraction below 1, got {proportional}")
    return TradingCost(Amount(_not_negative(fixed, f"costs[{name!r}].fixed")), Amount(share))


def _usd(dollars: Decimal) -> str:
    return usd(to_micro(dollars))
