"""Pool allocation, exact to 1e-6: capdesk's tree against the whole program in HiGHS, and through cvxpy.

All three solve the same problem object, to the same relative gap, and must find one optimum.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from statistics import median
from time import perf_counter

from bench.place import Place
from bench.rows import Row
from capdesk.decide.pools import building, exact, readable, whole
from capdesk.decide.pools.problem import Answer, PoolProblem
from tests.decide.pools import instances

SIZES = {50: (10, 60), 500: (15, 60), 15_000: (40, 50)}
"""Pools -> how many times faster than the whole program, and than cvxpy."""

_TOKENS = 20
_SEEDS = 7


def measure(place: Place) -> list[Row]:
    """For each size the median and the worst ratio to each peer, and at 15,000 pools the time itself."""
    rows: list[Row] = []
    for size in SIZES:
        if place.quick and size > 1_000:
            continue
        rows += _size(size)
    return rows


def _size(size: int) -> list[Row]:
    ours: list[float] = []
    peers: dict[str, list[float]] = {"the whole program in HiGHS": [], "cvxpy + HiGHS": []}
    problems = [building.state(*instances.treasury(seed, size, _TOKENS)).problem for seed in range(_SEEDS)]
    answers: list[Answer] = []
    for problem in problems:
        answer, seconds = _timed(lambda p: exact.solve(p).answer, problem)
        answers.append(answer)
        ours.append(seconds)
    fallen = sum("whole program" in answer.solver for answer in answers)
    # The peers take more memory, and what a process has taken at most never falls.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for seed, (problem, answer) in enumerate(zip(problems, answers, strict=True)):
        for name, solve in (("the whole program in HiGHS", whole.solve), ("cvxpy + HiGHS", readable.solve)):
            other, seconds = _timed(solve, problem)
            if abs(other.objective - answer.objective) > 3e-6 * abs(answer.objective):
                raise AssertionError(
                    f"{size} pools, seed {seed}: {name} found {other.objective}, capdesk {answer.objective}"
                )
            peers[name].append(seconds)
    note = f"{_SEEDS} seeds; {fallen} of them needed the whole program"
    rows = [
        _ratio(f"pools, {size:,} x {_TOKENS}, {which}", name, ours, theirs, goal, note, pick)
        for (name, theirs), goal in zip(peers.items(), SIZES[size], strict=True)
        for which, pick in (("median", median), ("worst", min))
    ]
    if size == 15_000:
        rows += [
            _own(f"pools, {size:,} x {_TOKENS}, median", median(ours), "s", 0.5, note),
            _own(f"pools, {size:,} x {_TOKENS}, worst", max(ours), "s", 2.0, note),
            _own("largest memory before the peers", megabytes, "MB", 500, note),
        ]
    return rows


def _timed(solve: Callable[[PoolProblem], Answer], problem: PoolProblem) -> tuple[Answer, float]:
    began = perf_counter()
    answer = solve(problem)
    return answer, perf_counter() - began


def _ratio(
    task: str,
    against: str,
    ours: list[float],
    theirs: list[float],
    goal: float,
    note: str,
    pick: Callable[[list[float]], float],
) -> Row:
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    ratio = pick(ratios)
    return Row(
        task=task,
        against=against,
        unit="s",
        capdesk=median(ours),
        peer=median(theirs),
        ratio=ratio,
        goal=goal,
        at_most=False,
        note=note,
    )


def _own(task: str, value: float, unit: str, goal: float, note: str) -> Row:
    return Row(
        task=task,
        against="",
        unit=unit,
        capdesk=value,
        peer=None,
        ratio=None,
        goal=goal,
        at_most=True,
        note=note,
    )
