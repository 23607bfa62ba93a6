"""A problem in some of its variables, the others resting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capdesk.decide.weights.problem import Array, QuadraticProblem


def restricted(problem: QuadraticProblem, chosen: NDArray[np.intp], resting: Array) -> QuadraticProblem:
    """The problem in the chosen variables; `resting` (m,) has the others' values and 0 for these."""
    (equal, aims), (at_most, limits) = problem.equalities, problem.inequalities
    return QuadraticProblem(
        covariance=problem.covariance.of(chosen[chosen < problem.names]),
        curvature=problem.curvature,
        linear=problem.gradient(resting)[chosen],
        equalities=(equal[:, chosen], aims - equal @ resting),
        inequalities=(at_most[:, chosen], limits - at_most @ resting),
        lower=problem.lower[chosen],
        upper=problem.upper[chosen],
    )
