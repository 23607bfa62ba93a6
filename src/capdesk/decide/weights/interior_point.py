"""Any convex quadratic problem, singular ones too: PIQP, a proximal interior point method.

Schwan, Jiang, Kuhn & Jones, PIQP: A Proximal Interior-Point Quadratic Programming Solver
(CDC 2023).
"""

from __future__ import annotations

import numpy as np
import piqp

from capdesk.decide.weights.active_set import scaled_hessian
from capdesk.decide.weights.problem import QuadraticProblem, Solution

_MOST_STEPS = 250


def solve(problem: QuadraticProblem) -> Solution:
    """The last iterate of PIQP, in the problem's own units; the caller judges it.

    Notes
    -----
    The objective is divided by its own size, because the solver's tolerances are absolute.
    """
    scale, hessian = scaled_hessian(problem)
    equal, at_most = problem.equalities, problem.inequalities
    solver = piqp.DenseSolver()
    settings = solver.settings
    settings.eps_abs = settings.eps_rel = 1e-11
    settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = 1e-11
    settings.max_iter = _MOST_STEPS
    solver.setup(
        hessian.T,
        problem.linear / scale,
        np.asfortranarray(equal[0]) if len(equal[1]) else None,
        equal[1] if len(equal[1]) else None,
        np.asfortranarray(at_most[0]) if len(at_most[1]) else None,
        None,
        at_most[1] if len(at_most[1]) else None,
        problem.lower,
        problem.upper,
    )
    solver.solve()
    found = solver.result
    return Solution(
        x=np.clip(found.x, problem.lower, problem.upper),
        equality_multipliers=scale * np.asarray(found.y),
        inequality_multipliers=scale * np.maximum(found.z_u, 0.0),
        solver="PIQP",
        iterations=int(found.info.iter),
    )
