"""What every store of a ledger promises. A new store joins by one more line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from capdesk.ledger.codec import Row
from capdesk.ledger.memory import MemoryStore
from capdesk.ledger.sqlite import SqliteStore
from capdesk.ledger.store import DuplicateId, Store, StoredSnapshot

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "ledger.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


def row(sequence: int, kind: str = "request", market: str = "m", at: int | None = None) -> Row:
    body = f'{{"number":{sequence}}}'.encode()
    when = 1_000 * sequence if at is None else at
    return Row(sequence, when, kind, market, f"id-{sequence}", body, sha256(body).digest())


def commit(store: Store, *actions: Callable[[], object]) -> None:
    store.begin(lambda: True)
    for action in actions:
        action()
    store.commit()


def keep_rows(store: Store, *rows: Row) -> None:
    commit(store, lambda: store.append(list(rows)))


def everything(store: Store) -> tuple[object, ...]:
    """All that a store holds, as far as it can be asked."""
    return (
        list(store.rows(0)),
        store.recall((6, 7), [f"id-{number}" for number in range(10)]),
        [store.repeats(number) for number in range(5)],
        store.snapshot(2**62),
    )


def test_new_store_is_empty(store: Store) -> None:
    assert everything(store) == ([], {}, [0] * 5, None)
    assert store.row(1) is None


def test_rows_come_back_as_they_were_written_in_order(store: Store) -> None:
    rows = [row(number) for number in range(1, 6)]
    keep_rows(store, *rows[:2])
    keep_rows(store, *rows[2:])
    assert list(store.rows(0)) == rows


def test_rows_after_an_entry_leave_out_what_came_before(store: Store) -> None:
    rows = [row(number) for number in range(1, 6)]
    keep_rows(store, *rows)
    assert list(store.rows(3)) == rows[3:]
    assert list(store.rows(5)) == []


def test_every_text_and_size_comes_back(store: Store) -> None:
    odd = Row(1, 2**62, "request", "märkt 🪙 \x00'\"", "x" * 10_000, bytes(range(256)) * 512, bytes(32))
    keep_rows(store, odd)
    assert store.row(1) == odd


def test_row_is_found_by_its_number(store: Store) -> None:
    keep_rows(store, row(1), row(2))
    assert store.row(2) == row(2)
    assert store.row(0) is None
    assert store.row(3) is None


def test_rows_are_seen_within_their_own_transaction(store: Store) -> None:
    store.begin(lambda: True)
    store.append([row(1)])
    assert list(store.rows(0)) == [row(1)]
    store.rollback()


def test_rollback_undoes_rows_ids_repeats_and_snapshots(store: Store) -> None:
    commit(
        store,
        lambda: store.append([row(1), row(2)]),
        lambda: store.remember([(7, "id-1", 1), (6, "id-2", 2)]),
        lambda: store.count_repeats([(2, 50)]),
        lambda: store.save_snapshot(StoredSnapshot(1, 1, b"first")),
    )
    before = everything(store)
    store.begin(lambda: True)
    store.append([row(3)])
    store.remember([(7, "id-3", 3), (8, "id-4", 3)])
    store.count_repeats([(2, 60), (2, 70), (3, 80)])
    store.save_snapshot(StoredSnapshot(3, 1, b"second"))
    store.forget(7)
    store.rollback()
    assert everything(store) == before
    assert store.recall((8,), ["id-4"]) == {}


def test_work_goes_on_after_a_rollback(store: Store) -> None:
    store.begin(lambda: True)
    store.append([row(1)])
    store.remember([(7, "id-1", 1)])
    store.rollback()
    commit(store, lambda: store.append([row(1)]), lambda: store.remember([(7, "id-1", 1)]))
    assert list(store.rows(0)) == [row(1)]
    assert store.recall((7,), ["id-1"]) == {"id-1": 1}


def test_rollback_without_a_transaction_does_nothing(store: Store) -> None:
    store.rollback()
    keep_rows(store, row(1))
    store.rollback()
    assert list(store.rows(0)) == [row(1)]


def test_an_id_is_taken_once_in_its_period(store: Store) -> None:
    commit(store, lambda: store.remember([(7, "id-1", 1)]))
    store.begin(lambda: True)
    with pytest.raises(DuplicateId):
        store.remember([(7, "id-2", 2), (7, "id-1", 3)])
    store.rollback()
    assert store.recall((7,), ["id-1", "id-2"]) == {"id-1": 1}


def test_an_id_is_taken_once_in_one_call(store: Store) -> None:
    store.begin(lambda: True)
    with pytest.raises(DuplicateId):
        store.remember([(7, "id-1", 1), (7, "id-1", 2)])
    store.rollback()
    assert store.recall((7,), ["id-1"]) == {}


def test_an_id_may_be_used_again_in_another_period(store: Store) -> None:
    commit(store, lambda: store.remember([(7, "id-1", 1)]), lambda: store.remember([(8, "id-1", 2)]))
    assert store.recall((7,), ["id-1"]) == {"id-1": 1}
    assert store.recall((8,), ["id-1"]) == {"id-1": 2}


def test_ids_are_recalled_in_the_periods_asked_for_alone(store: Store) -> None:
    commit(store, lambda: store.remember([(6, "id-1", 1), (7, "id-2", 2), (8, "id-3", 3)]))
    asked = ["id-1", "id-2", "id-3", "unknown", "with 'quotes\" and ü"]
    assert store.recall((6, 7), asked) == {"id-1": 1, "id-2": 2}
    assert store.recall((), asked) == {}
    assert store.recall((6, 7, 8), []) == {}


def test_forgetting_drops_earlier_periods_in_the_end_and_no_others(store: Store) -> None:
    ids = [(period, f"id-{period}-{number}", number) for period in (5, 6, 7) for number in range(800)]
    commit(store, lambda: store.remember(ids))
    for _ in range(10):
        commit(store, lambda: store.forget(7))
    assert store.recall((5, 6), [name for _, name, _ in ids]) == {}
    assert len(store.recall((7,), [name for _, name, _ in ids])) == 800


def test_repeats_are_counted_for_each_entry(store: Store) -> None:
    commit(store, lambda: store.count_repeats([(4, 10), (4, 20), (5, 20)]))
    commit(store, lambda: store.count_repeats([(4, 30)]))
    assert [store.repeats(number) for number in (3, 4, 5)] == [0, 3, 1]


def test_the_newest_snapshot_up_to_an_entry_is_found(store: Store) -> None:
    older, newer = StoredSnapshot(10, 1, b"older"), StoredSnapshot(20, 1, bytes(range(256)))
    commit(store, lambda: store.save_snapshot(older))
    commit(store, lambda: store.save_snapshot(newer))
    assert store.snapshot(9) is None
    assert store.snapshot(10) == older
    assert store.snapshot(19) == older
    assert store.snapshot(20) == newer
    assert store.snapshot(2**62) == newer


def test_the_two_newest_snapshots_are_kept(store: Store) -> None:
    for sequence in (10, 20, 30):
        commit(store, lambda sequence=sequence: store.save_snapshot(StoredSnapshot(sequence, 1, b"state")))
    assert store.snapshot(2**62) == StoredSnapshot(30, 1, b"state")
    assert store.snapshot(29) == StoredSnapshot(20, 1, b"state")


@pytest.mark.parametrize("kind", ["recycle", "release"])
def test_history_gives_one_kind_newest_first(store: Store, kind: str) -> None:
    rows = [row(number, kind=(kind if number % 2 else "request")) for number in range(1, 8)]
    keep_rows(store, *rows)
    assert [found.sequence for found in store.history(kind, 100, 0)] == [7, 5, 3, 1]


@pytest.mark.parametrize("kind", ["recycle", "release"])
def test_history_ends_at_its_limit_and_at_its_time(store: Store, kind: str) -> None:
    keep_rows(store, *(row(number, kind=kind) for number in range(1, 8)))
    assert [found.sequence for found in store.history(kind, 2, 0)] == [7, 6]
    assert [found.sequence for found in store.history(kind, 100, 6_000)] == [7, 6]
    assert [found.sequence for found in store.history(kind, 100, 6_001)] == [7]
    assert list(store.history(kind, 0, 0)) == []


def test_about_gives_a_market_and_what_concerns_several_oldest_first(store: Store) -> None:
    keep_rows(store, row(1, market=""), row(2, market="a"), row(3, market="b"), row(4, market="a"))
    assert [found.sequence for found in store.about("a")] == [1, 2, 4]
    assert [found.sequence for found in store.about("unheard")] == [1]


def test_readers_see_nothing_of_a_transaction_under_way(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    keep_rows(store, row(1, kind="recycle", market="a"))
    store.begin(lambda: True)
    store.append([row(2, kind="recycle", market="a")])
    store.count_repeats([(1, 10)])
    assert [found.sequence for found in store.history("recycle", 10, 0)] == [1]
    assert [found.sequence for found in store.about("a")] == [1]
    assert store.repeats(1) == 0
    store.commit()
    assert [found.sequence for found in store.about("a")] == [1, 2]
    store.close()


def test_what_was_committed_is_there_in_another_connection(tmp_path: Path) -> None:
    one = SqliteStore(tmp_path / "ledger.db")
    other = SqliteStore(tmp_path / "ledger.db")
    commit(
        one,
        lambda: one.append([row(1)]),
        lambda: one.remember([(7, "id-1", 1)]),
        lambda: one.count_repeats([(1, 5)]),
        lambda: one.save_snapshot(StoredSnapshot(1, 1, b"state")),
    )
    assert everything(other) == everything(one)
    one.close()
    other.close()
