"""What was asked for: names, limits, inputs and options, each read when a strategy wants it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from capdesk.decide.weights import estimators, inputs
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal

SCORES_AS_VOLATILITIES = "risk scores were taken as volatilities of names that are not correlated"
_MOMENTS = "covariance, factors, returns or prices"


@dataclass(frozen=True, eq=False)
class Asked:
    """One call of `plan_weights`.

    Attributes
    ----------
    given
        The inputs as they were given, by the keyword's name.
    """

    strategy: str
    names: tuple[str, ...]
    limits: Limits
    given: dict[str, Any]

    def option(self, name: str) -> Any:
        """An argument as it was given; None where it was not."""
        return self.given.get(name)

    def has(self, *names: str) -> bool:
        """Whether any of these inputs was given."""
        return any(self.given.get(name) is not None for name in names)

    @cached_property
    def returns(self) -> Array:
        """Returns, (T, n), as given or from prices.

        Raises
        ------
        InvalidInput
        """
        if self.has("returns"):
            return inputs.returns(self.given["returns"], self.names)
        if self.has("prices"):
            return estimators.returns_of(inputs.table(self.given["prices"], self.names, "prices"), self.names)
        raise InvalidInput(f"{self.strategy} needs returns or prices")

    @cached_property
    def mean(self) -> Array:
        """Expected returns, (n,), as given or as the mean of the returns.

        Raises
        ------
        InvalidInput
        """
        if self.has("mean"):
            return inputs.vector(self.given["mean"], self.names, "mean")
        if self.has("returns", "prices"):
            return estimators.mean_of(self.returns, self.names, half_life=self.given.get("half_life"))
        raise InvalidInput(f"{self.strategy} needs expected returns: give mean, returns or prices")

    @cached_property
    def covariance(self) -> Covariance:
        """The covariance, as given or estimated from the returns.

        Raises
        ------
        InvalidInput
        """
        if self.has("covariance"):
            return inputs.covariance_matrix(
                self.given["covariance"], self.names, mend=bool(self.given.get("repair"))
            )
        if self.has("factors"):
            return inputs.factor_covariance(self.given["factors"], self.names)
        if self.has("returns", "prices"):
            return inputs.estimate(
                self.returns,
                self.names,
                self.given.get("estimator") or "sample",
                self.given.get("half_life"),
                self.given.get("factor_count"),
            )
        raise InvalidInput(f"{self.strategy} needs a covariance: give {_MOMENTS}")

    @cached_property
    def risk(self) -> tuple[Covariance, tuple[str, ...]]:
        """The covariance, else risk scores as volatilities without correlation; with a note of that.

        Raises
        ------
        InvalidInput
        """
        if self.has("covariance", "factors", "returns", "prices") or not self.has("risk_scores"):
            return self.covariance, ()
        scores = self.scores
        nothing = np.zeros((len(scores), 1))
        return Covariance(loadings=nothing, specific=scores**2), (SCORES_AS_VOLATILITIES,)

    @cached_property
    def scores(self) -> Array:
        """Risk scores, (n,), above 0.

        Raises
        ------
        InvalidInput
        """
        if not self.has("risk_scores"):
            raise InvalidInput(f"{self.strategy} needs risk_scores, or a covariance: give {_MOMENTS}")
        scores = inputs.vector(self.given["risk_scores"], self.names, "risk_scores")
        if (scores <= 0).any():
            name = self.names[int(scores.argmin())]
            raise InvalidInput(f"risk_scores must be above 0, got {scores.min():g} for {name}")
        return scores

    @cached_property
    def risk_aversion(self) -> float | None:
        """The factor of the variance in a utility.

        Raises
        ------
        InvalidInput
            For a number that is not finite or below 0.
        """
        given = self.given.get("risk_aversion")
        if given is None:
            return None
        value = (
            float(given) if isinstance(given, float | int) else float(read_decimal(given, "risk_aversion"))
        )
        if not 0 <= value < np.inf:
            raise InvalidInput(f"risk_aversion must be 0 or more, got {given}")
        return value
