"""Hierarchical risk parity: cluster by correlation, then halve the budget down the tree.

Lopez de Prado, Building Diversified Portfolios that Outperform Out of Sample (2016), in three
steps: a tree of the names by the distance of their correlations; the names in the order of
its leaves, so that similar ones stand together; from the whole list down, each half gets a
share in inverse proportion to its variance under inverse-variance weights. It is a rule: it
minimises nothing, and needs no inverse of the covariance.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy as _scipy_hierarchy  # pyright: ignore[reportMissingTypeStubs]
from scipy.spatial import distance as _scipy_distance  # pyright: ignore[reportMissingTypeStubs]

from capdesk.decide.weights.problem import Array

Linkage = Literal["single", "complete", "average", "weighted", "centroid", "median", "ward"]
Distance = Literal["lopez_de_prado", "correlation", "absolute_correlation"]

_hierarchy: Any = _scipy_hierarchy
_distance: Any = _scipy_distance


def weights(
    covariance: Array,
    *,
    linkage: Linkage = "single",
    distance: Distance = "lopez_de_prado",
    optimal_order: bool = False,
) -> Array:
    """Weights (n,), positive and summing to 1.

    Parameters
    ----------
    covariance
        (n, n), with positive variances.
    linkage
        How clusters are joined; the paper's is ``"single"``.
    distance
        ``"correlation"``: d = sqrt((1 - rho) / 2). ``"lopez_de_prado"``: the Euclidean distance
        between two names' columns of d, as in the paper. ``"absolute_correlation"``:
        sqrt(1 - |rho|), under which a hedge is near what it hedges.
    optimal_order
        Whether the two sides of every join are turned so that neighbours are near (Bar-Joseph
        et al. 2001), instead of standing as they were joined.
    """
    return bisected(covariance, leaf_order(covariance, linkage, distance, optimal_order=optimal_order))


def leaf_order(
    covariance: Array,
    linkage: Linkage = "single",
    distance: Distance = "lopez_de_prado",
    *,
    optimal_order: bool = False,
) -> NDArray[np.intp]:
    """The names in the order of the tree's leaves, (n,)."""
    if len(covariance) < 3:
        return np.arange(len(covariance))
    apart = _distance.squareform(_distances(covariance, distance), checks=False)
    tree = _hierarchy.linkage(apart, method=linkage, optimal_ordering=optimal_order)
    return np.asarray(_hierarchy.leaves_list(tree), dtype=np.intp)


def bisected(covariance: Array, order: NDArray[np.intp]) -> Array:
    """The shares that recursive bisection of an order gives, (n,).

    Notes
    -----
    With u = 1 / variance, a list's inverse-variance portfolio has the variance u' Sigma u /
    (sum u)^2. The sums over a list are those over its halves and twice what lies between them,
    so every entry of the covariance is added once.
    """
    inverse = 1.0 / np.diagonal(covariance)[order]
    weighted = covariance[np.ix_(order, order)] * inverse[:, None] * inverse
    shares = np.empty(len(order))
    totals = _totals(weighted, inverse)
    _divide(totals, shares, 0, len(order), 1.0)
    answer = np.empty(len(order))
    answer[order] = shares
    return answer


def _distances(covariance: Array, distance: Distance) -> Array:
    """Distances between the names, (n, n), with zeros on the diagonal."""
    scale = 1.0 / np.sqrt(np.diagonal(covariance))
    correlation = covariance * scale[:, None] * scale
    if distance == "absolute_correlation":
        return np.sqrt(np.maximum(1.0 - np.abs(correlation), 0.0))
    apart = np.sqrt(np.maximum(0.5 - 0.5 * correlation, 0.0))
    if distance == "correlation":
        return apart
    np.fill_diagonal(apart, 0.0)
    inner = apart @ apart
    squares = np.diagonal(inner)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * inner, 0.0))


def _totals(weighted: Array, inverse: Array) -> dict[tuple[int, int], tuple[float, float]]:
    """For every list of the bisection u' Sigma u and sum u."""
    totals: dict[tuple[int, int], tuple[float, float]] = {}

    def total(first: int, last: int) -> tuple[float, float]:
        if last - first == 1:
            found = float(weighted[first, first]), float(inverse[first])
        else:
            middle = (first + last) // 2
            (left, left_sum), (right, right_sum) = total(first, middle), total(middle, last)
            between = float(weighted[first:middle, middle:last].sum())
            found = left + right + 2.0 * between, left_sum + right_sum
        totals[first, last] = found
        return found

    total(0, len(inverse))
    return totals


def _divide(
    totals: dict[tuple[int, int], tuple[float, float]], shares: Array, first: int, last: int, share: float
) -> None:
    """Give a list's share to its halves, and so on down to single names."""
    if last - first == 1:
        shares[first] = share
        return
    middle = (first + last) // 2
    (left, left_sum), (right, right_sum) = totals[first, middle], totals[middle, last]
    left_variance, right_variance = left / left_sum**2, right / right_sum**2
    left_share = share * right_variance / (left_variance + right_variance)
    _divide(totals, shares, first, middle, left_share)
    _divide(totals, shares, middle, last, share - left_share)
