"""Hierarchical risk parity: cluster by correlation, then halve the budget down the tree.

Lopez de Prado, Building Diversified Portfolios that Outperform Out of Sample (2016), in three
steps: a tree of the names by the distance of their correlations; the names in the order of
its leaves, so that similar ones stand together; from the whole list down, each half gets a
share in inverse proportion to its variance under inverse-variance weights. It is a rule: it
minimises nothing, and needs no inverse of the covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
    apart = _distances(covariance, distance)
    tree = _hierarchy.linkage(apart, method=linkage, optimal_ordering=optimal_order)
    return np.asarray(_hierarchy.leaves_list(tree), dtype=np.intp)


def bisected(covariance: Array, order: NDArray[np.intp]) -> Array:
    """The shares that recursive bisection of an order gives, (n,).

    Notes
    -----
    With u = 1 / variance, a list's inverse-variance portfolio has the variance u' Sigma u /
    (sum u)^2. Running sums along the rows of Sigma diag(u) give all of them at once.
    """
    halves = _halves(len(order))
    answer = np.ones(len(order))
    if not len(halves.first):
        return answer
    inverse = 1.0 / covariance.diagonal()[order]
    weighted = np.zeros((len(order), len(order) + 1))
    inner = weighted[:, 1:]
    np.take(covariance[order], order, axis=1, out=inner, mode="clip")
    inner *= inverse
    sums = np.cumsum(weighted, axis=1, out=weighted)
    rows = halves.names
    across = (sums[rows, halves.last] - sums[rows, halves.first]) * inverse[rows]
    risks = np.add.reduceat(across, halves.begins) / np.add.reduceat(inverse[rows], halves.begins) ** 2
    of_left, of_right = risks[::2], risks[1::2]
    parts = np.empty(len(risks))
    parts[::2], parts[1::2] = of_right, of_left
    parts /= np.repeat(of_left + of_right, 2)
    shares = np.ones(len(order))
    np.multiply.at(shares, rows, parts[halves.half])
    answer[order] = shares
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    """Both halves of every list of the bisection of n places, name by name, each left one before its right one.

    Attributes
    ----------
    names, half, first, last
        For each name of each half: its place, which half it is, and where that begins and ends.
    begins
        For each half where its names begin in those.
    """

    names: NDArray[np.intp]
    half: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    begins: NDArray[np.intp]


@lru_cache(maxsize=8)
def _halves(count: int) -> _Halves:
    """The halves, which only depend on how many names there are."""
    ends: list[tuple[int, int]] = []
    waiting = [(0, count)]
    for first, last in waiting:
        middle = (first + last) // 2
        if last - first > 1:
            ends += [(first, middle), (middle, last)]
            waiting += ends[-2:]
    first, last = np.array(ends, np.intp).reshape(-1, 2).T
    size = last - first
    begins = np.cumsum(size) - size
    half = np.repeat(np.arange(len(size)), size)
    names = np.arange(len(half)) - begins[half] + first[half]
    return _Halves(names, half, first[half], last[half], begins)


def _distances(covariance: Array, distance: Distance) -> Array:
    """Distances between the names, (n (n - 1) / 2,): the upper triangle, row by row."""
    scale = 1.0 / np.sqrt(covariance.diagonal())
    correlation = covariance * scale[:, None]
    correlation *= scale
    between = _distance.squareform(correlation, checks=False)
    if distance == "absolute_correlation":
        return np.sqrt(np.maximum(1.0 - np.abs(between), 0.0))
    apart = np.sqrt(np.maximum(0.5 - 0.5 * between, 0.0))
    if distance == "correlation":
        return apart
    whole = _distance.squareform(apart, checks=False)
    inner = whole @ whole
    squares = inner.diagonal()
    squared = np.maximum(squares[:, None] + squares - 2.0 * inner, 0.0)
    return np.sqrt(_distance.squareform(squared, checks=False))
