"""Target weights against the portfolio libraries, on the same moments, in one process.

`plan_weights` is the whole of it: reading, solving, rounding to exact sums, and the certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from bench.peers import portfolio_libraries as libraries
from bench.place import Place
from bench.portfolios import CAP, Goal, Market, Weights, contest, market
from bench.rows import Row
from capdesk.decide.weights.tail_risk import cvar
from capdesk.model.money import NANO
from capdesk.model.plans import Plan
from capdesk.weights import Constraints, plan_weights

TAIL = 0.05
_CAPPED = Constraints(max_weight=CAP)
_PEERS: Mapping[str, Callable[[Market, str], Weights]] = {
    "PyPortfolioOpt": libraries.pyportfolioopt,
    "skfolio": libraries.skfolio,
    "Riskfolio-Lib": libraries.riskfolio,
}
Goals = Mapping[int, Mapping[str, float]]

_VARIANCE: Goals = {
    20: {"PyPortfolioOpt": 25, "skfolio": 40, "Riskfolio-Lib": 80},
    500: {"PyPortfolioOpt": 15, "skfolio": 60, "Riskfolio-Lib": 200},
    2000: {"PyPortfolioOpt": 400, "skfolio": 2000},
}
_SHARPE: Goals = {
    20: {"PyPortfolioOpt": 20, "skfolio": 30, "Riskfolio-Lib": 80},
    500: {"skfolio": 40, "Riskfolio-Lib": 80},
    2000: {"skfolio": 1000},
}
_PARITY: Goals = {
    20: {"skfolio": 500, "Riskfolio-Lib": 1000},
    500: {"skfolio": 1000, "Riskfolio-Lib": 1000},
}
_HIERARCHICAL: Goals = {
    20: {"PyPortfolioOpt": 60, "skfolio": 40, "Riskfolio-Lib": 80},
    500: {"PyPortfolioOpt": 200, "skfolio": 1000, "Riskfolio-Lib": 1000},
}
_TAIL: Goals = {
    20: {"PyPortfolioOpt": 5, "skfolio": 6, "Riskfolio-Lib": 8},
    100: {"PyPortfolioOpt": 30, "skfolio": 80, "Riskfolio-Lib": 60},
}


def min_variance(place: Place) -> list[Row]:
    """Minimum variance with a 10 % cap."""
    return _measure(
        place,
        "variance",
        f"minimum variance, {CAP:.0%} cap",
        _VARIANCE,
        lambda given: plan_weights(
            given.names, "min_variance", covariance=given.covariance, constraints=_CAPPED
        ),
        lambda given, weights: float(weights @ given.covariance @ weights),
    )


def max_sharpe(place: Place) -> list[Row]:
    """Maximum Sharpe ratio with a 10 % cap."""
    return _measure(
        place,
        "sharpe",
        f"maximum Sharpe ratio, {CAP:.0%} cap",
        _SHARPE,
        lambda given: plan_weights(
            given.names, "max_sharpe", mean=given.mean, covariance=given.covariance, constraints=_CAPPED
        ),
        lambda given, weights: -float(given.mean @ weights / np.sqrt(weights @ given.covariance @ weights)),
    )


def risk_parity(place: Place) -> list[Row]:
    """Equal risk contributions."""
    return _measure(
        place,
        "parity",
        "equal risk contribution",
        _PARITY,
        lambda given: plan_weights(given.names, "risk_parity", covariance=given.covariance),
        _spread,
    )


def hierarchical(place: Place) -> list[Row]:
    """Hierarchical risk parity under the libraries' conventions: single linkage of the correlation distance."""
    return _measure(
        place,
        "hierarchical",
        "hierarchical risk parity",
        _HIERARCHICAL,
        lambda given: plan_weights(
            given.names, "hierarchical_risk_parity", covariance=given.covariance, distance="correlation"
        ),
        lambda given, weights: 1.0 + float(np.abs(weights - _bisected(given)).max()),
    )


def tail_risk(place: Place) -> list[Row]:
    """Minimum CVaR 95 % over a thousand scenarios."""
    return _measure(
        place,
        "cvar",
        "minimum CVaR 95 %, T=1000",
        _TAIL,
        lambda given: plan_weights(given.names, "min_cvar", returns=given.returns, tail=TAIL),
        lambda given, weights: cvar(given.returns.to_numpy() @ weights, TAIL),
        rows=1000,
    )


def _bisected(given: Market) -> Weights:
    """Lopez de Prado's bisection, step by step as it is written down."""
    scale = 1.0 / np.sqrt(np.diag(given.covariance))
    apart = np.sqrt(np.maximum(0.5 - 0.5 * given.covariance * np.outer(scale, scale), 0.0))
    order = leaves_list(linkage(squareform(apart, checks=False), "single"))
    weights, lists = np.ones(len(order)), [order]
    while lists:
        halves = [(part[: len(part) // 2], part[len(part) // 2 :]) for part in lists if len(part) > 1]
        for left, right in halves:
            share = 1.0 - _variance(given, left) / (_variance(given, left) + _variance(given, right))
            weights[left] *= share
            weights[right] *= 1.0 - share
        lists = [part for both in halves for part in both]
    return weights


def _variance(given: Market, chosen: np.ndarray) -> float:
    inner = given.covariance[np.ix_(chosen, chosen)]
    inverse = 1.0 / np.diag(inner)
    return float(inverse @ inner @ inverse / inverse.sum() ** 2)


def _spread(given: Market, weights: Weights) -> float:
    """1 and how far a share of the risk is from its part: a rule's answer is right or wrong, not better."""
    parts = weights * (given.covariance @ weights)
    return 1.0 + float(np.abs(parts / parts.sum() - 1.0 / len(weights)).max())


def _measure(
    place: Place,
    task: str,
    title: str,
    goals: Goals,
    plan: Callable[[Market], Plan],
    value: Callable[[Market, Weights], float],
    rows: int | None = None,
) -> list[Row]:
    libraries.require()
    measured: list[Row] = []
    for count, wanted in goals.items():
        if place.quick and count > 500:
            continue
        given = market(count, rows)
        peers = [Goal(peer, partial(_PEERS[peer], given, task), goal) for peer, goal in wanted.items()]
        rounds = 20 if count <= 100 else 1
        ours = partial(_as_array, plan, given)
        measured += contest(place, f"{title}, n={count}", given, ours, peers, partial(value, given), rounds)
    return measured


def _as_array(plan: Callable[[Market], Plan], given: Market) -> Weights:
    return plan(given).evidence.weights / NANO
