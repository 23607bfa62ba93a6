"""A proof is believed only where it holds: changed plans, leaves and data are found out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capdesk.decide.pools import building, exact
from capdesk.decide.pools.activities import activities
from capdesk.decide.pools.certificate import certify, covered, violation
from capdesk.decide.pools.cuts import BOUGHT, FILLED, SOLD
from capdesk.decide.pools.exact import Solved
from capdesk.decide.pools.lagrangian import OFF, ON
from capdesk.decide.pools.problem import PoolProblem
from capdesk.model.errors import CertificateError
from tests.decide.pools import instances

SEED = 3


@pytest.fixture(scope="module")
def problem() -> PoolProblem:
    return building.state(*instances.treasury(SEED, 30, 8)).problem


@pytest.fixture(scope="module")
def solved(problem: PoolProblem) -> Solved:
    return exact.solve(problem)


def with_leaves(solved: Solved, leaves: tuple[object, ...]) -> Solved:
    (branch,) = solved.branches
    return replace(solved, branches=(replace(branch, found=replace(branch.found, leaves=leaves)),))


def test_proof_of_the_solver_holds(problem: PoolProblem, solved: Solved) -> None:
    proof = certify(problem, solved)
    assert proof.proof == "tree"
    assert proof.leaves > 3
    assert proof.gap <= 1.01e-6
    assert proof.objective == pytest.approx(solved.answer.objective, rel=1e-9)


def test_a_tree_without_one_of_its_leaves_proves_nothing(problem: PoolProblem, solved: Solved) -> None:
    leaves = solved.branches[0].found.leaves
    for left_out in range(len(leaves)):
        with pytest.raises(CertificateError, match="leave out"):
            certify(problem, with_leaves(solved, leaves[:left_out] + leaves[left_out + 1 :]))


def test_a_tree_may_be_deeper_than_any_stack() -> None:
    a = activities(building.state(*instances.treasury(SEED, 1_300, 8)).problem, count=False)
    chain = [each for each in range(1_200) if a.rival[each] < 0 and not a.must[each]]
    leaves = [[*((each, OFF) for each in chain[:place]), (chain[place], ON)] for place in range(len(chain))]
    last = [(each, OFF) for each in chain]
    assert len(chain) > 1_100
    assert covered(a, [*leaves, last])
    assert not covered(a, leaves)
    assert not covered(a, [*leaves[:600], *leaves[601:], last])


def test_wrong_multipliers_give_a_worse_bound_and_never_a_false_one(
    problem: PoolProblem, solved: Solved
) -> None:
    truth = certify(problem, solved)
    leaves = solved.branches[0].found.leaves
    for factor in (0.0, 0.5, 1.5, -1.0):
        wrong = tuple(replace(leaf, multipliers=leaf.multipliers * factor) for leaf in leaves)
        assert certify(problem, with_leaves(solved, wrong)).bound > truth.bound


def test_a_tree_about_another_problem_is_refused(problem: PoolProblem, solved: Solved) -> None:
    (branch,) = solved.branches
    other = replace(problem, piece_slope=problem.piece_slope * 1.01)
    with pytest.raises(CertificateError, match="not about this problem"):
        certify(other, replace(solved, branches=(replace(branch, problem=other),)))


def with_cut(solved: Solved, number: int, **changed: object) -> Solved:
    (branch,) = solved.branches
    cuts = list(branch.found.cuts)
    cuts[number] = replace(cuts[number], **changed)
    return replace(solved, branches=(replace(branch, found=replace(branch.found, cuts=tuple(cuts))),))


@pytest.mark.parametrize("form", [FILLED, BOUGHT, SOLD])
def test_a_cut_that_does_not_follow_from_the_problem_is_found_out(
    problem: PoolProblem, solved: Solved, form: int
) -> None:
    (branch,) = solved.branches
    its = [(number, cut) for number, cut in enumerate(branch.found.cuts) if cut.form == form]
    assert its
    for number, cut in its:
        which, charge = cut.charge
        for changed in (
            {"upper": cut.upper - 1.0},
            {"charge": (which, charge * 1.001 - 0.001)},
            {"unit": (cut.unit[0], cut.unit[1] + 0.001)},
            {"unit": (cut.unit[0][1:], cut.unit[1][1:])},
            {"row": cut.row + 1},
            {"full": which, "taking": which},
        ):
            with pytest.raises(CertificateError, match="does not follow"):
                certify(problem, with_cut(solved, number, **changed))


def test_a_limit_that_bounds_what_is_bought_is_used_as_it_stands(
    problem: PoolProblem, solved: Solved
) -> None:
    (branch,) = solved.branches
    its = [(number, cut) for number, cut in enumerate(branch.found.cuts) if cut.parts]
    assert its
    for number, cut in its:
        first, *rest = cut.parts
        for wrong in (
            replace(first, factor=first.factor * 0.9),
            replace(first, row=0),
            replace(first, pools=first.pools[1:]),
        ):
            with pytest.raises(CertificateError, match="does not follow"):
                certify(problem, with_cut(solved, number, parts=(wrong, *rest)))
        with pytest.raises(CertificateError, match="does not follow"):
            certify(problem, with_cut(solved, number, parts=()))


def test_money_from_nowhere_and_a_broken_limit_are_violations(problem: PoolProblem, solved: Solved) -> None:
    answer = solved.answer
    assert violation(problem, answer) < 1e-4
    pool = int(answer.deposits.argmax())
    more = answer.deposits.copy()
    more[pool] += 1_000.0
    assert violation(problem, replace(answer, deposits=more)) >= 999
    assert violation(problem, replace(answer, sold=tuple(np.zeros_like(each) for each in answer.sold))) > 1
