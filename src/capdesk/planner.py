"""The planner: what needs no ledger. Shares of a total, scaled by market risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capdesk.config import RiskConfig
from capdesk.decide.risk.gate import assess
from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM, Amount, read_decimal, to_micro, to_micro_down
from capdesk.model.rules import VOLATILITY_STATES, MarketState, RiskTable

_METRICS = ("volatility_state", "gas_price_gwei", "circuit_breaker_triggered")


def allocate_risk_adjusted_capital(
    total_capital: object,
    allocation: Mapping[str, object],
    risk_metrics: Mapping[str, Any],
    table: RiskTable | None = None,
) -> dict[str, Amount]:
    """Dollars for each protocol: total x weight x the multiplier of the market's state (seed 000).

    Parameters
    ----------
    total_capital
        Dollars, above 0.
    allocation
        Weights by protocol, as fractions that add up to 1 at most.
    risk_metrics
        ``volatility_state`` (low, medium, high, extreme), ``gas_price_gwei`` and
        ``circuit_breaker_triggered``; a missing state fails closed, without a gas price none is paid.
    table
        The risk table; the default one without it.

    Raises
    ------
    InvalidInput
        For a total that is not positive, negative weights or gas, or a state that does not exist.
    """
    total = to_micro_down(total_capital, "total_capital")
    if total <= 0:
        raise InvalidInput(f"Total capital must be positive, got {total_capital}")
    unknown = set(risk_metrics) - set(_METRICS)
    if unknown:
        raise InvalidInput(f"risk_metrics may have {', '.join(_METRICS)}, got {', '.join(sorted(unknown))}")
    state = risk_metrics.get("volatility_state")
    if state is not None and state not in VOLATILITY_STATES:
        raise InvalidInput(f"volatility_state must be one of {', '.join(VOLATILITY_STATES)}, got {state!r}")
    gas = risk_metrics.get("gas_price_gwei")
    price = None if gas is None else to_micro(gas, "gas_price_gwei")
    if price is not None and price < 0:
        raise InvalidInput(f"gas_price_gwei must be 0 or more, got {gas}")
    breaker = risk_metrics.get("circuit_breaker_triggered", False)
    if not isinstance(breaker, bool):
        raise InvalidInput(f"circuit_breaker_triggered must be True or False, got {breaker!r}")
    market = MarketState(volatility_state=state, gas_price=price, breaker=breaker)
    risk = assess(RiskConfig().compiled() if table is None else table, market, 0, pays_gas=gas is not None)
    return _share_out(total * risk.market_ppm // PPM * risk.gas_ppm // PPM, allocation)


def _share_out(total: int, allocation: Mapping[str, object]) -> dict[str, Amount]:
    weights = {
        name: Amount(read_decimal(weight, f"the weight of {name}")) for name, weight in allocation.items()
    }
    negative = [name for name, weight in weights.items() if weight < 0]
    if negative or sum(weights.values()) > 1:
        raise InvalidInput(f"weights must be 0 or more and add up to 1 at most, got {dict(allocation)}")
    exact = {name: total * weight for name, weight in weights.items()}
    parts = {name: int(amount) for name, amount in exact.items()}
    spare = int(sum(exact.values())) - sum(parts.values())
    for name in sorted(exact, key=lambda name: parts[name] - exact[name])[:spare]:
        parts[name] += 1
    return {name: Amount.from_micro(part) for name, part in parts.items()}
