"""How plans are made: fields that rule the planner and never stand in a ledger's mandate."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from capdesk.config.fields import SETTINGS, Factor, problem_text
from capdesk.model.errors import CapdeskError, ConfigError
from capdesk.model.money import Amount
from capdesk.model.strategies import AllocationStrategy


def _rate(value: object) -> Amount:
    number = Amount(value)
    if not -1 < number < 1:
        raise ValueError("a rate is a fraction above -1 and below 1: 0.02 is two percent a year")
    return number


def _period(value: object) -> Amount:
    number = Amount(value)
    if not 1 <= number <= 10**10:
        raise ValueError("must be a number of seconds from 1 up: 86400 is once a day")
    return number


class PlanningConfig(BaseModel):
    """What the planner does where its caller does not say.

    Parameters
    ----------
    strategy
        How `optimize_portfolio` weighs.
    risk_free_rate
        A year's, as a fraction.
    rebalance_threshold
        The deviation of a weight, as a fraction of the total, from which it is traded.
    max_protocols
        How many protocols a plan may hold at most.
    optimization_frequency
        Seconds between two plans of a supervisor that is given a plan.
    """

    model_config = SETTINGS

    strategy: Annotated[AllocationStrategy, Field(description=f"one of {', '.join(AllocationStrategy)}")] = (
        AllocationStrategy.EQUAL_WEIGHT
    )
    risk_free_rate: Annotated[
        Amount, BeforeValidator(_rate), Field(description="a fraction above -1 and below 1")
    ] = Amount("0.02")
    rebalance_threshold: Annotated[Factor, Field(description="a fraction from 0 to 1")] = Amount("0.1")
    max_protocols: Annotated[
        int, Field(ge=1, le=100_000, strict=True, description="a whole number from 1 to 100000")
    ] = 10
    optimization_frequency: Annotated[
        Amount, BeforeValidator(_period), Field(description="a number of seconds from 1 up")
    ] = Amount(86_400)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            lines = [problem_text(problem, self.table_of) for problem in error.errors()]
            raise ConfigError("\n".join(lines)) from None
        except CapdeskError as error:
            raise ConfigError(str(error)) from None

    @classmethod
    def table_of(cls, where: tuple[Any, ...]) -> tuple[str, tuple[str, ...]]:
        """The table that a field would belong to: what it is called, and its fields."""
        return "the configuration", tuple(cls.model_fields)


PLANNING = frozenset(PlanningConfig.model_fields)
"""The fields that are no part of a mandate."""
