"""The one writer of a process: it takes all that waits, decides it, commits it once, then answers.

Inside one transaction, under the lock that all processes share, it applies what others
have appended, decides on a working copy, writes, checks the invariants and commits; only
then is the copy published and are the callers answered. So nothing is answered before it
is on disk, and a failure leaves both the disk and the state as they were.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from msgspec.structs import replace

from capdesk.ledger.batch import Batch, refusal_key
from capdesk.ledger.codec import GENESIS, read_row, verify_row, write_row
from capdesk.ledger.invariants import check_step
from capdesk.ledger.snapshot import FORMAT, read_snapshot, write_snapshot
from capdesk.ledger.store import DuplicateId, Store, StoredSnapshot
from capdesk.ledger.waiting import Item
from capdesk.model.commands import Command, describe
from capdesk.model.errors import CapdeskError, CorruptLedger, IdConflict, InvariantBreach, LedgerClosed
from capdesk.model.journal import Body, Entry, Event
from capdesk.model.requests import Refused
from capdesk.model.state import NEVER, State

SNAPSHOT_EVERY = 20_000
_REFUSALS_REMEMBERED = 4_096
_DECIDED_AT_ONCE = 128
_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Transition:
    """The pure functions that the writer is given; it knows no rule itself."""

    decide: Callable[[State, Command, str, int], tuple[Event, ...]]
    evolve: Callable[[State, Event, int, int], None]
    tick: Callable[[State, int], None]
    due: Callable[[State, int], list[Command]]


class Writer:
    """Decides and commits batches on a store; used by one thread at a time.

    Parameters
    ----------
    clock
        Microseconds since 1970 (UTC). Time never runs backwards: an entry is never
        earlier than the one before.
    """

    def __init__(self, store: Store, transition: Transition, clock: Callable[[], int]) -> None:
        self.store = store
        self.state = State()
        self.publishing = threading.Lock()
        self.stopped: Exception | None = None
        self.trouble: Exception | None = None
        self._transition = transition
        self._clock = clock
        self._last_hash = GENESIS
        self._refusals: dict[Any, Entry] = {}
        self._snapshot_at = 0
        self._spare: State | None = None
        self._due_at: int | None = None

    def load(self) -> None:
        """Read the newest snapshot that this release understands, and the journal after it.

        Raises
        ------
        CorruptLedger
            If the hash chain or a total does not hold.
        """
        newest = 2**62
        while (kept := self.store.snapshot(newest)) is not None:
            if kept.format == FORMAT:
                self.state, self._last_hash = read_snapshot(kept.body)
                row = self.store.row(kept.sequence)
                if row is None or row.hash != self._last_hash:
                    raise CorruptLedger(
                        f"the snapshot of entry {kept.sequence} does not belong to this journal"
                    )
                self._snapshot_at = kept.sequence
                break
            newest = kept.sequence - 1
        self._catch_up()

    def run(self, items: Sequence[Item]) -> None:
        """Decide and commit commands; each gets its `reply` or its `error`."""
        if self.stopped is not None:
            for item in items:
                item.error = LedgerClosed(f"the ledger has stopped: {self.stopped}")
            return
        self.trouble = None
        try:
            self._attempt(items)
        except InvariantBreach as error:
            self.stopped = error
            self._fail(items, error)
        except CapdeskError as error:
            self._fail(items, error)
        except Exception as error:
            # A fault of the program itself: whoever waits is told, and nothing more is written.
            self.stopped = error
            self._fail(items, error)

    def refresh(self) -> None:
        """Apply what other processes have appended."""
        if self.store.shared:
            self._catch_up()

    def now(self) -> int:
        """The writer's clock, never before the last entry."""
        return max(self._clock(), self.state.at)

    def next_due(self) -> int | None:
        """No lease ends and no transfer arrives before this time; None: there are none."""
        if self._due_at is None:
            self._due_at = min(_due_times(self.state), default=NEVER)
        return None if self._due_at == NEVER else self._due_at

    def oldest_period(self) -> int:
        """The earliest retention period whose request ids are kept."""
        return self.state.id_period - 1

    def outcome(self, request_id: str) -> Entry | None:
        """The entry that answered a request id; None if it was never decided."""
        period = self.state.id_period
        known = self.store.recall((period + 1, period, period - 1), [request_id])
        return replace(self._stored(known[request_id]), request_id=request_id) if known else None

    def _attempt(self, items: Sequence[Item], *, careful: bool = False) -> None:
        store = self.store
        store.begin(lambda: any(not item.abandoned() for item in items))
        try:
            self.refresh()
            batch = self._begin_batch()
            for first in range(0, max(1, len(items)), _DECIDED_AT_ONCE):
                # Written while the processor has at hand what was decided.
                self._decide(batch, items[first : first + _DECIDED_AT_ONCE], careful=careful)
                self._write(batch)
            if not batch.written:
                store.rollback()
                return
            check_step(self.state, batch.draft)
            if batch.draft.id_period > 1:
                store.forget(batch.draft.id_period - 1)
            store.commit()
        except DuplicateId:
            store.rollback()
            for item in items:
                item.reply = item.error = None
            self._attempt(items, careful=True)
            return
        except BaseException:
            store.rollback()
            raise
        self._publish(batch)

    def _begin_batch(self) -> Batch:
        at = self.now()
        # Only a copy that was merged comes back: what a failure leaves of another is dropped.
        spare, self._spare = self._spare, None
        draft = self.state.fork() if spare is None else self.state.refresh(spare)
        self._transition.tick(draft, at)
        batch = Batch(draft, at, self._last_hash)
        due_at = self.next_due()
        falls_due = due_at is not None and due_at <= at
        if falls_due or self.state.halt is not None or self.state.breakers:
            self._due_at = None
            for command in self._transition.due(draft, at):
                kind = command.__struct_config__.tag
                request_id = f"{kind}-{draft.sequence + 1}"
                events = self._transition.decide(draft, command, request_id, at)
                self._enter(batch, command, events, request_id, at)
        return batch

    def _decide(self, batch: Batch, items: Sequence[Item], *, careful: bool) -> None:
        period = batch.draft.id_period
        known = self._known(items, period, careful=careful)
        for item in items:
            future = item.future
            if future is not None and future.done():
                # The wait for the lock may have been longer than the caller's patience.
                continue
            try:
                item.reply = self._answer(batch, item, known)
            except CorruptLedger:
                raise
            except CapdeskError as error:
                item.error = error
        if not careful:
            self._look_up_more(items, period, aged=batch.draft.id_period > period)

    def _look_up_more(self, items: Sequence[Item], period: int, *, aged: bool) -> None:
        """What failed, or came after rules that let ids age, may have been carried out before under its id."""
        failed = [item.request_id for item in items if item.error is not None and item.given]
        if aged or (failed and self.store.recall((period, period - 1), failed)):
            raise DuplicateId("an id of this batch may be known")

    def _answer(self, batch: Batch, item: Item, known: dict[str, int]) -> Entry:
        command, request_id, at = item.command, item.request_id, batch.at
        if request_id in batch.replies or request_id in known:
            return self._answer_again(batch, item, known)
        draft = batch.draft
        # As the replay does before each row: a command of this batch may have changed what ages.
        self._transition.tick(draft, at)
        events = self._transition.decide(draft, command, request_id, at)
        if not events and not item.given:
            return Entry(draft.sequence, at, request_id, command, ())
        refused = (
            bool(events) and type(events[0]) is Refused and all(type(event) is Refused for event in events)
        )
        if refused and (last := self._refused_alike(batch, command, events)) is not None:
            batch.ids.append((draft.id_period, request_id, last.sequence))
            batch.repeats.append((last.sequence, at))
            batch.replies[request_id] = last
            return replace(last, request_id=request_id)
        entry = self._enter(batch, command, events, request_id, at)
        if refused:
            batch.refusals[refusal_key(command)] = entry
        batch.ids.append((draft.id_period, request_id, entry.sequence))
        batch.replies[request_id] = entry
        return entry

    def _answer_again(self, batch: Batch, item: Item, known: dict[str, int]) -> Entry:
        command, request_id = item.command, item.request_id
        earlier = batch.replies.get(request_id) or self._stored(known[request_id])
        if earlier.command != command:
            raise IdConflict(request_id, describe(earlier.command), describe(command))
        return replace(earlier, request_id=request_id)

    def _refused_alike(self, batch: Batch, command: Command, events: tuple[Event, ...]) -> Entry | None:
        """The last refusal of the same, if this one says nothing else."""
        key = refusal_key(command)
        last = batch.refusals.get(key) or self._refusals.get(key)
        alike = last is not None and last.command == command and last.events == events
        return last if alike else None

    def _enter(
        self, batch: Batch, command: Command, events: tuple[Event, ...], request_id: str, at: int
    ) -> Entry:
        draft = batch.draft
        sequence = draft.sequence + 1
        row = write_row(batch.last_hash, sequence, at, request_id, Body(command, events))
        for event in events:
            self._transition.evolve(draft, event, sequence, at)
        draft.sequence, draft.at = sequence, at
        batch.last_hash = row.hash
        batch.rows.append(row)
        return Entry(sequence, at, request_id, command, events)

    def _write(self, batch: Batch) -> None:
        store = self.store
        if batch.rows:
            store.append(batch.rows)
        if batch.ids:
            store.remember(batch.ids)
        if batch.repeats:
            store.count_repeats(batch.repeats)
        batch.written = batch.written or bool(batch.rows or batch.ids)
        batch.rows, batch.ids, batch.repeats = [], [], []

    def _publish(self, batch: Batch) -> None:
        if len(self._refusals) + len(batch.refusals) > _REFUSALS_REMEMBERED:
            self._refusals.clear()
        self._refusals.update(batch.refusals)
        if batch.draft.sequence == self.state.sequence:
            return
        if self._due_at is not None:
            self._due_at = min((self._due_at, *_due_times(batch.draft)))
        with self.publishing:
            self.state.merge(batch.draft)
        self._spare = batch.draft
        self._last_hash = batch.last_hash

    def snapshot_is_due(self) -> bool:
        """Whether enough has happened since the last snapshot."""
        state = self.state
        return state.sequence - self._snapshot_at >= max(SNAPSHOT_EVERY, 4 * len(state.positions))

    def save_snapshot(self) -> None:
        """Keep the state as it is, so that the next opening starts from here."""
        if self.state.sequence == self._snapshot_at:
            return
        body = write_snapshot(self.state, self._last_hash)
        self.store.begin(lambda: False)
        try:
            self.store.save_snapshot(StoredSnapshot(self.state.sequence, FORMAT, body))
            self.store.commit()
        except BaseException:
            self.store.rollback()
            raise
        self._snapshot_at = self.state.sequence

    def _catch_up(self) -> None:
        rows = iter(self.store.rows(self.state.sequence))
        while read := list(islice(rows, _ROWS_AT_ONCE)):
            entries: list[Entry] = []
            last = self._last_hash
            for number, row in enumerate(read, self.state.sequence + 1):
                verify_row(row, last, number)
                entries.append(read_row(row))
                last = row.hash
            self._due_at = None
            with self.publishing:
                for entry in entries:
                    self._replay(entry)
            self._last_hash = last

    def _replay(self, entry: Entry) -> None:
        state = self.state
        self._transition.tick(state, entry.at)
        for event in entry.events:
            self._transition.evolve(state, event, entry.sequence, entry.at)
        state.sequence, state.at = entry.sequence, entry.at

    def _known(self, items: Sequence[Item], period: int, *, careful: bool) -> dict[str, int]:
        # A repeat within this period is found by the id's own uniqueness; an earlier one is looked up.
        periods = (period, period - 1) if careful else (period - 1,) if period else ()
        given = [item.request_id for item in items if item.given or careful]
        return self.store.recall(periods, given) if periods and given else {}

    def _stored(self, sequence: int) -> Entry:
        row = self.store.row(sequence)
        if row is None:
            raise CorruptLedger(f"entry {sequence} of the journal is missing")
        return read_row(row)

    def _fail(self, items: Sequence[Item], error: Exception) -> None:
        self.trouble = error
        for item in items:
            item.reply, item.error = None, error


def _due_times(state: State) -> list[int]:
    """When leases end and transfers arrive: all of a state's, or those that a working copy has changed."""
    ends = [until for until in state.leases.values() if until > 0]
    return ends + [transit.arrives_at for transit in state.transits.values() if transit is not None]
