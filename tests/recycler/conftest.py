"""A clock that stands still, and desks with a recycler, in memory and on disk."""

from __future__ import annotations

from tests.desk.conftest import clock, make_desk

__all__ = ["clock", "make_desk"]
