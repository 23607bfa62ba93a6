"""The strategies by name: each a function from what was asked to weights with their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from capdesk.decide.weights import black_litterman as views
from capdesk.decide.weights import hierarchical, inputs, rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.choosing import best, preselected
from capdesk.decide.weights.min_cvar import minimum_cvar
from capdesk.decide.weights.optimum import Found
from capdesk.decide.weights.risk_parity import risk_budgets
from capdesk.decide.weights.sharpe import maximum_sharpe
from capdesk.decide.weights.staking import kelly_criterion
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal
from capdesk.model.plans import AllocationStrategy

NO_AVERSION = "without a risk_aversion mean_variance is the maximum Sharpe ratio"
_VARIANCE = 2.0
_LARGEST_MARKET = 10.0


def equal_weight(asked: Asked) -> Found:
    """The same for every name."""
    return rules.by_shares(asked.limits, np.ones(len(asked.names)))


def risk_parity(asked: Asked) -> Found:
    """Equal or budgeted shares of the risk; where only risk scores are known, inverse scores."""
    if not asked.has("covariance", "factors", "returns", "prices"):
        if asked.has("risk_budgets"):
            raise InvalidInput("risk_budgets need a covariance: give covariance, factors, returns or prices")
        return rules.by_shares(asked.limits, 1 / asked.scores)
    budgets = np.ones(len(asked.names))
    if asked.has("risk_budgets"):
        budgets = inputs.vector(asked.option("risk_budgets"), asked.names, "risk_budgets")
        if (budgets <= 0).any():
            name = asked.names[int(budgets.argmin())]
            raise InvalidInput(
                f"risk_budgets must be above 0, got {budgets.min():g} for {name}: leave the name out"
            )
    return risk_budgets(asked.limits, asked.covariance, budgets)


def min_variance(asked: Asked) -> Found:
    """Minimise w' Sigma w; with trading costs, risk aversion / 2 times it and the costs."""
    if not asked.limits.fully_invested:
        raise InvalidInput("min_variance with fully_invested=False is all cash: there is no variance in that")
    covariance, notes = asked.risk
    curvature = _VARIANCE
    if asked.limits.proportional_costs is not None or asked.limits.fixed_costs is not None:
        if not asked.risk_aversion:
            raise InvalidInput(
                "min_variance with trading costs needs risk_aversion: what a unit of variance is worth in return"
            )
        curvature = asked.risk_aversion
    return _noted(best(asked.limits, covariance, curvature, np.zeros(len(asked.names))), notes)


def mean_variance(asked: Asked) -> Found:
    """Maximise mean'w - risk_aversion / 2 w' Sigma w; without a risk aversion the Sharpe ratio."""
    if asked.risk_aversion is None:
        return _noted(max_sharpe(asked), (NO_AVERSION,))
    covariance, notes = asked.risk
    # Cash that may be kept earns the risk-free rate; where it may not, that changes nothing.
    return _noted(best(asked.limits, covariance, asked.risk_aversion, _rate(asked) - asked.mean), notes)


def max_sharpe(asked: Asked) -> Found:
    """Maximise (mean - risk-free rate)'w over volatility."""
    covariance, notes = asked.risk
    return _noted(maximum_sharpe(asked.limits, covariance, asked.mean - _rate(asked)), notes)


def black_litterman(asked: Asked) -> Found:
    """The market's expectations moved by views, then the utility of mean-variance on them.

    The prior's own uncertainty makes all risk 1 + tau times larger. Where everything is invested that
    says nothing about any name, and is left out of the aversion, so that without views the market is held.
    """
    aversion = asked.risk_aversion or views.RISK_AVERSION
    if asked.has("market_weights"):
        market = inputs.vector(asked.option("market_weights"), asked.names, "market_weights")
        if not abs(market.sum()) < _LARGEST_MARKET:
            raise InvalidInput(
                f"market_weights add up to {market.sum():g}: they are fractions of the market, 1 in all"
            )
        prior = views.equilibrium(asked.covariance, market, aversion)
    elif asked.has("mean"):
        prior = asked.mean - _rate(asked)
    else:
        raise InvalidInput("black_litterman needs market_weights, or mean as the prior expected returns")
    given = asked.option("views")
    if not isinstance(given, views.Views):
        portfolios, expected = views.matrix_of_views(asked.names, given or ())
        confidences = asked.option("confidences")
        stated = None if confidences is None else np.asarray(confidences, float)
        given = views.Views(portfolios, expected, confidences=stated)
    tau = float(read_decimal(asked.option("tau"), "tau"))
    after = views.posterior(asked.covariance, prior, given, tau)
    own = aversion / (1 + tau) if asked.limits.fully_invested else aversion
    return best(asked.limits, after.covariance, own, -after.mean)


def _rate(asked: Asked) -> float:
    rate = read_decimal(asked.option("risk_free_rate"), "risk_free_rate")
    if not -1 < rate < 1:
        raise InvalidInput(f"risk_free_rate={rate}: a fraction is meant, did you mean {rate / 100:f}?")
    return float(rate)


def min_cvar(asked: Asked) -> Found:
    """Minimise the mean loss of the worst scenarios."""
    return minimum_cvar(asked.limits, asked.returns, float(read_decimal(asked.option("tail"), "tail")))


def hierarchical_risk_parity(asked: Asked) -> Found:
    """Halve the budget down a tree of the correlations."""
    linkage, distance = asked.option("linkage"), asked.option("distance")
    for given, known, what in (
        (linkage, get_args(hierarchical.Linkage), "linkage"),
        (distance, get_args(hierarchical.Distance), "distance"),
    ):
        if given not in known:
            raise InvalidInput(f"{what} must be one of {', '.join(known)}, got {given!r}")
    shares = hierarchical.weights(
        asked.covariance.dense(),
        linkage=linkage,
        distance=distance,
        optimal_order=bool(asked.option("optimal_order")),
    )
    return rules.by_shares(asked.limits, shares)


def _noted(found: Found, notes: tuple[str, ...]) -> Found:
    return replace(found, notes=(*notes, *found.notes)) if notes else found


STRATEGIES: Mapping[str, Callable[[Asked], Found]] = {
    AllocationStrategy.EQUAL_WEIGHT: equal_weight,
    AllocationStrategy.RISK_PARITY: risk_parity,
    AllocationStrategy.MIN_VARIANCE: min_variance,
    AllocationStrategy.MEAN_VARIANCE: mean_variance,
    AllocationStrategy.MAX_SHARPE: max_sharpe,
    AllocationStrategy.KELLY_CRITERION: kelly_criterion,
    AllocationStrategy.BLACK_LITTERMAN: black_litterman,
    AllocationStrategy.MIN_CVAR: min_cvar,
    AllocationStrategy.HIERARCHICAL_RISK_PARITY: hierarchical_risk_parity,
}


def decided(asked: Asked) -> Found:
    """The weights of a strategy by its name, names chosen where the limits ask for it."""
    strategy = STRATEGIES[asked.strategy]
    if not asked.limits.discrete or _chooses(asked):
        return strategy(asked)
    return preselected(asked.limits, lambda limits: strategy(replace(asked, limits=limits)))


def _chooses(asked: Asked) -> bool:
    """Whether the objective is quadratic, so that the choice of names is exact."""
    if asked.strategy == AllocationStrategy.KELLY_CRITERION:
        return not asked.has("outcomes", "bet_prices", "odds")
    if asked.strategy == AllocationStrategy.MEAN_VARIANCE:
        return asked.risk_aversion is not None
    return asked.strategy in (AllocationStrategy.MIN_VARIANCE, AllocationStrategy.BLACK_LITTERMAN)
