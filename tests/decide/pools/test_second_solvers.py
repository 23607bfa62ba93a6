"""CP-SAT and cvxpy find the optimum of the exact solver, on a sample."""

from __future__ import annotations

import pytest

from capdesk.decide.pools import building, exact
from capdesk.decide.pools.certificate import value, violation
from tests.decide.pools import instances

cpsat = pytest.importorskip("capdesk.decide.pools.cpsat")
readable = pytest.importorskip("capdesk.decide.pools.readable")
pytest.importorskip("cvxpy")
pytest.importorskip("ortools")


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_readable_statement_has_the_same_optimum(seed: int) -> None:
    p = building.state(*instances.small(seed)).problem
    best, other = exact.solve(p).answer, readable.solve(p)
    assert other.objective == pytest.approx(best.objective, rel=2e-6, abs=1e-3)
    assert violation(p, other) < 0.02


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 6, 8, 10, 12, 14])
def test_cpsat_has_the_same_optimum_and_its_bound_holds(seed: int) -> None:
    p = building.state(*instances.small(seed)).problem
    best, other = exact.solve(p).answer, cpsat.solve(p)
    assert other.objective == pytest.approx(best.objective, rel=2e-6, abs=1e-3)
    assert value(p, other) == pytest.approx(other.objective, rel=1e-6, abs=1e-3)
    assert other.bound >= best.objective - 1e-6 * max(1.0, abs(best.objective))
    assert violation(p, other) < 0.02


def test_cpsat_at_a_coarse_scale_is_refused_or_its_bound_is_worth_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p = building.state(*instances.small(4)).problem
    fine = cpsat.solve(p)
    monkeypatch.setattr(cpsat, "SCALE", 10**4)
    try:
        coarse = cpsat.solve(p)
    except cpsat.NotSolved:
        return
    assert coarse.bound - coarse.objective > 100 * (fine.bound - fine.objective)
