"""A ledger in memory: the same journal and rules, for planning, tests and trials."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from capdesk.ledger.codec import Row
from capdesk.ledger.store import DuplicateId, StoredSnapshot


class MemoryStore:
    """A store that is gone with the process."""

    shared = untended = False

    def __init__(self) -> None:
        self._journal: list[Row] = []
        self._ids: dict[int, dict[str, int]] = {}
        self._repeats: dict[int, tuple[int, int]] = {}
        self._snapshots: list[StoredSnapshot] = []
        self._lock = threading.Lock()
        self._undo: tuple[int, list[tuple[int, str]], int] | None = None
        self._added: list[tuple[int, str]] = []
        self._counted: list[tuple[int, tuple[int, int]]] = []
        self._dropped: dict[int, dict[str, int]] = {}

    def begin(self, patient: Callable[[], bool]) -> None:
        self._lock.acquire()
        self._added, self._counted, self._dropped = [], [], {}
        self._undo = (len(self._journal), self._added, len(self._snapshots))

    def commit(self) -> None:
        self._undo = None
        self._lock.release()

    def rollback(self) -> None:
        if self._undo is None:
            return
        length, added, snapshots = self._undo
        del self._journal[length:]
        del self._snapshots[snapshots:]
        self._ids.update(self._dropped)
        for period, request_id in added:
            del self._ids[period][request_id]
        for sequence, before in reversed(self._counted):
            self._repeats[sequence] = before
        self._undo = None
        self._lock.release()

    def tend(self, *, idle: bool) -> None:
        pass

    def rows(self, after: int) -> Iterable[Row]:
        return self._journal[after:]

    def append(self, rows: list[Row]) -> None:
        self._journal.extend(rows)

    def remember(self, ids: list[tuple[int, str, int]]) -> None:
        for period, request_id, sequence in ids:
            known = self._ids.setdefault(period, {})
            if request_id in known:
                raise DuplicateId(request_id)
            known[request_id] = sequence
            self._added.append((period, request_id))

    def recall(self, periods: tuple[int, ...], ids: Iterable[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        for request_id in ids:
            for period in periods:
                sequence = self._ids.get(period, {}).get(request_id)
                if sequence is not None:
                    known[request_id] = sequence
        return known

    def forget(self, before: int) -> None:
        for period in [period for period in self._ids if period < before]:
            self._dropped[period] = self._ids.pop(period)

    def row(self, sequence: int) -> Row | None:
        return self._journal[sequence - 1] if 0 < sequence <= len(self._journal) else None

    def count_repeats(self, repeats: list[tuple[int, int]]) -> None:
        for sequence, at in repeats:
            before = self._repeats.get(sequence, (0, 0))
            self._repeats[sequence] = (before[0] + 1, at)
            self._counted.append((sequence, before))

    def snapshot(self, newest: int) -> StoredSnapshot | None:
        return next((kept for kept in reversed(self._snapshots) if kept.sequence <= newest), None)

    def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        self._snapshots.append(snapshot)

    def history(self, kind: str, limit: int, since: int) -> Iterator[Row]:
        found = (row for row in reversed(self._journal[:]) if row.kind == kind and row.at >= since)
        return (row for _, row in zip(range(limit), found, strict=False))

    def about(self, market: str) -> Iterator[Row]:
        return (row for row in self._journal[:] if row.market in (market, ""))

    def repeats(self, sequence: int) -> int:
        return self._repeats.get(sequence, (0, 0))[0]

    def repeated(self, since: int) -> Iterator[Row]:
        counted = self._repeats.copy()
        return (
            self._journal[sequence - 1] for sequence, (count, at) in counted.items() if count and at >= since
        )

    def close(self) -> None:
        self._journal, self._ids = [], {}
