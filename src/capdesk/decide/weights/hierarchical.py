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

from capdesk.decide.weights.dense import gram
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
    # Single linkage only asks which distance is smaller, and of their squares the same one is.
    apart = _squared_distances(covariance, distance)
    if linkage != "single" or optimal_order:
        np.sqrt(apart, out=apart)
    tree = _hierarchy.linkage(apart, method=linkage, optimal_ordering=optimal_order)
    return np.array(_leaves(tree[:, :2].astype(np.intp).tolist()), dtype=np.intp)


def _leaves(joins: list[list[int]]) -> list[int]:
    """The leaves of a tree from left to right; the names are 0 to n - 1, and join j makes n + j."""
    count, found = len(joins) + 1, list[int]()
    waiting = [2 * count - 2]
    while waiting:
        node = waiting.pop()
        if node < count:
            found.append(node)
        else:
            left, right = joins[node - count]
            waiting += (right, left)
    return found


def bisected(covariance: Array, order: NDArray[np.intp]) -> Array:
    """The shares that recursive bisection of an order gives, (n,).

    Notes
    -----
    With u = 1 / variance, a list's inverse-variance portfolio has the variance u' Sigma u /
    (sum u)^2. The sums over two neighbouring lists are those of the list they make, so they are
    added up from single names to the whole, level by level.
    """
    places = _places(len(order))
    names, inverse = np.zeros(places.width, np.intp), np.zeros(places.width)
    names[places.of_name] = order
    inverse[places.of_name] = 1.0 / covariance.diagonal()[order]
    risks, sums = [inverse], [inverse]
    if places.width > 2:
        across = _paired(covariance, names, inverse)
        inner = _paired(np.ascontiguousarray(across.T), names, inverse)
        while True:
            risks.append(inner.diagonal())
            sums.append(sums[-1][::2] + sums[-1][1::2])
            if len(inner) == 2:
                break
            inner = inner[::2] + inner[1::2]
            inner = inner[:, ::2] + inner[:, 1::2]
    whole = np.concatenate(sums)
    variances = np.concatenate(risks) / np.where(places.empty, 1.0, whole * whole)
    of_left, of_right = variances[::2], variances[1::2]
    parts = np.empty(len(variances))
    parts[::2], parts[1::2] = of_right, of_left
    parts /= np.repeat(np.where(places.empty[::2] & places.empty[1::2], 1.0, of_left + of_right), 2)
    parts[places.alone] = 1.0
    shares, end = np.ones(1), len(parts)
    for level in reversed(sums):
        shares = np.repeat(shares, 2) * parts[end - len(level) : end]
        end -= len(level)
    answer = np.empty(len(order))
    answer[order] = shares[places.of_name]
    return answer


def _paired(matrix: Array, names: NDArray[np.intp], weights: Array) -> Array:
    """Rows of a matrix in an order, weighted, each two neighbours added: (k, m) for k pairs of places."""
    answer = matrix.take(names[::2], axis=0)
    answer *= weights[::2, None]
    other = matrix.take(names[1::2], axis=0)
    other *= weights[1::2, None]
    answer += other
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where the names of an order stand so that every halving of a list is one of its places.

    Attributes
    ----------
    width
        How many places there are, a power of two.
    of_name
        (n,), the place of each name of the order.
    empty, alone
        For the lists of every level, from single places to the two halves of all: which have no
        name, and which are one side of a list whose other side has none.
    """

    width: int
    of_name: NDArray[np.intp]
    empty: NDArray[np.bool_]
    alone: NDArray[np.bool_]


@lru_cache(maxsize=8)
def _places(count: int) -> _Places:
    """The places, which only depend on how many names there are."""
    width = max(2, 1 << (count - 1).bit_length())
    sizes, levels = np.array([count]), list[NDArray[np.intp]]()
    while len(sizes) < width:
        sizes = np.stack([sizes // 2, sizes - sizes // 2], axis=1).reshape(-1)
        levels.insert(0, sizes)
    empty = np.concatenate(levels) == 0
    beside = empty.reshape(-1, 2)[:, ::-1].reshape(-1)
    return _Places(width, np.flatnonzero(sizes), empty, beside)


def _squared_distances(covariance: Array, distance: Distance) -> Array:
    """Squares of the distances between the names, (n (n - 1) / 2,): the upper triangle, row by row."""
    scale = 1.0 / np.sqrt(covariance.diagonal())
    correlation = covariance * scale[:, None]
    correlation *= scale
    squared = _distance.squareform(correlation, checks=False)
    if distance == "absolute_correlation":
        return np.maximum(1.0 - np.abs(squared), 0.0)
    squared *= -0.5
    squared += 0.5
    np.maximum(squared, 0.0, out=squared)
    if distance == "correlation":
        return squared
    inner = gram(_distance.squareform(np.sqrt(squared), checks=False))
    squares = inner.diagonal()
    squared = _distance.squareform(squares[:, None] + squares, checks=False)
    squared -= 2.0 * _distance.squareform(inner, checks=False)
    return np.maximum(squared, 0.0)
