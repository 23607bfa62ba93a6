"""Portfolio libraries, each through its usual interface, on moments or returns that are given to all."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.portfolios import CAP, Market, Weights

_PACKAGES = {"pypfopt": "pyportfolioopt", "riskfolio": "riskfolio-lib", "skfolio": "skfolio"}


def require() -> None:
    """End the run with what to install, where a library is missing."""
    missing = [package for module, package in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise SystemExit(
            f"the weight claims are measured against {', '.join(missing)}: "
            f"install them beside capdesk with `pip install {' '.join(missing)}` "
            "(dependency group `bench` of pyproject.toml)"
        )
    warnings.simplefilter("ignore")


def pyportfolioopt(market: Market, task: str) -> Weights:
    """PyPortfolioOpt's answer to a task."""
    from pypfopt import EfficientCVaR, EfficientFrontier, HRPOpt

    if task == "hierarchical":
        found = HRPOpt(returns=market.returns).optimize()
        return np.array([found[name] for name in market.names])
    if task == "cvar":
        frontier: Any = EfficientCVaR(market.mean, market.returns, beta=0.95)
        found = frontier.min_cvar()
    else:
        frontier = EfficientFrontier(market.mean, market.covariance, weight_bounds=(0, CAP))
        found = frontier.min_volatility() if task == "variance" else frontier.max_sharpe(risk_free_rate=0.0)
    return np.array(list(found.values()))


def skfolio(market: Market, task: str) -> Weights:
    """skfolio's answer to a task."""
    from skfolio import RiskMeasure
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, ObjectiveFunction, RiskBudgeting

    prior = _given(market)
    if task == "hierarchical":
        from skfolio.cluster import HierarchicalClustering, LinkageMethod

        model: Any = HierarchicalRiskParity(
            hierarchical_clustering_estimator=HierarchicalClustering(linkage_method=LinkageMethod.SINGLE)
        )
    elif task == "parity":
        model = RiskBudgeting(prior_estimator=prior)
    elif task == "cvar":
        model = MeanRisk(risk_measure=RiskMeasure.CVAR, prior_estimator=prior)
    elif task == "sharpe":
        model = MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_RATIO, prior_estimator=prior, max_weights=CAP
        )
    else:
        model = MeanRisk(prior_estimator=prior, max_weights=CAP)
    return np.asarray(model.fit(market.returns).weights_)


def _given(market: Market) -> Any:
    """An estimator that has nothing to estimate: the market's own moments."""
    from skfolio.prior import BasePrior, ReturnDistribution

    class Given(BasePrior):
        def __init__(self) -> None:
            pass

        def fit(self, X: Any, y: Any = None, **_: Any) -> Any:
            self.return_distribution_ = ReturnDistribution(
                mu=market.mean, covariance=market.covariance, returns=market.returns.to_numpy()
            )
            return self

    return Given()


def riskfolio(market: Market, task: str) -> Weights:
    """Riskfolio-Lib's answer to a task."""
    import riskfolio as library

    if task == "hierarchical":
        clusters: Any = library.HCPortfolio(returns=market.returns)
        found = clusters.optimization(
            model="HRP", codependence="pearson", rm="MV", linkage="single", leaf_order=False
        )
        return found["weights"].to_numpy()
    portfolio: Any = library.Portfolio(returns=market.returns)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    if task == "parity":
        found = portfolio.rp_optimization(model="Classic", rm="MV", rf=0)
    elif task == "cvar":
        portfolio.alpha = 0.05
        found = portfolio.optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0)
    else:
        portfolio.upperlng = CAP
        found = portfolio.optimization(
            model="Classic", rm="MV", obj="MinRisk" if task == "variance" else "Sharpe", rf=0
        )
    return found["weights"].to_numpy()
