"""Contestants take turns, so that whatever else the machine does falls on all of them.

Times on a shared machine are noise; the ratio of two contestants within a round is not.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

Turn = Callable[[], Awaitable[float]]
"""One turn of a contestant: does its work and returns the figure measured."""


async def take_turns(
    contestants: Mapping[str, Turn], rounds: int, *, rotate: bool = True
) -> dict[str, list[float]]:
    """Let every contestant have its turn in every round; one more round warms up.

    Another one begins each time, unless `rotate` is false because one needs what the other has done.
    """
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds + 1):
        shift = number % len(names) if rotate else 0
        for name in names[shift:] + names[:shift]:
            gc.collect()
            figure = await contestants[name]()
            if number:
                figures[name].append(figure)
    return figures


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios within each round."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
