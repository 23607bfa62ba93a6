"""The risk gate: the state of the market to one multiplier.

By a table (seed 000: volatility low 1.0, medium 0.8, high 0.6, extreme 0.3; gas above 50
gwei 0.9, above 100 gwei 0.7; a breaker 0), or by scaling towards a target volatility:
``multiplier = min(1, target / realised)`` with hysteresis and a limit on its change a day.
"""

from __future__ import annotations

from capdesk.decide.risk.volatility import volatility_state
from capdesk.model.errors import InvalidInput
from capdesk.model.mandate import DAY, Mandate
from capdesk.model.money import PPM
from capdesk.model.rules import VOLATILITY_STATES, MarketState, Risk, RiskStep, RiskTable, Sleeve
from capdesk.model.state import State


def assess(
    table: RiskTable, market: MarketState, at: int, before: Risk | None = None, *, pays_gas: bool
) -> Risk:
    """What a market state makes of the budgets; a figure that the table asks for and nobody knows fails closed.

    Parameters
    ----------
    before
        The multiplier in force, for the hysteresis of mode ``target``; None for none yet.
    pays_gas
        Whether the gas price matters to anybody.

    Raises
    ------
    InvalidInput
        For a state of volatility that does not exist.
    """
    seen = at if market.at is None else market.at
    gas_ppm, gas_reason = (
        step_multiplier(table.gas, market.gas_price, "gas price in gwei") if pays_gas else (PPM, "")
    )
    if market.breaker:
        base = lowest_multiplier(table) if before is None or before.observed_at == 0 else before.base_ppm
        return Risk(0, gas_ppm, seen, "a circuit breaker is triggered: x 0", market, base)
    if table.mode == "target":
        market_ppm, reason = _towards_target(table, market, seen, before)
    else:
        market_ppm, reason = _by_table(table, market)
    factor, why = step_multiplier(table.correlation, market.correlation_ppm, "mean correlation")
    scaled = market_ppm * factor // PPM
    return Risk(scaled, gas_ppm, seen, reason + why + gas_reason, market, market_ppm)


def _by_table(table: RiskTable, market: MarketState) -> tuple[int, str]:
    state = market.volatility_state
    if state is None and market.volatility_ppm is not None:
        state = volatility_state(market.volatility_ppm, table)
    if state is None:
        lowest = lowest_multiplier(table)
        return lowest, f"the volatility is not known: x {_factor(lowest)}, the lowest of the table"
    if state not in VOLATILITY_STATES:
        raise InvalidInput(f"volatility_state must be one of {', '.join(VOLATILITY_STATES)}, got {state!r}")
    ppm: int = getattr(table, state)
    return ppm, f"volatility {state}: x {_factor(ppm)}"


def _towards_target(table: RiskTable, market: MarketState, seen: int, before: Risk | None) -> tuple[int, str]:
    realised = market.volatility_ppm
    if realised is None:
        lowest = lowest_multiplier(table)
        if before is not None and before.base_ppm < lowest:
            return before.base_ppm, f"the volatility is not known: x {_factor(before.base_ppm)} kept"
        return lowest, f"the volatility is not known: x {_factor(lowest)}, the lowest of the table"
    wanted = PPM if realised <= table.target_ppm else table.target_ppm * PPM // realised
    if before is None or before.observed_at == 0:
        return wanted, f"volatility {_factor(realised)} against a target of {_factor(table.target_ppm)}"
    now = before.base_ppm
    if abs(wanted - now) * PPM < table.hysteresis_ppm * max(now, 1):
        return now, f"x {_factor(now)} kept: x {_factor(wanted)} is within the hysteresis"
    most = table.daily_change_ppm * max(0, seen - before.observed_at) // DAY
    moved = max(now - most, min(now + most, wanted))
    return moved, f"x {_factor(moved)} on the way to x {_factor(wanted)}"


def step_multiplier(steps: tuple[RiskStep, ...], figure: int | None, what: str) -> tuple[int, str]:
    """The multiplier of the highest step that a figure is above, and what to say of it; unknown, the lowest."""
    if figure is None:
        lowest = lowest_step(steps)
        return lowest, f"; the {what} is not known: x {_factor(lowest)}, the lowest step" if steps else ""
    for step in sorted(steps, key=lambda step: -step.above):
        if figure > step.above:
            return (
                step.multiplier_ppm,
                f"; {what} above {_factor(step.above)}: x {_factor(step.multiplier_ppm)}",
            )
    return PPM, ""


def lowest_step(steps: tuple[RiskStep, ...]) -> int:
    """The least multiplier of some steps; 1 where there are none."""
    return min((step.multiplier_ppm for step in steps), default=PPM)


def lowest_multiplier(table: RiskTable) -> int:
    """The least of the table's states: what holds when the market is not known."""
    return min(table.low, table.medium, table.high, table.extreme)


def closed_multiplier(table: RiskTable) -> int:
    """What holds while nothing of the market is known."""
    return lowest_multiplier(table) * lowest_step(table.correlation) // PPM


def market_multiplier(state: State, at: int) -> int:
    """The multiplier in force for everything, parts per million.

    A missing or stale state fails closed: the lowest of the table, or what was seen last where
    that was lower still.
    """
    table = state.mandate.risk
    if table is None:
        return PPM
    if is_stale(state, at):
        return min(closed_multiplier(table), state.risk.market_ppm)
    return state.risk.market_ppm


def gas_multiplier(state: State, at: int) -> int:
    """The further multiplier of the sleeves that pay gas; it fails closed in the same way."""
    table = state.mandate.risk
    if table is None:
        return PPM
    if is_stale(state, at):
        return min(lowest_step(table.gas), state.risk.gas_ppm)
    return state.risk.gas_ppm


def is_stale(state: State, at: int) -> bool:
    """Whether the market's state is missing, or older than the mandate allows."""
    table, seen = state.mandate.risk, state.risk.observed_at
    if table is None:
        return False
    return seen == 0 or (table.stale_after is not None and at - seen > table.stale_after)


def sleeve_multiplier(state: State, sleeve: Sleeve, at: int) -> int:
    """The multiplier in force for one sleeve: the market's, and gas where the sleeve pays it."""
    if state.breakers.any():
        return 0
    market = market_multiplier(state, at)
    return market * gas_multiplier(state, at) // PPM if sleeve.pays_gas else market


def budget_multiplier(state: State, at: int) -> int:
    """What scales budgets and the deployable total; 1 where volatility acts on the market limits.

    A tripped breaker is 0 in either case.
    """
    if state.breakers.any():
        return 0
    return market_multiplier(state, at) if acts_on(state.mandate) == "budgets" else PPM


def market_limit_multiplier(state: State, sleeve: Sleeve | None, at: int) -> int:
    """What scales the limits of the markets; 1 where the multiplier acts on the budgets."""
    if acts_on(state.mandate) == "budgets":
        return PPM
    return market_multiplier(state, at) if sleeve is None else sleeve_multiplier(state, sleeve, at)


def why(state: State, at: int) -> str:
    """What the multiplier in force comes from; empty where nothing scales."""
    stops = [breaker.reason for _, breaker in sorted(state.breakers.entries()) if breaker is not None]
    if stops:
        return f"x 0: {'; '.join(stops)}"
    table = state.mandate.risk
    if table is None:
        return ""
    if is_stale(state, at):
        factor, gas = market_multiplier(state, at), gas_multiplier(state, at)
        least = ", as it was seen last" if factor < closed_multiplier(table) else ", the lowest of the table"
        more = f"; x {_factor(gas)} more where gas is paid" if gas < PPM and pays_gas(state.mandate) else ""
        return f"the market state is missing or stale: x {_factor(factor)}{least}{more}"
    return state.risk.reason


def pays_gas(mandate: Mandate) -> bool:
    """Whether any sleeve pays gas."""
    return any(sleeve.pays_gas for sleeve in mandate.sleeves)


def acts_on(mandate: Mandate) -> str:
    """The one place where the multiplier acts."""
    return "budgets" if mandate.risk is None else mandate.risk.acts_on


def _factor(ppm: int) -> str:
    return f"{ppm / PPM:g}"
