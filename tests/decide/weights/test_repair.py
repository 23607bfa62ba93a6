"""A covariance that is none is refused with its eigenvalue or its name, and repaired only when asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.weights.dense import is_clearly_definite
from capdesk.decide.weights.repair import checked, nearest_correlation
from capdesk.model.errors import InvalidInput
from tests.decide.weights.closes import NAMES, RETURNS
from tests.decide.weights.problems import sampled

AB = ["a", "b"]
BROKEN = np.array([[4.0, 3.6, 0.0], [3.6, 4.0, 3.6], [0.0, 3.6, 4.0]])


def test_good_covariance_is_returned_as_it_was() -> None:
    matrix = np.cov(RETURNS.T)
    assert np.array_equal(checked(matrix, NAMES), matrix)


def test_singular_covariance_is_accepted() -> None:
    matrix = np.cov(RETURNS[:4].T)
    assert np.array_equal(checked(matrix, NAMES), (matrix + matrix.T) / 2)


def test_negative_eigenvalue_is_refused_and_named() -> None:
    with pytest.raises(InvalidInput, match=r"smallest eigenvalue is -1\.09117.*ask for repair=True"):
        checked(BROKEN, ["a", "b", "c"])


def test_repair_keeps_the_variances_and_leaves_no_negative_eigenvalue() -> None:
    repaired = checked(BROKEN, ["a", "b", "c"], repair=True)
    assert np.diagonal(repaired) == pytest.approx(4.0, rel=1e-14)
    assert np.linalg.eigvalsh(repaired)[0] > -1e-12
    assert checked(repaired, ["a", "b", "c"]) is not None


def test_nearest_correlation_of_highams_first_example() -> None:
    """Higham 2002, section 4: the printed solution and distance."""
    given_matrix = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    nearest = nearest_correlation(given_matrix)
    assert nearest == pytest.approx(
        np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]), abs=5e-5
    )
    assert np.linalg.norm(nearest - given_matrix) == pytest.approx(0.5278, abs=5e-5)


def test_nearest_correlation_of_highams_second_example() -> None:
    given_matrix = np.array([[2.0, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2]])
    nearest = nearest_correlation(given_matrix)
    assert nearest[0] == pytest.approx(np.array([1, -0.8084, 0.1916, 0.1068]), abs=5e-5)
    assert nearest[1, 2] == pytest.approx(-0.6562, abs=5e-5)


@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_nearest_correlation_is_a_correlation_and_no_clipped_one_is_nearer(entries: list[float]) -> None:
    matrix = np.eye(5)
    matrix[np.triu_indices(5, 1)] = entries
    matrix = (matrix + matrix.T) / 2 + np.eye(5) / 2
    np.fill_diagonal(matrix, 1.0)
    nearest = nearest_correlation(matrix)
    assert np.array_equal(np.diagonal(nearest), np.ones(5))
    assert np.linalg.eigvalsh(nearest)[0] > -1e-12
    values, vectors = np.linalg.eigh(matrix)
    clipped = (vectors * np.maximum(values, 0)) @ vectors.T
    clipped /= np.sqrt(np.outer(np.diagonal(clipped), np.diagonal(clipped)))
    assert np.linalg.norm(nearest - matrix) <= np.linalg.norm(clipped - matrix) + 1e-9


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[1.0, 0.5]], r"shape \(1, 2\): it must be \(2, 2\)"),
        ([[1.0, np.nan], [np.nan, 1.0]], "must be finite: a, b is nan"),
        ([[1.0, np.inf], [np.inf, 1.0]], "must be finite: a, b is inf"),
        ([[np.inf, 0.0], [0.0, 1.0]], "must be finite: a, a is inf"),
        ([[1.0, 0.5], [0.4, 1.0]], "must be symmetric: a, b is 0.5 one way and 0.4 the other"),
        ([[1.0, 0.0], [0.0, 0.0]], r"variances must be positive: b \(0\)"),
        ([[-1.0, 0.0], [0.0, 1.0]], r"variances must be positive: a \(-1\)"),
    ],
)
def test_what_is_no_covariance_is_refused_by_name(matrix: list[list[float]], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        checked(np.array(matrix), AB, repair=True)


def _with_smallest(smallest: float, count: int, seed: int) -> np.ndarray:
    """A symmetric matrix whose smallest eigenvalue is known, its others between 1 and 2."""
    source = np.random.default_rng(seed)
    basis = np.linalg.qr(source.normal(size=(count, count)))[0]
    values = source.uniform(1.0, 2.0, count)
    values[0] = smallest
    matrix = (basis * values) @ basis.T
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("count", [101, 160, 300])
@pytest.mark.parametrize("smallest", [-1e-2, -1e-4, -1e-6, -1e-8])
def test_single_precision_never_calls_an_indefinite_matrix_definite(count: int, smallest: float) -> None:
    for seed in range(5):
        matrix = _with_smallest(smallest, count, seed)
        assert not is_clearly_definite(matrix)
        with pytest.raises(InvalidInput, match="smallest eigenvalue is -"):
            checked(matrix, [str(name) for name in range(count)])


@pytest.mark.parametrize("place", [(0, 1), (127, 128), (3, 299), (298, 299), (130, 140)])
def test_one_value_that_differs_from_its_mirror_is_found(place: tuple[int, int]) -> None:
    matrix = sampled(300, 1)
    matrix = (matrix + matrix.T) / 2
    matrix[place] *= 1 + 1e-12
    called = [str(name) for name in range(300)]
    assert np.array_equal(checked(matrix, called), (matrix + matrix.T) / 2)
    matrix[place] = np.nan
    with pytest.raises(InvalidInput, match=f"must be finite: {place[0]}, {place[1]} is nan"):
        checked(matrix, called)


@pytest.mark.parametrize("scale", [1e-22, 1e-4, 1.0, 1e22])
def test_large_covariance_is_accepted_at_any_scale(scale: float) -> None:
    matrix = scale * _with_smallest(0.5, 150, 1)
    assert np.array_equal(checked(matrix, [str(name) for name in range(150)]), matrix)


def test_well_conditioned_covariance_needs_no_factor_in_double_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix = _with_smallest(0.5, 150, 1) * 1e-4
    monkeypatch.setattr("capdesk.decide.weights.repair.cholesky", None)
    assert np.array_equal(checked(matrix, [str(name) for name in range(150)]), matrix)


def test_large_singular_covariance_is_accepted() -> None:
    matrix = sampled(150, 3, rows=80)
    assert not is_clearly_definite(matrix)
    assert np.array_equal(checked(matrix, [str(name) for name in range(150)]), (matrix + matrix.T) / 2)
