"""Groups of correlated names from their returns: those above a limit share one exposure limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from capdesk.model.errors import InvalidInput


def correlation_groups(returns: Mapping[str, Sequence[float]], limit: float) -> list[tuple[str, ...]]:
    """Names joined by correlations above a limit, directly or through others.

    Parameters
    ----------
    returns
        Returns by name, oldest first, all of one length of at least 3.
    limit
        Pearson correlation (not its size: names that move against each other are not grouped).

    Returns
    -------
    list of tuple
        Groups of two or more names, in the order in which they were given.

    Raises
    ------
    InvalidInput
        For series of different lengths, too short, not finite, or without variance; by name.
    """
    if not -1 <= limit <= 1:
        raise InvalidInput(f"limit must be a correlation from -1 to 1, got {limit}")
    names = list(returns)
    matrix = _matrix(names, returns)
    linked = np.corrcoef(matrix) > limit if len(names) > 1 else np.zeros((len(names), len(names)), dtype=bool)
    groups: list[tuple[str, ...]] = []
    seen: set[int] = set()
    for start in range(len(names)):
        if start in seen:
            continue
        group, frontier = {start}, [start]
        while frontier:
            for other in np.flatnonzero(linked[frontier.pop()]).tolist():
                if other not in group:
                    group.add(other)
                    frontier.append(other)
        seen |= group
        if len(group) > 1:
            groups.append(tuple(names[place] for place in sorted(group)))
    return groups


def mean_correlation(returns: Mapping[str, Sequence[float]]) -> float:
    """The mean of all pairwise correlations; 0 for fewer than two names."""
    names = list(returns)
    if len(names) < 2:
        return 0.0
    correlations = np.corrcoef(_matrix(names, returns))
    return float(correlations[np.triu_indices(len(names), 1)].mean())


def _matrix(names: list[str], returns: Mapping[str, Sequence[float]]) -> np.ndarray:
    lengths = {name: len(returns[name]) for name in names}
    if len(set(lengths.values())) > 1 or min(lengths.values(), default=3) < 3:
        raise InvalidInput(f"returns must have one length of at least 3, got {lengths}")
    matrix = np.array([list(returns[name]) for name in names], dtype=float)
    for name, row in zip(names, matrix, strict=True):
        if not np.isfinite(row).all():
            raise InvalidInput(f"the returns of {name} must be finite")
        if row.std() == 0:
            raise InvalidInput(f"the returns of {name} never change, so it has no correlation")
    return matrix
