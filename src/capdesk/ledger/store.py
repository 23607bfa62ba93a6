"""What every store of a ledger does; `memory` and `sqlite` are two of them.

A store is used by the writer's thread alone. Between `begin` and `commit` or `rollback`
it holds the write lock that all processes on the ledger share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from capdesk.ledger.codec import Row


class DuplicateId(Exception):
    """A request id was remembered before, in the same period."""


class StoredSnapshot(NamedTuple):
    """The bytes of a state as of an entry."""

    sequence: int
    format: int
    body: bytes


class Store(Protocol):
    """Where a ledger's journal, request ids and snapshots rest."""

    shared: bool
    """Whether other processes may append too."""

    def begin(self, patient: Callable[[], bool]) -> None:
        """Take the write lock and begin a transaction; wait for it as long as `patient()` says so.

        Raises
        ------
        LedgerUnavailable
            If another program holds the lock and nobody is patient any more.
        """
        ...

    def commit(self) -> None:
        """Make everything since `begin` durable, then give up the lock."""
        ...

    def rollback(self) -> None:
        """Undo everything since `begin` and give up the lock."""
        ...

    @property
    def untended(self) -> bool:
        """Whether there is something to tend to once nobody asks."""
        ...

    def tend(self, *, idle: bool) -> None:
        """Do what is due for the store's own sake, between commits; only what is pressing unless idle."""
        ...

    def rows(self, after: int) -> Iterable[Row]:
        """The rows that follow an entry, in order."""
        ...

    def append(self, rows: list[Row]) -> None:
        """Add rows to the journal."""
        ...

    def remember(self, ids: list[tuple[int, str, int]]) -> None:
        """Keep request ids: period, id, number of the entry that answers it.

        Raises
        ------
        DuplicateId
            If one of them is known in its period; the transaction must be rolled back.
        """
        ...

    def recall(self, periods: tuple[int, ...], ids: Iterable[str]) -> dict[str, int]:
        """The entries that answer those of the ids that are known in these periods."""
        ...

    def forget(self, before: int) -> None:
        """Drop some of the ids of periods before this one; called again and again, all of them."""
        ...

    def row(self, sequence: int) -> Row | None:
        """One row by its number."""
        ...

    def count_repeats(self, repeats: list[tuple[int, int]]) -> None:
        """Count repeats of refusals: number of the entry, time."""
        ...

    def snapshot(self, newest: int) -> StoredSnapshot | None:
        """The latest snapshot that is not of a later entry than `newest`."""
        ...

    def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot (within a transaction); older ones but one may go."""
        ...

    def history(self, kind: str, limit: int, since: int) -> Iterator[Row]:
        """Rows of one kind, newest first, not before a time; safe from any thread."""
        ...

    def about(self, market: str) -> Iterator[Row]:
        """Rows about a market, and those about several, oldest first; safe from any thread."""
        ...

    def repeats(self, sequence: int) -> int:
        """How often a refusal was repeated; safe from any thread."""
        ...

    def repeated(self, since: int) -> Iterator[Row]:
        """The refusals that were repeated at a time or later; safe from any thread."""
        ...

    def close(self) -> None:
        """Give everything up."""
        ...
