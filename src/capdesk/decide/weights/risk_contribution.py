"""Risk parity in the exact sense: every name contributes its budget of the risk.

Long-only weights whose contributions w_i (Sigma w)_i are in the proportions of the budgets
exist and are unique (Maillard, Roncalli & Teiletche 2010): they minimise
1/2 y' Sigma y - sum b_i ln y_i, scaled to sum to 1 (Spinu, An Algorithm for Computing Risk
Parity Weights, 2013).
"""

from __future__ import annotations

import numpy as np

from capdesk.decide.weights.dense import SingularMatrix
from capdesk.decide.weights.inverse import inverse_of, plus_diagonal
from capdesk.decide.weights.problem import Array, Covariance

_MOST_STEPS = 100
_TOLERANCE = 1e-12
_ENOUGH = 1e-8
_DIRECT = 120
_BALANCED = 1e-10
_WORSE = 10.0
_MOST_MULTIPLICATIONS = 40
_FIRST_LENGTH, _SHORTEST, _LONGEST = 0.9, 0.4, 1.0


class NotBalanced(Exception):
    """The contributions could not be brought to the budgets; the message says how far they are off."""


def equal_risk(covariance: Covariance, budgets: Array) -> Array:
    """Weights (n,) that sum to 1 and whose risk contributions are in the budgets' proportions.

    Parameters
    ----------
    covariance
        With positive variances.
    budgets
        (n,), positive; equal ones give equal risk contributions.

    Raises
    ------
    NotBalanced
        Where the contributions stay off, as for a covariance with a long-only hedge without risk.

    Notes
    -----
    Each weight is first multiplied by what its contribution lacks, over and over. Where that does
    not settle, as with strong hedges, it is Newton's method with a line search on correlations, so
    that scales do not matter. Large dense systems are solved by conjugate gradients, no further
    than the step deserves (Dembo, Eisenstat & Steihaug 1982).
    """
    shares = budgets / np.add.reduce(budgets)
    scale = 1.0 / np.sqrt(covariance.diagonal())
    start, settled = _multiplied(covariance, shares, np.sqrt(shares) * scale)
    if settled:
        return start / np.add.reduce(start)
    standard = _scaled(covariance, scale)
    y = start / scale
    y = y / np.sqrt(max(float(y @ standard.times(y)), 1e-6))
    marginal = standard.times(y)
    error = np.inf
    for _ in range(_MOST_STEPS):
        before, error = error, float(np.abs(y * marginal / shares - 1.0).max())
        if error <= _TOLERANCE or (error <= _ENOUGH and error >= before):
            return y * scale / (y @ scale)
        try:
            step = _newton_step(standard, shares, (y, marginal), min(0.1, error))
        except SingularMatrix:
            break
        y = y + _length(standard, shares, (y, marginal), step) * step
        marginal = standard.times(y)
    raise NotBalanced(f"risk contributions are off by {error:.1e} of their budgets after {_MOST_STEPS} steps")


def _multiplied(covariance: Covariance, shares: Array, start: Array) -> tuple[Array, bool]:
    """Weights multiplied by 1 + length x (budget / contribution - 1) until that is 1, and whether it is.

    The repeated multiplication of Chaves, Hsu, Li & Shakernia (Efficient Algorithms for
    Computing Risk Parity Portfolio Weights, 2012), with the step lengths of Barzilai & Borwein
    (1988): near the answer each step leaves I - length (I + K) of what is missing, and where names
    move together the eigenvalues of I + K lie between 1 and 2.
    """
    weights, length, before, least = start, _FIRST_LENGTH, None, np.inf
    best = start
    for _ in range(_MOST_MULTIPLICATIONS):
        marginal = covariance.times(weights)
        parts = weights * marginal
        if not np.minimum.reduce(parts) > 0:
            return best, False
        lack = shares / parts
        lack *= weights.dot(marginal)
        lack -= 1.0
        error = float(lack.dot(lack))
        if error <= _BALANCED * _BALANCED:
            return weights, True
        if error < least:
            best, least = weights, error
        elif error > _WORSE * _WORSE * least:
            return best, False
        if before is not None:
            change = lack - before
            length = min(max(-length * float(before.dot(change) / change.dot(change)), _SHORTEST), _LONGEST)
        weights, before = weights + weights * (length * lack), lack
    return best, False


def _newton_step(standard: Covariance, shares: Array, at: tuple[Array, Array], precision: float) -> Array:
    """-(C + diag(b / y^2))^-1 (C y - b / y), solved in units of y, in which it is well conditioned."""
    y, marginal = at
    right = shares - y * marginal
    if standard.matrix is None or len(y) <= _DIRECT:
        return y * inverse_of(plus_diagonal(_scaled(standard, y), shares), 1.0)(right[:, None])[:, 0]
    return _conjugate_gradients(standard, shares / (y * y), right / y, precision)


def _conjugate_gradients(standard: Covariance, diagonal: Array, right: Array, precision: float) -> Array:
    """(C + diag(d))^-1 b, preconditioned by the diagonal, to a relative residual."""
    preconditioner = 1.0 / (1.0 + diagonal)
    answer, left = np.zeros_like(right), right.copy()
    ready = preconditioner * left
    direction, size = ready, float(left @ ready)
    enough = precision * precision * size
    for _ in range(len(right)):
        image = standard.times(direction) + diagonal * direction
        length = size / float(direction @ image)
        answer += length * direction
        left -= length * image
        ready = preconditioner * left
        before, size = size, float(left @ ready)
        if size <= enough:
            break
        direction = ready + (size / before) * direction
    return answer


def _length(standard: Covariance, shares: Array, at: tuple[Array, Array], step: Array) -> float:
    """How far to go: halved until the objective falls, and never to a weight of 0."""
    y, marginal = at
    slope = float(step @ marginal - shares @ (step / y))
    curved, length = float(step @ standard.times(step)), 1.0
    worst = float((-step / y).max())
    if worst >= 0.95:
        length = 0.95 / worst
    while length > 1e-10:
        change = length * float(step @ marginal) + length * length / 2 * curved
        change -= float(shares @ np.log1p(length * step / y))
        if change <= 1e-4 * length * slope + 1e-15:
            break
        length /= 2
    return length


def contributions(covariance: Covariance, weights: Array) -> Array:
    """The share of every name in the variance, (n,), summing to 1."""
    parts = weights * covariance.times(weights)
    return parts / parts.sum()


def _scaled(covariance: Covariance, scale: Array) -> Covariance:
    """diag(s) Sigma diag(s)."""
    if covariance.matrix is not None:
        return Covariance(matrix=covariance.matrix * scale[:, None] * scale)
    loadings, specific = covariance.factors()
    return Covariance(loadings=loadings * scale[:, None], specific=specific * scale * scale)
