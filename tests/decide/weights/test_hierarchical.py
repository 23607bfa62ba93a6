"""Hierarchical risk parity: the paper's steps written out, and its conventions one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist, squareform

from capdesk.decide.weights import hierarchical
from capdesk.decide.weights.problem import Array
from tests.decide.weights.problems import sampled


def _apart(covariance: Array) -> Array:
    deviation = np.sqrt(np.diag(covariance))
    apart = np.sqrt(np.clip((1 - covariance / np.outer(deviation, deviation)) / 2, 0, None))
    np.fill_diagonal(apart, 0.0)
    return apart


def _written_out(covariance: Array, order: list[int]) -> Array:
    """Algorithms 1 to 3 of the paper's bisection, with a list of lists."""

    def variance(names: list[int]) -> float:
        inner = covariance[np.ix_(names, names)]
        share = 1 / np.diag(inner)
        share /= share.sum()
        return float(share @ inner @ share)

    weights, lists = np.ones(len(order)), [order]
    while lists:
        lists = [
            half
            for part in lists
            if len(part) > 1
            for half in (part[: len(part) // 2], part[len(part) // 2 :])
        ]
        for left, right in zip(lists[::2], lists[1::2], strict=True):
            alpha = 1 - variance(left) / (variance(left) + variance(right))
            weights[left] *= alpha
            weights[right] *= 1 - alpha
    return weights


@pytest.mark.parametrize("count", [2, 3, 7, 20, 150])
@pytest.mark.parametrize("seed", range(4))
def test_the_default_is_the_paper(count: int, seed: int) -> None:
    covariance = sampled(count, seed)
    order = [0, 1]
    if count > 2:
        order = leaves_list(linkage(pdist(_apart(covariance)), "single")).tolist()
    assert hierarchical.leaf_order(covariance).tolist() == order
    found = hierarchical.weights(covariance)
    assert found == pytest.approx(_written_out(covariance, order), rel=1e-10)
    assert found.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["single", "complete", "average", "ward"])
def test_the_distance_and_the_linkage_may_be_others(method: hierarchical.Linkage) -> None:
    covariance = sampled(40, 1)
    tree = linkage(squareform(_apart(covariance), checks=False), method)
    found = hierarchical.weights(covariance, linkage=method, distance="correlation")
    assert found == pytest.approx(_written_out(covariance, leaves_list(tree).tolist()), rel=1e-10)


def test_the_leaves_may_be_turned_so_that_neighbours_are_near() -> None:
    covariance = sampled(40, 2)
    apart = squareform(_apart(covariance), checks=False)
    tree = optimal_leaf_ordering(linkage(apart, "single"), apart)
    order = hierarchical.leaf_order(covariance, "single", "correlation", optimal_order=True)
    assert order.tolist() == leaves_list(tree).tolist()


def test_a_hedge_is_near_what_it_hedges_under_the_absolute_correlation() -> None:
    matrix = np.array([[1.0, -0.95, 0.1], [-0.95, 1.0, 0.0], [0.1, 0.0, 1.0]])
    pairs = hierarchical.leaf_order(matrix, "single", "absolute_correlation").tolist()
    assert abs(pairs.index(0) - pairs.index(1)) == 1
    assert hierarchical.leaf_order(matrix, "single", "correlation").tolist() != pairs


def test_independent_names_get_inverse_variance_shares() -> None:
    variances = np.array([0.04, 0.01, 0.09, 0.16])
    found = hierarchical.weights(np.diag(variances))
    assert found == pytest.approx((1 / variances) / (1 / variances).sum(), rel=1e-12)


def test_one_name_gets_all() -> None:
    assert hierarchical.weights(np.array([[0.04]])).tolist() == [1.0]


def test_lists_of_any_length_are_halved_as_the_paper_says() -> None:
    source = np.random.default_rng(1)
    for count in range(1, 70):
        covariance, order = sampled(count, count), source.permutation(count)
        found = hierarchical.bisected(covariance, order)
        assert found == pytest.approx(_written_out(covariance, order.tolist()), rel=1e-10), count
