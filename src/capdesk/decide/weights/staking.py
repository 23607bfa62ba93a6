"""Kelly's strategies as plans: bets open at the same time, bets that hang together, returns that move.

The fraction is applied to the answer and the limits to what is staked: of stakes x = fraction v
the growth E log(1 + R'v) is maximised. For returns that move continuously that is a quadratic
problem, ``mean'x - x' Sigma x / (2 fraction)``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from msgspec import structs

from capdesk.decide.weights import choosing, inputs, kelly, kelly_bets, quadratic, rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.growth import IndependentBets, Scenarios, Wealth
from capdesk.decide.weights.growth_optimum import LEFT
from capdesk.decide.weights.limits import Limits, Whole
from capdesk.decide.weights.mending import broken
from capdesk.decide.weights.optimum import Found, finish
from capdesk.decide.weights.problem import Array
from capdesk.decide.weights.statement import Statement, no_risk, state
from capdesk.model.errors import CertificateError, InvalidInput
from capdesk.model.evidence import Label
from capdesk.model.money import NANO, read_decimal

_NEEDED = (
    "kelly_criterion needs probabilities with bet_prices or odds (bets), probabilities with outcomes "
    "(scenarios), or expected returns with a covariance"
)

_MOST_UNITS = 10


def kelly_criterion(asked: Asked) -> Found:
    """Stakes in the fraction of full Kelly that was asked for."""
    fraction = float(asked.option("fraction"))
    if not 0 < fraction <= 1:
        raise InvalidInput(
            f"fraction is the part of full Kelly that is staked: above 0, at most 1, got {fraction:g}"
        )
    if asked.has("outcomes"):
        return _scenarios(asked, fraction)
    if asked.has("bet_prices", "odds"):
        return _bets(asked, fraction)
    if asked.has("probabilities"):
        raise InvalidInput(_NEEDED)
    return _continuous(asked, fraction)


def _continuous(asked: Asked, fraction: float) -> Found:
    covariance, notes = asked.risk
    excess = asked.mean - float(read_decimal(asked.option("risk_free_rate"), "risk_free_rate"))
    rows = asked.option("observations")
    if rows is not None:
        fraction *= kelly.continuous_shrinkage(covariance, excess, rows)
    if asked.has("drawdown"):
        depth, probability = _drawdown(asked)
        fraction = min(fraction, kelly.fraction_for_drawdown(depth, probability))
    if fraction <= 0:
        return rules.by_targets(asked.limits, np.zeros(len(asked.names)))
    found = choosing.best(asked.limits, covariance, 1 / fraction, -excess, invest=False)
    said = f"{fraction:.6g} of full Kelly, applied before the limits"
    return replace(found, notes=(*notes, said, *found.notes))


def _bets(asked: Asked, fraction: float) -> Found:
    names = asked.names
    if not asked.has("probabilities"):
        raise InvalidInput(_NEEDED)
    chances = inputs.vector(asked.option("probabilities"), names, "probabilities")
    fees = asked.option("fees")
    fee = (
        inputs.vector(fees, names, "fees")
        if not isinstance(fees, int | float)
        else np.full(len(names), float(fees))
    )
    if asked.has("odds"):
        costs = np.array([kelly.cost_at(each) for each in inputs.vector(asked.option("odds"), names, "odds")])
    else:
        paid = inputs.vector(asked.option("bet_prices"), names, "bet_prices")
        costs = np.array([kelly.cost_of(price, own) for price, own in zip(paid, fee, strict=True)])
    if asked.has("deviations"):
        spread = inputs.vector(asked.option("deviations"), names, "deviations")
        factors = [kelly.binary_shrinkage(*each) for each in zip(chances, costs, spread, strict=True)]
        # A chance drawn towards its price shrinks the stake (p - c) / (1 - c) by the same factor.
        chances = costs + np.array(factors) * (chances - costs)
    return _staked(asked, fraction, costs[None, :], chances, independent=True)


def _scenarios(asked: Asked, fraction: float) -> Found:
    outcomes = inputs.table(asked.option("outcomes"), asked.names, "outcomes")
    given = asked.option("probabilities")
    chances = np.full(len(outcomes), 1 / len(outcomes)) if given is None else np.asarray(given, float)
    return _staked(asked, fraction, outcomes, chances, independent=False)


def _staked(asked: Asked, fraction: float, scenarios: Array, chances: Array, *, independent: bool) -> Found:
    limits = asked.limits
    statement = state(
        limits, no_risk(len(limits.names)), 0.0, np.zeros(len(limits.names)), limits.budget, exact=False
    )
    exponent = kelly.risk_exponent(*_drawdown(asked)) if asked.has("drawdown") else None
    try:
        if independent:
            stakes = kelly_bets.independent(
                chances, scenarios[0], fraction=fraction, limits=statement.problem, exponent=exponent
            )
        else:
            stakes = kelly_bets.joint(
                chances, scenarios, fraction=fraction, limits=statement.problem, exponent=exponent
            )
    except quadratic.NotSolved as failure:
        raise CertificateError(f"no stakes were proven right: {failure}") from failure
    statement = _solvent(statement, stakes.ruinous, fraction)
    solution = replace(stakes.solution, x=stakes.solution.x * fraction)
    wealth = IndependentBets(chances, scenarios[0]) if independent else Scenarios(chances, scenarios)
    count = len(limits.names)
    gradient = statement.problem.linear.copy()
    gradient[:count] -= wealth.growth(stakes.solution.x[:count]).gradient
    if exponent is not None:
        risk = wealth.drawdown_risk(stakes.stakes, exponent)
        gradient[:count] += fraction * stakes.drawdown_price * risk.gradient
    # To the nearest billionth the sum could be that of a stake that loses all.
    total = int(stakes.stakes.sum() * NANO + 1e-4) if len(stakes.ruinous) else None
    if exponent is not None:
        # Nor may one unit more than the optimum break the drawdown bound: every stake is rounded to less.
        less = np.sign(stakes.stakes) * np.floor(np.abs(stakes.stakes) * NANO + 1e-4)
        total = min(limits.budget, int(less.sum()))
    found = finish("growth", limits, statement, solution, total, gradient)
    notes = (f"{fraction:g} of full Kelly, applied before the limits; growth {stakes.growth:.9g} a round",)
    if exponent is not None:
        bound = "the drawdown bound binds" if stakes.drawdown_price else "the drawdown bound does not bind"
        notes += (bound,)
    units = found.evidence.weights
    if exponent is not None:
        units = _within_drawdown(units, wealth, exponent, limits)
    proof = structs.replace(
        found.evidence,
        weights=units,
        slope=fraction,
        scenarios=scenarios,
        chances=chances,
        tail=float(independent),
        exponent=exponent or 0.0,
        drawdown_price=stakes.drawdown_price,
    )
    return Found(proof, found.solver, notes)


def _within_drawdown(units: Whole, wealth: Wealth, exponent: float, limits: Limits) -> Whole:
    """Units that meet the drawdown bound, by single units of what raises the risk most and no limit holds."""
    for _ in range(_MOST_UNITS * len(units)):
        risk = wealth.drawdown_risk(units / NANO, exponent)
        moved = _less_risky(units, risk.gradient, limits) if risk.value > 0 else None
        if moved is None:
            break
        units = moved
    return units


def _less_risky(units: Whole, slope: Array, limits: Limits) -> Whole | None:
    """The units after the best move by one that keeps the limits; None where there is none."""
    steps = -np.sign(slope).astype(np.int64)
    for place in np.argsort(-np.abs(slope), kind="stable"):
        moved = units.copy()
        moved[place] += steps[place]
        within = limits.lower[place] <= moved[place] <= limits.upper[place] and moved.sum() <= limits.budget
        if steps[place] and within and (limits.simple or not broken(moved, limits)):
            return moved
    return None


def _solvent(statement: Statement, ruinous: Array, fraction: float) -> Statement:
    """The statement with a row for each outcome that more stakes would ruin: it leaves the least there may be."""
    problem = statement.problem
    rows, limits = problem.inequalities
    padded = np.zeros((len(ruinous), rows.shape[1]))
    padded[:, : ruinous.shape[1]] = ruinous
    most = fraction * (1 - LEFT)
    kept = Label("solvency", "", most)
    return replace(
        statement,
        problem=replace(
            problem,
            inequalities=(np.vstack([rows, padded]), np.append(limits, np.full(len(ruinous), most))),
        ),
        inequality_labels=(*statement.inequality_labels, *[kept] * len(ruinous)),
    )


def _drawdown(asked: Asked) -> tuple[float, float]:
    given = asked.option("drawdown")
    if not isinstance(given, tuple | list) or len(given) != 2:  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidInput(
            "drawdown must be (part of the bankroll that is kept, probability of falling under it)"
        )
    return float(given[0]), float(given[1])  # pyright: ignore[reportUnknownArgumentType]
