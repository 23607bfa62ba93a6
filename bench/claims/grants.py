"""Durable grants with request ids by many callers, against one commit per request."""

from __future__ import annotations

import asyncio

from bench.one_commit import against_one_commit
from bench.place import Place
from bench.rows import Row

GOALS = {8: 3.0, 64: 10.0, 512: 15.0}


def measure(place: Place) -> list[Row]:
    """A row for each number of callers."""
    return [
        asyncio.run(against_one_commit(place, callers, goal, place.rounds(8)))
        for callers, goal in GOALS.items()
    ]
