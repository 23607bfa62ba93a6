"""From what a planner is asked to a plan: which names, which limits, which inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capdesk.config import PlanningConfig
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, read_decimal
from capdesk.model.plans import AllocationStrategy, Plan
from capdesk.weights import Constraints, Exposure, plan_weights

RULES = (
    AllocationStrategy.EQUAL_WEIGHT,
    AllocationStrategy.RISK_PARITY,
    AllocationStrategy.HIERARCHICAL_RISK_PARITY,
)
"""The strategies without an objective: nothing in them says which names to leave out."""


def planned(
    settings: PlanningConfig,
    protocols: Sequence[str],
    limits: Mapping[str, Any],
    expected_returns: Mapping[str, object] | None,
    risk_scores: Mapping[str, object] | None,
    inputs: Mapping[str, Any],
) -> Plan:
    """The plan of a planner; see `Planner.plan_portfolio`.

    Raises
    ------
    InvalidInput
        For a protocol whose expected return or risk score is missing.
    """
    names, strategy, given = asked(settings, protocols, limits, expected_returns, risk_scores, inputs)
    return plan_weights(names, strategy, **given)


def asked(
    settings: PlanningConfig,
    protocols: Sequence[str],
    limits: Mapping[str, Any],
    expected_returns: Mapping[str, object] | None,
    risk_scores: Mapping[str, object] | None,
    inputs: Mapping[str, Any],
) -> tuple[list[str], Any, dict[str, Any]]:
    """What `plan_weights` is asked with: names, strategy and its keywords.

    Raises
    ------
    InvalidInput
        For a protocol whose expected return or risk score is missing.
    """
    given = dict(inputs)
    strategy = given.pop("strategy", settings.strategy)
    names, most = _chosen(list(protocols), strategy, settings.max_protocols, expected_returns)
    if expected_returns is not None:
        given["mean"] = _by_name(expected_returns, names, "expected_returns")
    if risk_scores is not None:
        given["risk_scores"] = _by_name(risk_scores, names, "risk_scores")
    per_year = float(read_decimal(given.pop("periods_per_year", 365), "periods_per_year"))
    yearly = given.get("returns") is None and given.get("prices") is None
    rate = float(settings.risk_free_rate)
    given.setdefault("risk_free_rate", rate if yearly else (1 + rate) ** (1 / per_year) - 1)
    if given.get("current") is not None:
        given["current"] = {name: given["current"][name] for name in names if name in given["current"]}
    return names, strategy, {"constraints": Constraints(max_names=most, **limits), **given}


def limits_of(
    percents: Mapping[str, Amount],
    names: Sequence[str],
    current: Mapping[str, object] | None,
    assets: Mapping[str, Mapping[str, Any]] | None,
) -> dict[str, Any]:
    """Seed 000's risk constraints as fields of `Constraints`; a trade is limited where it is known from what."""
    limits: dict[str, Any] = {}
    if (largest := percents.get("max_protocol_exposure_pct")) is not None:
        limits["max_weight"] = largest / 100
    if (trade := percents.get("max_transaction_size_pct")) is not None and current is not None:
        limits["max_trade"] = trade / 100
    if (asset := percents.get("max_asset_concentration_pct")) is not None:
        limits["exposures"] = _exposures(names, asset, assets)
    return limits


def _chosen(
    names: list[str], strategy: object, most: int, expected_returns: Mapping[str, object] | None
) -> tuple[list[str], int | None]:
    if len(names) <= most:
        return names, None
    if strategy not in RULES:
        return names, most
    if expected_returns is not None:
        earned = _by_name(expected_returns, names, "expected_returns")
        best = sorted(names, key=lambda name: -earned[name])[:most]
        return [name for name in names if name in best], None
    return names[:most], None


def _exposures(
    names: Sequence[str], largest: Amount, assets: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, Exposure]:
    """The concentration of each asset; without an exposure matrix a protocol is an asset of its own."""
    held = {name: {name: 1} for name in names} if assets is None else assets
    return {asset: Exposure(loadings=loadings, max=largest / 100) for asset, loadings in held.items()}


def _by_name(given: Mapping[str, object], names: Sequence[str], what: str) -> dict[str, float]:
    missing = [name for name in names if name not in given]
    if missing:
        raise InvalidInput(f"{what} must name every protocol, none is given for {', '.join(missing)}")
    return {name: float(read_decimal(given[name], f"{what}[{name!r}]")) for name in names}
