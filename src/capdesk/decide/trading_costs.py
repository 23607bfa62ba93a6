"""How far towards a target trades earn their costs: one problem over all of them.

    maximise  H (mu'w - gamma / 2 w'Sigma w) - sum k_i |w_i - w0_i| - sum F_i / V [w_i != w0_i]

over w between the current weights w0 and the target, with cash that does not fall below
what the target leaves of it (or 0). Proportional costs k make a no-trade region: a name
is traded to its edge (Davis and Norman 1990; here for one horizon H). A fixed cost F is
paid whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from capdesk.decide.fixed_charges import ChargedProblem, minimise
from capdesk.decide.weights.problem import Array, Covariance, QuadraticProblem
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, read_decimal, to_micro, usd
from capdesk.model.portfolio import LeftOut, TradingCost

_SMALL = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """What holding a weight earns until the horizon, above cash, and what its variance costs.

    Parameters
    ----------
    gains
        (n,), for the whole horizon.
    curvature
        (n, n), gamma x horizon x covariance; zeros where no covariance is known.
    days
        The horizon.
    """

    gains: Array
    curvature: Array
    days: Decimal

    @classmethod
    def read(
        cls,
        names: Sequence[str],
        target: Mapping[str, object],
        expected_returns: Mapping[str, object] | None,
        covariance: Sequence[Sequence[float]] | None,
        risk_aversion: float | None,
        horizon_days: object,
        cash_return: object,
    ) -> Horizon:
        """The horizon of `rebalance_portfolio`'s arguments.

        Raises
        ------
        InvalidInput
            For returns or a covariance that are not one for each name, and no horizon.
        """
        days = read_decimal(horizon_days, "horizon_days")
        if days <= 0:
            raise InvalidInput(f"horizon_days must be above 0, got {horizon_days}")
        years = float(days) / 365
        size = len(names)
        curvature = np.zeros((size, size))
        if covariance is not None:
            curvature = years * _aversion(risk_aversion) * _matrix(covariance, size)
        if expected_returns is None:
            wanted = np.array([float(read_decimal(target.get(name, 0))) for name in names])
            return cls(curvature @ wanted, curvature, days)
        missing = [name for name in names if name not in expected_returns]
        if missing:
            raise InvalidInput(
                f"expected_returns must name every protocol, none is given for {', '.join(missing)}"
            )
        cash = float(read_decimal(cash_return, "cash_return"))
        earned = [
            float(read_decimal(expected_returns[name], f"expected_returns[{name!r}]")) for name in names
        ]
        return cls(years * (np.array(earned) - cash), curvature, days)


def affordable(
    names: Sequence[str],
    now: Sequence[Decimal],
    gaps: Mapping[str, Decimal],
    value: Decimal,
    costs: Mapping[str, TradingCost],
    horizon: Horizon,
    least: Decimal,
) -> tuple[dict[str, Decimal], tuple[LeftOut, ...]]:
    """The signed moves of the names (fractions of the total), and what is left of the gaps and why."""
    if not gaps:
        return {}, ()
    places = [names.index(name) for name in gaps]
    towards = np.array([1.0 if gap > 0 else -1.0 for gap in gaps.values()])
    sizes = np.array([abs(float(gap)) for gap in gaps.values()])
    weights = np.array([float(weight) for weight in now])
    curvature = horizon.curvature[np.ix_(places, places)]
    slope = horizon.gains - horizon.curvature @ weights
    each = [costs.get(name, TradingCost()) for name in gaps]
    rates = np.array([float(cost.proportional) for cost in each])
    fixed = np.array([float(cost.fixed / value) for cost in each])
    cash = 1 - sum(now)
    floor = min(Decimal(0), cash, cash - sum(gaps.values()))
    problem = ChargedProblem(
        base=QuadraticProblem(
            covariance=Covariance(matrix=curvature * np.outer(towards, towards)),
            curvature=1.0 if curvature.any() else 0.0,
            linear=rates - towards * slope[places],
            equalities=(np.zeros((0, len(sizes))), np.zeros(0)),
            inequalities=((towards + rates)[None, :], np.array([float(cash - floor)])),
            lower=np.zeros(len(sizes)),
            upper=sizes,
        ),
        charges=fixed,
        least=np.full(len(sizes), float(least / value)),
        charge_rows=fixed[None, :],
    )
    x = minimise(problem)
    moves: dict[str, Decimal] = {}
    left: list[LeftOut] = []
    for place, (name, gap) in enumerate(gaps.items()):
        whole = sizes[place] - x[place] <= _SMALL
        move = gap if whole else round(Decimal(float(towards[place] * x[place])), 12)
        if x[place] > _SMALL:
            moves[name] = move
        if not whole:
            moved = moves.get(name, Decimal(0))
            left.append(
                LeftOut(name, Amount(round(gap - moved, 9)), _why(problem, x, place, value, horizon.days))
            )
    return moves, tuple(left)


def _why(problem: ChargedProblem, x: Array, place: int, value: Decimal, days: Decimal) -> str:
    """Why a name stops where it does: its cost, the cash, or a charge that is not earned."""
    base = problem.base
    gain = -float(base.gradient(x)[place])
    over = f"over {days.normalize():f} days"
    alone = base.covariance.diagonal()[place] * base.curvature
    room = float(base.upper[place] - x[place])
    further = room if alone <= 0 else min(room, max(0.0, gain / float(alone)))
    earned = gain * further - float(alone) * further**2 / 2
    charge = 0.0 if x[place] > 0 else float(problem.charges[place])
    if gain <= _SMALL:
        edge = "traded to the edge of its no-trade region: " if x[place] > 0 else ""
        return f"{edge}a further dollar gains no more than it costs {over}"
    if charge and earned <= charge:
        cost, best = _usd(charge, value), _usd(earned, value)
        return f"its fixed cost of {cost} is not earned: the best trade gains {best} {over}"
    if further < float(problem.least[place]) and not x[place]:
        least = _usd(float(problem.least[place]), value)
        return f"the best trade, {_usd(further, value)}, is under the minimum trade of {least}"
    return "there is no more cash for it, or other trades earn more with it"


def _usd(fraction: float, value: Decimal) -> str:
    return usd(to_micro(round(Decimal(fraction) * value, 6)))


def _aversion(given: float | None) -> float:
    aversion = None if given is None else float(read_decimal(given, "risk_aversion"))
    if aversion is None or aversion <= 0:
        raise InvalidInput(f"a covariance needs a risk_aversion above 0, got {given}")
    return aversion


def _matrix(given: Sequence[Sequence[float]], size: int) -> Array:
    matrix = np.array(given, dtype=float)
    if matrix.shape != (size, size):
        raise InvalidInput(
            f"covariance must be a row and a column for each of the {size} protocols, got the shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0):
        raise InvalidInput("covariance must be finite and symmetric")
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest < -1e-10 * float(np.abs(matrix).max()):
        raise InvalidInput(f"covariance must be positive semidefinite, its lowest eigenvalue is {lowest:.3e}")
    return matrix
