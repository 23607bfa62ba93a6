"""Durable grants by one caller: what sharing commits costs where there is nobody to share with."""

from __future__ import annotations

import asyncio

from bench.one_commit import against_one_commit
from bench.place import Place
from bench.rows import Row


def measure(place: Place) -> list[Row]:
    """One row."""
    return [asyncio.run(against_one_commit(place, 1, 0.9, place.rounds(16)))]
