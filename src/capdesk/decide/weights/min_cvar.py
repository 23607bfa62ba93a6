"""Minimum conditional value at risk of scenarios within limits, with its evidence.

Rockafellar & Uryasev, Optimization of Conditional Value-at-Risk (2000). The dual bound is a
mixture of scenarios: whatever its chances, none of them above 1 / (tail T), the mixture's mean
loss is at most the CVaR.
"""

from __future__ import annotations

import numpy as np
from msgspec import structs

from capdesk.decide.weights import feasibility, tail_risk
from capdesk.decide.weights.limits import Limits
from capdesk.decide.weights.optimum import Found, finish
from capdesk.decide.weights.problem import Array
from capdesk.decide.weights.statement import Statement, no_risk, state
from capdesk.model.errors import InvalidInput


def minimum_cvar(limits: Limits, scenarios: Array, tail: float) -> Found:
    """Minimise the mean loss of the worst share `tail` of the scenarios (T, n), and trading costs.

    Raises
    ------
    InvalidInput
        For a tail that is not between 0 and 1, or is less than one scenario.
    InfeasibleError
        Where the limits cannot be met together.
    CertificateError
        Where no solver finds an accurate answer.
    """
    if not 0 < tail < 1:
        raise InvalidInput(f"tail must lie between 0 and 1 (0.05 is the worst 5 %), got {tail:g}")
    count = tail * len(scenarios)
    if count < 1:
        raise InvalidInput(
            f"the tail of {tail:g} holds {count:g} of {len(scenarios)} scenarios: give {1 / tail:.0f} or more"
        )

    def attempt(total: int) -> tuple[Statement, tail_risk.TailSolution]:
        statement = _statement(limits, total)
        return statement, tail_risk.solve(scenarios, tail, statement.problem)

    (statement, solution), total = feasibility.with_largest_total(limits, attempt)
    gradient = tail_risk.stated(scenarios, solution.chances, statement.problem).linear
    found = finish("tail", limits, statement, solution, total, gradient)
    proof = structs.replace(found.evidence, scenarios=scenarios, tail=tail, chances=solution.chances)
    names = len(limits.names)
    few = (
        (f"the tail has {count:g} scenarios for {names} names: its weights are mostly chance",)
        if count < names
        else ()
    )
    return Found(
        proof, found.solver, (f"the tail is the worst {count:g} of {len(scenarios)} scenarios",), few
    )


def _statement(limits: Limits, total: int) -> Statement:
    return state(limits, no_risk(len(limits.names)), 0.0, np.zeros(len(limits.names)), total)
