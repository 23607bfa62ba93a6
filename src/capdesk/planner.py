"""The planner: target weights, dollars after market risk, orders and figures. Synchronous, no ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from capdesk.config import PlanningConfig, RiskConfig, read_config, read_planning
from capdesk.config.fields import read_percent
from capdesk.decide.risk.gate import assess
from capdesk.decide.shares import apportion
from capdesk.model.errors import InvalidInput
from capdesk.model.money import PPM, Amount, read_decimal, to_micro, to_micro_down
from capdesk.model.portfolio import PortfolioMetrics, Rebalancing
from capdesk.model.rules import VOLATILITY_STATES, MarketState, RiskTable

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig
    from capdesk.model.plans import Plan

_METRICS = ("volatility_state", "gas_price_gwei", "circuit_breaker_triggered")
_CONSTRAINTS = ("max_protocol_exposure_pct", "max_transaction_size_pct", "max_asset_concentration_pct")


class Planner:
    """Plans, and what follows from a plan.

    Parameters
    ----------
    config
        A `CapitalConfig` or a mapping of its fields. What it does not say of planning comes
        from the ``CAPITAL_*`` environment, else from the defaults; its `risk` is the table
        of `allocate_risk_adjusted_capital`.
    """

    def __init__(self, config: CapitalConfig | Mapping[str, Any] | None = None) -> None:
        rules = read_config(config)
        self._settings = read_planning(rules)
        self._table = None if rules.risk is None else rules.risk.compiled()

    @property
    def settings(self) -> PlanningConfig:
        """The fields of planning that are in force."""
        return self._settings

    def optimize_portfolio(
        self,
        protocols: Sequence[str],
        risk_constraints: Mapping[str, object],
        expected_returns: Mapping[str, object] | None = None,
        risk_scores: Mapping[str, object] | None = None,
        **inputs: Any,
    ) -> dict[str, Amount]:
        """The target weight of each protocol; what they leave of 1 is cash.

        The arguments are those of `plan_portfolio`, which gives the whole plan. Of more protocols
        than `max_protocols` those that are not held are left out.
        """
        if not protocols:
            return {}
        plan = self.plan_portfolio(protocols, risk_constraints, expected_returns, risk_scores, **inputs)
        few = len(protocols) > self._settings.max_protocols
        return {name: weight for name, weight in plan.weights.items() if weight or not few}

    def plan_portfolio(
        self,
        protocols: Sequence[str],
        risk_constraints: Mapping[str, object],
        expected_returns: Mapping[str, object] | None = None,
        risk_scores: Mapping[str, object] | None = None,
        **inputs: Any,
    ) -> Plan:
        """A plan by the strategy of the settings, with its certificate and its reasons.

        Parameters
        ----------
        protocols
            Their names. Of more than `max_protocols` no more are held: the strategies with an
            objective choose them, for the others it is the ones with the highest expected
            returns, or, where none are known, the first.
        risk_constraints
            In percent: ``max_protocol_exposure_pct`` (the largest weight),
            ``max_transaction_size_pct`` (the largest trade, where `current` weights are
            given) and ``max_asset_concentration_pct`` (the largest sum of weights in an
            asset, with ``exposures``: by asset, what a unit of each protocol holds of it).
        expected_returns
            By protocol, fractions a year.
        risk_scores
            By protocol, above 0. They serve as volatilities of uncorrelated protocols where a
            strategy needs a covariance and none is given.
        **inputs
            What else `capdesk.plan_weights` takes: `covariance`, `returns`, `prices`,
            `current`, `risk_aversion`, `views` ...

        Raises
        ------
        InvalidInput
            Naming the argument, what was given and what is allowed.
        InfeasibleError
            Where no weights meet all limits.
        """
        from capdesk.planning import limits_of, planned

        given = dict(inputs)
        current, exposures = given.get("current"), given.pop("exposures", None)
        limits = limits_of(_limits(risk_constraints), protocols, current, exposures)
        return planned(self._settings, protocols, limits, expected_returns, risk_scores, given)

    def plan_within(self, names: Sequence[str], limits: Mapping[str, Any], **inputs: Any) -> Plan:
        """A plan under limits of `capdesk.Constraints` instead of those of `plan_portfolio`.

        Parameters
        ----------
        limits
            Fields of `Constraints`, in fractions; `max_names` follows from the settings.
        **inputs
            As in `plan_portfolio`.
        """
        from capdesk.planning import planned

        return planned(self._settings, names, limits, None, None, inputs)

    def allocate_risk_adjusted_capital(
        self, total_capital: object, allocation: Mapping[str, object], risk_metrics: Mapping[str, Any]
    ) -> dict[str, Amount]:
        """Dollars for each protocol by this planner's risk table; see the function of this name."""
        return allocate_risk_adjusted_capital(total_capital, allocation, risk_metrics, self._table)

    def rebalance_portfolio(
        self,
        current: Mapping[str, object],
        target: Mapping[str, object],
        total_value: object,
        *,
        risk_constraints: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Rebalancing:
        """The orders that lead from the current weights to the target.

        Parameters
        ----------
        current, target
            Weights by protocol, fractions of the total; what they leave of 1 is cash.
        total_value
            Dollars, above 0.
        risk_constraints
            ``max_transaction_size_pct``: in percent of the total; larger trades are split.
        **options
            Those of `capdesk.decide.rebalance.rebalance_portfolio`: `threshold` (that of the
            settings without it), `trade`, `minimum_trade`, `max_transaction_size`, `costs`,
            `expected_returns`, `covariance`, `risk_aversion`, `horizon_days`, `cash_return`.

        Raises
        ------
        InvalidInput
            Naming the argument, what was given and what is allowed.
        """
        from capdesk.decide.rebalance import rebalance_portfolio

        options.setdefault("threshold", self._settings.rebalance_threshold)
        largest = _limits(risk_constraints or {}).get("max_transaction_size_pct")
        if largest is not None:
            options.setdefault(
                "max_transaction_size", largest * read_decimal(total_value, "total_value") / 100
            )
        return rebalance_portfolio(current, target, total_value, **options)

    def calculate_efficiency_metrics(self, returns: Iterable[object], **options: Any) -> PortfolioMetrics:
        """The figures of a series of returns, fractions of the capital in each period.

        Parameters
        ----------
        returns
            Any series of numbers; the dates of a pandas Series are taken from its index.
        **options
            Those of `capdesk.decide.performance.calculate_efficiency_metrics`:
            `risk_free_rate` (that of the settings without it), `periods_per_year`, `dates`,
            `benchmark`, `initial_value`, `total_value`, `flows`, `allocations`, `tail`,
            `confidence`, `sharpe_threshold`, `autocorrelation_lags`.

        Raises
        ------
        InvalidInput
            Naming the argument, what was given and what is allowed.
        """
        from capdesk.decide.performance import calculate_efficiency_metrics

        options.setdefault("risk_free_rate", self._settings.risk_free_rate)
        if (dates := _dates_of(returns)) is not None:
            options.setdefault("dates", dates)
        return calculate_efficiency_metrics(returns, **options)


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
    shares = apportion([Decimal(total) * weight for weight in weights.values()], Decimal(1))
    return {name: Amount.from_micro(share) for name, share in zip(weights, shares, strict=True)}


def _limits(given: Mapping[str, object]) -> dict[str, Amount]:
    unknown = set(given) - set(_CONSTRAINTS)
    if unknown:
        raise InvalidInput(
            f"risk_constraints may have {', '.join(_CONSTRAINTS)}, got {', '.join(sorted(unknown))}"
        )
    limits: dict[str, Amount] = {}
    for name, value in given.items():
        try:
            limits[name] = read_percent(value)
        except ValueError as error:
            raise InvalidInput(f"risk_constraints[{name!r}] = {value}: {error}") from None
    return limits


def _dates_of(returns: object) -> list[date] | None:
    """The dates that a pandas Series has as its index."""
    index = getattr(returns, "index", None)
    moments = getattr(index, "to_pydatetime", None)
    return None if moments is None else list(moments())
