"""What the weight claims are measured on: one market, its moments, and contests in which answers must agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import process_time

import numpy as np
import pandas as pd

from bench.place import Place
from bench.rounds import Turn, ratio, take_turns
from bench.rows import Row

Weights = np.ndarray
Answer = Callable[[], Weights]
CAP = 0.1
WRONG = 1e-5
LEAST_SECONDS = 0.1
"""A turn calls as often as fits into this, at least once, and its median counts: for everybody alike.

Processor time is what is measured: on a shared machine a call that outlasts its slice of time
waits for others, and a shorter one does not.
"""


@dataclass(frozen=True, slots=True)
class Market:
    """Returns of n names and the moments that every contestant is given.

    Attributes
    ----------
    returns
        (T, n), one row a day, with a column for each name.
    mean, covariance
        Of those returns, (n,) and (n, n).
    """

    returns: pd.DataFrame
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def names(self) -> list[str]:
        """The names."""
        return list(self.returns.columns)

    @property
    def says(self) -> str:
        """What everybody was given."""
        rows, names = self.returns.shape
        return f"{rows} days of {names} fat-tailed returns with a market factor and sectors, sample moments"


def market(count: int, rows: int | None = None) -> Market:
    """A market of fat-tailed daily returns: a common factor, a few sectors and what is each name's own."""
    source = np.random.default_rng(count)
    rows, sectors = rows or 2 * count + 500, max(3, min(20, count // 10))
    common = source.standard_t(5, size=(rows, 1)) * 0.008
    sector = source.standard_t(5, size=(rows, sectors)) * 0.006
    membership = np.eye(sectors)[source.integers(0, sectors, count)] * source.uniform(0.5, 1.5, (count, 1))
    own = source.standard_t(4, size=(rows, count)) * source.uniform(0.006, 0.02, count)
    returns = common * source.uniform(0.5, 1.5, count) + sector @ membership.T + own
    returns += source.normal(0.0005, 0.0004, count)
    frame = pd.DataFrame(returns, columns=[f"n{number:04d}" for number in range(count)])
    frame.index = pd.date_range("2010-01-04", periods=rows, freq="D")
    return Market(frame, returns.mean(axis=0), np.cov(returns.T))


@dataclass(frozen=True, slots=True)
class Goal:
    """A peer's name, its way of answering, and how many times as fast capdesk is to be."""

    peer: str
    answer: Answer
    goal: float


def contest(
    place: Place,
    task: str,
    given: Market,
    ours: Answer,
    goals: list[Goal],
    value: Callable[[Weights], float],
    rounds: int,
) -> list[Row]:
    """Rows of one task, a peer each, with the difference of what the answers are worth.

    `value` is what is to be small. An answer of ours that is worse than a peer's by more than
    1e-5 of it makes the row fail, however fast it was.
    """
    answers: dict[str, Weights] = {}

    def turn(name: str, answer: Answer) -> Turn:
        async def measured() -> float:
            calls: list[float] = []
            while sum(calls) < LEAST_SECONDS:
                began = process_time()
                answers[name] = answer()
                calls.append(process_time() - began)
            return median(calls)

        return measured

    turns = {"capdesk": turn("capdesk", ours), **{goal.peer: turn(goal.peer, goal.answer) for goal in goals}}
    seconds = asyncio.run(take_turns(turns, place.rounds(rounds)))
    reached = {name: value(weights) for name, weights in answers.items()}
    return [_row(task, given, goal, seconds, reached) for goal in goals]


def _row(
    task: str, given: Market, goal: Goal, seconds: Mapping[str, list[float]], reached: Mapping[str, float]
) -> Row:
    theirs = reached[goal.peer]
    difference = (reached["capdesk"] - theirs) / max(abs(theirs), 1e-300)
    return Row(
        task=task,
        against=goal.peer,
        unit="ms",
        capdesk=median(seconds["capdesk"]) * 1e3,
        peer=median(seconds[goal.peer]) * 1e3,
        ratio=ratio(seconds[goal.peer], seconds["capdesk"]),
        goal=goal.goal,
        note=f"{given.says}; objective {difference:+.1e} of the peer's",
        wrong=difference > WRONG,
    )
