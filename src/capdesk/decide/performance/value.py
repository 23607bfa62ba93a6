"""Dollars beside returns: the value at the end, what of it is at work, the return of the money in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import expm1, log1p

from capdesk.decide.performance.growth import DIGITS, money_weighted, value_after
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, read_decimal


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of the dollars; None where what was passed in does not say it."""

    total: Amount | None
    utilization: Amount | None
    allocations: dict[str, Amount]
    weighted: float | None
    undefined: tuple[str, ...]


def value_of(
    returns: Sequence[Decimal],
    initial_value: object,
    total_value: object,
    flows: Iterable[object] | None,
    allocations: Mapping[str, object] | None,
    per_year: float,
) -> Value:
    """The dollars of a series of returns; see `calculate_efficiency_metrics`.

    Raises
    ------
    InvalidInput
        For negative values, flows that are not one for each period, or that nothing began.
    """
    initial = _dollars(initial_value, "initial_value")
    total = _dollars(total_value, "total_value")
    paid = _flows(flows, len(returns))
    if flows is not None and initial is None:
        raise InvalidInput("flows need an initial_value (0 where the first flow is the beginning)")
    if total is None and initial is not None:
        total = value_after(initial, paid, returns)
    held = {
        name: Amount(_dollars(each, f"allocations[{name!r}]")) for name, each in (allocations or {}).items()
    }
    used = None
    if total and allocations is not None:
        used = Amount(DIGITS.divide(Decimal(sum(held.values(), Amount(0))), total))
    weighted = None
    if flows is not None and initial is not None and total is not None:
        rate = money_weighted(initial, paid, total)
        weighted = None if rate is None or rate <= -1 else expm1(log1p(rate) * per_year)
    missing = (
        *(["total_value"] if total is None else []),
        *(["capital_utilization"] if used is None else []),
        *(["money_weighted_return"] if flows is not None and weighted is None else []),
    )
    return Value(None if total is None else Amount(total), used, held, weighted, missing)


def _flows(flows: Iterable[object] | None, periods: int) -> list[Decimal]:
    if flows is None:
        return [Decimal(0)] * periods
    paid = [read_decimal(each, f"flows[{place}]") for place, each in enumerate(flows)]
    if len(paid) != periods:
        raise InvalidInput(f"flows must be one for each of the {periods} periods, got {len(paid)}")
    return paid


def _dollars(value: object, name: str) -> Decimal | None:
    if value is None:
        return None
    number = read_decimal(value, name)
    if number < 0:
        raise InvalidInput(f"{name} must be 0 or more, got {value}")
    return number
