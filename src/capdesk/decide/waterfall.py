"""The waterfall from bankroll to positions: each reduction stands there once, with its one cause."""

from __future__ import annotations

from msgspec import Struct

from capdesk.decide.review import current_budgets, deployable
from capdesk.decide.risk.gate import why
from capdesk.decide.sleeves import compounding_base
from capdesk.model.money import PPM, Amount, usd
from capdesk.model.rules import Budget
from capdesk.model.state import State


class Step(Struct, frozen=True):
    """One line of the waterfall.

    Attributes
    ----------
    level
        0 for the desk, 1 for a sleeve, 2 for what a sleeve does with its budget.
    amount
        Dollars that remain after this step.
    change
        What the step took (negative) or added; 0 where it only names an amount.
    cause
        The one reason for the change; empty without one.
    """

    level: int
    name: str
    amount: Amount
    change: Amount
    cause: str = ""


class Audit(Struct, frozen=True):
    """The waterfall and seed 003's three verification metrics.

    Attributes
    ----------
    capital_utilization
        Sum of positions / total capital, as a fraction.
    strategy_performance
        Actual / expected return of each strategy whose sleeve names an expected return.
    strategy_capital_variance
        Population variance of the sleeves' capital, in dollars squared.
    """

    steps: tuple[Step, ...]
    capital_utilization: Amount
    strategy_performance: dict[str, Amount]
    strategy_capital_variance: Amount
    sequence: int


def audit(state: State, at: int) -> Audit:
    """Follow the money from the bankroll to the positions."""
    budgets = current_budgets(state, at)
    steps = [*_desk_steps(state, at, budgets)]
    for budget in budgets:
        steps += _sleeve_steps(state, budget)
    outside = state.allocated - sum(state.by_sleeve[budget.sleeve] for budget in budgets)
    if not budgets:
        steps += _use_steps(1, "", state.allocated, _reserved(state, None), None)
    elif outside:
        steps.append(_step(1, "outside the sleeves", outside, 0, "granted under earlier rules"))
    total = state.equity
    return Audit(
        steps=tuple(steps),
        capital_utilization=Amount(state.allocated) / total if total > 0 else Amount(0),
        strategy_performance=_performance(state, budgets),
        strategy_capital_variance=_variance([budget.amount for budget in budgets]),
        sequence=state.sequence,
    )


def _desk_steps(state: State, at: int, budgets: tuple[Budget, ...]) -> list[Step]:
    mandate = state.mandate
    equity = state.equity
    steps = [Step(0, "bankroll", _usd(state.bankroll), Amount(0))]
    if state.mark_excess:
        steps.append(_step(0, "equity", equity, state.mark_excess, "open allocations at their marks"))
    if not mandate.sleeves:
        capped = max(0, equity) * mandate.total_percent_ppm // PPM
        share = f"{mandate.total_percent_ppm / 10_000:g} %"
        steps.append(_step(0, "total limit", capped, capped - equity, f"{share} of equity may be at work"))
        scaled = deployable(state, max(0, equity), at)
        if scaled != capped:
            steps.append(_step(0, "risk multiplier", scaled, scaled - capped, why(state, at)))
        return steps
    base = compounding_base(equity, state.deposits - state.withdrawals, mandate.compounding)
    if base != equity:
        steps.append(
            _step(
                0,
                "compounding",
                base,
                base - equity,
                f"compounding is {mandate.compounding}: profit kept out"
                if equity > 0
                else "a loss beyond the bankroll is nobody's share",
            )
        )
    reserve = base * mandate.reserve_ppm // PPM
    left = base - reserve
    if reserve:
        steps.append(_step(0, "reserve", left, -reserve, f"{mandate.reserve_ppm / 10_000:g} % in reserve"))
    shares = sum(budget.share for budget in budgets)
    if shares != left:
        steps.append(_step(0, "no sleeve's", shares, shares - left, "belongs to no sleeve"))
    before, after = (sum(getattr(budget, field) for budget in budgets) for field in ("before", "amount"))
    if before != shares:
        steps.append(_step(0, "caps and minimums", before, before - shares, "see the sleeves"))
    if after != before:
        steps.append(_step(0, "risk multiplier", after, after - before, why(state, at)))
    most = deployable(state, max(0, equity), at)
    if most < after:
        share = f"{mandate.total_percent_ppm / 10_000:g} %"
        steps.append(_step(0, "total limit", most, most - after, f"{share} of equity may be at work"))
    return steps


def _sleeve_steps(state: State, budget: Budget) -> list[Step]:
    sleeve = next(sleeve for sleeve in state.mandate.sleeves if sleeve.name == budget.sleeve)
    steps = [_step(1, budget.sleeve, budget.share, 0, "")]
    if not budget.enabled:
        steps.append(
            _step(2, "disabled", 0, -budget.share, f"under its minimum of {usd(sleeve.minimum)}, or paused")
        )
    elif budget.before < budget.share:
        steps.append(
            _step(2, "cap", budget.before, budget.before - budget.share, f"capped at {usd(sleeve.cap or 0)}")
        )
    elif budget.before > budget.share:
        more = budget.before - budget.share
        steps.append(_step(2, "shared", budget.before, more, "what idle sleeves left"))
    if budget.amount != budget.before:
        factor = f"x {budget.multiplier_ppm / PPM:g}"
        steps.append(_step(2, "risk multiplier", budget.amount, budget.amount - budget.before, factor))
    used = state.by_sleeve[budget.sleeve]
    return steps + _use_steps(2, budget.sleeve, used, _reserved(state, budget.sleeve), budget.amount)


def _use_steps(level: int, sleeve: str, used: int, reserved: int, budget: int | None) -> list[Step]:
    steps: list[Step] = []
    if budget is not None:
        cause = "not in use" if used <= budget else "above the budget: to be given back"
        steps.append(_step(level, "granted", used, used - budget, cause if used != budget else ""))
    else:
        steps.append(_step(level, "granted", used, 0, ""))
    if reserved:
        steps.append(_step(level, "positions", used - reserved, -reserved, "reserved, not confirmed"))
    else:
        steps.append(_step(level, "positions", used, 0, ""))
    return steps


def _reserved(state: State, sleeve: str | None) -> int:
    return sum(
        position.amount
        for _, position in state.positions.entries()
        if position is not None
        and position.lease_until is not None
        and (sleeve is None or position.sleeve == sleeve)
    )


def _performance(state: State, budgets: tuple[Budget, ...]) -> dict[str, Amount]:
    expected = {sleeve.name: sleeve.expected_return_ppm for sleeve in state.mandate.sleeves}
    ratios: dict[str, Amount] = {}
    for budget in budgets:
        wanted = expected[budget.sleeve]
        if wanted and budget.before:
            earned = Amount(state.earned[budget.sleeve]) / budget.before
            ratios[budget.sleeve] = earned * PPM / wanted
    return ratios


def _variance(micro: list[int]) -> Amount:
    if not micro:
        return Amount(0)
    mean = Amount(sum(micro)) / len(micro)
    return sum(((amount - mean) ** 2 for amount in micro), Amount(0)) / len(micro) / PPM / PPM


def _usd(micro: int) -> Amount:
    return Amount.from_micro(micro)


def _step(level: int, name: str, amount: int, change: int, cause: str) -> Step:
    return Step(level, name, _usd(amount), _usd(change), cause)
