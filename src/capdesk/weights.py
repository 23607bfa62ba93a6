"""The public door of planning weights: one call for every strategy, one plan back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from capdesk._version import __version__
from capdesk.decide.weights import rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.certificate import certify
from capdesk.decide.weights.choosing import preselected
from capdesk.decide.weights.constraints import Constraints, Exposure, Group
from capdesk.decide.weights.inputs import FULLY_CHECKED
from capdesk.decide.weights.optimum import Found
from capdesk.decide.weights.plugged import fitted, is_estimator
from capdesk.decide.weights.problem import Covariance
from capdesk.decide.weights.reading_limits import read_limits
from capdesk.decide.weights.reading_names import read_names
from capdesk.decide.weights.relaxing import confirmed
from capdesk.decide.weights.strategies import STRATEGIES, decided
from capdesk.model.errors import InfeasibleError, InvalidInput, RulesWarning
from capdesk.model.money import Amount, Number
from capdesk.model.plans import AllocationStrategy, Plan
from capdesk.model.shares import Shares

__all__ = ["Constraints", "Exposure", "Group", "plan_weights"]

UNTESTED = (
    "the covariance of {count} names was not shown to be positive semidefinite: repair=True shows it, "
    "factors need not be shown"
)
_NO_CONSTRAINTS = Constraints()


def plan_weights(
    names: Sequence[str],
    strategy: AllocationStrategy | str | Any,
    *,
    mean: Any = None,
    covariance: Any = None,
    factors: Any = None,
    returns: Any = None,
    prices: Any = None,
    risk_scores: Any = None,
    constraints: Constraints = _NO_CONSTRAINTS,
    current: Mapping[str, Number] | None = None,
    risk_aversion: float | None = None,
    risk_free_rate: Number = 0,
    estimator: str = "sample",
    half_life: float | None = None,
    factor_count: int | None = None,
    repair: bool = False,
    risk_budgets: Any = None,
    tail: float = 0.05,
    linkage: str = "single",
    distance: str = "lopez_de_prado",
    optimal_order: bool = False,
    views: Any = None,
    confidences: Any = None,
    market_weights: Any = None,
    tau: float = 0.05,
    probabilities: Any = None,
    bet_prices: Any = None,
    fees: Any = 0,
    odds: Any = None,
    outcomes: Any = None,
    fraction: float = 0.5,
    deviations: Any = None,
    observations: int | None = None,
    drawdown: tuple[float, float] | None = None,
) -> Plan:
    """Decide which share of the capital each name should have.

    Parameters
    ----------
    names
        The n names, once each.
    strategy
        The name of a strategy, or an object with ``fit(X)`` and ``weights_``.
    mean
        Expected returns, (n,): by name, or in the order of the names. For one period, as all inputs.
    covariance
        (n, n): an array, or a table whose columns are the names.
    factors
        ``(loadings (n, k), specific variances (n,))``, or with the factors' covariance (k, k) between.
    returns, prices
        (T, n), oldest first: an array, or a table (pandas, polars) with a column for each name.
    risk_scores
        Above 0, by name or in order. Without a covariance they are taken as volatilities.
    constraints
        The limits; they go into the optimisation.
    current
        The weights now, by name, where trades and turnover count from.
    risk_aversion
        The factor of half the variance in a utility; without it mean-variance is the maximum Sharpe ratio.
    risk_free_rate
        A fraction for one period.
    estimator, half_life, factor_count
        How a covariance is estimated from returns: ``sample``, ``exponential`` (with a half-life in
        rows), ``ledoit_wolf``, ``ledoit_wolf_identity`` or ``factor_model`` (with its number of factors).
    repair
        Replace a covariance that is not positive semidefinite by the nearest one that is.
    risk_budgets
        For ``risk_parity``: shares of the risk, above 0, by name or in order; equal without them.
    tail
        For ``min_cvar``: the share of the scenarios that is the tail; 0.05 is CVaR 95 %.
    linkage, distance, optimal_order
        For ``hierarchical_risk_parity``: how clusters are joined, by which distance, and whether
        the tree's sides are turned so that neighbours are near.
    views, confidences, market_weights, tau
        For ``black_litterman``: views as ``({name: share}, expected excess return)`` or a `Views`,
        how far each is trusted (0 to 1), the market's weights, and how uncertain the prior is.
    probabilities, bet_prices, fees, odds
        For ``kelly_criterion`` on two-way bets: the chance of winning, what one unit of payout costs
        and the fee on it, or what one unit staked wins.
    outcomes
        For ``kelly_criterion`` on bets that hang together: net returns (S, n) in each scenario, with
        `probabilities` (S,).
    fraction
        The part of full Kelly that is staked; it is applied to the answer before limits are met.
    deviations, observations, drawdown
        Shrink Kelly stakes for the standard deviations of the probabilities, or for means from so
        many rows; bound the drawdown: ``(0.7, 0.1)`` keeps 70 % of the bankroll with 90 % chance.

    Returns
    -------
    Plan
        Weights that add up exactly, with binding limits, certificate and evidence.

    Raises
    ------
    InvalidInput
        For an unknown strategy, an input that is missing or cannot be used.
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where an answer cannot be proven right.

    Notes
    -----
    The weights add up to the budget, or to the largest sum that the limits allow; the rest is
    cash. Where no weights have a positive excess return, ``max_sharpe`` takes the minimum
    variance and says so in the plan's notes; where all means are equal it is the minimum variance.
    """
    read = read_names(names)
    given = {
        "mean": mean,
        "covariance": covariance,
        "factors": factors,
        "returns": returns,
        "prices": prices,
        "risk_scores": risk_scores,
        "risk_aversion": risk_aversion,
        "risk_free_rate": risk_free_rate,
        "estimator": estimator,
        "half_life": half_life,
        "factor_count": factor_count,
        "repair": repair,
        "risk_budgets": risk_budgets,
        "tail": tail,
        "linkage": linkage,
        "distance": distance,
        "optimal_order": optimal_order,
        "views": views,
        "confidences": confidences,
        "market_weights": market_weights,
        "tau": tau,
        "probabilities": probabilities,
        "bet_prices": bet_prices,
        "fees": fees,
        "odds": odds,
        "outcomes": outcomes,
        "fraction": fraction,
        "deviations": deviations,
        "observations": observations,
        "drawdown": drawdown,
    }
    if not isinstance(constraints, Constraints):
        raise InvalidInput(f"constraints must be Constraints(...), got {type(constraints).__name__}")
    called = strategy if isinstance(strategy, str) else type(strategy).__name__
    asked = Asked(str(called), read, read_limits(read, constraints, current), given)
    try:
        found = _decided(asked, strategy)
    except InfeasibleError as error:
        raise confirmed(error, read, constraints, current) from error
    for warning in found.warnings:
        warnings.warn(warning, RulesWarning, stacklevel=2)
    return as_plan(asked, found)


def as_plan(asked: Asked, found: Found) -> Plan:
    """The plan that weights with their evidence make.

    Raises
    ------
    CertificateError
        Where the evidence does not prove them.
    """
    certificate = certify(found.evidence)
    budget = asked.limits.budget
    return Plan(
        strategy=asked.strategy,
        weights=Shares(asked.names, found.evidence.weights),
        cash=Amount.from_nano(budget - int(np.add.reduce(found.evidence.weights))),
        budget=Amount.from_nano(budget),
        certificate=certificate,
        evidence=found.evidence,
        solver=found.solver,
        version=__version__,
        notes=(*found.notes, *_untested(asked)),
    )


def _untested(asked: Asked) -> tuple[str, ...]:
    """What a certificate rests on and was not looked at."""
    count = len(asked.names)
    given = asked.option("covariance")
    if count <= FULLY_CHECKED or given is None or isinstance(given, Covariance) or asked.option("repair"):
        return ()
    return (UNTESTED.format(count=count),)


def _decided(asked: Asked, strategy: AllocationStrategy | str | Any) -> Found:
    named = isinstance(strategy, str)
    if not (strategy in STRATEGIES if named else is_estimator(strategy)):
        raise InvalidInput(
            f"strategy must be one of {', '.join(STRATEGIES)}, or an object with fit(X) and weights_; got {strategy!r}"
        )
    if not asked.names:
        return rules.nothing(asked.limits)
    if named:
        return decided(asked)
    if asked.limits.discrete:
        return preselected(asked.limits, lambda limits: fitted(replace(asked, limits=limits), strategy))
    return fitted(asked, strategy)
